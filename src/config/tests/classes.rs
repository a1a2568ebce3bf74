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
    let days = |days: u64| minutes(days * 1_440);
    assert_eq!(config.class.last_end(opens), Some(minutes(720)));
    // Long before the class opens, its end counts.
    let early = opens - 10 * 86_400;
    let last = config.class.last_end(early);
    assert_eq!(last, Some(days(10) + minutes(240)));
    let asked = |body| {
        config
            .class
            .asked(body, false)
            .and_then(|(class, _)| class.name.clone())
    };
    assert_eq!(asked("Green Teapot!"), Some(ClassName::in_command("b")));
    assert_eq!(asked("green"), None);
    let table = config.table();
    let line = |name| table_line(&config, name);
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

#[test]
fn each_class_has_its_own_template_and_messages_name_the_setting_of_it() {
    let changes = [
        ("CODER_CLASS_A_PASS", "purple kettle"),
        ("CODER_CLASS_B_PASS", "green teapot"),
        ("CODER_CLASS_B_TEMPLATE", "python"),
        ("CODER_CLASS_C_PASS", "yellow window"),
        ("CODER_CLASS_C_TEMPLATE", "python"),
        ("CODER_REG_TEMPLATE", "docker"),
    ];
    let class = classes(&changes).unwrap().class;
    let template = |name: Option<&str>| {
        let name = name.map(ClassName::in_command);
        class
            .workspace_of(name.as_ref())
            .map(|one| one.template.as_str().to_owned())
    };
    assert_eq!(template(Some("a")).as_deref(), Some("docker"));
    assert_eq!(template(Some("b")).as_deref(), Some("python"));
    // Of accounts whose class was taken out of the settings, and of those without one.
    assert_eq!(template(Some("gone")).as_deref(), Some("docker"));
    assert_eq!(template(None).as_deref(), Some("docker"));
    let told = |class: &ClassConfig| -> Vec<(String, String)> {
        let all = class.workspaces().into_iter();
        all.map(|one| {
            (
                one.template.as_str().to_owned(),
                class.template_setting(one),
            )
        })
        .collect()
    };
    let pair = |template: &str, setting: &str| (template.to_owned(), setting.to_owned());
    let expected = [
        pair("docker", "CODER_REG_TEMPLATE"),
        pair("python", "CODER_CLASS_B_TEMPLATE"),
    ];
    assert_eq!(told(&class), expected);
    let to_come = |class: &ClassConfig| class.workspaces_to_come(0).len();
    assert_eq!(to_come(&class), 2);
    let over = [("CODER_CLASS_A_CLOSES", "1969-12-01T09:00Z")];
    let class_over = classes(&[&changes[..], &over].concat()).map(|config| config.class);
    assert_eq!(class_over.map(|class| to_come(&class)).ok(), Some(1));
    let class = classes(&changes[..5]).unwrap().class;
    assert_eq!(told(&class), expected[1..]);
    assert_eq!(class.workspace_of(None), None);
    let nothing = config(&[]).class;
    assert_eq!(told(&nothing), []);
}

#[test]
fn spare_accounts_are_wanted_from_a_quarter_of_an_hour_before_until_the_class_is_over() {
    let opens = 1_796_115_600;
    let wanted = |changes: &[(&str, &str)], at: i64| {
        let base = [
            ("CODER_CLASS_A_PASS", "purple kettle"),
            ("CODER_CLASS_A_WARM", "20"),
            ("CODER_CLASS_A_SEATS", "30"),
        ];
        let config = classes(&[&base, changes].concat()).unwrap();
        config.class.classes[0].spares_wanted(opens + at)
    };
    let times = [
        ("CODER_CLASS_A_OPENS", "2026-12-01T09:00Z"),
        ("CODER_CLASS_A_CLOSES", "2026-12-01T10:00Z"),
    ];
    for (at, count) in [
        (-901, 0),
        (-900, 20),
        (0, 20),
        (3_599, 20),
        (3_600, 0),
        (9_000, 0),
    ] {
        assert_eq!(wanted(&times, at), count, "{at} s after the opening");
    }
    // The end of the accounts counts as well, and the earlier of both.
    let end = [("CODER_CLASS_A_END_AT", "2026-12-01T09:30Z")];
    assert_eq!((wanted(&end, 1_799), wanted(&end, 1_800)), (20, 0));
    assert_eq!(wanted(&[], -1_000_000), 20);
    // Never more than there are seats.
    assert_eq!(wanted(&[("CODER_CLASS_A_SEATS", "7")], 0), 7);
}

#[test]
fn messages_name_the_class_its_times_and_its_settings() {
    let config = classes(&[
        ("CODER_CLASS_A_PASS", "purple kettle"),
        ("CODER_CLASS_A_OPENS", "2026-12-01T09:00Z"),
        ("CODER_CLASS_A_END_AT", "2026-12-01T13:00+01:00"),
        ("CODER_CLASS_A_REMOVE_TIME", ""),
        ("CODER_CLASS_B_PASS", "green teapot"),
        ("CODER_CLASS_B_CLOSES", "2026-12-01T11:00+01:00"),
        ("CODER_CLASS_B_REMOVE_TIME", "90"),
    ])
    .unwrap();
    let [a, b] = &config.class.classes[..] else {
        panic!("two classes");
    };
    assert_eq!(
        (a.whose(), b.whose()),
        ("class a: ".to_owned(), "class b: ".to_owned())
    );
    let at = |hour: u32| Some(format!("2026-12-01T{hour:02}:00Z"));
    assert_eq!(a.times(), (at(9), at(12)));
    assert_eq!(b.times(), (None, at(10)));
    assert_eq!((a.gives_until(), b.gives_until()), (a.end_at, b.closes));
    assert_eq!(a.setting("_SEATS"), "CODER_CLASS_A_SEATS");
    let ends: Vec<&ClassName> = config.class.end_by_clock().collect();
    assert_eq!(ends, [a.name.as_ref().unwrap()]);
    let shown = |name: &str| {
        let line = table_line(&config, name);
        line.splitn(3, ' ').nth(2).unwrap().to_owned()
    };
    assert_eq!(
        shown("CODER_CLASS_A_PASS"),
        "******** = 12 letters and digits are compared"
    );
    assert_eq!(shown("CODER_CLASS_B_REMOVE_TIME"), "90 = 1 h 30 min");
    assert_eq!(
        shown("CODER_CLASS_A_END_AT"),
        "2026-12-01T13:00+01:00 = 2026-12-01T12:00Z"
    );
    assert_eq!(
        shown("CODER_CLASS_B_CLOSES"),
        "2026-12-01T11:00+01:00 = 2026-12-01T10:00Z"
    );
    let one = &super::config(&[]).class.classes[0];
    assert_eq!((one.whose(), one.times()), (String::new(), (None, None)));
    let of_the_one = [
        ("_SEATS", "CODER_REG_MAX_USERS"),
        ("_PASS", "CODER_REG_PASS"),
        ("_WARM", "CODER_REG_WARM"),
        ("_TEMPLATE", "CODER_REG_TEMPLATE"),
        ("_REMOVE_TIME", "CODER_REMOVE_TIME"),
    ];
    for (ending, name) in of_the_one {
        assert_eq!(one.setting(ending), name);
    }
}

/// Whether reading these settings of class A warns of `name`.
fn warns(changes: &[(&str, &str)], name: &str) -> bool {
    let all = [&[("CODER_CLASS_A_PASS", "purple kettle")], changes].concat();
    let config = classes(&all).unwrap_or_else(|faults| panic!("{changes:?}: {faults}"));
    config
        .warnings
        .iter()
        .any(|warning| warning.what.contains(name))
}

#[test]
fn more_spare_accounts_than_seats_are_warned_of() {
    let warm = "CODER_CLASS_A_WARM";
    for (seats, warned) in [("20", false), ("19", true), ("21", false)] {
        let changes = [(warm, "20"), ("CODER_CLASS_A_SEATS", seats)];
        assert_eq!(warns(&changes, warm), warned, "{seats} seats");
    }
}

#[test]
fn an_end_that_nobody_can_extend_is_warned_of() {
    let end = "CODER_CLASS_A_END_AT";
    for (at, warned) in [("2026-12-01T11:00Z", false), ("2026-12-01T11:01Z", true)] {
        let changes = [("CODER_MAX_TIME", "2h"), ("CODER_REMOVE_TIME", "1h")];
        let own = [("CODER_CLASS_A_OPENS", "2026-12-01T09:00Z"), (end, at)];
        assert_eq!(warns(&[changes, own].concat(), end), warned, "{at}");
    }
}

#[test]
fn a_short_life_is_warned_of_and_a_maximum_that_is_as_long_is_no_fault() {
    for (time, warned) in [("29", true), ("30", false)] {
        let name = "CODER_CLASS_A_REMOVE_TIME";
        assert_eq!(warns(&[(name, time)], name), warned, "{time} minutes");
        let general = config(&[("CODER_REMOVE_TIME", time)]).warnings;
        assert_eq!(!general.is_empty(), warned, "{time} minutes: {general:?}");
    }
    let limit = |most| read(&[("CODER_REMOVE_TIME", "60"), ("CODER_MAX_TIME", most)]);
    assert!(limit("60").is_ok() && limit("61").is_ok());
    assert_eq!(limit("59").unwrap_err().0[0].name, "CODER_MAX_TIME");
}

#[test]
fn a_class_may_close_in_the_moment_in_which_its_accounts_end_but_not_open_then() {
    let times = |opens, closes, end| {
        classes(&[
            ("CODER_CLASS_A_PASS", "purple kettle"),
            ("CODER_CLASS_A_OPENS", opens),
            ("CODER_CLASS_A_CLOSES", closes),
            ("CODER_CLASS_A_END_AT", end),
        ])
    };
    let [nine, ten] = ["2026-12-01T09:00Z", "2026-12-01T10:00Z"];
    assert!(times(nine, ten, ten).is_ok());
    assert!(times(nine, nine, ten).is_err());
    assert!(times(ten, "", ten).is_err());
}

#[test]
fn settings_that_can_be_read_are_counted_and_faulty_ones_are_known_by_their_prefix() {
    let mut vars = valid();
    vars.remove("CODER_REG_PASS");
    vars.insert("CODER_CLASS_A_PASS".to_owned(), "purple kettle".to_owned());
    vars.insert("CODER_CLASS_A_SEATS".to_owned(), "many".to_owned());
    let parts = PartialConfig::from_vars(vars, &no_file);
    assert_eq!(parts.settings, SETTINGS.len() + 2);
    assert!(parts.is_faulty(&["REDIS_", "CODER_CLASS_"]));
    assert!(!parts.is_faulty(&["REDIS_", "TWILIO_"]));
}

#[test]
fn parameters_without_any_template_are_warned_of() {
    let class = [("CODER_CLASS_A_PASS", "purple kettle")];
    let parameters = [("CODER_REG_PARAMETERS", "region=eu")];
    let warned = |template: &[(&str, &str)]| {
        let config = classes(&[&class, &parameters, template].concat()).unwrap();
        let mut warnings = config.warnings.iter();
        warnings.any(|one| one.what.contains("CODER_REG_PARAMETERS"))
    };
    assert!(warned(&[]));
    assert!(!warned(&[("CODER_REG_TEMPLATE", "docker")]));
    assert!(!warned(&[("CODER_CLASS_A_TEMPLATE", "docker")]));
    let config = classes(&class).unwrap();
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}
