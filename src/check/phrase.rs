//! Checks the phrase, and the length of the text with a login.

use super::Notes;
use crate::config::PartialConfig;
use crate::provision::reply;

pub(super) fn inspect(parts: &PartialConfig, notes: &mut Notes<'_>) {
    match &parts.phrase {
        // The phrase itself is never shown.
        None => notes.skip("the phrase", "as CODER_REG_PASS is invalid"),
        Some(phrase) => {
            notes.pass("it is not a word that opts out of texts");
            notes.pass(phrase.comparison());
            match phrase.weakness() {
                None => notes.pass("it is not easily guessed"),
                Some(weakness) => notes.warn(
                    format!("it {}: anyone who guesses it gets an account", weakness.reason()),
                    "set CODER_REG_PASS to two or three words that belong together only in your class",
                ),
            }
        }
    }
    let (Some(coder), Some(class)) = (&parts.coder, &parts.class) else {
        return notes.skip("the length of a login's text", "as settings have faults");
    };
    let (site, domain) = (&coder.address.site, &coder.email_domain);
    let longest = reply::longest_login(site, domain, class.remove_after);
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
