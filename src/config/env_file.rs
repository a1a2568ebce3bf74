//! Reads a file of `NAME=value` lines, as a shell would with `. ./.env`, but runs nothing: what a shell
//! would expand, carry out or continue on the next line is a fault. So one file means the same to the
//! shell, to compose, to systemd and to us, or we say that it does not.

use std::collections::HashSet;
use std::fmt;

use super::SETTINGS;

/// Something wrong with one line. The line itself is never repeated: it may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFault {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong, and what to do about it.
    pub problem: &'static str,
}

/// All faults of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFaults(pub Vec<LineFault>);

impl fmt::Display for LineFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let plural = if count == 1 { "" } else { "s" };
        write!(f, "{count} fault{plural}")?;
        for LineFault { line, problem } in &self.0 {
            write!(f, "\n  line {line}  {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for LineFaults {}

const NOT_A_SETTING: &str = "is not NAME=value; a comment begins with #";
const BLANKS: &str = "has something behind the value: put a value with blanks into single quotes";
const UNQUOTED: &str =
    "has a sign in its value that a shell acts upon: put the value into single quotes";
const EXPANDED: &str =
    "has $ or ` in its value, which a shell would replace: put the value into single quotes";
const OPEN: &str = "has a quote that is not closed on the same line";

/// The variables that `bytes`, the content of a file, sets. One that is set twice stands twice; the
/// last one counts.
///
/// # Errors
/// Every line that is no comment and no setting.
pub fn parse_env_file(bytes: &[u8]) -> Result<Vec<(String, String)>, LineFaults> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut vars = Vec::new();
    let mut faults = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let read = match std::str::from_utf8(line) {
            Ok(line) => setting(line),
            Err(_) => Err("is not UTF-8 text"),
        };
        match read {
            Ok(setting) => vars.extend(setting),
            Err(problem) => faults.push(LineFault {
                line: index + 1,
                problem,
            }),
        }
    }
    if faults.is_empty() {
        Ok(vars)
    } else {
        Err(LineFaults(faults))
    }
}

/// What one line sets; `None` for a comment or an empty line.
fn setting(line: &str) -> Result<Option<(String, String)>, &'static str> {
    let line = line.trim_start_matches(BLANK);
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let line = match line.strip_prefix("export") {
        Some(rest) if rest.starts_with(BLANK) => rest.trim_start_matches(BLANK),
        _ => line,
    };
    let Some((name, rest)) = line.split_once('=') else {
        return Err(NOT_A_SETTING);
    };
    if name.ends_with(BLANK) || rest.starts_with(BLANK) && !comment_or_end(rest) {
        return Err("has blanks around the equals sign: take them away");
    }
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts_well || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(NOT_A_SETTING);
    }
    Ok(Some((name.to_owned(), value(rest)?)))
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
