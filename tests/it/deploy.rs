//! What is shipped for systemd agrees with the program, and its Redis lets the program do its work.

use std::path::Path;
use std::process::Command;

use coder_sms_register::config::SETTINGS;

use crate::plan;
use support::classroom::Classroom;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

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
    let redis = read("deploy/systemd/redis.conf");
    let unit = read("deploy/systemd/coder-sms-register-redis.service");
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
fn the_unit_goes_by_the_programs_exit_codes_and_default_folder() {
    let unit = read("deploy/systemd/coder-sms-register.service");
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
fn scripts_find_the_version_in_cargo_toml() {
    for script in ["deploy/common.sh", "deploy/install.sh"] {
        assert!(
            read(script)
                .contains(r#"$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)"#),
            "{script}"
        );
    }
    let manifest = read("Cargo.toml");
    let version = manifest
        .lines()
        .find_map(|line| line.strip_prefix("version = "));
    assert_eq!(
        version,
        Some(concat!("\"", env!("CARGO_PKG_VERSION"), "\""))
    );
}

/// Gives the class's Redis the rights that the shipped `redis.conf` gives, with the password of the
/// class, and a user `watcher` who may do everything.
fn restrict(class: &Classroom) {
    let conf = read("deploy/systemd/redis.conf");
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
fn the_shipped_redis_refuses_nothing_that_the_service_asks() {
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
    // Taken over from the run before, and the file written anew when the class is over.
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
    let conf = read("deploy/systemd/redis.conf");
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
        "only {seen} commands found: is Redis spoken to elsewhere?"
    );
}
