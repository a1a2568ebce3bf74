//! The images that a run leaves at the engine, and their removal.

use std::collections::BTreeMap;
use std::path::Path;

use super::docker::{docker, try_docker};

/// The image with systemd that `packages.sh` builds.
const SYSTEMD: &str = "coder-sms-register-test-systemd";

/// The engine's images when a run begins, so that those which it adds can be removed.
pub struct Leftovers {
    before: BTreeMap<String, String>,
    /// Whether base images stay for the next run.
    keeps_bases: bool,
}

impl Leftovers {
    /// Remembers the images that are there now. `KEEP=1` in the environment keeps base images.
    pub fn since_now() -> Self {
        Self {
            before: images(),
            keeps_bases: std::env::var("KEEP").is_ok_and(|value| !value.is_empty()),
        }
    }

    /// Removes images that have no name any more, the test's own, and base images. An image that a container
    /// uses stays. Returns the names of base images that were kept.
    pub fn remove(&self, bases: &[String]) -> Vec<String> {
        let mut kept = Vec::new();
        // A layer can be removed once the images above it are gone.
        for _ in 0..2 {
            kept.clear();
            for (name, id) in images() {
                let is_new = !self.before.contains_key(&name);
                let is_base = bases.contains(&name) || name.starts_with(SYSTEMD);
                match name.starts_with("<none>") {
                    true if is_new => drop(try_docker(&["rmi", &id])),
                    false if is_new && is_base && self.keeps_bases => kept.push(name),
                    false if is_new && is_base => drop(try_docker(&["rmi", &name])),
                    _ => {}
                }
            }
        }
        kept
    }
}

/// All images, by name and tag; those without a name by their id.
fn images() -> BTreeMap<String, String> {
    let listed = docker([
        "images",
        "--no-trunc",
        "--format",
        "{{.Repository}}:{{.Tag}} {{.ID}}",
    ]);
    let pairs = listed.lines().filter_map(|line| line.split_once(' '));
    let named = |(name, id): (&str, &str)| match name.starts_with("<none>") {
        true => (format!("{name} {id}"), id.to_owned()),
        false => (name.to_owned(), id.to_owned()),
    };
    pairs.map(named).collect()
}

/// The names of all base images, as `stand-ins.sh` prints them.
pub fn base_images(project: &Path) -> Vec<String> {
    let mut command = std::process::Command::new("sh");
    command.args(["tests/containers/stand-ins.sh", "--list"]);
    let listed = super::docker::said(command.current_dir(project));
    listed.lines().map(str::to_owned).collect()
}
