//! Reads a file of `NAME=value` lines. The result is the same as in a shell with `. ./.env`, but
//! nothing is executed: anything that a shell would expand, execute or continue on the next line is
//! a fault. So a file without faults means the same to the shell, to compose, to systemd and to
//! this program.

use std::collections::HashSet;

use super::settings;

/// The content of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvFile {
    /// The variables, in the order of the lines. A name that is set twice is listed twice; the last
    /// one counts.
    pub vars: Vec<(String, String)>,
    /// Lines that are neither a comment nor a valid setting.
    pub faults: Vec<LineError>,
}

/// A fault in one line. The value is never repeated: it may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError {
    /// The line, counted from 1.
    pub line: usize,
    /// The variable that the line would set, if it can be read.
    pub name: Option<String>,
    /// What is wrong, and what to do about it.
    pub problem: LineProblem,
}

/// What is wrong with a line, and what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineProblem {
    /// What is wrong.
    pub what: &'static str,
    /// What to do about it.
    pub cure: &'static str,
}

impl LineProblem {
    const fn new(what: &'static str, cure: &'static str) -> Self {
        Self { what, cure }
    }
}

const NOT_A_SETTING: LineProblem = LineProblem::new("is not NAME=value", "a comment begins with #");
const ODD_NAME: LineProblem = LineProblem::new(
    "has a name that no setting can have",
    "begin it with a letter, and use letters, digits and _ only, also for the name of a class",
);
const SPACES_AROUND: LineProblem =
    LineProblem::new("has spaces around the equals sign", "remove them");
const SPACES_IN_VALUE: LineProblem = LineProblem::new(
    "has something after the value",
    "put a value with spaces into single quotes",
);
const UNQUOTED: LineProblem = LineProblem::new(
    "has a character in its value that is special to a shell",
    "put the value into single quotes",
);
const EXPANDED: LineProblem = LineProblem::new(
    "has $ or ` in its value, which a shell would replace",
    "put the value into single quotes",
);
const OPEN: LineProblem = LineProblem::new(
    "has a quote that is not closed on the same line",
    "close it there",
);
const NOT_UTF_8: LineProblem = LineProblem::new("is not UTF-8 text", "save the file as UTF-8");

/// Reads `bytes`, the content of a file. A fault in one line does not hide the others.
///
/// # Errors
/// It is not a file of settings; the text says what it is and what to do.
pub fn parse_env_file(bytes: &[u8]) -> Result<EnvFile, &'static str> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err("is UTF-16: save it again as UTF-8");
    }
    if bytes.contains(&0) {
        return Err("is not a text file: give the file with the NAME=value lines");
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut file = EnvFile::default();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let read = match std::str::from_utf8(line) {
            Ok(line) => setting(line),
            Err(_) => Err((None, NOT_UTF_8)),
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

/// The variable that a faulty line would set, if it can be read, and what is wrong.
type BadLine = (Option<String>, LineProblem);

/// The variable and value of one line; `None` for a comment or an empty line.
fn setting(line: &str) -> Result<Option<(String, String)>, BadLine> {
    let line = line.trim_start_matches(SPACE_OR_TAB);
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let line = match line.strip_prefix("export") {
        Some(rest) if rest.starts_with(SPACE_OR_TAB) => rest.trim_start_matches(SPACE_OR_TAB),
        _ => line,
    };
    let Some((written, rest)) = line.split_once('=') else {
        return Err((None, NOT_A_SETTING));
    };
    let name = written.trim_end_matches(SPACE_OR_TAB);
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts_well || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        let is_word = !name.is_empty() && !name.contains(SPACE_OR_TAB);
        return Err((None, if is_word { ODD_NAME } else { NOT_A_SETTING }));
    }
    let name = name.to_owned();
    if name != written || rest.starts_with(SPACE_OR_TAB) && !comment_or_end(rest) {
        return Err((Some(name), SPACES_AROUND));
    }
    match value(rest) {
        Ok(value) => Ok(Some((name, value))),
        Err(problem) => Err((Some(name), problem)),
    }
}

const SPACE_OR_TAB: [char; 2] = [' ', '\t'];

/// Whether only spaces and a comment follow.
fn comment_or_end(rest: &str) -> bool {
    let rest = rest.trim_start_matches(SPACE_OR_TAB);
    rest.is_empty() || rest.starts_with('#')
}

/// The value at the start of `rest`: quoted and unquoted parts, joined.
fn value(rest: &str) -> Result<String, LineProblem> {
    let mut value = String::new();
    let mut chars = rest.chars();
    if rest.starts_with('~') {
        return Err(UNQUOTED);
    }
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' if comment_or_end(chars.as_str()) => return Ok(value),
            ' ' | '\t' => return Err(SPACES_IN_VALUE),
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
fn double_quoted(chars: &mut std::str::Chars<'_>, value: &mut String) -> Result<(), LineProblem> {
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

/// `vars`, completed by `file` for the settings that `vars` do not set. A secret and the variable
/// that names its file are one setting; an empty value counts as not set.
pub fn completed_by(
    mut vars: Vec<(String, String)>,
    file: Vec<(String, String)>,
) -> Vec<(String, String)> {
    let set: HashSet<String> = vars
        .iter()
        .filter(|(_, value)| !value.trim().is_empty())
        .map(|(name, _)| setting_of(name).to_owned())
        .collect();
    // The last of equal names counts, as everywhere.
    vars.extend(
        file.into_iter()
            .filter(|(name, _)| !set.contains(setting_of(name))),
    );
    vars
}

fn setting_of(name: &str) -> &str {
    let secret = |plain: &str| settings::setting(plain).is_some_and(|setting| setting.secret);
    match name.strip_suffix("_FILE") {
        Some(plain) if secret(plain) => plain,
        _ => name,
    }
}

#[cfg(test)]
mod tests;
