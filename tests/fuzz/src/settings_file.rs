//! A file of `NAME=value` lines.
//!
//! The input is the file as it is.

use coder_sms_register::config::{EnvFile, LineError, parse_env_file};

const MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads the input, and panics where the service reads it wrongly.
pub fn check(input: &[u8]) {
    let Ok(file) = parse_env_file(input) else {
        let is_utf16 = input.starts_with(b"\xff\xfe") || input.starts_with(b"\xfe\xff");
        assert!(is_utf16 || input.contains(&0), "a text is refused whole");
        return;
    };
    let lines = input.split(|byte| *byte == b'\n').count();
    assert!(file.vars.len() + file.faults.len() <= lines);
    for (name, _) in &file.vars {
        assert!(is_name(name), "{name:?}");
    }
    let mut last = 0;
    for fault in &file.faults {
        assert!((last + 1..=lines).contains(&fault.line), "{fault:?}");
        last = fault.line;
        is_told_well(fault);
    }
    marked_reads_alike(input, &file);
    quoted_reads_alike(&file);
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let first = bytes.next().unwrap_or(b'0');
    (first == b'_' || first.is_ascii_alphabetic())
        && bytes.all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

fn is_told_well(fault: &LineError) {
    assert!(fault.name.as_deref().is_none_or(is_name), "{fault:?}");
    for words in [fault.problem.what, fault.problem.cure] {
        assert!(!words.is_empty() && !words.chars().any(char::is_control));
    }
}

/// Editors put a mark in front of a file, which means nothing.
fn marked_reads_alike(input: &[u8], file: &EnvFile) {
    if !input.starts_with(MARK) {
        let marked = [MARK, input].concat();
        assert_eq!(parse_env_file(&marked).as_ref(), Ok(file));
    }
}

/// What was understood, written back in single quotes as a shell would have it, is understood alike.
fn quoted_reads_alike(file: &EnvFile) {
    let line = |(name, value): &(String, String)| {
        let value = value.replace('\'', "'\\''");
        format!("export {name}='{value}' # as before\r\n")
    };
    let written: String = file.vars.iter().map(line).collect();
    let again = parse_env_file(written.as_bytes()).expect("it is text");
    assert_eq!(again.faults, Vec::new());
    assert_eq!(again.vars, file.vars);
}
