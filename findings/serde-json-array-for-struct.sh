#!/bin/sh
# serde 1.0.229 with serde_json 1.0.154 (Rust): a struct with a derived `Deserialize` is also read from a JSON array.
#
# The derive accepts a sequence for a struct with named fields and fills them in the order of their declaration. JSON
# is no exception, although an object names its fields. So a reader that looks for `{"code": ..}` in the answer of another
# server takes `[21614]` for it, and a list of something else can pass for an error document. `deny_unknown_fields` does not
# change that. Reading a `serde_json::Map` first does.
#
# Seen output:
#   object: code 21614
#   array: code 21614
#   array, deny_unknown_fields: code 21614
#   array, as a map: invalid type: sequence, expected a map at line 1 column 0
#
# Needs cargo. Exits with 1 when the behaviour has changed, with 2 when it could not be tried.
set -eu
command -v cargo >/dev/null || { echo 'cargo is missing: install Rust.' >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat >"$folder/Cargo.toml" <<'TOML'
[package]
name = "array-for-struct"
version = "0.0.0"
edition = "2021"

[dependencies]
serde = { version = "=1.0.229", features = ["derive"] }
serde_json = "=1.0.154"
TOML
cat >"$folder/src/main.rs" <<'RUST'
#[derive(serde::Deserialize)]
struct Loose {
    code: u32,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Strict {
    code: u32,
}

fn main() {
    let loose = |text| serde_json::from_str::<Loose>(text).map(|read| read.code);
    let strict = |text| serde_json::from_str::<Strict>(text).map(|read| read.code);
    let show = |name, read: serde_json::Result<u32>| match read {
        Ok(code) => println!("{name}: code {code}"),
        Err(error) => println!("{name}: {error}"),
    };
    show("object", loose(r#"{"code": 21614}"#));
    show("array", loose("[21614]"));
    show("array, deny_unknown_fields", strict("[21614]"));
    let map = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>("[21614]");
    show("array, as a map", map.map(|_| 0));
}
RUST
CARGO_TARGET_DIR="$folder/target" cargo run --quiet --manifest-path "$folder/Cargo.toml" >"$folder/seen" || exit 2
cat "$folder/seen"
cat >"$folder/expected" <<'SEEN'
object: code 21614
array: code 21614
array, deny_unknown_fields: code 21614
array, as a map: invalid type: sequence, expected a map at line 1 column 0
SEEN
cmp -s "$folder/seen" "$folder/expected" || { echo 'The behaviour has changed.' >&2; exit 1; }
