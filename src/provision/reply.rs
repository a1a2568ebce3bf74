//! The texts that students get, and their length as the network measures it.

use std::time::Duration;

use crate::domain::{Password, UnixSeconds, Username, letters_of, span};

/// The capacity of one SMS in septets of GSM 03.38. A longer text is split and billed as several.
pub const SEGMENT: usize = 160;

/// The first line of a login.
const HEADING: &str = "Your Coder login\n";

/// Number of letters of a notice that a text must repeat: more than can happen by chance.
const REPEATED: usize = 20;

/// The login; one segment at the lengths that occur. `link` is added if there is room for it in one
/// segment.
pub fn login(
    site: &str,
    email: &str,
    password: &Password,
    left: Option<Duration>,
    link: Option<&str>,
) -> String {
    let plain = compose(site, email, password.reveal(), left);
    let with_link = link.and_then(|link| with_line(&plain, link));
    with_link.unwrap_or(plain)
}

/// A login with one more line at its end, with fewer labels where they take the room; `None` if one segment has no
/// room for it. A link explains itself better than the heading does, and an e-mail address is known as one.
pub(super) fn with_line(login: &str, line: &str) -> Option<String> {
    let headless = login.strip_prefix(HEADING).unwrap_or(login);
    let terse = headless.replacen("\nE-mail: ", "\n", 1);
    let terse = terse.replacen("\nTime left: ", "\n", 1);
    let texts = [login, headless, &terse].map(|text| format!("{text}\n{line}"));
    texts.into_iter().find(|text| is_one_segment(text))
}

/// Whether a text is sent, and billed, as one.
pub(super) fn is_one_segment(text: &str) -> bool {
    septets(text).is_some_and(|length| length <= SEGMENT)
}

/// A login that leads to the student's workspace at `path` in place of Coder's first page, if one segment has
/// room for it. `login` is a login with the address `site`.
pub fn to_workspace(login: String, site: &str, path: &str) -> String {
    let longer = login.replacen(site, &format!("{site}{path}"), 1);
    if is_one_segment(&longer) {
        longer
    } else {
        login
    }
}

/// A link to `pages` that signs in the browser that opens it. What follows `#` reaches no server.
pub fn link(pages: &str, username: &Username, password: &Password) -> String {
    format!("{pages}/#{}:{}", username.as_str(), password.reveal())
}

/// The reply to a text that is not the phrase.
pub fn hint() -> String {
    "That is not the phrase for a Coder login. Please check it and text it once more.".to_owned()
}

/// The reply to the phrase if the student has changed the password.
pub fn own_password(site: &str, email: &str) -> String {
    let words = "You changed your password. Use your own, or ask your instructor.";
    without_password(words, site, email)
}

/// The reply to the phrase if the password is not known and cannot be set.
pub fn no_password(site: &str, email: &str) -> String {
    let words = "Your login cannot be sent again. Use the one you have, or ask your instructor.";
    without_password(words, site, email)
}

fn without_password(words: &str, site: &str, email: &str) -> String {
    let full = format!("{words}\n{site}\n{email}");
    if is_one_segment(&full) {
        return full;
    }
    // The student knows the address of the site from the first login.
    format!("{words}\n{email}")
}

/// The reply to the phrase when all seats are taken.
pub fn full() -> String {
    "This class is full: all Coder logins are taken for now. Please ask your instructor.".to_owned()
}

/// The reply to the phrase of a class that opens in `left` seconds. Rounded up, so that nobody comes too early.
pub fn not_yet(left: UnixSeconds) -> String {
    let step = if left < 86_400 { 60 } else { 3_600 };
    let whole = (left.max(1) + step - 1) / step * step;
    format!(
        "The class of this phrase opens in {}. Please text it again then.",
        span(whole)
    )
}

/// The reply to the phrase of a class that no longer gives accounts.
pub fn no_more() -> String {
    "This class does not give logins any more. Please ask your instructor.".to_owned()
}

/// The reply to the phrase of a class while the phone has the login `email` of the class `name` for another
/// `left` seconds; `None` = without end.
pub fn other_class(name: &str, email: &str, left: Option<UnixSeconds>) -> String {
    let time = left.map_or_else(String::new, |left| format!("\nTime left: {}", span(left)));
    let plain = format!("You have a Coder login of another class ({name}):\n{email}{time}");
    let full = format!("{plain}\nText this phrase again after that.");
    let fits = left.is_some() && is_one_segment(&full);
    if fits { full } else { plain }
}

/// What a screen shows in place of a login.
pub fn no_login(reason: &str) -> String {
    format!("No login: {reason}. Please ask your instructor.")
}

/// Whether a text contains a login of ours: an address of our e-mail domain, or a password. To report a
/// reaction, phones repeat the text, each in words of its own language (`Liked "..."`, `👍 to "..."`).
/// So the repeated part decides.
pub fn holds_login(body: &str, domain: &str) -> bool {
    let domain = domain.to_ascii_lowercase();
    let body = body.to_ascii_lowercase();
    let is_address = |at: usize| {
        let before = body[..at].chars().next_back();
        before.is_some_and(|c| c.is_ascii_alphanumeric()) && body[at + 1..].starts_with(&domain)
    };
    body.match_indices('@').any(|(at, _)| is_address(at)) || Password::is_in(&body)
}

/// Whether a text repeats a notice of ours or its beginning: phones shorten long texts.
pub fn repeats_notice(body: &str) -> bool {
    let letters = letters_of(body);
    let begins =
        |notice: String| -> String { letters_of(&notice).chars().take(REPEATED).collect() };
    // The addresses at the end of a notice are not among the letters compared.
    let notices = [
        hint(),
        full(),
        not_yet(0),
        no_more(),
        other_class("", "", None),
        own_password("", ""),
        no_password("", ""),
    ];
    notices
        .map(begins)
        .iter()
        .any(|beginning| letters.contains(beginning))
}

/// The length in septets of the longest login that can be sent with this address and e-mail domain.
pub fn longest_login(site: &str, domain: &str, left: Option<Duration>) -> usize {
    let email = format!("{}@{domain}", "x".repeat(Username::LONGEST));
    let text = compose(site, &email, &"x".repeat(Password::LENGTH), left);
    septets(&text).unwrap_or(usize::MAX)
}

fn compose(site: &str, email: &str, password: &str, left: Option<Duration>) -> String {
    // Rounded down, so that no student is told more time than there is.
    let time = left.map(|left| span(i64::try_from(left.as_secs()).unwrap_or(i64::MAX)));
    let last = time
        .as_ref()
        .map_or_else(String::new, |time| format!("\nTime left: {time}"));
    let full = format!("{HEADING}{site}\nE-mail: {email}\nPassword: {password}{last}");
    if is_one_segment(&full) {
        return full;
    }
    // With a long host or domain name, the labels are left out first: a student can guess them.
    let last = time.map_or_else(String::new, |time| format!("\n{time}"));
    format!("{site}\n{email}\n{password}{last}")
}

/// The length in septets; `None` if a character is not in the basic set or its extension
/// (3GPP TS 23.038, section 6.2.1). Such a character would halve the capacity.
pub fn septets(text: &str) -> Option<usize> {
    const SIGNS: &str = " \n\r!\"#$%&'()*+,-./:;<=>?@_";
    // Of the letters with accents only these are in it.
    const ACCENTED: &str = "ÄÅÆÇÉÑÖØÜßàäåæèéìñòöøùü";
    text.chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' => Some(1),
            c if SIGNS.contains(c) || ACCENTED.contains(c) => Some(1),
            '^' | '{' | '}' | '\\' | '[' | ']' | '~' | '|' => Some(2),
            _ => None,
        })
        .sum()
}

#[cfg(test)]
mod tests;
