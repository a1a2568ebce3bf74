//! The units, the package and the release agree with the program, and the shipped Redis allows what the program
//! needs.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use coder_sms_register::config::SETTINGS;
use serde_json::Value;

use crate::{plan, repository_file};
use support::classroom::Classroom;

/// The values of a key of a unit, or of a line of another file with `between` after its first word.
fn values<'t>(text: &'t str, key: &str, between: char) -> Vec<&'t str> {
    text.lines()
        .filter_map(|line| line.split_once(between))
        .filter_map(|(name, value)| (name == key).then_some(value.trim()))
        .collect()
}

/// The template as it is installed.
fn installed_env() -> String {
    let output = Command::new("sed")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["-f", "deploy/systemd/env.sed", ".env-template"])
        .output()
        .expect("sed is there");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn the_installed_env_file_has_every_setting_and_names_the_units_own_redis() {
    let env = installed_env();
    for setting in SETTINGS {
        let line = format!("{}=", setting.name);
        let found = env
            .lines()
            .filter(|text| text.trim_start_matches('#').starts_with(&line));
        assert_eq!(found.count(), 1, "{}", setting.name);
    }
    let redis = repository_file("deploy/systemd/redis.conf");
    let unit = repository_file("deploy/systemd/coder-sms-register-redis.service");
    let socket = values(&redis, "unixsocket", ' ');
    assert_eq!(values(&env, "REDIS_HOST", '='), socket);
    let folder = format!("/run/{}/", values(&unit, "RuntimeDirectory", '=')[0]);
    assert!(socket[0].starts_with(&folder), "{socket:?}");
    let data = format!("/var/lib/{}", values(&unit, "StateDirectory", '=')[0]);
    assert_eq!(values(&redis, "dir", ' '), [data.as_str()]);
    assert_eq!(values(&env, "REDIS_PW", '='), [""]);
    assert_eq!(values(&env, "CODER_REG_LISTEN", '='), ["127.0.0.1:8000"]);
    assert_eq!(values(&env, "CODER_REG_ENV", '='), ["prod"]);
    for stale in ["cp .env-template", "chmod 600 .env", "docker-compose"] {
        assert!(!env.contains(stale), "{stale}");
    }
}

#[test]
fn the_unit_names_the_programs_exit_code_and_default_folder() {
    let unit = repository_file("deploy/systemd/coder-sms-register.service");
    assert_eq!(values(&unit, "RestartPreventExitStatus", '='), ["2"]);
    let output = Command::new(env!("CARGO_BIN_EXE_coder-sms-register"))
        .env_clear()
        .arg("run")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "without any setting");

    let folder = format!("/var/lib/{}", values(&unit, "StateDirectory", '=')[0]);
    assert_eq!(values(&unit, "WorkingDirectory", '='), [folder.as_str()]);
    let meaning = SETTINGS
        .iter()
        .find(|s| s.name == "CODER_REG_DATA_DIR")
        .unwrap()
        .meaning;
    assert!(meaning.contains(&format!("{folder},")), "{meaning}");
}

#[test]
fn the_redis_unit_starts_whichever_server_is_installed() {
    let unit = repository_file("deploy/systemd/coder-sms-register-redis.service");
    let start = values(&unit, "ExecStart", '=');
    assert_eq!(start.len(), 1);
    let line = start[0].strip_prefix("/bin/sh -c '").unwrap();
    let script = line.strip_suffix('\'').unwrap().replace("$$", "$");
    let allowed = values(&unit, "ExecPaths", '=').join(" ");
    assert!(allowed.contains("/bin/sh"), "{allowed}");
    let folder = support::classroom::folder::Folder::new();
    // Says its own name in place of serving.
    let install = |name: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, "#!/bin/sh\necho \"${0##*/} $*\"\n").unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, mode).unwrap();
        for place in ["/usr/bin", "/usr/local/bin"] {
            assert!(allowed.contains(&format!("-{place}/{name}")), "{allowed}");
        }
    };
    let started = || {
        let mut command = Command::new("/bin/sh");
        command.env_clear().env("PATH", folder.path());
        let output = command.args(["-c", &script]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert_eq!(started(), "", "no server is installed");
    let arguments = "/etc/coder-sms-register/redis.conf --supervised systemd --daemonize no\n";
    for name in ["valkey-server", "redis-server"] {
        install(name);
        assert_eq!(started(), format!("{name} {arguments}"));
    }
    let depends = repository_file("deploy/debian/control.in");
    assert!(depends.contains("Depends: redis-server (>= 5:6.2) | valkey-server, "));
}

/// The packages of Cargo.lock that have a checksum: `name@version` and the checksum.
fn locked_crates() -> BTreeSet<(String, String)> {
    let lock = repository_file("Cargo.lock");
    let value = |package: &str, key: &str| {
        let line = package.lines().find_map(|line| line.strip_prefix(key));
        line.map(|value| value.trim_matches('"').to_owned())
    };
    let packages = lock.split("[[package]]").filter_map(|package| {
        let checksum = value(package, "checksum = ")?;
        let [name, version] = ["name = ", "version = "].map(|key| value(package, key).unwrap());
        Some((format!("{name}@{version}"), checksum))
    });
    packages.collect()
}

#[test]
fn the_bill_of_materials_lists_what_is_linked_with_the_checksums_of_cargo_lock() {
    let output = Command::new("deploy/sbom.sh")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["x86_64-unknown-linux-musl", "0.1.0", "2026-01-02T03:04:05Z"])
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let bom: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(bom["bomFormat"], "CycloneDX");
    assert_eq!(bom["specVersion"], "1.6");
    assert_eq!(bom["metadata"]["timestamp"], "2026-01-02T03:04:05Z");
    let locked = locked_crates();
    let string = |value: &Value| value.as_str().unwrap().to_owned();
    let own = string(&bom["metadata"]["component"]["bom-ref"]);
    let mut listed = BTreeSet::from([own.clone()]);
    let mut names = BTreeSet::new();
    for part in bom["components"].as_array().unwrap() {
        assert!(
            listed.insert(string(&part["bom-ref"])),
            "listed twice: {part}"
        );
        assert!(!string(&part["licenses"][0]["expression"]).contains('/'));
        let text = |key: &str| string(&part[key]);
        names.insert(text("name"));
        if let Some(of_cargo) = text("bom-ref").strip_prefix("pkg:cargo/") {
            assert_eq!(of_cargo, format!("{}@{}", text("name"), text("version")));
            let checksum = string(&part["hashes"][0]["content"]);
            assert!(locked.contains(&(of_cargo.to_owned(), checksum)), "{part}");
        }
    }
    for name in ["ureq", "rusqlite", "ring", "SQLite"] {
        assert!(names.contains(name), "{name} is linked: {names:?}");
    }
    assert!(!names.contains("proptest"), "it is for tests only");
    let mut reached = BTreeSet::new();
    for entry in bom["dependencies"].as_array().unwrap() {
        assert!(listed.contains(&string(&entry["ref"])), "{entry}");
        reached.extend(entry["dependsOn"].as_array().unwrap().iter().map(string));
    }
    listed.remove(&own);
    assert_eq!(listed, reached, "each part is needed by another");
}

#[test]
fn scripts_find_the_version_in_cargo_toml() {
    for script in ["deploy/common.sh", "deploy/install.sh"] {
        assert!(
            repository_file(script)
                .contains(r#"$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)"#),
            "{script}"
        );
    }
    let manifest = repository_file("Cargo.toml");
    let version = manifest
        .lines()
        .find_map(|line| line.strip_prefix("version = "));
    assert_eq!(
        version,
        Some(concat!("\"", env!("CARGO_PKG_VERSION"), "\""))
    );
}

#[test]
fn the_packages_have_all_pages_and_their_pictures() {
    for script in ["deploy/dist.sh", "deploy/debian/build.sh"] {
        assert!(
            repository_file(script).contains("\ncopy_folder "),
            "{script}"
        );
    }
    let folder = support::classroom::folder::Folder::new();
    let copy = folder.path().join("docs");
    let output = Command::new("sh")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["-euc", ". deploy/common.sh; copy_folder docs \"$1\"", "sh"])
        .arg(&copy)
        .output()
        .expect("a shell");
    assert!(output.status.success(), "{output:?}");
    let readme = repository_file("README.md");
    let pictures = readme.split("](docs/").skip(1);
    let pictures: Vec<&str> = pictures
        .map(|rest| &rest[..rest.find(')').unwrap()])
        .collect();
    assert!(
        pictures.iter().any(|one| one.starts_with("screens/")),
        "{pictures:?}"
    );
    for picture in pictures {
        let name = picture.split('#').next().unwrap();
        let original = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("docs")
            .join(name);
        assert_eq!(
            std::fs::read(copy.join(name)).unwrap(),
            std::fs::read(original).unwrap(),
            "{name}"
        );
    }
}

/// Gives the class's Redis the rights that the shipped `redis.conf` gives, and adds a user `watcher` with all rights.
fn restrict(class: &Classroom) {
    let conf = repository_file("deploy/systemd/redis.conf");
    let rules = values(&conf, "user", ' ');
    let rules = rules[0]
        .strip_prefix("default on nopass ")
        .expect("one user");
    let mut connection = class.redis().connection().unwrap();
    redis::cmd("ACL")
        .arg(&["SETUSER", "watcher", "on", ">watcher", "~*", "+@all"])
        .exec(&mut connection)
        .unwrap();
    redis::cmd("ACL")
        .arg(&["SETUSER", "default"])
        .arg(rules.split(' ').collect::<Vec<_>>())
        .exec(&mut connection)
        .unwrap();
}

#[test]
fn the_shipped_redis_allows_what_a_class_needs() {
    let class = plan()
        .with("CODER_REMOVE_TIME", "2s")
        .with("CODER_CHECK_INTERVAL", "1s")
        .with("CODER_REG_METRICS", "127.0.0.1:0")
        .prepare();
    restrict(&class);
    class.start_service();
    let ana = class.student();
    ana.gets_a_login();
    class.student().texts("I am not ready");
    class.all_served();
    crate::metrics::comes_to(&class, "scrape_ok{source=\"redis\"}", 1.0);
    // Takes entries over from the run before, and rewrites the file when the class is over.
    class.restart_service();
    class.all_gone();

    let mut watcher = class.redis().connection().unwrap();
    redis::cmd("AUTH")
        .arg(&["watcher", "watcher"])
        .exec(&mut watcher)
        .unwrap();
    let log: redis::Value = redis::cmd("ACL").arg("LOG").query(&mut watcher).unwrap();
    assert_eq!(log, redis::Value::Array(Vec::new()), "what was refused");

    let mut connection = class.redis().connection().unwrap();
    for words in [&["FLUSHALL"][..], &["GET", "another:key"]] {
        let refused = redis::cmd(words[0]).arg(&words[1..]).exec(&mut connection);
        assert_eq!(refused.unwrap_err().code(), Some("NOPERM"), "{words:?}");
    }
}

#[test]
fn the_shipped_redis_allows_every_command_in_the_source() {
    let conf = repository_file("deploy/systemd/redis.conf");
    let rules: Vec<&str> = values(&conf, "user", ' ')[0].split(' ').collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/stream");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "rs") || path.ends_with("tests.rs") {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        for rest in source.split("cmd(\"").skip(1) {
            let command = rest[..rest.find('"').unwrap()].to_ascii_lowercase();
            let mut allowed = format!("+{command}");
            if command == "client" {
                let sub = rest.split('"').nth(2).unwrap().to_ascii_lowercase();
                allowed = format!("+client|{sub}");
            }
            assert!(
                rules.contains(&allowed.as_str()),
                "{allowed}: {}",
                path.display()
            );
            seen += 1;
        }
    }
    assert!(
        seen >= 15,
        "only {seen} commands found: are others sent elsewhere?"
    );
}

/// The rooms of the service that a name of a function names, as `18coder_sms_register4gate` does.
fn room_of(name: &str) -> Option<&str> {
    let (_, rest) = name.split_once("18coder_sms_register")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let length: usize = rest[..digits].parse().ok()?;
    rest.get(digits..digits + length)
}

#[test]
fn the_order_file_names_functions_of_rooms_that_there_are_each_once() {
    let file = repository_file("deploy/order-file");
    let names: Vec<&str> = file
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let once: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(once.len(), names.len(), "a name stands twice");
    let source = support::project().join("src");
    let is_there = |room: &str| {
        source.join(room).is_dir() || source.join(format!("{room}.rs")).is_file() || room == "main"
    };
    let rooms: BTreeSet<&str> = names.iter().filter_map(|name| room_of(name)).collect();
    for room in ["gate", "webhook", "provision", "reap", "store", "stream"] {
        assert!(
            rooms.contains(room),
            "no function of {room}: make order-file"
        );
    }
    let gone: Vec<_> = rooms.iter().filter(|room| !is_there(room)).collect();
    assert!(gone.is_empty(), "{gone:?} are no more: make order-file");
}
