#!/bin/sh
# Changes the pure rooms of the program in every small way that cargo-mutants knows, and runs their unit tests after
# each change: what no test notices is listed. It works on a copy in a folder of its own.
#
#   tests/mutants/run.sh FOLDER [ROOM...]     a room is domain, ownership, config, gate, judge, decide, reply, plan, retry
#
# SHARD=0/3 takes every third change only.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
copy=$1
shift
[ $# -gt 0 ] || set -- domain ownership decide reply plan gate judge config retry

mkdir -p "$copy"
rm -rf "$copy/src"
mkdir -p "$copy/src/coder" "$copy/src/gate" "$copy/src/provision" "$copy/src/reap" "$copy/src/twilio" "$copy/src/webhook"
cp "$root/tests/mutants/lib.rs" "$copy/src/lib.rs"
cp "$root/Cargo.lock" "$root/.env-template" "$copy/"
for room in clock.rs config domain ownership properties.rs retry.rs similar.rs terminal.rs twilio/signature; do
    cp -r "$root/src/$room" "$copy/src/$room"
done
cp "$root/src/twilio/signature.rs" "$copy/src/twilio/"
mkdir -p "$copy/tests/data"
cp "$root/tests/data/twilio-signatures.json" "$copy/tests/data/"
for part in form.rs judge judge.rs probe.rs; do
    cp -r "$root/src/webhook/$part" "$copy/src/webhook/"
done
for part in decide reply; do
    cp -r "$root/src/provision/$part.rs" "$root/src/provision/$part" "$copy/src/provision/"
done
cp "$root/src/reap/plan.rs" "$copy/src/reap/"
for part in answer chunks client head limits proxies; do
    cp -r "$root/src/gate/$part.rs" "$copy/src/gate/"
    [ ! -d "$root/src/gate/$part" ] || cp -r "$root/src/gate/$part" "$copy/src/gate/"
done
# Without their tests, which concern more than these files.
for part in wire cleaned; do
    sed '/^#\[cfg(test)\]/,$d' "$root/src/coder/$part.rs" > "$copy/src/coder/$part.rs"
done
{
    echo '#[derive(Clone, Copy, Debug, PartialEq, Eq)]'
    sed -n '/pub enum Silence/,/^    }/p' "$root/src/provision/outcome.rs" | sed 's/ => "[a-z_]*"//'
} > "$copy/src/provision/outcome.rs"
{
    printf '[package]\nname = "pure-rooms"\nversion = "0.0.0"\nedition = "2024"\npublish = false\n\n[workspace]\n\n'
    printf '[lib]\ndoctest = false\n\n[profile.dev]\ndebug = false\n\n'
    for crate in hmac proptest sha1 sha2; do printf '[profile.dev.package.%s]\nopt-level = 3\n\n' "$crate"; done
    printf '[dependencies]\n'
    for crate in hmac sha1 sha2 base64 getrandom unicode-normalization log serde serde_json time tz-rs form_urlencoded \
        rustix httparse tiny_http; do
        sed -n "/^\[dependencies\]/,/^\[dev-dependencies\]/s/^$crate = .*/&/p" "$root/Cargo.toml"
    done
    printf '\n[dev-dependencies]\n'
    sed -n '/^\[dev-dependencies\]/,$s/^proptest = .*/&/p' "$root/Cargo.toml"
} > "$copy/Cargo.toml"

# Fewer cases for each property, as every change has its run.
export PROPTEST_CASES="${PROPTEST_CASES:-32}"
cd "$copy"
cargo test --lib --no-run
failed=0
for room in "$@"; do
    case $room in
        domain) files='src/domain/**' tests=domain:: ;;
        ownership) files='src/ownership/**' tests=ownership:: ;;
        config) files='src/config/**' tests=config:: ;;
        gate) files='src/gate/{head,head/framing}.rs' tests=gate:: ;;
        judge) files='src/{twilio/signature,webhook/form,webhook/judge,webhook/probe}.rs' tests='webhook:: twilio::' ;;
        decide | reply) files="src/provision/$room.rs" tests=provision::$room ;;
        plan) files=src/reap/plan.rs tests=reap::plan ;;
        retry) files=src/retry.rs tests=retry:: ;;
        *) echo "mutants: $room is none of domain, ownership, config, gate, judge, decide, reply, plan, retry" >&2; exit 2 ;;
    esac
    echo "$room:"
    # In place: this is the copy. The word lists hold no rules, and these tests draw far more than they need here.
    cargo mutants --in-place --sharding round-robin --shard "${SHARD:-0/1}" --timeout 120 --cap-lints true \
        --file "$files" --exclude src/domain/words.rs --output "$copy/$room" -- --lib -- $tests \
        --skip a_million_passwords --skip a_hundred_thousand_derived_passwords --skip the_longest_text_that_can_be_is_bounded \
        --skip no_letter_is_another_letter_of_the_alphabet || failed=1
    echo "not noticed:"
    cat "$copy/$room/mutants.out/missed.txt" "$copy/$room/mutants.out/timeout.txt"
done
exit $failed
