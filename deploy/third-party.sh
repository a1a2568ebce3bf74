#!/bin/sh
# Lists the third-party parts of the static binary with the texts of their licences, as most licences
# require. Reads what cargo has fetched for the build: deploy/third-party.sh TARGET
set -eu
cd "$(dirname "$0")/.."
export LC_ALL=C
sources=${CARGO_HOME:-$HOME/.cargo}/registry/src
known=$(mktemp -d)
trap 'rm -rf "$known"' EXIT

cat <<'HEAD'
Third-party parts of the static binary of coder-sms-register, with their licences.
If a part offers several licences ("MIT OR Apache-2.0"), any of them may be chosen. MIT is chosen if it is offered.

Beside the crates below: Rust's standard library (MIT OR Apache-2.0, https://www.rust-lang.org),
musl (MIT, https://musl.libc.org), SQLite (public domain, https://sqlite.org).
HEAD

"${CARGO:-cargo}" tree --locked --offline --target "$1" --edges normal,no-proc-macro --prefix none --format '{p}|{l}' |
	sed 's/ (\*)//' | grep -v '^coder-sms-register ' | sort -u >"$known/list"
while IFS='|' read -r part licence; do
	name=${part% v*}
	version=${part##* v}
	printf '\n=== %s %s: %s\n' "$name" "$version" "$licence"
	folder=$(echo "$sources"/*/"$name-$version")
	case $licence in *' OR '*) set -- "$folder"/LICENSE-MIT* ;; *) set -- ;; esac
	[ -f "${1:-}" ] || set -- "$folder"/LICEN[CS]E* "$folder"/COPYING*
	for text in "$@"; do
		[ -f "$text" ] || continue
		sum=$(md5sum <"$text" | cut -d ' ' -f 1)
		if [ -e "$known/$sum" ]; then
			printf '%s: the same text as of %s\n' "${text##*/}" "$(cat "$known/$sum")"
		else
			echo "$name $version, ${text##*/}" >"$known/$sum"
			printf -- '--- %s\n' "${text##*/}"
			tr -d '\r' <"$text"
			echo
		fi
	done
done <"$known/list"
