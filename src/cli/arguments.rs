//! What stands on the command line, word by word, and the settings that it works with.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use lexopt::{Arg, Parser};

use super::Command;
use crate::config::{self, Config, Faults};
use crate::store::StoreError;

/// How a command may end, other than well.
pub(super) enum Failure {
    /// Help was asked for.
    Help,
    /// The version was asked for.
    Version,
    /// The command line is wrong; what about it.
    Misused(String),
    /// The settings are wrong; all that is.
    Faulty(String),
    /// It could not be done; why.
    Failed(String),
    /// It could not be done, and that was said already.
    Told,
}

impl Failure {
    pub(super) fn unknown_option(option: &str) -> Self {
        let dashes = if option.chars().count() == 1 {
            "-"
        } else {
            "--"
        };
        Self::Misused(format!("unknown option {dashes}{option}"))
    }

    fn unexpected(value: &OsString) -> Self {
        Self::Misused(format!("unexpected {value:?}"))
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::Misused(error.to_string())
    }
}

impl From<Faults> for Failure {
    fn from(faults: Faults) -> Self {
        Self::Faulty(faults.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// One word of the command line.
#[derive(Debug)]
pub(super) enum Word {
    /// `--force` or `-f`, without its dashes.
    Option(String),
    /// Anything else.
    Value(OsString),
}

/// The words that are left. Options that every command has are taken out on the way.
pub(super) struct Arguments {
    parser: Parser,
    command: Option<&'static Command>,
    env_file: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn new(words: impl IntoIterator<Item = OsString>) -> Self {
        let words: Vec<OsString> = words.into_iter().collect();
        Self {
            parser: Parser::from_args(words),
            command: None,
            env_file: None,
        }
    }

    /// Remembers whose the words are from here on.
    pub(super) fn enter(&mut self, command: &'static Command) {
        self.command = Some(command);
    }

    /// The command that was found, if one was.
    pub(super) fn command(&self) -> Option<&'static Command> {
        self.command
    }

    /// The next word that is the command's own.
    ///
    /// # Errors
    /// Help or version was asked for, or an option is used wrongly.
    pub(super) fn next(&mut self) -> Result<Option<Word>, Failure> {
        loop {
            let option = match self.parser.next()? {
                None => return Ok(None),
                Some(Arg::Value(value)) => return Ok(Some(Word::Value(value))),
                Some(Arg::Long(name)) => name.to_owned(),
                Some(Arg::Short(letter)) => letter.to_string(),
            };
            match option.as_str() {
                "h" | "help" => return Err(Failure::Help),
                "V" | "version" => return Err(Failure::Version),
                "env-file" => {
                    let file = PathBuf::from(self.parser.value()?);
                    if self.env_file.replace(file).is_some() {
                        return Err(Failure::Misused("--env-file is given twice".to_owned()));
                    }
                }
                _ => return Ok(Some(Word::Option(option))),
            }
        }
    }

    /// For a command that takes nothing more.
    ///
    /// # Errors
    /// Something is left.
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        match self.next()? {
            None => Ok(()),
            Some(Word::Option(option)) => Err(Failure::unknown_option(&option)),
            Some(Word::Value(value)) => Err(Failure::unexpected(&value)),
        }
    }

    /// For a command that takes one operand, called `what`, and `options` without values. Returns the
    /// operand and those that were given.
    ///
    /// # Errors
    /// The operand is missing, or something else is there.
    pub(super) fn operand(
        &mut self,
        what: &str,
        options: &[&'static str],
    ) -> Result<(OsString, Vec<&'static str>), Failure> {
        let (mut operand, mut given) = (None, Vec::new());
        while let Some(word) = self.next()? {
            match word {
                Word::Value(value) if operand.is_none() => operand = Some(value),
                Word::Value(value) => return Err(Failure::unexpected(&value)),
                Word::Option(option) => match options.iter().find(|known| **known == option) {
                    Some(known) => given.push(*known),
                    None => return Err(Failure::unknown_option(&option)),
                },
            }
        }
        match operand {
            Some(operand) if !operand.is_empty() => Ok((operand, given)),
            _ => Err(Failure::Misused(format!("{what} is missing"))),
        }
    }

    /// The environment, and beneath it the file that `--env-file` names.
    ///
    /// # Errors
    /// That file cannot be read, or has faults.
    pub(super) fn vars(&self) -> Result<Vec<(String, String)>, Failure> {
        let vars = std::env::vars_os().filter_map(|(name, value)| {
            Some((
                name.into_string().ok()?,
                value.to_string_lossy().into_owned(),
            ))
        });
        let vars = vars.collect();
        let Some(file) = &self.env_file else {
            return Ok(vars);
        };
        let bytes = fs::read(file).map_err(|error| {
            Failure::Faulty(format!(
                "cannot read the settings in {}: {error}",
                file.display()
            ))
        })?;
        let beneath = config::parse_env_file(&bytes)
            .map_err(|faults| Failure::Faulty(format!("{} has {faults}", file.display())))?;
        Ok(config::laid_over(vars, beneath))
    }

    /// All settings.
    ///
    /// # Errors
    /// Every fault at once.
    pub(super) fn config(&self) -> Result<Config, Failure> {
        let read = |path: &Path| fs::read_to_string(path);
        Ok(Config::from_vars(self.vars()?, &read)?)
    }

    /// The folder of the database, whatever the other settings are like.
    ///
    /// # Errors
    /// The settings that say so have faults.
    pub(super) fn data_dir(&self) -> Result<PathBuf, Failure> {
        Ok(Config::data_dir(self.vars()?)?)
    }
}
