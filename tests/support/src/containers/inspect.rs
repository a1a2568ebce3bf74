//! What the containers may do, where they can be reached, and what they have logged.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::class_run;
use super::docker::{docker, field, try_docker};
use super::site::Site;

/// The one capability of the proxy, as a bit mask: it may listen on ports below 1024.
const NET_BIND_SERVICE: u64 = 1 << 10;

/// Checks the configuration of a container, and the rights of its first process.
pub fn is_confined(site: &Site, service: &str, user: Option<&str>) {
    let container = site.container(service);
    is_configured(&container, service);
    has_no_privileges(site, &container, service, user);
}

fn is_configured(container: &str, service: &str) {
    let config = |template: &str| field(container, template);
    assert_eq!(
        config("{{.HostConfig.ReadonlyRootfs}}"),
        "true",
        "{service}"
    );
    assert_eq!(
        config("{{json .HostConfig.CapDrop}}"),
        r#"["ALL"]"#,
        "{service}"
    );
    assert_eq!(config("{{.HostConfig.Privileged}}"), "false", "{service}");
    assert_eq!(
        config("{{.HostConfig.RestartPolicy.Name}}"),
        "unless-stopped",
        "{service}"
    );
    assert_eq!(
        config(r#"{{index .HostConfig.LogConfig.Config "max-size"}}"#),
        "10m",
        "{service}"
    );
    let memory: u64 = config("{{.HostConfig.Memory}}").parse().expect("bytes");
    assert!(
        memory > 0 && memory <= 128 << 20,
        "{service}: {memory} bytes"
    );
}

fn has_no_privileges(site: &Site, container: &str, service: &str, user: Option<&str>) {
    let status = process_status(site, container);
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name} in\n{status}"))
            .trim()
            .to_owned()
    };
    assert_eq!(of("NoNewPrivs:"), "1", "{service}");
    let allowed = if user.is_some() { 0 } else { NET_BIND_SERVICE };
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        let mask = u64::from_str_radix(&of(set), 16).expect("a mask");
        assert_eq!(mask & !allowed, 0, "{service} has {set} {mask:#x}");
    }
    if let Some(user) = user {
        assert_eq!(
            field(container, "{{.Config.User}}"),
            format!("{user}:{user}"),
            "{service}"
        );
        let ids = [user; 4].join("\t");
        assert_eq!((of("Uid:"), of("Gid:")), (ids.clone(), ids), "{service}");
    }
}

/// `/proc/<pid>/status` of a container's first process, read from beside it.
fn process_status(site: &Site, container: &str) -> String {
    let beside = format!("container:{container}");
    // If the container has no shell, a second container reads its files.
    let redis = site.container("redis");
    let image = field(&redis, "{{.Image}}");
    docker([
        "run",
        "--rm",
        "--network=none",
        "--pid",
        &beside,
        &image,
        "cat",
        "/proc/1/status",
    ])
}

/// Checks that Redis can be reached by the service alone.
pub fn redis_is_private(site: &Site) {
    let redis = site.container("redis");
    let published = field(&redis, "{{json .HostConfig.PortBindings}}");
    assert!(matches!(published.as_str(), "{}" | "null"), "{published}");
    let networks = field(
        &redis,
        "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}",
    );
    assert_eq!(networks.trim(), site.full_name("backend"));
    assert_eq!(field(&site.full_name("backend"), "{{.Internal}}"), "true");
    let address = field(
        &redis,
        "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
    );
    let image = field(&redis, "{{.Image}}");
    let ask = format!("timeout 3 redis-cli -h {address} ping");
    let from = |network: &str| {
        let network = site.full_name(network);
        let asked = try_docker(&[
            "run",
            "--rm",
            "--network",
            &network,
            &image,
            "sh",
            "-c",
            &ask,
        ]);
        String::from_utf8_lossy(&asked.stdout).into_owned()
    };
    assert!(
        from("backend").contains("NOAUTH"),
        "inside it asks for the password"
    );
    assert_eq!(from("outside"), "", "outside it is not there");
    let wipe = docker([
        "exec",
        &redis,
        "sh",
        "-c",
        "REDISCLI_AUTH=$REDIS_PW redis-cli flushall",
    ]);
    assert!(wipe.contains("NOPERM"), "{wipe}");
}

/// Checks that a container listens on these ports only, apart from the engine's own name server.
pub fn listens_on(site: &Site, service: &str, ports: &[u16]) {
    let beside = format!("container:{}", site.container(service));
    let image = field(&site.container("redis"), "{{.Image}}");
    let tables = "cat /proc/net/tcp /proc/net/tcp6";
    let table = docker([
        "run",
        "--rm",
        "--network",
        &beside,
        &image,
        "sh",
        "-c",
        tables,
    ]);
    let listening: BTreeSet<u16> = table
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace().skip(1);
            let (address, port) = words.next()?.rsplit_once(':')?;
            let state = words.nth(1)?;
            // 0A = LISTEN; 0B00007F = 127.0.0.11
            let counts = state == "0A" && address != "0B00007F";
            counts.then(|| u16::from_str_radix(port, 16).ok())?
        })
        .collect();
    assert_eq!(
        listening,
        BTreeSet::from_iter(ports.iter().copied()),
        "{service}"
    );
}

/// Checks that no phone, password, token or text is in any log.
pub fn logs_are_clean(site: &Site, services: &[&str]) {
    let secrets = [site.secrets(), class_run::secrets(site)].concat();
    assert!(secrets.len() > 10, "there is something to be found");
    for service in services {
        let log = site.logs(service);
        assert!(!log.is_empty(), "{service} has logged something");
        let found = secrets
            .iter()
            .filter(|secret| log.contains(*secret))
            .count();
        assert_eq!(found, 0, "secrets in the log of {service}");
    }
}

/// Stops a container, which must end by itself with exit code 0. Returns how long that took.
pub fn stops_cleanly(site: &Site, service: &str) -> Duration {
    let container = site.container(service);
    let began = Instant::now();
    docker(["stop", &container]);
    let took = began.elapsed();
    assert_eq!(field(&container, "{{.State.ExitCode}}"), "0", "{service}");
    assert!(took < Duration::from_secs(8), "{service} took {took:?}");
    docker(["start", &container]);
    took
}

/// Checks the labels and settings of the service's image, and that it contains only the program and its folder.
pub fn image_is_bare(image: &str) {
    let version = field(
        image,
        r#"{{index .Config.Labels "org.opencontainers.image.version"}}"#,
    );
    assert_eq!(version, super::service_version(), "the label's version");
    assert_eq!(field(image, "{{.Config.User}}"), "10001:10001");
    assert!(field(image, "{{json .Config.Healthcheck.Test}}").contains("healthcheck"));
    let container = docker(["create", image]);
    let listed = std::process::Command::new("sh")
        .args(["-c", &format!("docker export {container} | tar t")])
        .output()
        .expect("tar runs");
    docker(["rm", &container]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let made_by_engine = ["dev/", "proc/", "sys/", "etc/", ".dockerenv"];
    let files: Vec<&str> = listed
        .lines()
        .filter(|name| !made_by_engine.iter().any(|own| name.starts_with(own)))
        .filter(|name| !name.ends_with('/') || name.contains("coder-sms-register"))
        .collect();
    assert_eq!(
        files,
        [
            "usr/local/bin/coder-sms-register",
            "var/lib/coder-sms-register/"
        ]
    );
}
