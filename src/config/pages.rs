//! The group "The pages": what browsers are shown, and whether logins appear on screens.

use super::SettingProblem;
use super::reader::{Faulty, Reader};
use super::{ClassPhrase, Sender, addresses};
use crate::domain::Phone;

/// Where the login of a student goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reply {
    /// By text, and nowhere else.
    #[default]
    Text,
    /// To the screen whose code was texted, and nowhere else. Nothing is ever sent by Twilio.
    Screen,
    /// To the screen whose code was texted; by text without a code, or if nobody fetches the login
    /// there.
    Both,
}

impl Reply {
    /// All of them.
    pub const EVERY: [Self; 3] = [Self::Text, Self::Screen, Self::Both];

    /// The value of the setting that means this.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Screen => "screen",
            Self::Both => "both",
        }
    }

    /// Whether texts are sent.
    pub fn by_text(self) -> bool {
        self != Self::Screen
    }

    /// What a student has to text for a login.
    pub fn what_to_text(self) -> &'static str {
        match self {
            Self::Text | Self::Both => "the phrase",
            Self::Screen => "the phrase with the code of the join page",
        }
    }

    /// Whether screens show codes.
    pub fn on_screens(self) -> bool {
        self != Self::Text
    }
}

/// The public pages, and where logins go.
#[derive(Clone, Debug, Default)]
pub struct PagesConfig {
    /// Where logins go; without pages by text.
    pub reply: Reply,
    /// The pages; `None` = there are none.
    pub site: Option<PagesSite>,
    /// Who runs the class, if it is set; texts name them.
    pub organization: Option<String>,
}

/// What the pages say.
#[derive(Clone, Debug)]
pub struct PagesSite {
    /// Their public address, as scheme, host and port, without a slash at the end.
    pub url: String,
    /// The number that students text, in E.164 form or as a short code.
    pub number: String,
    /// Who runs the class; the host of the address if that is not set.
    pub organization: String,
    /// How to reach them: an e-mail address, a phone number or a URL.
    pub contact: Option<String>,
}

impl PagesSite {
    /// The host of their address, with its port if it has one.
    pub fn host(&self) -> &str {
        host_of(&self.url)
    }
}

impl PagesConfig {
    /// The pages that a login in a text links to; `None` = there are none, or logins are not texted.
    pub fn link(&self) -> Option<String> {
        let site = self.site.as_ref().filter(|_| self.reply.by_text());
        site.map(|site| site.url.clone())
    }

    /// The effective value of a setting of this group, if it may differ from the written one.
    pub(super) fn effective(&self, name: &str) -> Option<String> {
        let site = self.site.as_ref()?;
        Some(match name {
            "CODER_REG_PAGES_URL" => site.url.clone(),
            "CODER_REG_NUMBER" => site.number.clone(),
            "CODER_REG_ORG" => site.organization.clone(),
            _ => return None,
        })
    }
}

/// Reads `CODER_REG_REPLY`.
pub(super) fn read_reply(r: &mut Reader) -> Result<Reply, Faulty> {
    r.value("CODER_REG_REPLY", |value| {
        let mut every = Reply::EVERY.into_iter();
        every
            .find(|reply| value.eq_ignore_ascii_case(reply.as_str()))
            .ok_or_else(|| format!("{value:?} is not text, screen or both"))
    })
}

/// Reads the group. The number that students text is that of `sender` unless it is set.
pub(super) fn read(
    r: &mut Reader,
    sender: Option<&Sender>,
    phrases: &[ClassPhrase],
    production: bool,
) -> Result<PagesConfig, Faulty> {
    let reply = read_reply(r);
    let url = r.optional("CODER_REG_PAGES_URL", addresses::pages_url);
    let number = r.optional("CODER_REG_NUMBER", addresses::texted_number);
    let organization = r.optional("CODER_REG_ORG", |value| one_line(value, 80));
    let contact = r.optional("CODER_REG_CONTACT", |value| one_line(value, 120));
    let (reply, url) = (reply?, url?);
    let Some(url) = url else {
        if reply.on_screens() {
            r.fault(
                "CODER_REG_PAGES_URL",
                SettingProblem::new("missing", "CODER_REG_REPLY=screen or both needs the address that students open on their laptops, such as https://sms.example.org"),
            );
            return Err(Faulty);
        }
        return Ok(PagesConfig {
            organization: organization?,
            ..PagesConfig::default()
        });
    };
    if reply.on_screens() {
        refuse_outer_digits(r, phrases);
    }
    if production && url.starts_with("http://") {
        r.warn(
            "CODER_REG_PAGES_URL is not https, so logins cross the network unencrypted",
            "put a proxy with a certificate in front, and use https in CODER_REG_PAGES_URL",
        );
    }
    let number = number_or_sender(r, number?, sender)?;
    let organization = organization?;
    let named = organization.clone();
    Ok(PagesConfig {
        reply,
        organization,
        site: Some(PagesSite {
            organization: named.unwrap_or_else(|| host_of(&url).to_owned()),
            number,
            contact: contact?,
            url,
        }),
    })
}

/// Refuses phrases whose first or last digit could be taken for one of the code beside them.
fn refuse_outer_digits(r: &mut Reader, phrases: &[ClassPhrase]) {
    for phrase in phrases.iter().filter(|one| one.phrase.has_outer_digit()) {
        r.fault(
            &phrase.setting,
            SettingProblem::new("begins or ends with a digit: with CODER_REG_REPLY=screen or both a code follows it", "choose words"),
        );
    }
}

/// The number that students text: the one that is set, or the one that sends.
fn number_or_sender(
    r: &mut Reader,
    number: Option<String>,
    sender: Option<&Sender>,
) -> Result<String, Faulty> {
    match (number, sender) {
        (Some(number), _) => Ok(number),
        (None, Some(Sender::Number(number))) => Ok(number.clone()),
        (None, Some(Sender::Service(_))) => {
            r.fault(
                "CODER_REG_NUMBER",
                SettingProblem::new("missing", "FROM_NUM is a Messaging Service, so set the number that students text, such as +14155550123"),
            );
            Err(Faulty)
        }
        // Why there is no sender has been recorded.
        (None, None) => Err(Faulty),
    }
}

/// An address without its scheme.
fn host_of(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, host)| host)
}

/// Reads a text that is shown on the pages: one line of at most `most` characters.
fn one_line(value: &str, most: usize) -> Result<String, SettingProblem> {
    if value.chars().any(char::is_control) {
        return Err(SettingProblem::new(
            "contains a control character",
            "write it on one line",
        ));
    }
    if value.chars().count() > most {
        return Err(SettingProblem::new(
            format!("is longer than {most} characters"),
            "shorten it",
        ));
    }
    Ok(value.to_owned())
}

/// A number as people read it: `+1 312 555 0100`. Numbers of other countries stay as they are.
#[must_use]
pub fn readable_number(number: &str) -> String {
    let national = number.strip_prefix("+1").filter(|rest| rest.len() == 10);
    match national {
        Some(rest) if Phone::parse_any(number).is_ok() => {
            format!("+1 {} {} {}", &rest[..3], &rest[3..6], &rest[6..])
        }
        _ => number.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::readable_number;

    #[test]
    fn numbers_are_grouped_as_people_read_them() {
        for (number, shown) in [
            ("+13125550100", "+1 312 555 0100"),
            ("+4915112345678", "+4915112345678"),
            ("12345", "12345"),
            ("+131255501oo", "+131255501oo"),
        ] {
            assert_eq!(readable_number(number), shown);
        }
    }
}
