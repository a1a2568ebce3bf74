//! Where values come from, and which of several counts.

use super::*;

const FOLDER: &str = "/run/credentials/coder-sms-register.service";

/// Reads the valid set without `name`, with `changes`, where the credentials folder holds `files`.
fn with_credentials(
    name: &str,
    changes: &[(&str, &str)],
    files: &[(&str, &str)],
) -> Result<Config, ConfigError> {
    let mut vars = valid();
    vars.remove(name);
    vars.insert("CREDENTIALS_DIRECTORY".to_owned(), FOLDER.to_owned());
    for (name, value) in changes {
        vars.insert((*name).to_owned(), (*value).to_owned());
    }
    Config::from_vars(vars, &|path: &Path| {
        let file = path.strip_prefix(FOLDER).ok().and_then(Path::to_str);
        let found = files.iter().find(|(known, _)| Some(*known) == file);
        found.map_or_else(
            || Err(io::ErrorKind::NotFound.into()),
            |(_, text)| Ok((*text).to_owned()),
        )
    })
}

fn source(config: &Config, name: &str) -> String {
    let table = config.table();
    let line = table
        .lines()
        .find(|line| line.split(' ').next() == Some(name));
    let source = line.and_then(|line| line.split_whitespace().nth(1));
    source.unwrap().to_owned()
}

#[test]
fn every_secret_may_be_a_credential_by_its_name_or_from_a_folder() {
    for setting in secret() {
        let name = setting.name;
        let value = format!("{}\n", valid()[name]);
        for file in [name.to_owned(), format!("secret_{name}")] {
            let config = with_credentials(name, &[], &[(&file, &value)])
                .unwrap_or_else(|faults| panic!("{file}: {faults}"));
            assert_eq!(source(&config, name), "credential");
            let set = super::config(&[]);
            assert_eq!(config.twilio.webhook_tokens, set.twilio.webhook_tokens);
            assert_eq!(config.twilio.auth_token, set.twilio.auth_token);
            assert_eq!(config.coder.key, set.coder.key);
            assert_eq!(config.class.classes[0].phrase, set.class.classes[0].phrase);
            assert_eq!(config.redis.password, set.redis.password);
            assert_eq!(config.service.phone_keys, set.service.phone_keys);
        }
    }
}

#[test]
fn what_is_no_secret_is_never_read_from_a_credential() {
    let config = with_credentials("", &[], &[("REDIS_PORT", "6380")]).unwrap();
    assert_eq!(config.redis.port, 6379);
}

#[test]
fn a_credential_beside_the_same_value_is_well_and_beside_another_a_fault() {
    let pw = valid()["REDIS_PW"].clone();
    let same = with_credentials("", &[], &[("REDIS_PW", &pw)]).unwrap();
    assert_eq!(source(&same, "REDIS_PW"), "set");
    // As a unit may say it: REDIS_PW_FILE=%d/REDIS_PW.
    let file = format!("{FOLDER}/REDIS_PW");
    let named = [("REDIS_PW_FILE", file.as_str())];
    let same = with_credentials("REDIS_PW", &named, &[("REDIS_PW", &pw)]).unwrap();
    assert_eq!(source(&same, "REDIS_PW"), "file");

    let faults = with_credentials("", &[], &[("REDIS_PW", "owlsNest")]).unwrap_err();
    assert_eq!(faults.0[0].name, "REDIS_PW");
    let told = faults.to_string();
    assert!(told.contains("keep one of them"), "{told}");
    assert!(!told.contains("owlsNest") && !told.contains(&pw), "{told}");
}

#[test]
fn an_empty_or_missing_credential_is_as_good_as_none() {
    for files in [&[][..], &[("REDIS_PW", "\n")]] {
        let config = with_credentials("REDIS_PW", &[], files).unwrap();
        assert_eq!(config.redis.password, None);
        assert_eq!(source(&config, "REDIS_PW"), "default");
    }
}

#[test]
fn a_credential_that_cannot_be_read_is_a_fault_of_its_own() {
    let mut vars = valid();
    vars.remove("CODER_API_KEY");
    vars.insert("CREDENTIALS_DIRECTORY".to_owned(), FOLDER.to_owned());
    let refuse = |_: &Path| Err(io::ErrorKind::PermissionDenied.into());
    let faults = Config::from_vars(vars, &refuse).unwrap_err();
    let of_key: Vec<_> = faults
        .0
        .iter()
        .filter(|f| f.name == "CODER_API_KEY")
        .collect();
    assert_eq!(of_key.len(), 1, "{faults}");
    assert!(
        of_key[0].problem.to_string().contains("cannot be read"),
        "{faults}"
    );
}

fn pairs(vars: &[(&str, &str)]) -> Vec<(String, String)> {
    vars.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn the_environment_wins_over_a_file_setting_by_setting() {
    let file = [
        ("REDIS_PORT", "1"),
        ("REDIS_PW", "file"),
        ("REDIS_DB", "1"),
        ("REDIS_DB", "2"),
        ("CODER_API_KEY_FILE", "/file"),
    ];
    for (environment, wins) in [
        (&[][..], &file[..]),
        (&[("REDIS_PORT", "2")], &file[1..]),
        (&[("REDIS_PORT", " ")], &file[..]),
        (
            &[
                ("REDIS_PORT", "2"),
                ("REDIS_PW_FILE", "/pw"),
                ("CODER_API_KEY", "key"),
            ],
            &file[2..4],
        ),
    ] {
        let merged = super::super::env_file::completed_by(pairs(environment), pairs(&file));
        assert_eq!(merged, pairs(&[environment, wins].concat()));
    }
}

#[test]
fn a_command_that_needs_one_setting_minds_no_others() {
    let broken = [
        ("TWILIO_ACCOUNT_SID", "nonsense"),
        ("REDIS_PW_FILE", "/nowhere"),
        ("CODER_REG_LISTEN", "[::]:8080"),
        ("CODER_REG_ENV", "dev"),
    ];
    let address = Config::listen(pairs(&broken)).unwrap();
    assert_eq!(address.to_string(), "[::]:8080");
    assert_eq!(
        Config::data_dir(pairs(&broken)).unwrap(),
        Path::new("./data")
    );
    let faults = Config::listen(pairs(&[("CODER_REG_LISTEN", "here")])).unwrap_err();
    assert_eq!(faults.0.len(), 1);
    let faults = Config::data_dir(pairs(&[("CODER_REG_ENV", "both")])).unwrap_err();
    assert_eq!(faults.0.len(), 1);
}

#[test]
fn settings_and_the_files_of_secret_ones_are_read_and_nothing_else() {
    for (name, is_read) in [
        ("CODER_API_KEY", true),
        ("CODER_API_KEY_FILE", true),
        ("CODER_REG_LISTEN", true),
        ("CODER_REG_LISTEN_FILE", false),
        ("CODER_API_KEY_FILE_FILE", false),
        ("coder_api_key", false),
        ("PATH", false),
        ("", false),
    ] {
        assert_eq!(is_setting(name), is_read, "{name:?}");
    }
}

#[test]
fn two_places_with_different_values_are_named_as_they_were_written() {
    let other = [("CODER_API_KEY", "another")];
    let told = |changes: &[(&str, &str)], files: &[(&str, &str)]| {
        let faults = with_credentials("CODER_API_KEY", changes, files)
            .unwrap_err()
            .0;
        faults[0].problem.what().to_owned()
    };
    let set = told(&[("CODER_API_KEY", "one")], &other);
    assert!(set.starts_with("CODER_API_KEY and the credential"), "{set}");
    let path = format!("{FOLDER}/elsewhere");
    let filed = told(
        &[("CODER_API_KEY_FILE", &path)],
        &[other[0], ("elsewhere", "one")],
    );
    assert!(
        filed.starts_with("CODER_API_KEY_FILE and the credential"),
        "{filed}"
    );
}

#[test]
fn of_a_name_only_control_characters_are_written_out() {
    let vars = Vars::from([("CODER_REG_Ä\u{7}".to_owned(), String::new())]);
    assert_eq!(vars.pairs[0].0, "CODER_REG_Ä\\u{7}");
}

#[test]
fn a_file_completes_the_environment_and_its_faults_are_told_with_their_line() {
    let text = b"REDIS_PORT=6380\nREDIS_DB=2\nFROM_NUM=`x`\nREDIS_DB=3\nnonsense";
    let set = [("REDIS_PORT".to_owned(), "6379".to_owned())];
    let vars = Vars::from(set).completed_by(parse_env_file(text).unwrap(), "class.env");
    let last = |name: &str| {
        let mut pairs = vars.pairs.iter().rev();
        pairs
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(
        (last("REDIS_PORT"), last("REDIS_DB")),
        (Some("6379"), Some("3"))
    );
    assert_eq!(vars.repeated, ["REDIS_DB"]);
    let told = |names: &[&str]| -> Vec<String> {
        let faults = vars.faults_of(names).into_iter();
        faults
            .map(|fault| format!("{} {}", fault.name, fault.problem.what()))
            .collect()
    };
    let of_the_number = told(&["FROM_NUM"]);
    assert_eq!(of_the_number.len(), 2, "{of_the_number:?}");
    assert!(
        of_the_number[0].starts_with("FROM_NUM line 3 of class.env "),
        "{of_the_number:?}"
    );
    // A line that names no setting may concern any of them.
    assert_eq!(told(&["REDIS_DB"]), of_the_number[1..]);
    assert!(
        of_the_number[1].starts_with("class.env line 5 "),
        "{of_the_number:?}"
    );
}
