//! Reads a file of `NAME=value` lines, as a shell would with `. ./.env`, but runs nothing: what a shell
//! would expand, carry out or continue on the next line is a fault. So one file means the same to the
//! shell, to compose, to systemd and to us, or we say that it does not.

use std::collections::HashSet;

use super::SETTINGS;

/// What the lines of a file say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvFile {
    /// What is set, in the order of the lines. A name that is set twice stands twice; the last one counts.
    pub vars: Vec<(String, String)>,
    /// Lines that are no comment and no setting.
    pub faults: Vec<LineError>,
}

/// Something wrong with one line. Its value is never repeated: it may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError {
    /// The line, counted from 1.
    pub line: usize,
    /// The variable that it would set, where that can be read.
    pub name: Option<String>,
    /// What is wrong, and what to do about it.
    pub problem: &'static str,
}

const NOT_A_SETTING: &str = "is not NAME=value; a comment begins with #";
const BLANKS_AROUND: &str = "has blanks around the equals sign: take them away";
const BLANKS: &str = "has something behind the value: put a value with blanks into single quotes";
const UNQUOTED: &str =
    "has a sign in its value that a shell acts upon: put the value into single quotes";
const EXPANDED: &str =
    "has $ or ` in its value, which a shell would replace: put the value into single quotes";
const OPEN: &str = "has a quote that is not closed on the same line";

/// Reads `bytes`, the content of a file. A fault in one line does not hide the others.
///
/// # Errors
/// It is no file of settings at all; what it is instead, and what to do.
pub fn parse_env_file(bytes: &[u8]) -> Result<EnvFile, &'static str> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err("is UTF-16: save it again as UTF-8");
    }
    if bytes.contains(&0) {
        return Err("is no text: name the file with the NAME=value lines");
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut file = EnvFile::default();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let read = match std::str::from_utf8(line) {
            Ok(line) => setting(line),
            Err(_) => Err((None, "is not UTF-8 text")),
        };
        match read {
            Ok(setting) => file.vars.extend(setting),
            Err((name, problem)) => file.faults.push(LineError {
                line: index + 1,
                name,
                problem,
            }),
        }
    }
    Ok(file)
}

/// The name that a faulty line would set, where that can be read, and what is wrong.
type BadLine = (Option<String>, &'static str);

/// What one line sets; `None` for a comment or an empty line.
fn setting(line: &str) -> Result<Option<(String, String)>, BadLine> {
    let line = line.trim_start_matches(BLANK);
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let line = match line.strip_prefix("export") {
        Some(rest) if rest.starts_with(BLANK) => rest.trim_start_matches(BLANK),
        _ => line,
    };
    let Some((written, rest)) = line.split_once('=') else {
        return Err((None, NOT_A_SETTING));
    };
    let name = written.trim_end_matches(BLANK);
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts_well || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err((None, NOT_A_SETTING));
    }
    let name = name.to_owned();
    if name != written || rest.starts_with(BLANK) && !comment_or_end(rest) {
        return Err((Some(name), BLANKS_AROUND));
    }
    match value(rest) {
        Ok(value) => Ok(Some((name, value))),
        Err(problem) => Err((Some(name), problem)),
    }
}

const BLANK: [char; 2] = [' ', '\t'];

/// Whether nothing but blanks and a comment follow.
fn comment_or_end(rest: &str) -> bool {
    let rest = rest.trim_start_matches(BLANK);
    rest.is_empty() || rest.starts_with('#')
}

/// The value that begins `rest`: quoted and unquoted parts, side by side.
fn value(rest: &str) -> Result<String, &'static str> {
    let mut value = String::new();
    let mut chars = rest.chars();
    if rest.starts_with('~') {
        return Err(UNQUOTED);
    }
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' if comment_or_end(chars.as_str()) => return Ok(value),
            ' ' | '\t' => return Err(BLANKS),
            '\'' => {
                let (inner, behind) = chars.as_str().split_once('\'').ok_or(OPEN)?;
                value.push_str(inner);
                chars = behind.chars();
            }
            '"' => double_quoted(&mut chars, &mut value)?,
            '\\' => value.push(chars.next().ok_or(OPEN)?),
            '$' | '`' => return Err(EXPANDED),
            '&' | ';' | '|' | '<' | '>' | '(' | ')' => return Err(UNQUOTED),
            '~' if value.ends_with(':') => return Err(UNQUOTED),
            '\0' => return Err(UNQUOTED),
            other => value.push(other),
        }
    }
    Ok(value)
}

/// Reads up to the closing quote.
fn double_quoted(chars: &mut std::str::Chars<'_>, value: &mut String) -> Result<(), &'static str> {
    loop {
        match chars.next().ok_or(OPEN)? {
            '"' => return Ok(()),
            '$' | '`' => return Err(EXPANDED),
            '\0' => return Err(UNQUOTED),
            '\\' => match chars.next().ok_or(OPEN)? {
                sign @ ('"' | '\\' | '$' | '`') => value.push(sign),
                other => value.extend(['\\', other]),
            },
            other => value.push(other),
        }
    }
}

/// `vars` and, where they say nothing about a setting, what `beneath` says. A secret and the variable
/// that names its file are one setting; an empty value says nothing.
pub fn laid_over(
    mut vars: Vec<(String, String)>,
    beneath: Vec<(String, String)>,
) -> Vec<(String, String)> {
    let said: HashSet<String> = vars
        .iter()
        .filter(|(_, value)| !value.trim().is_empty())
        .map(|(name, _)| setting_of(name).to_owned())
        .collect();
    // The last of several counts, as everywhere.
    vars.extend(
        beneath
            .into_iter()
            .filter(|(name, _)| !said.contains(setting_of(name))),
    );
    vars
}

fn setting_of(name: &str) -> &str {
    let secret = |plain: &str| SETTINGS.iter().any(|s| s.secret && s.name == plain);
    match name.strip_suffix("_FILE") {
        Some(plain) if secret(plain) => plain,
        _ => name,
    }
}

#[cfg(test)]
mod tests;
