//! The manual page.

use super::*;

/// Text that roff prints as it is.
fn plain(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    match text.chars().next() {
        Some('.' | '\'') => format!("\\&{text}"),
        _ => text,
    }
}

/// A term and its meaning below each other.
fn entry(term: &str, meaning: &str) -> String {
    format!(".TP\n\\fB{}\\fR\n{}\n", plain(term), plain(meaning))
}

fn option(one: &HelpOption<'_>) -> String {
    let short = one.short.map(|short| format!("-{short}, "));
    let value = one.value.map(|value| format!(" {value}"));
    let (short, value) = (short.unwrap_or_default(), value.unwrap_or_default());
    entry(&format!("{short}--{}{value}", one.long), one.meaning)
}

fn command(command: &Command) -> String {
    let usage = format!("{} {}", command.name, command.operands);
    let mut text = format!(".SS {}\n", plain(usage.trim()));
    text += &format!("{}\n", plain(&sentence(command.summary)));
    for paragraph in command.details.trim_end().split("\n\n") {
        let words: Vec<&str> = paragraph.split_whitespace().collect();
        text += &format!(".PP\n{}\n", plain(&words.join(" ")));
    }
    text + &options(command.options)
        .iter()
        .map(option)
        .collect::<String>()
}

fn settings() -> String {
    let setting = |one: &crate::config::Setting| {
        let mut notes = Vec::new();
        if one.required {
            notes.push("required".to_owned());
        }
        if one.secret {
            notes.push("a secret".to_owned());
        }
        notes.extend(Some(one.measure()).filter(|measure| !measure.is_empty()));
        notes.extend(one.default.map(|default| format!("default: {default}")));
        let notes = if notes.is_empty() {
            String::new()
        } else {
            format!(" ({})", notes.join("; "))
        };
        entry(one.name, &format!("{}{notes}", sentence(one.meaning)))
    };
    SETTINGS.iter().chain(CLASS_SETTINGS).map(setting).collect()
}

/// `page` with the parts between their marks replaced.
fn filled(mut page: String, parts: &[(&str, String)]) -> String {
    for (name, part) in parts {
        let (begin, end) = (
            format!(".\\\" {name}, written by a test: make pages\n"),
            ".\\\" end\n",
        );
        let start = page.find(&begin).expect("the part begins") + begin.len();
        let stop = start + page[start..].find(end).expect("the part ends");
        page.replace_range(start..stop, part);
    }
    page
}

#[test]
fn the_manual_page_has_every_command_option_setting_and_exit_code() {
    let file = "deploy/coder-sms-register.8";
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file);
    let commands = COMMANDS.iter().map(|one| command(one)).collect();
    let common = options(OPTIONS).iter().map(option).collect();
    let exit_codes = EXIT_CODES.iter();
    let exit_codes = exit_codes.map(|(code, meaning)| entry(&code.to_string(), &sentence(meaning)));
    let page = filled(
        std::fs::read_to_string(path).unwrap(),
        &[
            ("Commands", commands),
            ("Options", common),
            ("Settings", settings()),
            ("Exit codes", exit_codes.collect()),
        ],
    );
    hold(file, &page);
}
