#!/bin/sh
# Makes the Debian package of what deploy/dist.sh has packed: a part of `make dist` and `make deb`.
#   ARCH=amd64|arm64 deploy/debian/build.sh
set -eu
cd "$(dirname "$0")/../.."
. deploy/common.sh

command -v dpkg-deb >/dev/null || { echo 'dpkg-deb is missing: a Debian package can be made on Debian and its derivatives only.' >&2; exit 1; }

from=$STAGE/$RELEASE
root=$STAGE/deb
doc=$root/usr/share/doc/$NAME
rm -rf "$root"
install -d "$root/DEBIAN" "$root/usr/bin" "$root/usr/lib/systemd/system" "$root/usr/lib/sysusers.d" \
	"$root/usr/share/$NAME" "$root/usr/share/man/man8" "$doc" "$root/usr/share/lintian/overrides" "$root/etc/$NAME"

install -m 0755 "$from/$NAME" "$root/usr/bin/"
for unit in "$from"/*.service; do
	sed "s|/usr/local/bin/$NAME|/usr/bin/$NAME|" "$unit" >"$root/usr/lib/systemd/system/${unit##*/}"
done
install -m 0644 "$from/$NAME.sysusers.conf" "$root/usr/lib/sysusers.d/$NAME.conf"
install -m 0644 "$from/env-template" "$root/usr/share/$NAME/"
install -m 0644 "$from/redis.conf" "$root/etc/$NAME/"
gzip -9nc "$from/$NAME.8" >"$root/usr/share/man/man8/$NAME.8.gz"
install -m 0644 "$from/README.md" "$from/SECURITY.md" "$from/nginx.conf" "$from/third-party.txt" "$doc/"
copy_folder "$from/docs" "$doc/docs"
install -D -m 0644 "$from/completions/$NAME.bash" "$root/usr/share/bash-completion/completions/$NAME"
install -D -m 0644 "$from/completions/_$NAME" "$root/usr/share/zsh/vendor-completions/_$NAME"
install -D -m 0644 "$from/completions/$NAME.fish" "$root/usr/share/fish/vendor_completions.d/$NAME.fish"
install -m 0644 deploy/debian/lintian-overrides "$root/usr/share/lintian/overrides/$NAME"

# Each "## VERSION - DATE" of CHANGELOG.md becomes an entry in Debian's form; an unreleased one gets the commit's date.
now=$(date -u -R -d "@$SOURCE_DATE_EPOCH")
maintainer=$(sed -n 's/^Maintainer: //p' deploy/debian/control.in)
sed -n '/^## /,$p' CHANGELOG.md | tr -d '`' | awk -v name="$NAME" -v now="$now" -v by="$maintainer" '
	function item(   words, count, i, line) {
		count = split(text, words, " "); line = "  *"
		for (i = 1; i <= count; i++) {
			if (length(line " " words[i]) > 79) { print line; line = "   " }
			line = line " " words[i]
		}
		if (count) print line
		text = ""
	}
	function entry() { item(); if (stamp) printf "\n -- %s  %s\n\n", by, stamp }
	/^## / {
		entry(); stamp = now
		if ($4 ~ /^[0-9]+-[0-9]+-[0-9]+$/) { cmd = "date -u -R -d " $4; cmd | getline stamp; close(cmd) }
		printf "%s (%s) unstable; urgency=medium\n\n", name, $2; next
	}
	/^[[:space:]]*$/ { item(); next }
	/^- / { item(); sub(/^- /, "") }
	{ text = text " " $0 }
	END { entry() }' | gzip -9nc >"$doc/changelog.gz"

# The licence in the form of a Debian copyright file: indented, a full stop on empty lines.
copyright=$(sed -n 's/^Copyright (c) //p' LICENSE)
{
	sed "s|@COPYRIGHT@|$copyright|" deploy/debian/copyright.in
	sed '1,/^Copyright/d' LICENSE | sed '1{/^$/d}; s/^/ /; s/^ $/ ./'
} >"$doc/copyright"

size=$(du -k -s --apparent-size "$root" | cut -f 1)
sed "s|@VERSION@|$VERSION|; s|@SIZE@|$size|; s|@ARCH@|$ARCH|" deploy/debian/control.in >"$root/DEBIAN/control"
install -m 0644 deploy/debian/conffiles "$root/DEBIAN/"
install -m 0755 deploy/debian/postinst deploy/debian/prerm deploy/debian/postrm "$root/DEBIAN/"
(cd "$root" && find usr etc -type f | sort | xargs md5sum) >"$root/DEBIAN/md5sums"
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

deb=target/dist/${NAME}_${VERSION}_$ARCH.deb
DPKG_DEB_THREADS_MAX=1 dpkg-deb --root-owner-group -Zxz --build "$root" "$deb" >/dev/null
echo "$deb: $(wc -c <"$deb") bytes"
