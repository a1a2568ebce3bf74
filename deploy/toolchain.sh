#!/bin/sh
# Provides what a static binary is built with: Rust's musl target, and a C compiler with musl's headers
# for SQLite and the TLS library. Installs what is missing if it may, or says exactly what to type.
#   ARCH=amd64|arm64 deploy/toolchain.sh
set -eu
cd "$(dirname "$0")/.."
. deploy/common.sh

complain() {
	echo "$1" >&2
	exit 1
}

# install PACKAGE
install() {
	command -v apt-get >/dev/null ||
		complain "$C_COMPILER is missing: install it with the package manager of this system."
	if [ "$(id -u)" = 0 ]; then
		as_root=
	elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
		as_root=sudo
	else
		complain "$C_COMPILER is missing. Type: su -c \"apt-get update && apt-get install -y $1\""
	fi
	echo "Installing $1 (Debian package) ..."
	$as_root apt-get update -qq &&
		$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >/dev/null ||
		complain "$1 could not be installed. Type: sudo apt-get update && sudo apt-get install -y $1"
}

# Debian has no package of musl's headers for another processor. So the package of that processor is fetched and
# unpacked, not installed: apt reads its lists into a folder of its own, and this system stays as it is.
fetch_musl_headers() {
	command -v apt-get >/dev/null || complain "musl's headers for $MACHINE are fetched with apt-get, which is missing here."
	echo "Fetching musl's headers for $ARCH (Debian package musl-dev) ..."
	folder=$DIST/stage/musl
	rm -rf "$folder"
	mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
	: >"$folder/status"
	foreign_apt() {
		apt-get -qq -o APT::Architecture="$ARCH" -o APT::Architectures::="$ARCH" -o Dir::State::Lists="$folder/lists" \
			-o Dir::State::Status="$folder/status" -o Dir::Cache="$folder/cache" -o APT::Sandbox::User=root "$@"
	}
	foreign_apt update >/dev/null && (cd "$folder" && foreign_apt download "musl-dev:$ARCH" >/dev/null) ||
		complain "The package sources of this system have no musl-dev for $ARCH."
	dpkg-deb -x "$folder"/musl-dev_*.deb "$folder"
	rm -rf "$folder/lists" "$folder/cache" "$folder/status" "$folder"/*.deb
	[ -f "$MUSL_HEADERS/stdio.h" ] || complain "musl-dev for $ARCH has no $MUSL_HEADERS"
}

if [ ! -d "$(rustc --print sysroot)/lib/rustlib/$TARGET/lib" ]; then
	command -v rustup >/dev/null ||
		complain "Rust's target $TARGET is missing, and rustup is not there to add it: install Rust from https://rustup.rs"
	echo "Adding Rust's target $TARGET ..."
	rustup target add "$TARGET" || complain "The target could not be added. Type: rustup target add $TARGET"
fi
if [ -z "$CROSS" ]; then
	command -v musl-gcc >/dev/null || install musl-tools
else
	command -v "$C_COMPILER" >/dev/null || install "gcc-${CROSS%-}"
	[ -f "$MUSL_HEADERS/stdio.h" ] || fetch_musl_headers
fi
command -v "$C_COMPILER" >/dev/null || complain "$C_COMPILER is still missing."
