//! Checks the phrase, and the length of the text with a login.

use super::Notes;
use crate::clock::unix_now;
use crate::config::{ClassPhrase, PartialConfig};
use crate::provision::reply;

pub(super) fn inspect(parts: &PartialConfig, notes: &mut Notes<'_>) {
    match &parts.phrases {
        // The phrase itself is never shown.
        None => notes.skip("the phrase", "as it is invalid"),
        Some(phrases) => phrases.iter().for_each(|one| of_class(one, notes)),
    }
    let (Some(coder), Some(class)) = (&parts.coder, &parts.class) else {
        return notes.skip("the length of a login's text", "as settings have faults");
    };
    let (site, domain) = (&coder.address.site, &coder.email_domain);
    let longest = reply::longest_login(site, domain, class.longest_life(unix_now()));
    if longest <= reply::SEGMENT {
        notes.pass(format!(
            "the longest login fits in one text: {longest} of {} characters",
            reply::SEGMENT
        ));
    } else {
        notes.warn(
            format!(
                "a login may have {longest} characters, which Twilio sends and charges as two texts"
            ),
            "shorten CODER_API_URL or CODER_EMAIL_DOM",
        );
    }
}

fn of_class(one: &ClassPhrase, notes: &mut Notes<'_>) {
    let whose = one
        .class
        .as_ref()
        .map_or_else(String::new, |class| format!("class {class}: "));
    notes.pass(format!("{whose}it is not a word that opts out of texts"));
    notes.pass(format!("{whose}{}", one.phrase.comparison()));
    match one.phrase.weakness() {
        None => notes.pass(format!("{whose}it is not easily guessed")),
        Some(weakness) => notes.warn(
            format!(
                "{whose}it {}: anyone who guesses it gets an account",
                weakness.reason()
            ),
            format!(
                "set {} to two or three words that belong together only in your class",
                one.setting
            ),
        ),
    }
}
