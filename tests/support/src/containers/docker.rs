//! The two command-line tools, `docker` and the compose tool that is installed, and Ctrl-C.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

/// Set by the first signal; the second one ends the process at once.
static STOPPED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From now on a signal fails the next command, so that all that was made is removed.
///
/// # Errors
/// A signal cannot be caught.
pub fn catch_signals() -> std::io::Result<()> {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        flag::register_conditional_shutdown(signal, 130, Arc::clone(&STOPPED))?;
        flag::register(signal, Arc::clone(&STOPPED))?;
    }
    Ok(())
}

/// Whether a signal came.
pub fn stopped() -> bool {
    STOPPED.load(Ordering::Relaxed)
}

/// Whether an engine answers and a compose tool is there; else what is missing.
pub fn is_there() -> Result<(), String> {
    let succeeds = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).stdout(Stdio::null());
        command
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    if !succeeds("docker", &["info"]) {
        return Err("no Docker engine answers: start it, or let this user use it".to_owned());
    }
    if !succeeds("docker", &["compose", "version"]) && !succeeds("docker-compose", &["version"]) {
        return Err(
            "docker compose is missing (docker-compose-plugin, or Debian's docker-compose)"
                .to_owned(),
        );
    }
    Ok(())
}

/// The words that call compose on this machine.
pub fn compose_words() -> &'static [&'static str] {
    let plugin = Command::new("docker").args(["compose", "version"]).output();
    if plugin.is_ok_and(|output| output.status.success()) {
        &["docker", "compose"]
    } else {
        &["docker-compose"]
    }
}

/// Runs `docker` and gives what it printed; panics with its complaint if it fails.
pub fn docker<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> String {
    said(Command::new("docker").args(arguments))
}

/// Runs `docker` where the test goes on if that fails.
pub fn try_docker(arguments: &[&str]) -> Output {
    let mut command = Command::new("docker");
    command.args(arguments).output().expect("docker runs")
}

/// Runs a command and gives its standard output; panics with all that it printed if it fails.
pub fn said(command: &mut Command) -> String {
    assert!(!stopped(), "stopped by a signal");
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?} failed ({}):\n{out}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    out.trim_end().to_owned()
}

/// A field of a container or image by a Go template.
pub fn field(of: &str, template: &str) -> String {
    docker(["inspect", "--format", template, of])
}

/// Ends a container's first process from outside with SIGKILL, as a crash would. After `docker kill` the engine
/// would not apply the restart policy.
pub fn crash(container: &str, image_with_shell: &str) {
    let pid = field(container, "{{.State.Pid}}");
    let kill = format!("kill -KILL {pid}");
    docker([
        "run",
        "--rm",
        "--pid=host",
        "--user=0",
        "--network=none",
        image_with_shell,
        "sh",
        "-c",
        &kill,
    ]);
}

/// Builds an image from a folder.
pub fn build(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("docker");
    command.arg("build").args(arguments).arg(folder);
    said(&mut command)
}
