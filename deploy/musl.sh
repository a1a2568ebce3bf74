#!/bin/sh
# Sees to what a static binary is built with: Rust's musl target, and musl-gcc for the parts in C.
# Installs what is missing where it may, or says exactly what to type.
set -eu

TARGET=x86_64-unknown-linux-musl

complain() {
	echo "$1" >&2
	exit 1
}

[ "$(uname -m)" = x86_64 ] || complain 'make dist builds for x86_64, on x86_64 only. For another machine: make build'

if [ ! -d "$(rustc --print sysroot)/lib/rustlib/$TARGET/lib" ]; then
	command -v rustup >/dev/null ||
		complain "Rust's target $TARGET is missing, and rustup is not there to add it: install Rust from https://rustup.rs"
	echo "Adding Rust's target $TARGET ..."
	rustup target add "$TARGET" || complain "The target could not be added. Type: rustup target add $TARGET"
fi

command -v musl-gcc >/dev/null && exit 0
command -v apt-get >/dev/null ||
	complain "musl-gcc is missing: install musl's C compiler wrapper with the package manager of this system."
if [ "$(id -u)" = 0 ]; then
	as_root=
elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
	as_root=sudo
else
	complain 'musl-gcc is missing. Type: su -c "apt-get update && apt-get install -y musl-tools"'
fi
echo 'Installing musl-tools (Debian package) ...'
$as_root apt-get update -qq &&
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends musl-tools >/dev/null &&
	command -v musl-gcc >/dev/null ||
	complain 'musl-tools could not be installed. Type: sudo apt-get update && sudo apt-get install -y musl-tools'
