//! The Debian package and the tar, installed in containers whose first process is systemd.

use std::process::Command;

/// The systems that the package is installed on, each with a server: the oldest Debian that it is for, and one
/// that has Valkey.
const SYSTEMS: [(&str, &str); 2] = [
    ("debian:bookworm-slim", "redis-server"),
    ("debian:trixie-slim", "valkey-server"),
];

/// Builds the packages and runs `tests/containers/packages.sh`, whose lines appear as they come.
pub fn play() {
    if std::env::consts::ARCH != "x86_64" {
        println!("skipped: the packages are for x86_64");
        return;
    }
    let project = crate::project();
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        let status = command.current_dir(project).args(arguments).status();
        let status = status.unwrap_or_else(|error| panic!("{program}: {error}"));
        assert!(status.success(), "{program} {arguments:?}: {status}");
    };
    run("make", &["--no-print-directory", "deb"]);
    let version = super::service_version();
    let package = format!("target/dist/coder-sms-register_{version}_amd64.deb");
    let release = format!("target/dist/coder-sms-register-{version}-x86_64-linux.tar.gz");
    for (debian, server) in SYSTEMS {
        let script = "tests/containers/packages.sh";
        run("sh", &[script, debian, &package, &release, server]);
    }
}
