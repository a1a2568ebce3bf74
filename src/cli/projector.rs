//! `projector`: the link of the page on the wall.

use super::arguments::{ArgumentWord, Arguments, CLASS, CommandError};
use super::naming::no_class;
use super::{Command, complain, print};
use crate::store::Commands;

pub(super) const COMMAND: Command = Command {
    name: "projector",
    operands: "",
    summary: "print the link of the page for the projector, which shows the phrase, the number and how many are in; the service may be running or stopped",
    details: "\
Anyone who has the link can read the phrase. With --rotate the link is replaced: a page that shows the old one stops
within seconds. The link stays the same until then, also after a restart. Each class has a page of its own: without
--class the link of each one is printed, with its name.

Exit codes: 0 printed, 1 failure, 2 wrong usage, 3 no such class
",
    options: "      --class NAME     only the page of this class
      --rotate         make another link; the old one is no longer valid
",
    run,
};

fn run(arguments: &mut Arguments) -> Result<(), CommandError> {
    let mut rotate = false;
    while let Some(word) = arguments.next()? {
        match word {
            ArgumentWord::Option(option) if option == "rotate" => rotate = true,
            ArgumentWord::Option(option) if option == CLASS => arguments.read_class()?,
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
    let classes = &config.class.classes;
    let names = || classes.iter().filter_map(|class| class.name.as_ref());
    if let Some(asked) = arguments.class()
        && !names().any(|name| name == asked)
    {
        let problem = no_class(asked, names());
        return Err(CommandError::Unmatched(problem));
    }
    let mut links = 0;
    for class in classes {
        let name = class.name.as_ref();
        if arguments.class().is_some_and(|asked| name != Some(asked)) {
            continue;
        }
        let link = match rotate {
            true => commands.rotate_projector_link(name)?,
            false => commands.projector_link(name)?,
        };
        links += 1;
        let token = key.projector_token(name, link);
        let link = format!("{}/class/{}", site.url, token.reveal());
        // A script that asks for one class gets the link alone.
        match name.filter(|_| arguments.class().is_none()) {
            None => print(&format!("{link}\n")),
            Some(name) => print(&format!("{name}: {link}\n")),
        }
    }
    if rotate {
        complain(invalid(links));
    }
    Ok(())
}

/// What is told after as many links were replaced.
fn invalid(links: usize) -> &'static str {
    match links {
        1 => "the previous link is no longer valid",
        _ => "the previous links are no longer valid",
    }
}

#[cfg(test)]
mod tests {
    use super::invalid;

    #[test]
    fn several_links_are_told_of_as_several() {
        assert!(invalid(1).contains("link is"));
        assert!(invalid(3).contains("links are"));
    }
}
