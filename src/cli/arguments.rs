//! The words of the command line, and the settings.

use std::cell::OnceCell;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lexopt::{Arg, Parser};

use super::Command;
use super::naming::word_for_all;
use crate::config::{self, Config, ConfigError, Vars};
use crate::domain::ClassName;
use crate::store::StoreError;

/// The option that names a class.
pub(super) const CLASS: &str = "class";

/// The folder of the package's settings.
const INSTALLED: &str = "/etc/coder-sms-register";

/// Why a command prints help or the version, or did not succeed.
pub(super) enum CommandError {
    /// Help was asked for.
    Help,
    /// The version was asked for.
    Version,
    /// The command line is wrong; the problem.
    Misused(String),
    /// The command does not have this option; its name without dashes.
    UnknownOption(String),
    /// The settings cannot be read; why.
    Faulty(String),
    /// The settings are wrong; all their faults.
    FaultySettings(ConfigError),
    /// It could not be done; the reason.
    Failed(String),
    /// There is nothing to act on; a message.
    Unmatched(String),
    /// It could not be done, and the reason was printed or logged.
    Reported,
}

impl CommandError {
    pub(super) fn unknown_option(option: &str) -> Self {
        Self::UnknownOption(option.to_owned())
    }

    pub(super) fn unexpected(value: &OsString) -> Self {
        Self::Misused(format!("unexpected {value:?}"))
    }
}

impl From<lexopt::Error> for CommandError {
    fn from(error: lexopt::Error) -> Self {
        Self::Misused(error.to_string())
    }
}

impl From<ConfigError> for CommandError {
    fn from(faults: ConfigError) -> Self {
        Self::FaultySettings(faults)
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// One word of the command line.
#[derive(Debug)]
pub(super) enum ArgumentWord {
    /// `--force` or `-f`, without its dashes.
    Option(String),
    /// Anything else.
    Value(OsString),
}

/// The words of the command line that are not read yet. The options of all commands are handled here.
pub(super) struct Arguments {
    parser: Parser,
    command: Option<&'static Command>,
    env_file: Option<PathBuf>,
    /// The file of settings that was read.
    read_file: OnceCell<PathBuf>,
    class: Option<ClassName>,
}

impl Arguments {
    pub(super) fn new(words: impl IntoIterator<Item = OsString>) -> Self {
        let words: Vec<OsString> = words.into_iter().collect();
        Self {
            parser: Parser::from_args(words),
            command: None,
            env_file: None,
            read_file: OnceCell::new(),
            class: None,
        }
    }

    /// Sets the command to which all further words belong.
    pub(super) fn enter(&mut self, command: &'static Command) {
        self.command = Some(command);
    }

    /// The command, if it was read already.
    pub(super) fn command(&self) -> Option<&'static Command> {
        self.command
    }

    /// The next word that is not an option of all commands.
    ///
    /// # Errors
    /// Help or the version was requested, or an option is used wrongly.
    pub(super) fn next(&mut self) -> Result<Option<ArgumentWord>, CommandError> {
        loop {
            let option = match self.parser.next()? {
                None => return Ok(None),
                Some(Arg::Value(value)) => return Ok(Some(ArgumentWord::Value(value))),
                Some(Arg::Long(name)) => name.to_owned(),
                Some(Arg::Short(letter)) => letter.to_string(),
            };
            match option.as_str() {
                "h" | "help" => return Err(CommandError::Help),
                "V" | "version" => return Err(CommandError::Version),
                "env-file" => {
                    let file = PathBuf::from(self.parser.value()?);
                    if self.env_file.replace(file).is_some() {
                        return Err(CommandError::Misused(
                            "--env-file is given twice".to_owned(),
                        ));
                    }
                }
                _ => return Ok(Some(ArgumentWord::Option(option))),
            }
        }
    }

    /// Reads the rest of the line of a command without operands and options of its own.
    ///
    /// # Errors
    /// There is a further word.
    pub(super) fn end(&mut self) -> Result<(), CommandError> {
        match self.next()? {
            None => Ok(()),
            Some(ArgumentWord::Option(option)) => Err(CommandError::unknown_option(&option)),
            Some(ArgumentWord::Value(value)) => Err(CommandError::unexpected(&value)),
        }
    }

    /// Reads the value of `--class`, which was just returned.
    ///
    /// # Errors
    /// There is none, or there was one before.
    pub(super) fn read_class(&mut self) -> Result<(), CommandError> {
        let value = self.parser.value()?;
        let name = value.to_str().filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| CommandError::unexpected(&value))?;
        if self.class.replace(ClassName::in_command(name)).is_some() {
            return Err(CommandError::Misused("--class is given twice".to_owned()));
        }
        Ok(())
    }

    /// The class that `--class` names.
    pub(super) fn class(&self) -> Option<&ClassName> {
        self.class.as_ref()
    }

    /// The value of the option that was just returned, if it was given as `--option=value`.
    pub(super) fn value_given(&mut self) -> Option<OsString> {
        self.parser.optional_value()
    }

    /// Reads the rest of the line of a command with one operand, called `what`, and `options` without values.
    /// Returns the operand and the options that were given.
    ///
    /// # Errors
    /// The operand is missing, or there is another word.
    pub(super) fn operand(
        &mut self,
        what: &str,
        options: &[&'static str],
    ) -> Result<(OsString, Vec<&'static str>), CommandError> {
        let (mut operand, mut given) = (None, Vec::new());
        while let Some(word) = self.next()? {
            match word {
                ArgumentWord::Value(value) if operand.is_none() => operand = Some(value),
                ArgumentWord::Value(value) => return Err(CommandError::unexpected(&value)),
                ArgumentWord::Option(option) => {
                    match options.iter().find(|known| **known == option) {
                        Some(known) => given.push(*known),
                        None => return Err(CommandError::unknown_option(&option)),
                    }
                }
            }
        }
        match operand {
            Some(operand) if !operand.is_empty() => Ok((operand, given)),
            _ => Err(CommandError::Misused(format!("{what} is missing"))),
        }
    }

    /// Reads the rest of the line of a command with any number of operands, and `options` without values but
    /// for `--class`.
    /// Returns the operands and the options that were given.
    ///
    /// # Errors
    /// There is another word, or a word such as `all` where the command has `--all`.
    pub(super) fn operands(
        &mut self,
        options: &[&'static str],
    ) -> Result<(Vec<String>, Vec<&'static str>), CommandError> {
        let (mut operands, mut given) = (Vec::new(), Vec::new());
        while let Some(word) = self.next()? {
            match word {
                ArgumentWord::Value(value) => match value.into_string() {
                    Ok(text) => operands.push(text),
                    Err(value) => return Err(CommandError::unexpected(&value)),
                },
                ArgumentWord::Option(option) => {
                    match options.iter().find(|known| **known == option) {
                        Some(&CLASS) => self.read_class()?,
                        Some(known) => given.push(*known),
                        None => return Err(CommandError::unknown_option(&option)),
                    }
                }
            }
        }
        if options.contains(&"all")
            && let Some(word) = word_for_all(&operands)
        {
            return Err(CommandError::Misused(format!(
                "unexpected {word:?}, did you mean --all?"
            )));
        }
        Ok((operands, given))
    }

    /// The variables of the environment, and of the file that `--env-file` names or of the package's file.
    ///
    /// # Errors
    /// That file cannot be read, or it is not a file of settings.
    pub(super) fn vars(&self) -> Result<Vars, CommandError> {
        let vars = std::env::vars_os().filter_map(|(name, value)| {
            Some((
                name.into_string().ok()?,
                value.to_string_lossy().into_owned(),
            ))
        });
        let vars = vars.collect();
        let Some(file) = &self.env_file else {
            return installed(vars, Path::new(INSTALLED), &self.read_file);
        };
        with_file(vars, file, &self.read_file)
    }

    /// Where the settings come from, for a message about their faults.
    pub(super) fn sources(&self) -> String {
        match self.read_file.get() {
            Some(file) => format!("{} and the environment", file.display()),
            None => "the environment".to_owned(),
        }
    }

    /// All settings.
    ///
    /// # Errors
    /// Every fault at once.
    pub(super) fn config(&self) -> Result<Config, CommandError> {
        let read = |path: &Path| fs::read_to_string(path);
        Ok(Config::from_vars(self.vars()?, &read)?)
    }

    /// The folder of the database. Other settings are not read.
    ///
    /// # Errors
    /// Its settings have faults.
    pub(super) fn data_dir(&self) -> Result<PathBuf, CommandError> {
        Ok(Config::data_dir(self.vars()?)?)
    }
}

/// `vars` and the settings in `file`; `vars` take precedence. The file is noted in `read`.
fn with_file(
    vars: Vec<(String, String)>,
    file: &Path,
    read: &OnceCell<PathBuf>,
) -> Result<Vars, CommandError> {
    let shown = file.display().to_string();
    let bytes = fs::read(file).map_err(|error| CommandError::Faulty(unreadable(&shown, &error)))?;
    read.get_or_init(|| file.to_owned());
    let file = config::parse_env_file(&bytes)
        .map_err(|problem| CommandError::Faulty(format!("{shown} {problem}")))?;
    Ok(Vars::from(vars).completed_by(file, &shown))
}

fn unreadable(shown: &str, error: &io::Error) -> String {
    let cure = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "; only root may read it: put sudo in front of the command"
        }
        _ => "",
    };
    format!("cannot read the settings in {shown}: {error}{cure}")
}

/// `vars`, or, if they contain none of our settings, the settings of the installed package in `folder`. The file that
/// was read is noted in `read`.
fn installed(
    mut vars: Vec<(String, String)>,
    folder: &Path,
    read: &OnceCell<PathBuf>,
) -> Result<Vars, CommandError> {
    if vars.iter().any(|(name, _)| config::is_setting(name)) {
        return Ok(Vars::from(vars));
    }
    let file = folder.join("env");
    match fs::symlink_metadata(&file) {
        // systemd gives the credentials in this folder to the service; a command reads the folder itself.
        Ok(_) => {
            let credentials = folder.join("credentials");
            let known = vars.iter().any(|(name, _)| name == CREDENTIALS);
            if !known && credentials.is_dir() {
                vars.push((CREDENTIALS.to_owned(), credentials.display().to_string()));
            }
            with_file(vars, &file, read)
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let shown = file.display().to_string();
            Err(CommandError::Faulty(unreadable(&shown, &error)))
        }
        Err(_) => Ok(Vars::from(vars)),
    }
}

/// The variable in which systemd names the folder of a service's credentials.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    /// The data folder by these variables and this installation.
    fn data_dir(pairs: &[(&str, &str)], folder: &Path) -> PathBuf {
        let Ok(vars) = installed(vars(pairs), folder, &OnceCell::new()) else {
            panic!("the settings are read");
        };
        Config::data_dir(vars).unwrap()
    }

    #[test]
    fn an_installed_file_is_read_only_where_nothing_is_set() {
        let folder = std::env::temp_dir().join(format!("sms-installed-{}", std::process::id()));
        fs::create_dir_all(folder.join("credentials")).unwrap();
        let usual = PathBuf::from("/var/lib/coder-sms-register");
        assert_eq!(data_dir(&[("PATH", "/bin")], &folder), usual);
        fs::write(folder.join("env"), "CODER_REG_DATA_DIR=/srv/class\n").unwrap();
        assert_eq!(
            data_dir(&[("PATH", "/bin")], &folder),
            PathBuf::from("/srv/class")
        );
        assert_eq!(data_dir(&[("CODER_REG_ENV", "prod")], &folder), usual);
        assert_eq!(data_dir(&[("REDIS_PW_FILE", "/pw")], &folder), usual);
        let read = |path: &Path| fs::read_to_string(path);
        fs::write(folder.join("credentials/REDIS_PW"), "of-the-folder").unwrap();
        let Ok(vars) = installed(vars(&[]), &folder, &OnceCell::new()) else {
            panic!("the settings are read");
        };
        let redis = config::PartialConfig::from_vars(vars, &read).redis.unwrap();
        assert_eq!(redis.password.unwrap().reveal(), "of-the-folder");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_file_that_only_root_may_read_is_a_matter_of_sudo() {
        let denied = io::ErrorKind::PermissionDenied.into();
        assert!(unreadable("/etc/x", &denied).contains("put sudo in front"));
        let missing = io::ErrorKind::NotFound.into();
        assert!(!unreadable("/etc/x", &missing).contains("sudo"));
    }
}
