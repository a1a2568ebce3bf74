# What the scripts of this folder have in common; read by them from the repository's top.
# shellcheck shell=sh disable=SC2034

NAME=coder-sms-register
VERSION=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
[ -n "$VERSION" ] || { echo 'Cargo.toml has no line: version = "..."' >&2; exit 1; }
RELEASE=$NAME-$VERSION-x86_64-linux
DIST=$PWD/target/dist
STAGE=$DIST/stage
mkdir -p "$STAGE"

# The time that everything packed bears: the commit's, unless told; without a history Cargo.toml's.
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
	SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null) || SOURCE_DATE_EPOCH=$(stat -c %Y Cargo.toml)
fi
export SOURCE_DATE_EPOCH
umask 022
export LC_ALL=C TZ=UTC
