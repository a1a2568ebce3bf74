#!/bin/sh
# Builds the static binary and packs what belongs to it: a part of `make dist`.
#   ARCH=amd64|arm64 deploy/dist.sh
#
# The same commit and the same Rust give the same bytes: no path of this machine gets into the binary,
# and the archive has sorted names, one owner and the commit's time.
set -eu
cd "$(dirname "$0")/.."
. deploy/common.sh

build=${CARGO_TARGET_DIR:-$PWD/target}
case $build in /*) ;; *) build=$PWD/$build ;; esac
cargo_home=${CARGO_HOME:-$HOME/.cargo}

# Later prefixes win, so the narrower ones come last: the name of a registry's folder tells a mirror.
"${CARGO:-cargo}" fetch --locked --quiet --target "$TARGET"
flags="--remap-path-prefix=$cargo_home=/cargo --remap-path-prefix=$(rustc --print sysroot)=/rust"
flags="$flags --remap-path-prefix=$PWD=/source --remap-path-prefix=$build=/target"
maps="-ffile-prefix-map=$cargo_home=/cargo"
for registry in "$cargo_home"/registry/src/*; do
	flags="$flags --remap-path-prefix=$registry=/crates"
	maps="$maps -ffile-prefix-map=$registry=/crates"
done
maps="$maps -ffile-prefix-map=$PWD=/source -ffile-prefix-map=$build=/target"

# For another processor: a compiler for glibc with musl's headers in place of its own; Rust brings musl itself.
# Calls into libgcc for atomic operations would be missing then, so they are compiled in place.
if [ -n "$CROSS" ]; then
	maps="$maps -nostdinc -isystem $MUSL_HEADERS -isystem $("$C_COMPILER" -print-file-name=include)"
	[ "$ARCH" != arm64 ] || maps="$maps -mno-outline-atomics"
	target_name=$(echo "$TARGET" | tr a-z- A-Z_)
	set -- "CARGO_TARGET_${target_name}_LINKER=$C_COMPILER"
fi
triple=$(echo "$TARGET" | tr - _)
# Flags of this machine, for its processor for example, are left out.
env -u CARGO_ENCODED_RUSTFLAGS RUSTFLAGS="$flags" "CC_$triple=$C_COMPILER" "CFLAGS_$triple=$maps" \
	LIBSQLITE3_FLAGS="$(cat deploy/sqlite-flags)" CARGO_TARGET_DIR="$build" "$@" "${CARGO:-cargo}" build --locked --release --bin "$NAME" --target "$TARGET"
built=$build/$TARGET/release/$NAME
binary=$STAGE/$NAME
# What is left names the compilers only.
"${CROSS}strip" --remove-section=.comment -o "$binary" "$built"

# An interpreter would be the loader of shared libraries.
if readelf -l "$binary" | grep -q INTERP; then
	echo "$binary is not static: it asks for a loader of shared libraries" >&2
	exit 1
fi
for path in "$cargo_home" "$build" "$PWD"; do
	if grep -qaF "$path/" "$binary"; then
		echo "$binary names a folder of this machine: $path" >&2
		exit 1
	fi
done

# Tried at once, where this machine can run it.
if [ -z "$CROSS" ]; then
	"$binary" --version
elif qemu=$(command -v "qemu-$MACHINE-static" || command -v "qemu-$MACHINE"); then
	echo "$("$qemu" "$binary" --version), run by ${qemu##*/}"
else
	echo "$NAME for $ARCH is built, but was not run: qemu-user is not installed"
fi

folder=$STAGE/$RELEASE
rm -rf "$folder"
mkdir -p "$folder/completions"
install -m 0755 "$binary" "$folder/"
install -m 0644 deploy/systemd/*.service deploy/systemd/coder-sms-register.sysusers.conf \
	deploy/systemd/redis.conf deploy/systemd/Makefile deploy/coder-sms-register.8 \
	deploy/nginx.conf README.md SECURITY.md CHANGELOG.md LICENSE "$folder/"
copy_folder docs "$folder/docs"
install -m 0644 deploy/completions/* "$folder/completions/"
deploy/third-party.sh "$TARGET" >"$folder/third-party.txt"
sed -f deploy/systemd/env.sed .env-template >"$folder/env-template"
chmod 0644 "$folder/env-template" "$folder/third-party.txt"

tar --sort=name --format=ustar --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" \
	-C "$STAGE" -c "$RELEASE" | gzip -9n >"$DIST/$RELEASE.tar.gz.new"
mv "$DIST/$RELEASE.tar.gz.new" "$DIST/$RELEASE.tar.gz"
echo "target/dist/$RELEASE.tar.gz: $(wc -c <"$DIST/$RELEASE.tar.gz") bytes, the binary $(wc -c <"$binary")"
