//! Small C libraries that are loaded into the service before its own.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// The path of the library made of `source`. It lies beside the program that runs now, under a name
/// that changes with the source; it is compiled on first use, and several processes may do so at once.
pub fn library(name: &str, source: &str) -> String {
    static COMPILER: Mutex<()> = Mutex::new(());
    let mut hasher = DefaultHasher::new();
    source.hash(&mut hasher);
    let own = std::env::current_exe().expect("our own path");
    let folder = own.parent().expect("a folder");
    let library = folder.join(format!("{name}-{:016x}.so", hasher.finish()));
    let path = library.display().to_string();
    assert!(
        !path.contains([' ', ':']),
        "LD_PRELOAD takes no path with a space or a colon: {path}"
    );
    let _one_at_a_time = COMPILER.lock().unwrap_or_else(PoisonError::into_inner);
    if !library.exists() {
        compile(name, source, folder, &library);
    }
    path
}

fn compile(name: &str, text: &str, folder: &Path, library: &Path) {
    let draft = format!("{name}-{}", std::process::id());
    let (source, made) = (
        folder.join(format!("{draft}.c")),
        folder.join(format!("{draft}.so")),
    );
    std::fs::write(&source, text).expect("a file beside the program");
    let compiled = Command::new("cc")
        .args([
            "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o",
        ])
        .args([&made, &source])
        .arg("-ldl")
        .output()
        .expect("cc runs");
    let complaint = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{name}.c: {complaint}");
    let _ = std::fs::remove_file(&source);
    std::fs::rename(&made, library).expect("the library is put into its place");
}
