#!/bin/sh
# Completes target/dist for a release page: the bill of materials of each binary, the checksums, and the
# text of the page. A part of `make dist`.
#   deploy/release.sh ARCH...
set -eu
cd "$(dirname "$0")/.."
. deploy/common.sh
timestamp=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
files=
for ARCH in "$@"; do
	. deploy/common.sh
	deploy/sbom.sh "$TARGET" "$VERSION" "$timestamp" >"$DIST/$RELEASE.cdx.json.new"
	mv "$DIST/$RELEASE.cdx.json.new" "$DIST/$RELEASE.cdx.json"
	files="$files ${NAME}_${VERSION}_$ARCH.deb $RELEASE.tar.gz $RELEASE.cdx.json"
done
cd "$DIST"
# shellcheck disable=SC2086
sha256sum $files >SHA256SUMS

# what FILE: its place in the table of the page
what() {
	case $1 in
	*_amd64.deb) echo 'Debian 12 or later, x86_64' ;;
	*_arm64.deb) echo 'Debian 12 or later, 64-bit ARM' ;;
	*-x86_64-linux.tar.gz) echo 'other systems with systemd, x86_64' ;;
	*-aarch64-linux.tar.gz) echo 'other systems with systemd, 64-bit ARM' ;;
	*.cdx.json) echo 'what is linked into the program (CycloneDX)' ;;
	esac
}
{
	echo "# $NAME $VERSION"
	echo
	awk -v version="$VERSION" '/^## / { on = $2 == version; next } on' ../../CHANGELOG.md | sed '1{/^$/d}' |
		sed -E "s|\[([^]]*)\]\(docs/[^)]*\)|\1|g"
	echo
	echo '## Files'
	echo
	echo '| file | for | bytes |'
	echo '| --- | --- | --- |'
	for file in $files; do
		echo "| \`$file\` | $(what "$file") | $(wc -c <"$file") |"
	done
	echo
	echo 'The programs are static. Check the files that you have downloaded, then install one:'
	echo
	echo '```sh'
	echo 'sha256sum --check --ignore-missing SHA256SUMS'
	echo "sudo apt-get install ./${NAME}_${VERSION}_\$(dpkg --print-architecture).deb"
	echo '```'
	echo
	echo "Built from commit $(git rev-parse HEAD 2>/dev/null || echo unknown) with $(rustc --version)."
	echo
	echo '## SHA-256'
	echo
	echo '```text'
	cat SHA256SUMS
	echo '```'
} >RELEASE.md
echo "target/dist/SHA256SUMS, target/dist/RELEASE.md: $(echo "$files" | wc -w) files"
