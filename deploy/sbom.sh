#!/bin/sh
# Writes the software bill of materials of the static binary as CycloneDX 1.6 JSON: every crate that is
# linked into it with version, licence and checksum, SQLite, and what depends on what.
#   deploy/sbom.sh TARGET VERSION TIMESTAMP
# VERSION: of the service. TIMESTAMP: when, as 2026-11-28T12:00:00Z. Reads Cargo.lock and what cargo has fetched.
set -eu
cd "$(dirname "$0")/.."
export LC_ALL=C
sources=${CARGO_HOME:-$HOME/.cargo}/registry/src

sqlite_header=$(
	crate=$(sed -n '/^name = "libsqlite3-sys"$/{n;s/^version = "\(.*\)"$/libsqlite3-sys-\1/p;}' Cargo.lock)
	for file in "$sources"/*/"$crate"/sqlite3/sqlite3.h; do echo "$file"; done | head -n 1
)
sqlite=$(sed -n 's/^#define SQLITE_VERSION  *"\(.*\)"$/\1/p' "$sqlite_header")
[ -n "$sqlite" ] || { echo "There is no version of SQLite in $sqlite_header" >&2; exit 1; }
rust=$(rustc --version | cut -d ' ' -f 2)

{
	# name, version, checksum of each package of Cargo.lock
	awk -F '"' '
		/^name = / { name = $2 }
		/^version = / { version = $2 }
		/^checksum = / { print "lock|" name "|" version "|" $2 }' Cargo.lock
	# depth, name, version, licence of each crate; a crate that was there before has no children again
	"${CARGO:-cargo}" tree --locked --offline --target "$1" --edges normal,no-proc-macro --prefix depth \
		--format '|{p}|{l}' | sed 's/ (\*)$//; s/^\([0-9]*\)|\([^ ]*\) v\([^ |]*\)[^|]*|/tree|\1|\2|\3|/'
} | awk -F '|' -v version="$2" -v timestamp="$3" -v sqlite="$sqlite" -v rust="$rust" '
	function quoted(text) { gsub(/["\\]/, "\\\\&", text); return "\"" text "\"" }
	function spdx(text) { gsub("/", " OR ", text); return text }
	function depends(on, what) { if (!((on, what) in known)) { known[on, what]; needs[on] = needs[on] SUBSEP what } }
	function component(ref, its_name, its_version, its_licence, hash) {
		printf "%s\n    {\"type\": \"library\", \"bom-ref\": %s, \"name\": %s, \"version\": %s, \"scope\": \"required\"", \
			separator, quoted(ref), quoted(its_name), quoted(its_version)
		if (ref ~ /^pkg:/) printf ", \"purl\": %s", quoted(ref)
		if (hash) printf ", \"hashes\": [{\"alg\": \"SHA-256\", \"content\": %s}]", quoted(hash)
		printf ", \"licenses\": [{\"expression\": %s}]}", quoted(its_licence)
		separator = ","
	}
	$1 == "lock" { checksum[$2, $3] = $4; next }
	{
		ref = $2 ? "pkg:cargo/" $3 "@" $4 : "coder-sms-register"
		at[$2] = ref
		if ($2) depends(at[$2 - 1], ref)
		if (!(ref in seen)) { seen[ref]; order[++count] = ref; name[ref] = $3; of[ref] = $4; under[ref] = spdx($5) }
		if ($3 == "libsqlite3-sys") depends(ref, "sqlite")
	}
	END {
		if (count < 2) { print "cargo tree has listed no crate" >"/dev/stderr"; exit 1 }
		printf "{\n  \"$schema\": \"http://cyclonedx.org/schema/bom-1.6.schema.json\",\n"
		printf "  \"bomFormat\": \"CycloneDX\",\n  \"specVersion\": \"1.6\",\n  \"version\": 1,\n"
		printf "  \"metadata\": {\"timestamp\": %s, \"component\": {\"type\": \"application\", \"bom-ref\": %s, \"name\": %s, \"version\": %s, ", \
			quoted(timestamp), quoted(order[1]), quoted(name[order[1]]), quoted(version)
		printf "\"licenses\": [{\"expression\": %s}]}},\n  \"components\": [", quoted(under[order[1]])
		for (i = 2; i <= count; i++) {
			ref = order[i]
			component(ref, name[ref], of[ref], under[ref], checksum[name[ref], of[ref]])
		}
		component("sqlite", "SQLite", sqlite, "blessing", "")
		component("rust-std", "Rust standard library, with musl", rust, "MIT OR Apache-2.0", "")
		depends(order[1], "rust-std")
		order[++count] = "sqlite"; order[++count] = "rust-std"
		printf "\n  ],\n  \"dependencies\": ["
		for (i = 1; i <= count; i++) {
			printf "%s\n    {\"ref\": %s, \"dependsOn\": [", (i > 1 ? "," : ""), quoted(order[i])
			parts = split(substr(needs[order[i]], 2), part, SUBSEP)
			for (j = 1; j <= parts; j++) printf "%s%s", (j > 1 ? ", " : ""), quoted(part[j])
			printf "]}"
		}
		printf "\n  ]\n}\n"
	}'
