use std::collections::BTreeMap;
use std::process::Command;

use proptest::prelude::*;

use super::*;
use crate::properties::drawn;

fn one(line: &str) -> Result<Option<(String, String)>, LineProblem> {
    let mut file = parse_env_file(line.as_bytes()).unwrap();
    match file.faults.pop() {
        None => Ok(file.vars.pop()),
        Some(fault) => Err(fault.problem),
    }
}

#[test]
fn values_are_read_as_a_shell_reads_them() {
    for (line, value) in [
        ("A=b", "b"),
        ("A=", ""),
        ("A=''", ""),
        ("A= # none", ""),
        ("A=b # a comment", "b"),
        ("A=b#c", "b#c"),
        ("  export\tA=b  ", "b"),
        ("A='b c & $d \"e\"'", "b c & $d \"e\""),
        (
            "A=\"b 'c' \\\"d\\\" \\$e \\\\ \\f\"",
            "b 'c' \"d\" $e \\ \\f",
        ),
        ("A=b'c d'\"e\"f", "bc def"),
        ("A=b\\ c\\$d", "b c$d"),
        ("A=*", "*"),
        ("A=b~c", "b~c"),
        (
            "A=https://x.example.org/y?z=1",
            "https://x.example.org/y?z=1",
        ),
        ("A=b\r", "b"),
        ("\u{feff}A=b", "b"),
    ] {
        let read = one(line).unwrap_or_else(|problem| panic!("{line}: {problem:?}"));
        assert_eq!(read, Some(("A".to_owned(), value.to_owned())), "{line}");
    }
    for nothing in ["", "   ", "# A=b", "\t# x", "\r"] {
        assert_eq!(one(nothing), Ok(None), "{nothing:?}");
    }
}

#[test]
fn what_a_shell_would_do_more_with_is_a_fault() {
    for (line, problem) in [
        ("A", NOT_A_SETTING),
        ("export A", NOT_A_SETTING),
        ("1A=b", ODD_NAME),
        ("A-B=c", ODD_NAME),
        ("CODER_CLASS_my-class_PASS='b c'", ODD_NAME),
        ("CODER_CLASS_ZÜRICH_PASS=b", ODD_NAME),
        ("my words = b", NOT_A_SETTING),
        ("=b", NOT_A_SETTING),
        ("A=b c", SPACES_IN_VALUE),
        ("A='b' c", SPACES_IN_VALUE),
        ("A=b&c", UNQUOTED),
        ("A=b;c", UNQUOTED),
        ("A=~/b", UNQUOTED),
        ("A=b:~/c", UNQUOTED),
        ("exports A=b", NOT_A_SETTING),
        ("A=$B", EXPANDED),
        ("A=\"`b`\"", EXPANDED),
        ("A='b", OPEN),
        ("A=\"b", OPEN),
        ("A=b\\", OPEN),
    ] {
        assert_eq!(one(line), Err(problem), "{line}");
    }
    for line in ["A = b", "A =b", "A= b"] {
        assert!(
            one(line).unwrap_err().what.contains("spaces around"),
            "{line}"
        );
    }
}

#[test]
fn a_fault_names_its_line_and_variable_and_hides_no_other_line() {
    let bytes = b"A=1\nCODER_API_KEY=hush hush\n# x\r\nB=`hush`\n\xff\nhush\nC = d\nD=2";
    let file = parse_env_file(bytes).unwrap();
    let faults: Vec<_> = file
        .faults
        .iter()
        .map(|fault| (fault.line, fault.name.as_deref()))
        .collect();
    let named = |name| Some(name);
    assert_eq!(
        faults,
        [
            (2, named("CODER_API_KEY")),
            (4, named("B")),
            (5, None),
            (6, None),
            (7, named("C")),
        ]
    );
    let set = [("A", "1"), ("D", "2")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(file.vars, set);
    assert!(!format!("{file:?}").contains("hush"), "{file:?}");
}

#[test]
fn a_file_of_another_kind_is_one_fault() {
    for (bytes, problem) in [
        (&b"\xff\xfeA\0=\x001\0"[..], "UTF-16"),
        (b"\xfe\xff\0A\0=\x001", "UTF-16"),
        (b"SQLite format 3\0\x10\0\x01", "not a text file"),
    ] {
        assert!(parse_env_file(bytes).unwrap_err().contains(problem));
    }
}

/// What a shell makes of a file: the variables that it has afterwards.
fn shell(text: &str) -> BTreeMap<String, String> {
    let script = format!("set -a\n{text}\nexec env -0");
    let output = Command::new("sh")
        .env_clear()
        .args(["-c", &script])
        .output();
    let output = output.unwrap().stdout;
    let all = String::from_utf8(output).unwrap();
    let pairs = all.split('\0').filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(name, _)| ["A", "B"].contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Values as people write them, put together from parts; some parts are refused.
fn written() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[ab*:=.?!{}%^#-]{1,3}",
        3 => "'[ab $&\"#\\\\~]{0,3}'",
        3 => "\"[ab '#~&;|*!]{0,3}\"",
        2 => "\"[ab]?\\\\[ab'\"$`\\\\ #]\"",
        2 => "\\\\[ab '\"$&#~]",
        1 => "[ #'\"\\\\$`&;|<>()~]",
    ];
    prop::collection::vec(part, 0..4).prop_map(|parts| parts.concat())
}

proptest! {
    // Each case starts a shell.
    #![proptest_config(drawn())]

    #[test]
    fn what_is_read_is_what_a_shell_reads(
        first in written(), second in written(), behind in "( ?#[ab ]?| | b)?"
    ) {
        let text = format!("A={first}{behind}\nexport B={second}");
        // What we refuse may mean anything to a shell.
        let file = parse_env_file(text.as_bytes()).unwrap();
        if file.faults.is_empty() {
            let ours: BTreeMap<String, String> = file.vars.into_iter().collect();
            prop_assert_eq!(ours, shell(&text));
        }
    }
}

#[test]
fn a_word_that_begins_with_export_is_a_name() {
    let read = one("exported=b").unwrap();
    assert_eq!(read, Some(("exported".to_owned(), "b".to_owned())));
}

#[test]
fn a_secret_and_its_file_are_one_setting_and_other_names_are_not() {
    let pairs = |names: &[&str]| -> Vec<(String, String)> {
        let all = names.iter();
        all.map(|name| ((*name).to_owned(), "x".to_owned()))
            .collect()
    };
    let all = ["REDIS_PW", "REDIS_PORT"];
    let file = ["REDIS_PW_FILE", "REDIS_PORT_FILE", "REDIS_PORT", "REDIS_DB"];
    let completed = completed_by(pairs(&all), pairs(&file));
    let names: Vec<&str> = completed.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["REDIS_PW", "REDIS_PORT", "REDIS_PORT_FILE", "REDIS_DB"]
    );
}
