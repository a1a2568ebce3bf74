//! The settings of classes.

use super::*;

/// The settings of a class in place of the phrase.
fn classes(changes: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let mut vars = valid();
    vars.remove("CODER_REG_PASS");
    let added = changes
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    vars.extend(added);
    Config::from_vars(vars, &no_file)
}

#[test]
fn a_class_has_what_is_set_and_otherwise_what_the_general_settings_say() {
    let config = classes(&[
        ("CODER_CLASS_INTRO_2_PASS", "purple kettle"),
        ("CODER_CLASS_INTRO_2_SEATS", "30"),
        ("CODER_CLASS_INTRO_2_OPENS", "2026-12-01T09:00+01:00"),
        ("CODER_CLASS_INTRO_2_CLOSES", "2026-12-01T10:00+01:00"),
        ("CODER_CLASS_INTRO_2_END_AT", "2026-12-01T12:00Z"),
        ("CODER_CLASS_b_PASS", "green teapot"),
        ("CODER_CLASS_b_REMOVE_TIME", "2h"),
        ("CODER_CLASS_C_PASS", "yellow window"),
    ])
    .unwrap();
    let class = |name: &str| {
        let name = ClassName::in_command(name);
        config.class.class(Some(&name)).unwrap()
    };
    let intro = class("intro-2");
    assert_eq!((intro.seats, intro.seats_are_set), (30, true));
    let opens = 1_796_112_000;
    assert_eq!(intro.state(0, opens - 1), ClassState::NotYet(opens));
    assert_eq!(intro.state(opens, opens), ClassState::Open);
    // Who texted in time is served later as well, but not after the end.
    assert_eq!(intro.state(opens + 3_599, opens + 3_700), ClassState::Open);
    assert_eq!(intro.state(opens + 3_600, opens + 3_700), ClassState::Over);
    assert_eq!(intro.state(opens, opens + 14_400), ClassState::Over);
    assert_eq!(intro.life(opens), Some(minutes(240)));
    assert_eq!(intro.life(opens + 20_000), Some(Duration::ZERO));
    assert_eq!(class("b").life(opens), Some(minutes(120)));
    assert_eq!(class("c").life(opens), Some(minutes(720)));
    assert_eq!((class("c").seats, class("c").seats_are_set), (500, false));
    assert_eq!(config.class.longest_life(opens), Some(minutes(720)));
    let asked = |body| {
        config
            .class
            .asked(body, false)
            .and_then(|(class, _)| class.name.clone())
    };
    assert_eq!(asked("Green Teapot!"), Some(ClassName::in_command("b")));
    assert_eq!(asked("green"), None);
    let table = config.table();
    let line = |name: &str| {
        let line = table.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(line("CODER_CLASS_C_PASS").contains("********"));
    assert!(line("CODER_CLASS_INTRO_2_OPENS").ends_with("= 2026-12-01T08:00Z"));
    assert!(!table.contains("kettle"), "{table}");
}

#[test]
fn every_fault_of_the_classes_is_told_at_once() {
    let faults = classes(&[
        ("CODER_REG_PASS", "a third phrase"),
        ("CODER_CLASS_A_PASS", "purple kettle"),
        ("CODER_CLASS_A_OPENS", "2026-12-01T09:00Z"),
        ("CODER_CLASS_A_CLOSES", "2026-12-01T08:00Z"),
        ("CODER_CLASS_A_SEATS", "0"),
        ("CODER_CLASS_a_PASS", "another one"),
        ("CODER_CLASS_B_PASS", "Purple Kettle Corn"),
        ("CODER_CLASS_B_REMOVE_TIME", "2h"),
        ("CODER_CLASS_B_END_AT", "2026-12-01T08:00Z"),
        ("CODER_CLASS_C_SEATS", "7"),
        ("CODER_CLASS__D_PASS", "green teapot"),
        ("CODER_CLASS_E_PASS", "?!"),
        ("CODER_CLASS_E_CLOSES", "2026-12-01T10:00Z"),
        ("CODER_CLASS_E_END_AT", "2026-12-01T09:00Z"),
        ("CODER_CLASS_F_PASS", "red lamp post"),
        ("CODER_CLASS_F_OPENS", "soon"),
    ])
    .unwrap_err();
    let told = |name: &str, words: &str| {
        let mut faults = faults.0.iter();
        assert!(
            faults.any(|fault| fault.name == name && fault.problem.to_string().contains(words)),
            "{name} {words}: {faults:?}"
        );
    };
    told(
        "CODER_REG_PASS",
        "remove it, as each class has its own phrase",
    );
    told("CODER_CLASS_A_CLOSES", "is not after CODER_CLASS_A_OPENS");
    told("CODER_CLASS_A_SEATS", "is not a whole number from 1");
    told("CODER_CLASS_a_PASS", "two classes with the same name, a");
    told("CODER_CLASS_B_PASS", "choose phrases that differ");
    told("CODER_CLASS_B_REMOVE_TIME", "keep one of them");
    told("CODER_CLASS_C_PASS", "missing");
    told("CODER_CLASS__D_PASS", "cannot be the name of a class");
    told("CODER_CLASS_E_PASS", "has no letter");
    told("CODER_CLASS_E_CLOSES", "is after CODER_CLASS_E_END_AT");
    told("CODER_CLASS_F_OPENS", "is not a time with a time zone");
    let all = faults.to_string();
    assert!(!all.to_lowercase().contains("kettle"), "{all}");
}

#[test]
fn a_time_of_a_class_above_the_longest_is_told_together_with_a_faulty_phrase() {
    let faults = classes(&[
        ("CODER_CLASS_A_PASS", "!"),
        ("CODER_CLASS_A_REMOVE_TIME", "5h"),
        ("CODER_REMOVE_TIME", "1h"),
        ("CODER_MAX_TIME", "2h"),
    ]);
    let faults = faults.unwrap_err().0;
    let names: Vec<&str> = faults.iter().map(|fault| fault.name.as_str()).collect();
    assert!(
        names.contains(&"CODER_CLASS_A_PASS") && names.contains(&"CODER_MAX_TIME"),
        "{names:?}"
    );
}
