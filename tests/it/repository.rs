//! The documents agree with the code.

use std::collections::BTreeMap;
use std::process::Command;

use coder_sms_register::config::{CLASS_SETTINGS, SETTINGS};

use crate::repository_file;
use support::classroom::folder::Folder;

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The comment above each variable of the template, and what stands behind its `=`.
fn template() -> BTreeMap<String, (String, String, bool)> {
    let mut variables = BTreeMap::new();
    let mut comment = String::new();
    for line in repository_file(".env-template").lines() {
        let off = line.starts_with('#');
        let text = line.strip_prefix('#').unwrap_or(line);
        match text.split_once('=') {
            Some((name, value))
                if !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_') =>
            {
                let entry = (one_line(&comment), value.to_owned(), off);
                assert!(
                    variables.insert(name.to_owned(), entry).is_none(),
                    "{name} stands twice"
                );
                comment.clear();
            }
            _ if line.is_empty() => comment.clear(),
            _ => {
                comment.push_str(text);
                comment.push('\n');
            }
        }
    }
    variables
}

#[test]
fn the_template_tells_every_setting_with_meaning_unit_default_and_example() {
    let template = template();
    for setting in SETTINGS {
        let name = setting.name;
        let (comment, value, off) = template
            .get(name)
            .unwrap_or_else(|| panic!("{name} is not in .env-template"));
        let mut meaning = setting.meaning.to_owned();
        meaning[..1].make_ascii_uppercase();
        assert!(
            comment.starts_with(&format!("{meaning}.")),
            "{name}: {comment}"
        );
        assert!(comment.contains("Example: "), "{name} has no example");
        assert_eq!(comment.contains("Required."), setting.required, "{name}");
        assert_eq!(
            comment.contains(&format!("{name}_FILE")),
            setting.secret,
            "{name}"
        );
        let measure = setting.measure();
        let word = if setting.range.is_some() {
            "Range"
        } else {
            "Unit"
        };
        assert!(
            measure.is_empty() || comment.contains(&format!("{word}: {measure}.")),
            "{name}: {comment}"
        );
        if let Some(default) = setting.default {
            assert!(
                comment.contains(&format!("Default: {default}.")),
                "{name}: {comment}"
            );
            assert_eq!(value, default, "{name}");
        }
        assert!(
            !(setting.required && *off),
            "{name} is required, so it must not be off"
        );
    }
    let further: Vec<&str> = template
        .keys()
        .map(String::as_str)
        .filter(|name| {
            let mut known = SETTINGS.iter().chain(CLASS_SETTINGS);
            known.all(|setting| setting.name != *name)
        })
        .collect();
    assert_eq!(
        further, FOR_THE_CONTAINERS,
        "the template names something that is no setting"
    );
    let compose = repository_file("docker-compose.yml");
    for name in FOR_THE_CONTAINERS {
        assert!(
            compose.contains(&format!("${{{name}:-")) || *name == "COMPOSE_PROFILES",
            "docker-compose.yml does not read {name}"
        );
    }
}

/// What the template holds for docker-compose.yml, and the service does not read.
const FOR_THE_CONTAINERS: &[&str] = &["CADDY_GLOBAL_OPTIONS", "COMPOSE_PROFILES", "SMS_PUBLISH"];

#[test]
fn the_images_carry_this_version_and_the_names_of_this_house() {
    let version = env!("CARGO_PKG_VERSION");
    let dockerfile = repository_file("Dockerfile");
    assert!(dockerfile.contains(&format!("\nARG VERSION={version}\n")));
    let cargo = repository_file("Cargo.toml");
    let description = cargo
        .lines()
        .find_map(|line| line.strip_prefix("description = "));
    assert!(dockerfile.contains(description.unwrap()));
    // Cargo wants to see every target's file; the layer of the dependencies makes empty ones.
    for line in cargo.lines() {
        if let Some(path) = line.strip_prefix("path = \"tests/") {
            let folder = path.split('/').next().unwrap();
            assert!(
                dockerfile.contains(&format!("tests/{folder}")),
                "the Dockerfile makes no tests/{folder}"
            );
        }
    }
}

#[test]
fn every_file_that_the_containers_take_from_the_checkout_is_let_through() {
    let let_through = repository_file(".dockerignore");
    for line in repository_file("Dockerfile").lines() {
        if let Some(files) = line
            .strip_prefix("COPY ")
            .filter(|rest| !rest.starts_with("--from"))
        {
            let words: Vec<&str> = files.split_whitespace().collect();
            for file in &words[..words.len() - 1] {
                let known = let_through
                    .lines()
                    .filter_map(|line| line.strip_prefix('!'))
                    .any(|open| file.starts_with(open));
                assert!(known, ".dockerignore keeps {file} back");
            }
        }
    }
}

/// A filled-in copy of the template.
fn filled() -> String {
    let values = BTreeMap::from([
        ("TWILIO_ACCOUNT_SID", "AC0123456789abcdef0123456789abcdef"),
        ("TWILIO_ACCOUNT_TOKEN", "fedcba9876543210fedcba9876543210"),
        ("FROM_NUM", "+14155550123"),
        (
            "TWILIO_WEBHOOK_URL",
            "'https://sms.example.org/inbound#rc=3&rp=ct,rt,5xx'",
        ),
        ("CODER_API_URL", "coder.example.org/api/v2/"),
        ("CODER_API_KEY", "0123456789-ABCDEFGHIJKLMNOPQRSTUV"),
        ("CODER_EMAIL_DOM", "\"example.org\""),
        ("CODER_REG_PASS", "iamreadytolearn"),
        ("REDIS_PW", "'a-long-word'"),
    ]);
    let fill = |line: &str| {
        let name = line.split('=').next().unwrap_or(line);
        values
            .get(name)
            .map_or_else(|| line.to_owned(), |value| format!("{name}={value}"))
    };
    repository_file(".env-template")
        .lines()
        .map(fill)
        .collect::<Vec<_>>()
        .join("\n")
}

fn config_of(command: &mut Command) -> String {
    let output = command.output().expect("the command runs");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaints}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_way_to_load_the_env_file_gives_the_same_configuration() {
    let folder = Folder::new();
    std::fs::write(folder.path().join(".env"), filled()).unwrap();
    let binary = env!("CARGO_BIN_EXE_coder-sms-register");
    let shell = |script: String| {
        let mut command = Command::new("sh");
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .current_dir(folder.path())
            .args(["-c", &script]);
        config_of(&mut command)
    };
    let sourced = shell(format!("set -a; . ./.env; exec {binary} config"));
    assert!(
        sourced.contains("https://sms.example.org/inbound#rc=3&rp=ct,rt,5xx"),
        "{sourced}"
    );

    let exported = shell(format!(
        "export $(grep -v '^#' .env | xargs); exec {binary} config"
    ));
    assert_eq!(sourced, exported);

    let read = shell(format!("exec {binary} config --env-file .env"));
    assert_eq!(sourced, read);

    // docker-compose 1.29 passes quotes on, docker compose v2 takes them off.
    for keeps_quotes in [true, false] {
        let text = filled();
        let variables = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| {
                let (name, value) = line.split_once('=')?;
                let bare = value.trim_matches(|c| c == '"' || c == '\'');
                Some((
                    name.to_owned(),
                    if keeps_quotes { value } else { bare }.to_owned(),
                ))
            });
        let mut command = Command::new(binary);
        command.env_clear().envs(variables).arg("config");
        assert_eq!(
            sourced,
            config_of(&mut command),
            "quotes kept: {keeps_quotes}"
        );
    }
}

#[test]
fn an_untouched_copy_of_the_template_names_all_that_is_missing() {
    let folder = Folder::new();
    std::fs::write(folder.path().join(".env"), repository_file(".env-template")).unwrap();
    let binary = env!("CARGO_BIN_EXE_coder-sms-register");
    let output = Command::new("sh")
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .current_dir(folder.path())
        .args(["-c", &format!("set -a; . ./.env; exec {binary} config")])
        .output()
        .unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    for setting in SETTINGS {
        assert_eq!(
            complaints.contains(&format!("  {}  ", setting.name)),
            setting.required,
            "{}",
            setting.name
        );
    }
}

#[test]
fn make_run_starts_what_cargo_has_built_wherever_that_is() {
    let folder = Folder::new();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    for name in ["Makefile", "deploy/sqlite-flags"] {
        file(name, &repository_file(name));
    }
    file(".env", "CODER_REG_PASS='I am ready'\n");
    // In place of the program stands one that prints its environment.
    let built = folder.path().join("built/release");
    std::fs::create_dir_all(&built).unwrap();
    std::os::unix::fs::symlink("/usr/bin/env", built.join("coder-sms-register")).unwrap();
    let output = Command::new("make")
        .args(["run", "CARGO=true"])
        .env("CARGO_TARGET_DIR", folder.path().join("built"))
        .env_remove("MAKEFLAGS")
        .current_dir(folder.path())
        .output()
        .expect("make is there");
    let told = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    let started = told.lines().any(|line| line == "CODER_REG_PASS=I am ready");
    assert!(started, "{told}{complaints}");
}

#[test]
fn the_changelog_begins_with_this_version() {
    let changelog = repository_file("CHANGELOG.md");
    let newest = changelog
        .lines()
        .find(|line| line.starts_with("## "))
        .unwrap_or_default();
    assert!(newest.contains(env!("CARGO_PKG_VERSION")), "{newest}");
}

#[test]
fn the_map_names_every_module() {
    let map = repository_file("docs/architecture.md");
    let lib = repository_file("src/lib.rs");
    // What is there for tests only is no room of the house.
    let product = lib.replace("#[cfg(test)]\nmod ", "//");
    for line in product.lines() {
        let name = line
            .strip_prefix("pub mod ")
            .or_else(|| line.strip_prefix("mod "));
        if let Some(name) = name.and_then(|name| name.strip_suffix(';')) {
            assert!(
                map.contains(&format!("`{name}`")),
                "docs/architecture.md does not name {name}"
            );
        }
    }
}
