# What the scripts of this folder have in common. They read it from the top of the repository, after
# they have set ARCH: Debian's name of the processor that is built for, amd64 or arm64.
# shellcheck shell=sh disable=SC2034

NAME=coder-sms-register
VERSION=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
[ -n "$VERSION" ] || { echo 'Cargo.toml has no line: version = "..."' >&2; exit 1; }
case ${ARCH:-} in
amd64) MACHINE=x86_64 ;;
arm64) MACHINE=aarch64 ;;
'') ;;
*) echo "ARCH is amd64 or arm64, not $ARCH" >&2; exit 2 ;;
esac
TARGET=${MACHINE:-}-unknown-linux-musl
RELEASE=$NAME-$VERSION-${MACHINE:-}-linux
DIST=$PWD/target/dist
STAGE=$DIST/stage/${ARCH:-}
mkdir -p "$STAGE"

# Debian's musl headers for another processor than this one. `deploy/toolchain.sh` fetches them.
MUSL_HEADERS=$DIST/stage/musl/usr/include/${MACHINE:-}-linux-musl

# The C compiler, and what its tools begin with: for this machine's own processor musl-gcc.
if [ "$(uname -m)" = "${MACHINE:-}" ]; then
	CROSS=
	C_COMPILER=musl-gcc
else
	CROSS=$(echo "${MACHINE:-}" | tr _ -)-linux-gnu-
	C_COMPILER=${CROSS}gcc
fi

# The time of everything that is packed: the commit's, unless it is set; without a history Cargo.toml's.
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
	SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null) || SOURCE_DATE_EPOCH=$(stat -c %Y Cargo.toml)
fi
export SOURCE_DATE_EPOCH
umask 022
export LC_ALL=C TZ=UTC

# copy_folder FROM TO: its files and those of the folders in it, readable for all.
copy_folder() {
	(cd "$1" && find . -type f | sort) | while read -r file; do
		install -D -m 0644 "$1/$file" "$2/$file"
	done
}
