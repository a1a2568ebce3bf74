#!/bin/sh
# rusqlite 0.41.1 (libsqlite3-sys 0.39.1) with the feature `bundled` (Rust, Linux): SQLite syncs with fsync, not fdatasync.
#
# SQLite's own configure script looks for fdatasync and switches it on, so the library of a Linux distribution uses it.
# The build script of the bundled source does not, and SQLite then takes fsync in its place. Nothing is lost by that, but
# each commit also has the time of the file's last change written to the disk. `LIBSQLITE3_FLAGS` mends it.
#
# Seen output:
#   bundled, ten commits: fsync 10, fdatasync 0
#   bundled with -DHAVE_FDATASYNC=1, ten commits: fsync 0, fdatasync 10
#
# Needs cargo and a C compiler, on Linux. Exits with 1 when the behaviour has changed, with 2 when it could not be tried.
set -eu
command -v cargo >/dev/null || { echo 'cargo is missing: install Rust.' >&2; exit 2; }
command -v cc >/dev/null || { echo 'cc is missing: install a C compiler.' >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat >"$folder/Cargo.toml" <<'TOML'
[package]
name = "bundled-fsync"
version = "0.0.0"
edition = "2021"

[dependencies]
rusqlite = { version = "=0.41.1", features = ["bundled"] }
libsqlite3-sys = "=0.39.1"
TOML
cat >"$folder/src/main.rs" <<'RUST'
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

static FSYNC: AtomicU32 = AtomicU32::new(0);
static FDATASYNC: AtomicU32 = AtomicU32::new(0);

// The program's own functions take the place of the C library's: they only count.
#[no_mangle]
extern "C" fn fsync(_: i32) -> i32 {
    FSYNC.fetch_add(1, SeqCst);
    0
}

#[no_mangle]
extern "C" fn fdatasync(_: i32) -> i32 {
    FDATASYNC.fetch_add(1, SeqCst);
    0
}

fn main() -> rusqlite::Result<()> {
    let [_, what, file] = <[String; 3]>::try_from(std::env::args().collect::<Vec<_>>()).unwrap();
    let connection = rusqlite::Connection::open(file)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE numbers (number INTEGER)",
    )?;
    connection.execute("INSERT INTO numbers VALUES (0)", [])?;
    let before = (FSYNC.load(SeqCst), FDATASYNC.load(SeqCst));
    for number in 1..=10 {
        connection.execute("INSERT INTO numbers VALUES (?1)", [number])?;
    }
    let (fsyncs, fdatasyncs) = (FSYNC.load(SeqCst) - before.0, FDATASYNC.load(SeqCst) - before.1);
    println!("{what}, ten commits: fsync {fsyncs}, fdatasync {fdatasyncs}");
    Ok(())
}
RUST
try() {
	LIBSQLITE3_FLAGS="$2" CARGO_TARGET_DIR="$folder/target" \
		cargo run --quiet --manifest-path "$folder/Cargo.toml" -- "$1" "$folder/$3.db" >>"$folder/seen" || exit 2
}
try 'bundled' '' first
try 'bundled with -DHAVE_FDATASYNC=1' '-DHAVE_FDATASYNC=1' second
cat "$folder/seen"
cat >"$folder/expected" <<'SEEN'
bundled, ten commits: fsync 10, fdatasync 0
bundled with -DHAVE_FDATASYNC=1, ten commits: fsync 0, fdatasync 10
SEEN
cmp -s "$folder/seen" "$folder/expected" || { echo 'The behaviour has changed.' >&2; exit 1; }
