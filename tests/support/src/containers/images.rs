//! The images: what is in them, and how Redis starts there.

use std::path::Path;
use std::time::Duration;

use super::acts::Teller;
use super::docker::{build, docker, field, try_docker};
use super::inspect;
use super::proxies::base_image;
use crate::classroom::within;

fn project() -> &'static Path {
    crate::project()
}

/// Builds every target of the Dockerfile and inspects what came out.
pub fn play(teller: &Teller) {
    let tag = |target: &str| format!("sms-test-{target}-{}", std::process::id());
    let _tags = Tags(["redis_stage", "build_stage", "service"].map(tag));
    for target in ["redis_stage", "build_stage"] {
        teller.says(&format!("building {target}"));
        build(
            project(),
            &["--quiet", "--target", target, "--tag", &tag(target)],
        );
        teller.says(&format!("{target} is built"));
    }
    let listed = docker([
        "run",
        "--rm",
        "--entrypoint",
        "ls",
        &tag("build_stage"),
        "-A",
        "/build",
    ]);
    let mut files: Vec<&str> = listed.lines().collect();
    files.sort_unstable();
    assert_eq!(
        files,
        [
            "Cargo.lock",
            "Cargo.toml",
            "deploy",
            "src",
            "target",
            "tests"
        ],
        "the files of the builder"
    );
    build(project(), &["--quiet", "--tag", &tag("service")]);
    inspect::image_is_bare(&tag("service"));
    let bytes = |image: &str| -> f64 { field(image, "{{.Size}}").parse().expect("bytes") };
    teller.says(&format!(
        "the service's image holds one file and an empty folder: {:.2} MB",
        bytes(&tag("service")) / 1e6
    ));
    let base = base_image(project(), "DEBIAN_IMAGE");
    let own = bytes(&tag("redis_stage")) - bytes(&base);
    teller.says(&format!("Redis's image adds {:.1} MB to {base}", own / 1e6));
    redis_of_old_command_lines(&tag("redis_stage"));
    teller.says("Redis starts by its own command and by a hand-written one, both with what it confirms on disk");
}

/// Names of images; dropping it removes them.
struct Tags([String; 3]);

impl Drop for Tags {
    fn drop(&mut self) {
        for tag in &self.0 {
            try_docker(&["rmi", "--force", tag]);
        }
    }
}

/// Every way to start Redis sets the password and the append-only file.
fn redis_of_old_command_lines(image: &str) {
    let by_hand = "redis-server --requirepass ${REDIS_PW} --daemonize yes && ash";
    for command in [&[][..], &["//bin//ash", "-c", by_hand][..]] {
        let run = [
            "run",
            "--detach",
            "--interactive",
            "--tty",
            "--env",
            "REDIS_PW=one-word",
            image,
        ];
        let container = docker([&run[..], command].concat());
        let ask = "REDISCLI_AUTH=one-word redis-cli info persistence";
        let keeps = within(Duration::from_secs(20), || {
            let asked = try_docker(&["exec", &container, "sh", "-c", ask]);
            String::from_utf8_lossy(&asked.stdout).contains("aof_enabled:1")
        });
        let refused = try_docker(&["exec", &container, "redis-cli", "ping"]);
        let refused = String::from_utf8_lossy(&refused.stdout).into_owned();
        docker(["rm", "--force", &container]);
        assert!(keeps, "{command:?} keeps what it confirms");
        assert!(
            refused.contains("NOAUTH"),
            "{command:?} asks for the password: {refused}"
        );
    }
    let unset = try_docker(&["run", "--rm", image]);
    assert_eq!(unset.status.code(), Some(2), "no start without a password");
}
