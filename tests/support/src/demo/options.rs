//! The command line.

/// What the demo is asked to be like.
pub struct Options {
    /// How many students text.
    pub students: usize,
    /// The file that a picture of a class is to be written to, in place of a demo.
    pub picture: Option<String>,
}

/// What the caller wants.
pub enum DemoWish {
    Play(Options),
    Help,
}

/// The text for `--help`.
pub const HELP: &str = "\
Plays a class on this machine: students text, get logins, work, and are removed again.
The program and Redis are real, Coder and Twilio are fakes; nothing leaves the machine.

  demo [--students N | --picture FILE]

  --students N   how many students text, 1 to 300 (12)
  --picture FILE draw a class as an SVG instead
  --help         this text

Exit code: 0 all held, 1 something did not, 2 it cannot run, 130 stopped by a signal.
NO_COLOR=1 switches colours off.";

const CLASS: std::ops::RangeInclusive<usize> = 1..=300;

/// Reads the arguments after the program's name; the error is for a person.
pub fn read(arguments: impl IntoIterator<Item = String>) -> Result<DemoWish, String> {
    let mut students = 12;
    let mut picture = None;
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        match name {
            "--help" | "-h" => return Ok(DemoWish::Help),
            "--students" => students = class_size(value.or_else(|| arguments.next()))?,
            "--picture" => {
                let file = value.or_else(|| arguments.next());
                picture = Some(file.ok_or("--picture takes the name of a file")?);
            }
            _ => return Err(format!("there is no option {argument:?}; see --help")),
        }
    }
    Ok(DemoWish::Play(Options { students, picture }))
}

fn class_size(value: Option<String>) -> Result<usize, String> {
    let value = value.unwrap_or_default();
    match value.parse() {
        Ok(number) if CLASS.contains(&number) => Ok(number),
        _ => Err(format!(
            "--students takes a number from {} to {}, not {value:?}",
            CLASS.start(),
            CLASS.end()
        )),
    }
}
