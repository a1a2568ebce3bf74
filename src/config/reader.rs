//! Reads variables one by one and collects every fault instead of stopping at the first.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use super::error::{ConfigError, SettingError, SettingProblem, SettingWarning};
use super::misspelt::Misspelling;
use super::settings::{SETTINGS, class_setting, setting};
use super::span;
use super::vars::Vars;

/// A setting has no value because of a fault, which has been recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Faulty;

/// The function that reads the file named by a `NAME_FILE` variable.
pub type ReadFile<'a> = &'a dyn Fn(&Path) -> std::io::Result<String>;

/// The variables, cleaned, and the faults found so far.
pub(super) struct Reader {
    values: HashMap<String, String>,
    /// The sources of values that were not set directly.
    sources: HashMap<String, &'static str>,
    faults: Vec<SettingError>,
    warnings: Vec<SettingWarning>,
    misspelt: Vec<Misspelling>,
    /// The classes as their settings name them, each with the names of these settings.
    classes: BTreeMap<String, BTreeSet<String>>,
}

impl Reader {
    pub(super) fn new(vars: Vars, read: ReadFile<'_>) -> Self {
        let mut reader = Self::empty();
        for name in &vars.repeated {
            reader.warn(
                format!("{name} is set twice in the file, and the last one counts"),
                "remove one",
            );
        }
        reader.faults = vars.faults;
        reader.faults.extend(vars.unreadable);
        let vars: HashMap<String, String> = vars.pairs.into_iter().collect();
        for setting in SETTINGS {
            reader.take(setting.name, setting.secret, &vars, read);
        }
        for name in vars.keys() {
            let plain = name
                .strip_suffix("_FILE")
                .filter(|_| setting(name).is_none());
            let plain = plain.unwrap_or(name);
            if let Some((class, setting)) = class_setting(plain)
                && reader
                    .classes
                    .entry(class.to_owned())
                    .or_default()
                    .insert(plain.to_owned())
            {
                reader.take(plain, setting.secret, &vars, read);
            }
        }
        reader.misspelt = vars
            .keys()
            .filter_map(|name| Misspelling::of(name))
            .collect();
        reader.misspelt.sort();
        reader
    }

    /// Reads only the settings with these names, none of which is a secret; no file is read.
    pub(super) fn only(names: &[&'static str], vars: Vars) -> Self {
        let mut reader = Self::empty();
        reader.faults = vars.faults_of(names);
        let vars: HashMap<String, String> = vars.pairs.into_iter().collect();
        for setting in names.iter().filter_map(|name| setting(name)) {
            reader.take(setting.name, setting.secret, &vars, &|_| {
                Err(ErrorKind::Unsupported.into())
            });
        }
        reader
    }

    fn empty() -> Self {
        Self {
            values: HashMap::new(),
            sources: HashMap::new(),
            faults: Vec::new(),
            warnings: Vec::new(),
            misspelt: Vec::new(),
            classes: BTreeMap::new(),
        }
    }

    /// Fetches one variable, or the file or credential in its place.
    fn take(
        &mut self,
        name: &str,
        secret: bool,
        vars: &HashMap<String, String>,
        read: ReadFile<'_>,
    ) {
        if !secret {
            let value = cleaned_value(vars, name);
            self.values
                .extend(value.map(|value| (name.to_owned(), value)));
            return;
        }
        let Ok((value, source)) = self.secret(name, vars, read) else {
            return;
        };
        let credential = self.credential(name, vars, read);
        match (value, credential) {
            (Some(value), Some(other)) if value != other => {
                let suffix = if source == "file" { "_FILE" } else { "" };
                let problem = SettingProblem::new(
                    format!("{name}{suffix} and the credential of that name have different values"),
                    "keep one of them",
                );
                self.fault(name, problem);
            }
            (Some(value), _) => {
                self.values.insert(name.to_owned(), value);
                self.sources.insert(name.to_owned(), source);
            }
            (None, Some(credential)) => {
                self.values.insert(name.to_owned(), credential);
                self.sources.insert(name.to_owned(), "credential");
            }
            (None, None) => {}
        }
    }

    /// A secret from its variable or from the file that `NAME_FILE` names, and that source.
    fn secret(
        &mut self,
        name: &str,
        vars: &HashMap<String, String>,
        read: ReadFile<'_>,
    ) -> Result<(Option<String>, &'static str), Faulty> {
        let file_name = format!("{name}_FILE");
        match (cleaned_value(vars, name), cleaned_value(vars, &file_name)) {
            (Some(_), Some(_)) => {
                let problem = SettingProblem::new(
                    format!("is set, and so is {file_name}"),
                    "keep one of them",
                );
                self.fault(name, problem);
                Err(Faulty)
            }
            (Some(value), None) => Ok((Some(value), "set")),
            (None, Some(path)) => match read(Path::new(&path)) {
                Ok(text) => Ok((content(&text), "file")),
                Err(error) => {
                    let shown = shown_path(&path);
                    self.fault(&file_name, format!("{shown} cannot be read: {error}"));
                    Err(Faulty)
                }
            },
            (None, None) => Ok((None, "default")),
        }
    }

    /// The systemd credential for a secret: with the setting's name, or from a credential folder
    /// named "secret".
    fn credential(
        &mut self,
        name: &str,
        vars: &HashMap<String, String>,
        read: ReadFile<'_>,
    ) -> Option<String> {
        let folder = vars
            .get("CREDENTIALS_DIRECTORY")
            .filter(|f| !f.is_empty())?;
        for file in [name.to_owned(), format!("secret_{name}")] {
            let path = Path::new(folder).join(file);
            match read(&path) {
                Ok(text) => return content(&text),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    let problem = format!("its credential {path:?} cannot be read: {error}");
                    self.fault(name, problem);
                    return None;
                }
            }
        }
        None
    }

    /// The settings of classes that are set: a class has what the general settings say otherwise.
    pub(super) fn class_settings(&self) -> impl Iterator<Item = &String> {
        let all = self.classes.values().flatten();
        all.filter(|name| self.get(name).is_some())
    }

    /// The classes as their settings name them, each with the names of the settings that are there.
    pub(super) fn classes(&self) -> &BTreeMap<String, BTreeSet<String>> {
        &self.classes
    }

    /// The value, set or by default.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.values.get(name).map(String::as_str);
        value.or_else(|| setting(name).and_then(|s| s.default))
    }

    /// The source of the value, for the table that `config` prints.
    pub(super) fn source(&self, name: &str) -> &'static str {
        if let Some(source) = self.sources.get(name) {
            source
        } else if self.values.contains_key(name) {
            "set"
        } else {
            "default"
        }
    }

    /// A value that must be set; records a fault and returns an empty string if it is not.
    pub(super) fn required(&mut self, name: &str) -> String {
        if let Some(value) = self.get(name).map(str::to_owned) {
            return value;
        }
        if self.is_faulty(name) {
            // It is set, but with a fault that has been recorded.
            return String::new();
        }
        let or_file = match setting(name) {
            Some(s) if s.secret => format!(" (or {name}_FILE)"),
            _ => String::new(),
        };
        let meaning = setting(name).map_or("", |s| s.meaning);
        self.fault(
            name,
            SettingProblem::new("missing", format!("set it{or_file} to {meaning}")),
        );
        String::new()
    }

    /// A value parsed by `parse`. An error of `parse` becomes a fault, as does a missing value.
    pub(super) fn value<T, E: Into<SettingProblem>>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Faulty> {
        let value = self.required(name);
        if value.is_empty() {
            return Err(Faulty);
        }
        self.parse(name, &value, parse)
    }

    /// Like [`Reader::value`] for an optional setting: `None` if it is not set.
    pub(super) fn optional<T, E: Into<SettingProblem>>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Faulty> {
        match self.get(name).map(str::to_owned) {
            Some(value) => self.parse(name, &value, parse).map(Some),
            None if self.is_faulty(name) => Err(Faulty),
            None => Ok(None),
        }
    }

    fn parse<T, E: Into<SettingProblem>>(
        &mut self,
        name: &str,
        value: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Faulty> {
        parse(value).map_err(|problem| {
            self.fault(name, problem);
            Faulty
        })
    }

    /// A whole number within the setting's range.
    pub(super) fn number<T: TryFrom<u32>>(&mut self, name: &str) -> Result<T, Faulty> {
        let range = setting(name).and_then(|setting| setting.range.clone());
        let range = range.unwrap_or(0..=u32::MAX);
        let within = |number: &u32| range.contains(number);
        self.value(name, |value| {
            let number = value.parse::<u32>().ok().filter(within);
            let number = number.and_then(|number| T::try_from(number).ok());
            let (least, most) = (range.start(), range.end());
            number.ok_or_else(|| format!("{value:?} is not a whole number from {least} to {most}"))
        })
    }

    /// A span of time in the setting's unit, or with a suffix, within the setting's range.
    pub(super) fn span(&mut self, name: &str) -> Result<Duration, Faulty> {
        self.value(name, |value| span::of_setting(name, value))
    }

    /// Like [`Reader::span`] for an optional setting: `None` if it is not set.
    pub(super) fn optional_span(&mut self, name: &str) -> Result<Option<Duration>, Faulty> {
        self.optional(name, |value| span::of_setting(name, value))
    }

    /// Records a fault once: a setting may be read both with its group and alone.
    pub(super) fn fault(&mut self, name: &str, problem: impl Into<SettingProblem>) {
        let fault = SettingError {
            name: name.to_owned(),
            problem: problem.into(),
        };
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// Whether the variable, or its `NAME_FILE`, has a fault.
    pub(super) fn is_faulty(&self, name: &str) -> bool {
        let of_it =
            |fault: &SettingError| fault.name.strip_suffix("_FILE").unwrap_or(&fault.name) == name;
        self.faults.iter().any(of_it)
    }

    pub(super) fn warn(&mut self, what: impl Into<String>, cure: impl Into<String>) {
        let (what, cure) = (what.into(), cure.into());
        let warning = SettingWarning { what, cure };
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    pub(super) fn faults(&self) -> Option<ConfigError> {
        (!self.faults.is_empty()).then(|| ConfigError(self.faults.clone()))
    }

    /// The value `read`, or all faults if there are any.
    pub(super) fn finish<T>(&self, read: Result<T, Faulty>) -> Result<T, ConfigError> {
        match (read, self.faults()) {
            (Ok(read), None) => Ok(read),
            // If there is no value, a fault has been recorded.
            (_, faults) => Err(faults.unwrap_or(ConfigError(Vec::new()))),
        }
    }

    /// Variables whose names look like settings but are not.
    pub(super) fn misspelt(&self) -> &[Misspelling] {
        &self.misspelt
    }

    pub(super) fn into_warnings(mut self) -> Vec<SettingWarning> {
        self.warnings.sort();
        self.warnings
    }
}

/// The value of a variable; `None` if it is unset or empty.
fn cleaned_value(vars: &HashMap<String, String>, name: &str) -> Option<String> {
    let value = vars.get(name).map(|raw| clean(raw));
    value.filter(|value| !value.is_empty())
}

/// The secret in a file; `None` for an empty file.
fn content(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A path for messages. A value that does not look like a path is not repeated: it may be the
/// secret itself.
fn shown_path(path: &str) -> String {
    if path.starts_with(['/', '.', '~']) {
        format!("{path:?}")
    } else {
        "the file that it names".to_owned()
    }
}

/// Removes spaces and one pair of quotes around a value: some loaders of `.env` files leave them.
fn clean(raw: &str) -> String {
    let trimmed = raw.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = trimmed
            .strip_prefix(quote)
            .and_then(|t| t.strip_suffix(quote))
        {
            return inner.trim().to_owned();
        }
    }
    trimmed.to_owned()
}

#[cfg(test)]
mod tests;
