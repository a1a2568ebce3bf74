use std::collections::BTreeMap;
use std::process::Command;

use proptest::prelude::*;

use super::*;
use crate::properties::drawn;

fn one(line: &str) -> Result<Option<(String, String)>, &'static str> {
    match parse_env_file(line.as_bytes()) {
        Ok(mut vars) => Ok(vars.pop()),
        Err(faults) => Err(faults.0[0].problem),
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
        (
            "A=https://x.example.org/y?z=1",
            "https://x.example.org/y?z=1",
        ),
        ("A=b\r", "b"),
        ("\u{feff}A=b", "b"),
    ] {
        let read = one(line).unwrap_or_else(|problem| panic!("{line}: {problem}"));
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
        ("1A=b", NOT_A_SETTING),
        ("A-B=c", NOT_A_SETTING),
        ("=b", NOT_A_SETTING),
        ("A=b c", BLANKS),
        ("A='b' c", BLANKS),
        ("A=b&c", UNQUOTED),
        ("A=b;c", UNQUOTED),
        ("A=~/b", UNQUOTED),
        ("A=$B", EXPANDED),
        ("A=\"`b`\"", EXPANDED),
        ("A='b", OPEN),
        ("A=\"b", OPEN),
        ("A=b\\", OPEN),
    ] {
        assert_eq!(one(line), Err(problem), "{line}");
    }
    for line in ["A = b", "A =b", "A= b"] {
        assert!(one(line).unwrap_err().contains("blanks around"), "{line}");
    }
}

#[test]
fn all_faults_are_told_with_their_lines_and_nothing_of_what_stands_there() {
    let bytes = b"A=1\nCODER_API_KEY=hush hush\n# x\r\nB=`hush`\n\xff";
    let faults = parse_env_file(bytes).unwrap_err();
    let lines: Vec<usize> = faults.0.iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [2, 4, 5]);
    let told = faults.to_string();
    assert!(told.starts_with("3 faults\n  line 2  has"), "{told}");
    assert!(!told.contains("hush"), "{told}");
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

proptest! {
    // Each case starts a shell.
    #![proptest_config(ProptestConfig { cases: 200, ..drawn() })]

    #[test]
    fn what_is_read_is_what_a_shell_reads(
        first in "[ab'\"\\\\ #*~:=.?!{}\\[\\]%^-]{0,8}", second in "[ab'\"\\\\ #$`&;|<>()]{0,5}"
    ) {
        let text = format!("A={first}\nexport B={second}");
        // What we refuse may mean anything to a shell.
        if let Ok(vars) = parse_env_file(text.as_bytes()) {
            let ours: BTreeMap<String, String> = vars.into_iter().collect();
            prop_assert_eq!(ours, shell(&text));
        }
    }
}
