//! The completions of shells. Their unchanging parts are in the templates beside this file.

use super::*;

const NOTE: &str = "# Written by a test from src/cli: make pages";

/// The completions of a shell, from its template.
fn filled(template: &str, parts: &[(&str, String)]) -> String {
    let always = [
        ("NOTE", NOTE.to_owned()),
        ("PROGRAM", PROGRAM.to_owned()),
        ("LIST_ACCOUNTS", LIST_ACCOUNTS.to_owned()),
    ];
    let all = parts.iter().chain(&always);
    all.fold(template.to_owned(), |text, (name, part)| {
        text.replace(&format!("@{name}@"), part)
    })
}

/// `text` between single quotes, for bash and zsh.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn long_options(lines: &str) -> String {
    let all = options(lines);
    let all = all.iter().map(|one| format!("--{}", one.long));
    all.collect::<Vec<_>>().join(" ")
}

fn names() -> String {
    let names = COMMANDS.iter().map(|one| one.name);
    names.collect::<Vec<_>>().join(" ")
}

fn bash() -> String {
    let case = |command: &Command| {
        let own = long_options(command.options);
        let mut sets = String::new();
        if !own.is_empty() {
            sets += &format!(" options+={}", quoted(&format!(" {own}")));
        }
        if takes_a_file(command) {
            sets += " operand=file";
        }
        if takes_accounts(command) {
            sets += " operand=account";
        }
        match sets.as_str() {
            "" => String::new(),
            sets => format!("\t{}){sets} ;;\n", command.name),
        }
    };
    let parts = [
        ("COMMON", long_options(OPTIONS)),
        ("NAMES", names()),
        ("FURTHER", FURTHER.map(|(name, _)| name).join(" ")),
        ("CASES", COMMANDS.iter().map(|one| case(one)).collect()),
    ];
    filled(include_str!("completion.bash"), &parts)
}

fn zsh_options(lines: &str) -> String {
    let option = |one: &HelpOption<'_>| {
        let meaning = one.meaning.replace('[', r"\[").replace(']', r"\]");
        let value = match one.value {
            None => "",
            Some("FILE") => ":file:_files",
            Some(value) if value.starts_with('[') => "::value: ",
            Some(_) => ":value: ",
        };
        let sign = match one.value {
            None => "",
            Some(_) => "=",
        };
        let spec = |name: String| quoted(&format!("{name}[{meaning}]{value}"));
        let mut specs = vec![spec(format!("--{}{sign}", one.long))];
        specs.extend(one.short.map(|short| spec(format!("-{short}"))));
        specs
    };
    let all = options(lines);
    all.iter()
        .flat_map(option)
        .map(|spec| format!(" \\\n\t\t{spec}"))
        .collect()
}

fn zsh() -> String {
    let described =
        |name: &str, meaning: &str| format!("\t{}\n", quoted(&format!("{name}:{meaning}")));
    let commands = COMMANDS.iter().map(|one| described(one.name, one.summary));
    let further = FURTHER
        .iter()
        .map(|(name, meaning)| described(name, meaning));
    let case = |one: &&Command| {
        let operand = if takes_a_file(one) {
            " \\\n\t\t'1:file:_files'"
        } else if takes_accounts(one) {
            " \\\n\t\t'*:account:_coder_sms_register_accounts'"
        } else {
            ""
        };
        let own = zsh_options(one.options);
        format!("{})\n\t_arguments $common{own}{operand}\n\t;;\n", one.name)
    };
    let parts = [
        ("COMMANDS", commands.chain(further).collect()),
        ("COMMON", zsh_options(OPTIONS).replace(" \\\n\t\t", "\n\t")),
        ("CASES", COMMANDS.iter().map(case).collect()),
    ];
    filled(include_str!("completion.zsh"), &parts)
}

fn fish() -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"));
    let line = |condition: &str, one: &HelpOption<'_>| {
        let short = one
            .short
            .map_or_else(String::new, |short| format!(" -s {short}"));
        let value = match one.value {
            Some("FILE") => " -r -F",
            _ => "",
        };
        let meaning = quoted(one.meaning);
        format!(
            "complete -c {PROGRAM}{condition}{short} -l {}{value} -d {meaning}\n",
            one.long
        )
    };
    let mut text = String::new();
    for one in options(OPTIONS) {
        text += &line("", &one);
    }
    let commands = COMMANDS.iter().map(|one| (one.name, one.summary));
    for (name, meaning) in commands.chain(FURTHER) {
        let meaning = quoted(meaning);
        text +=
            &format!("complete -c {PROGRAM} -n '__coder_sms_register_is' -a {name} -d {meaning}\n");
    }
    let help = quoted(&names());
    text += &format!("complete -c {PROGRAM} -n '__coder_sms_register_is help' -a {help}\n");
    for command in COMMANDS {
        let condition = format!(" -n '__coder_sms_register_is {}'", command.name);
        for one in options(command.options) {
            text += &line(&condition, &one);
        }
        if takes_a_file(command) {
            text += &format!("complete -c {PROGRAM}{condition} -F\n");
        }
        if takes_accounts(command) {
            let accounts = "'(__coder_sms_register_accounts)'";
            text += &format!("complete -c {PROGRAM}{condition} -a {accounts}\n");
        }
    }
    filled(include_str!("completion.fish"), &[("LINES", text)])
}

#[test]
fn completions_have_every_command_and_option() {
    hold("deploy/completions/coder-sms-register.bash", &bash());
    hold("deploy/completions/_coder-sms-register", &zsh());
    hold("deploy/completions/coder-sms-register.fish", &fish());
}
