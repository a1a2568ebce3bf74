//! `projector`: the link of the page on the wall.

use super::arguments::{ArgumentWord, Arguments, CommandError};
use super::{Command, complain, print};
use crate::store::Commands;

pub(super) const COMMAND: Command = Command {
    name: "projector",
    operands: "",
    summary: "print the link of the page for the projector, which shows the phrase, the number and how many are in; the service may be running or stopped",
    details: "\
Whoever has the link sees the phrase. With --rotate the link is replaced: a page that shows the old one stops
within seconds. The link stays the same until then, also after a restart.
",
    options: "      --rotate         make another link; the old one is no longer valid
",
    run,
};

fn run(arguments: &mut Arguments) -> Result<(), CommandError> {
    let mut rotate = false;
    while let Some(word) = arguments.next()? {
        match word {
            ArgumentWord::Option(option) if option == "rotate" => rotate = true,
            ArgumentWord::Option(option) => return Err(CommandError::unknown_option(&option)),
            ArgumentWord::Value(value) => return Err(CommandError::unexpected(&value)),
        }
    }
    let config = arguments.config()?;
    let Some(site) = &config.pages.site else {
        return Err(CommandError::Failed(
            "there are no pages: set CODER_REG_PAGES_URL to the address that students open, such as https://sms.example.org, and restart the service".to_owned(),
        ));
    };
    let mut commands = Commands::open(&config.service.data_dir)?;
    let key = commands.password_key(&config.service.data_dir)?;
    let link = match rotate {
        true => commands.rotate_projector_link()?,
        false => commands.projector_link()?,
    };
    print(&format!(
        "{}/class/{}\n",
        site.url,
        key.projector_token(link).reveal()
    ));
    if rotate {
        complain("the link of before is no longer valid");
    }
    Ok(())
}
