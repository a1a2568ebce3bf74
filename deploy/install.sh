#!/bin/sh
# Installs or uninstalls what `make dist` has packed for this machine. Compiles nothing, as it usually runs as root.
#   deploy/install.sh install|uninstall [NAME=value ...]
set -eu
cd "$(dirname "$0")/.."
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
release=coder-sms-register-$version-$(uname -m)-linux
archive=target/dist/$release.tar.gz
if [ ! -f "$archive" ]; then
	echo "There is no $archive yet. Type, not as root: make deb" >&2
	exit 1
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tar -xzf "$archive" -C "$folder" --no-same-owner
make --no-print-directory -C "$folder/$release" "$@"
