//! The Debian package and the tar, installed in containers whose first process is systemd.

use std::process::Command;

/// Runs the script that does it; its lines appear as they come.
pub fn play() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/containers/packages.sh");
    let status = Command::new("sh").arg(script).status().expect("sh runs");
    assert!(status.success(), "the packages do not hold: {status}");
}
