//! `retry` and `drop`: serve dead letters again, or discard them.

use serde_json::json;

use super::arguments::{Arguments, CommandError};
use super::selection::{ALL, JSON, Selection, YES, confirm, needs_a_terminal};
use super::table::{count, span, table};
use super::{Command, complain, print};
use crate::clock::unix_now;
use crate::config::Config;
use crate::domain::{MessageSid, Phone, PhoneKey, Text};
use crate::http::Http;
use crate::store::Commands;
use crate::stream::{Appender, DeadLetter, Redis, Settler, StreamError, StreamInspector};
use crate::twilio::sms::Sms;

const OPTIONS: &str = "      --all            every dead letter
      --json           print one JSON object
";

/// The options of `drop`, which cannot be undone.
const DROP_OPTIONS: &str = "      --all            every dead letter
      --yes            do not ask before --all
      --json           print one JSON object
";

pub(super) const RETRY: Command = Command {
    name: "retry",
    operands: "[SID...|--all]",
    summary: "serve dead letters (texts that were given up) again; without SID list them",
    details: "\
SID is Twilio's name of a text, SM.... A dead letter contains neither the phone nor the words, so the text is
read from Twilio's log and then served like a new text. If the service is stopped, this happens when it starts.

Exit codes: 0 done, 1 failure or not done for all, 2 wrong usage, 3 no such dead letter
",
    options: OPTIONS,
    run: retry,
};

pub(super) const DROP: Command = Command {
    name: "drop",
    operands: "[SID...|--all]",
    summary: "discard dead letters (texts that were given up); without SID list them",
    details: "\
SID is Twilio's name of a text, SM..., or the id of a dead letter without SID. The text is never answered; its
sender may text again.

Exit codes: 0 done, 1 failure, 2 wrong usage, 3 no such dead letter
",
    options: DROP_OPTIONS,
    run: drop_dead_letters,
};

/// The settings, and the dead letters that a command acts on.
struct DeadLetterArguments {
    config: Config,
    selection: Selection,
    chosen: Vec<DeadLetter>,
}

impl From<StreamError> for CommandError {
    fn from(error: StreamError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl DeadLetterArguments {
    /// Reads the rest of the command line and the dead letters. `None` = they were listed, as none was named.
    /// `more` are options that only this command has.
    fn read(
        arguments: &mut Arguments,
        more: &[&'static str],
    ) -> Result<Option<Self>, CommandError> {
        let (selection, _) = Selection::read(arguments, &[&[ALL, JSON], more].concat())?;
        selection.check("texts")?;
        let config = arguments.config()?;
        let letters = StreamInspector::new(Redis::new(&config.redis)?.patient()).dead()?;
        if !selection.all && selection.names.is_empty() {
            print(&list(&letters, selection.json));
            return Ok(None);
        }
        let is_meant = |letter: &DeadLetter, name: &str| {
            letter.id == name || !name.is_empty() && letter.sid.eq_ignore_ascii_case(name)
        };
        let chosen = if selection.all {
            Ok(letters)
        } else {
            selection.named(letters, is_meant)
        };
        let chosen = chosen.map_err(|unknown| {
            let unknown = unknown.join(" ");
            CommandError::Unmatched(format!("no dead letter of {unknown}; nothing is changed"))
        })?;
        if chosen.is_empty() {
            return Err(CommandError::Unmatched(
                "there are no dead letters".to_owned(),
            ));
        }
        Ok(Some(Self {
            config,
            selection,
            chosen,
        }))
    }

    fn settler(&self) -> Result<Settler, StreamError> {
        Ok(Settler::new(Redis::new(&self.config.redis)?.patient()))
    }
}

fn list(letters: &[DeadLetter], json: bool) -> String {
    if json {
        let letter = |letter: &DeadLetter| {
            json!({
                "id": letter.id,
                "sid": letter.sid,
                "reason": letter.reason,
                "given_up_at": letter.at,
                "attempts": letter.attempts,
            })
        };
        let letters: Vec<_> = letters.iter().map(letter).collect();
        return format!("{}\n", json!({ "dead_letters": letters }));
    }
    if letters.is_empty() {
        return "there are no dead letters\n".to_owned();
    }
    let now = unix_now();
    let row = |letter: &DeadLetter| {
        let ago = letter.at.map(|at| format!("{} ago", span(now - at)));
        vec![
            letter.name().to_owned(),
            ago.unwrap_or_default(),
            letter.attempts.to_string(),
            letter.reason.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = letters.iter().map(row).collect();
    table(&["TEXT", "GIVEN UP", "TRIES", "REASON"], &rows)
}

fn drop_dead_letters(arguments: &mut Arguments) -> Result<(), CommandError> {
    let Some(asked) = DeadLetterArguments::read(arguments, &[YES])? else {
        return Ok(());
    };
    if asked.selection.asks_before_all() {
        needs_a_terminal("--all")?;
        confirm(&format!(
            "drop {}?",
            count(asked.chosen.len(), "dead letter")
        ))?;
    }
    let ids: Vec<&str> = asked.chosen.iter().map(|one| one.id.as_str()).collect();
    asked.settler()?.remove_dead_letters(&ids)?;
    print(&if asked.selection.json {
        format!("{}\n", json!({ "dropped": ids.len() }))
    } else {
        format!("{} dropped\n", count(ids.len(), "dead letter"))
    });
    Ok(())
}

fn retry(arguments: &mut Arguments) -> Result<(), CommandError> {
    let Some(asked) = DeadLetterArguments::read(arguments, &[])? else {
        return Ok(());
    };
    let config = &asked.config;
    let mut database = Commands::open(&config.service.data_dir)?;
    let mut again = RetriedText {
        key: database.key(&config.service.phone_keys)?,
        database: &mut database,
        sms: Sms::new(Http::new(config.service.call_limit), &config.twilio),
        appender: Appender::new(Redis::new(&config.redis)?.patient()),
        settler: asked.settler()?,
    };
    let (mut served, mut failed) = (Vec::new(), Vec::new());
    for letter in &asked.chosen {
        // A text that was given up twice may have two dead letters.
        let result = if served.contains(&letter.sid) {
            again
                .settler
                .remove_dead_letters(&[&letter.id])
                .map_err(|fault| fault.to_string())
        } else {
            again.serve(letter)
        };
        match result {
            Ok(()) if served.contains(&letter.sid) => {}
            Ok(()) => served.push(letter.sid.clone()),
            Err(why) => failed.push((letter, why)),
        }
    }
    report_retried(asked.selection.json, &served, &failed)
}

/// Prints which texts are served again, and why the others are not.
fn report_retried(
    as_json: bool,
    served: &[String],
    failed: &[(&DeadLetter, String)],
) -> Result<(), CommandError> {
    if as_json {
        let failed = failed
            .iter()
            .map(|(letter, why)| json!({ "id": letter.id, "sid": letter.sid, "reason": why }));
        let failed: Vec<_> = failed.collect();
        print(&format!(
            "{}\n",
            json!({ "retried": served, "failed": failed })
        ));
    } else if !served.is_empty() {
        print(&format!(
            "{} given to the service again\n",
            count(served.len(), "text")
        ));
    }
    for (letter, why) in failed {
        complain(&format!("{} remains a dead letter: {why}", letter.name()));
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(CommandError::Reported)
    }
}

/// Everything that is needed to serve a text again.
struct RetriedText<'a> {
    database: &'a mut Commands,
    key: PhoneKey,
    sms: Sms,
    appender: Appender,
    settler: Settler,
}

impl RetriedText<'_> {
    /// Appends the text of a dead letter to the stream again.
    ///
    /// The dead letter is removed last: if the program is killed after any step, it still exists and may be
    /// retried. A text that enters the stream twice in this way is recognised by its SID.
    fn serve(&mut self, letter: &DeadLetter) -> Result<(), String> {
        let sid = MessageSid::parse(&letter.sid)
            .ok_or("its entry in Redis could not be read, so it can only be dropped")?;
        let found = self.sms.received(&sid).map_err(|fault| fault.to_string())?;
        let text = found.ok_or("Twilio's log no longer contains this text or its words")?;
        let phone = Phone::of_sender(&text.from).ok();
        let hashes = phone.map(|phone| phone.hashes(&self.key));
        self.database
            .allow_again(&sid, &hashes.unwrap_or_default())
            .map_err(|error| error.to_string())?;
        // With its old time it could be given up at the first obstacle.
        let text = Text {
            received: unix_now(),
            ..text
        };
        let appended = self.appender.append(&[&text], false);
        match (appended.fault, appended.texts.first()) {
            (None, Some(Ok(()))) => {}
            (Some(fault), _) => return Err(fault.to_string()),
            (None, _) => return Err("Redis did not accept it; repeat the command".to_owned()),
        }
        self.settler
            .remove_dead_letters(&[&letter.id])
            .map_err(|fault| format!("it is served again, but its dead letter remains: {fault}"))
    }
}
