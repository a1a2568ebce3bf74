//! The manual page and the completions of shells, made from the program's own tables.
//!
//! The tests hold the files in `deploy/` to these tables. With `WRITE_PAGES=1` they write the files, as `make pages`
//! does.

use std::path::PathBuf;

use super::help::{OPTIONS, sentence};
use super::{COMMANDS, Command, EXIT_CODES, PROGRAM};
use crate::config::SETTINGS;

/// The words in the place of a command that are none of `COMMANDS`.
const FURTHER: [(&str, &str); 2] = [
    ("help", "print help, also of one command"),
    ("version", "print the version"),
];

/// One option, as help shows it.
struct HelpOption<'a> {
    short: Option<&'a str>,
    /// Without dashes.
    long: &'a str,
    /// The name of its value; in brackets if it may be left out.
    value: Option<&'a str>,
    meaning: &'a str,
}

/// The options in lines such as `  -h, --help  print help`.
fn options(lines: &str) -> Vec<HelpOption<'_>> {
    let option = |line| {
        let (names, meaning) = str::trim(line).split_once("  ").unwrap();
        let (short, long) = match names.split_once(", ") {
            Some((short, long)) => (short.strip_prefix('-'), long),
            None => (None, names),
        };
        let (long, value) = match long.split_once(' ') {
            Some((long, value)) => (long, Some(value)),
            None => (long, None),
        };
        HelpOption {
            short,
            long: long.strip_prefix("--").unwrap(),
            value,
            meaning: meaning.trim(),
        }
    };
    lines.lines().map(option).collect()
}

fn takes_a_file(command: &Command) -> bool {
    command.operands == "FILE"
}

/// Whether it takes names of accounts in the database. Those of `reconcile` are known to Coder only.
fn takes_accounts(command: &Command) -> bool {
    command.operands.contains("USER") && command.name != "reconcile"
}

/// Lists the accounts without asking Redis or Coder, as a key press must not wait for them. It changes nothing. Who may
/// not read the database gets no names and no message.
const LIST_ACCOUNTS: &str = "extend --all --dry-run --json 1m 2>/dev/null \
| grep -o '\"username\":\"[^\"]*\"' | cut -d '\"' -f 4";

/// Compares a file of the repository with what it must be, or writes it.
#[track_caller]
fn hold(file: &str, content: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("WRITE_PAGES").is_some() {
        std::fs::write(path, content).unwrap();
        return;
    }
    let written = std::fs::read_to_string(path).unwrap();
    assert!(written == content, "{file} is behind; type: make pages");
}

mod manual {
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
        SETTINGS.iter().map(setting).collect()
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
        let exit_codes =
            exit_codes.map(|(code, meaning)| entry(&code.to_string(), &sentence(meaning)));
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
}

mod completions {
    use super::*;

    const NOTE: &str = "# Written by a test from src/cli: make pages\n";

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
        let mut cases = String::new();
        for command in COMMANDS {
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
            if !sets.is_empty() {
                cases += &format!("\t{}){sets} ;;\n", command.name);
            }
        }
        format!(
            "{NOTE}\
_coder_sms_register() {{
	local word=$2 before=$3 command='' env_file='' operand='' words='' i
	local options='{common}'
	COMPREPLY=()
	# Bash makes three words of --env-file=FILE.
	if [[ $before == = ]] && ((COMP_CWORD > 1)); then
		before=${{COMP_WORDS[COMP_CWORD - 2]}}
	fi
	if [[ $before == --env-file ]]; then
		compopt -o default
		return
	fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${{COMP_WORDS[i]}} in
		--env-file)
			((i++))
			[[ ${{COMP_WORDS[i]}} != = ]] || ((i++))
			env_file=${{COMP_WORDS[i]}}
			;;
		-*) ;;
		*)
			command=${{COMP_WORDS[i]}}
			break
			;;
		esac
	done
	case $command in
	'') words='{names} {further}' ;;
	help) words='{names}' ;;
{cases}	esac
	if [[ $word == -* ]]; then
		words=$options
	elif [[ $operand == file ]]; then
		compopt -o default
		return
	elif [[ $operand == account ]]; then
		words=$(\"$1\" ${{env_file:+--env-file \"${{env_file/#\\~/$HOME}}\"}} {LIST_ACCOUNTS})
	fi
	mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")
}}
complete -F _coder_sms_register {PROGRAM}
",
            common = long_options(OPTIONS),
            names = names(),
            further = FURTHER.map(|(name, _)| name).join(" "),
        )
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
        format!(
            "#compdef {PROGRAM}\n{NOTE}\
local curcontext=$curcontext program=$words[1] env_file state line
local -A opt_args
local -a commands common
_coder_sms_register_accounts() {{
	local -a accounts
	env_file=${{opt_args[--env-file]:-$env_file}}
	accounts=(${{(f)\"$(${{~program}} ${{env_file:+--env-file}} ${{~env_file}} {LIST_ACCOUNTS})\"}})
	compadd -a accounts
}}
commands=(
{}{})
common=({}
)
_arguments -C $common '1: :->command' '*:: :->rest' && return
if [[ $state == command ]]; then
	_describe command commands
	return
fi
env_file=$opt_args[--env-file]
case $words[1] in
help)
	_describe command commands
	;;
{}esac
",
            commands.collect::<String>(),
            further.collect::<String>(),
            zsh_options(OPTIONS).replace(" \\\n\t\t", "\n\t"),
            COMMANDS.iter().map(case).collect::<String>(),
        )
    }

    /// What the lines of fish ask: which command stands on the line, and which accounts there are.
    const FISH_FUNCTIONS: &str = "\
function __coder_sms_register_is -a wanted
	set -l command
	set -l skip
	for word in (commandline -opc)[2..]
		if set -q skip[1]
			set skip
		else if test \"$word\" = --env-file
			set skip yes
		else if not string match -q -- '-*' $word
			set command $word
			break
		end
	end
	test \"$command\" = \"$wanted\"
end
function __coder_sms_register_accounts
	set -l words (commandline -opc)
	set -l env_file (string match -r -- '^--env-file=.*' $words)
	if set -l at (contains -i -- --env-file $words)
		set env_file --env-file $words[(math $at + 1)]
	end
	command $words[1] $env_file LIST_ACCOUNTS
end
";

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
        let mut text = format!("{NOTE}{FISH_FUNCTIONS}complete -c {PROGRAM} -f\n")
            .replace("LIST_ACCOUNTS", LIST_ACCOUNTS);
        for one in options(OPTIONS) {
            text += &line("", &one);
        }
        let commands = COMMANDS.iter().map(|one| (one.name, one.summary));
        for (name, meaning) in commands.chain(FURTHER) {
            let meaning = quoted(meaning);
            text += &format!(
                "complete -c {PROGRAM} -n '__coder_sms_register_is' -a {name} -d {meaning}\n"
            );
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
        text
    }

    #[test]
    fn completions_have_every_command_and_option() {
        hold("deploy/completions/coder-sms-register.bash", &bash());
        hold("deploy/completions/_coder-sms-register", &zsh());
        hold("deploy/completions/coder-sms-register.fish", &fish());
    }
}
