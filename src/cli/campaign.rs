//! `campaign`: what to write into the forms with which a number is registered at the carriers of the
//! United States.
//!
//! Sources, read in November 2026:
//!
//! - fields and their lengths: <https://www.twilio.com/docs/messaging/api/usapptoperson-resource>
//! - at least one sample names the sender and how to opt out, and brackets mark what changes:
//!   <https://www.twilio.com/docs/api/errors/30893>
//! - what the page has to say where students opt in: <https://www.twilio.com/docs/api/errors/30544>
//! - toll-free numbers: <https://www.twilio.com/docs/messaging/api/tollfree-verification-resource>; the number of
//!   the business is required since 17 February 2026 (<https://www.twilio.com/en-us/changelog>)

use std::time::Duration;

use super::arguments::{Arguments, CommandError};
use super::{Command, print};
use crate::clock::unix_now;
use crate::config::{Config, PagesSite, readable_number};
use crate::domain::{Password, Username};
use crate::provision::{reply, sender_line};
use crate::terminal::{Colours, Tone, wrapped};

pub(super) const COMMAND: Command = Command {
    name: "campaign",
    operands: "",
    summary: "print what to write into the forms of the carriers of the United States (A2P 10DLC campaign, toll-free verification)",
    details: "\
Each field of Twilio's forms has a heading; the text below it is ready to paste. The samples are texts as the
service sends them with these settings. The pages must be reachable before a reviewer opens them: see check.
",
    options: "",
    run,
};

/// The widest line.
const COLUMNS: usize = 80;

/// The shortest and the longest entries that Twilio takes, in characters.
const DESCRIPTION: std::ops::RangeInclusive<usize> = 40..=4_096;
const FLOW: std::ops::RangeInclusive<usize> = 40..=2_048;
const SAMPLE: std::ops::RangeInclusive<usize> = 20..=1_024;
const MESSAGE: std::ops::RangeInclusive<usize> = 20..=320;
const KEYWORDS: std::ops::RangeInclusive<usize> = 1..=255;

fn run(arguments: &mut Arguments) -> Result<(), CommandError> {
    arguments.end()?;
    let config = arguments.config()?;
    let Some(site) = &config.pages.site else {
        return Err(CommandError::Failed(
            "there are no pages that a reviewer could open: set CODER_REG_PAGES_URL, CODER_REG_ORG and CODER_REG_CONTACT, and restart the service".to_owned(),
        ));
    };
    if !config.pages.reply.by_text() {
        print(
            "With CODER_REG_REPLY=screen no text is ever sent, so there is nothing to register:\ncarriers register outgoing texts only.\n",
        );
        return Ok(());
    }
    print(&form(&config, site));
    Ok(())
}

/// One field of a form.
struct Field {
    heading: &'static str,
    /// What to enter.
    text: String,
    /// How many characters the form takes.
    room: Option<std::ops::RangeInclusive<usize>>,
}

fn field(heading: &'static str, text: impl Into<String>) -> Field {
    Field {
        heading,
        text: text.into(),
        room: None,
    }
}

impl Field {
    fn within(self, room: std::ops::RangeInclusive<usize>) -> Self {
        Self {
            room: Some(room),
            ..self
        }
    }

    /// Its lines. Lines of the text stay lines, as in the texts that students get.
    fn print(&self, out: &mut String) {
        let length = self.text.chars().count();
        let misfit = self.room.as_ref().filter(|room| !room.contains(&length));
        let misfit = misfit.map_or_else(String::new, |room| {
            let (least, most) = (room.start(), room.end());
            format!(" ({length} characters; the form takes {least} to {most})")
        });
        *out += &format!("{}{misfit}\n", self.heading);
        *out += &format!("{}\n", "-".repeat(self.heading.len()));
        for line in self.text.lines() {
            for part in wrapped(&[(Tone::Plain, line)], Some(COLUMNS), Colours::OFF) {
                *out += &format!("{part}\n");
            }
        }
        out.push('\n');
    }
}

fn form(config: &Config, site: &PagesSite) -> String {
    let mut out = String::new();
    let title = |out: &mut String, title: &str| {
        *out += &format!("{title}\n{}\n\n", "=".repeat(title.len()));
    };
    title(&mut out, "A2P 10DLC campaign (numbers of a city or region)");
    let campaign = campaign(config, site);
    campaign.iter().for_each(|field| field.print(&mut out));
    title(&mut out, "Toll-free verification (numbers such as +1 833)");
    toll_free(config, site)
        .iter()
        .for_each(|field| field.print(&mut out));
    out += nameless(config, &samples(config)).unwrap_or_default();
    if site.contact.is_none() {
        out += "CODER_REG_CONTACT is not set: reviewers look for a way to reach you. Set it,\nrestart the service, and run this command again.\n";
    }
    out
}

/// What to do if no sample names the sender and how to opt out, without which the campaign is refused.
fn nameless(config: &Config, samples: &[String]) -> Option<&'static str> {
    let Some(name) = &config.pages.organization else {
        return Some(
            "CODER_REG_ORG is not set, so no sample names you and STOP: the campaign would be\nrefused (30893). Set it, restart the service, and run this command again.\n",
        );
    };
    let named = samples
        .iter()
        .any(|text| sender_line::names_sender(name, text));
    (!named).then_some(
        "CODER_REG_ORG fits into no text, so no sample names you and STOP: the campaign\nwould be refused (30893). Shorten it to 50 characters, without letters such as Ł\nthat the basic alphabet of SMS does not have, restart the service, and run this\ncommand again.\n",
    )
}

fn campaign(config: &Config, site: &PagesSite) -> Vec<Field> {
    let [login, full, hint] = samples(config);
    vec![
        field(
            "Campaign use case",
            "Low Volume Mixed (or Account Notification, with a Standard brand)",
        ),
        field("Campaign description", description(site)).within(DESCRIPTION),
        field("Sample message 1", &*login).within(SAMPLE),
        field("Sample message 2", full).within(SAMPLE),
        field("Sample message 3", hint).within(SAMPLE),
        field("Messages contain embedded links", "Yes"),
        field("Messages contain phone numbers", "No"),
        field(
            "Messages contain age-gated content, or are about lending or loans",
            "No",
        ),
        field(
            "How do end-users consent to receive messages?",
            consent(site),
        )
        .within(FLOW),
        field("Opt-in keywords", "START").within(KEYWORDS),
        field("Opt-in message", opt_in(site)).within(MESSAGE),
        field(
            "Opt-out and help",
            "Twilio fills in the next four where it answers STOP and HELP itself, as it does unless you have changed that.",
        ),
        field(
            "Opt-out keywords",
            "STOP, STOPALL, UNSUBSCRIBE, CANCEL, END, QUIT, REVOKE, OPTOUT",
        )
        .within(KEYWORDS),
        field("Opt-out message", opt_out(site)).within(MESSAGE),
        field("Help keywords", "HELP, INFO").within(KEYWORDS),
        field("Help message", help(site)).within(MESSAGE),
        field("Privacy policy URL", format!("{}/privacy", site.url)),
        field("Terms and conditions URL", format!("{}/terms", site.url)),
    ]
}

fn toll_free(config: &Config, site: &PagesSite) -> Vec<Field> {
    let [login, ..] = samples(config);
    vec![
        field("Business name", &*site.organization),
        field(
            "Business registration number, its kind and country",
            "(your EIN, or what your country has in its place; required)",
        ),
        field("Corporate website", &*site.url),
        field("Estimated monthly volume", "1,000"),
        field("Use case categories", "Account Notifications"),
        field("Use case description", description(site)),
        field("Sample of production message", login),
        field("Opt-in type", "Via text (the student texts first)"),
        field("Opt-in policy image URLs", format!("{}/", site.url)),
        field("Opt-in confirmation message", opt_in(site)),
        field("Help message sample", help(site)),
        field("Privacy policy URL", format!("{}/privacy", site.url)),
        field("Terms and conditions URL", format!("{}/terms", site.url)),
        field("Age-gated content", "No"),
        field("Additional information", consent(site)),
        field(
            "Contact",
            site.contact.as_deref().unwrap_or("(set CODER_REG_CONTACT)"),
        ),
    ]
}

fn description(site: &PagesSite) -> String {
    format!(
        "{} gives classes on Coder, a server for programming in the browser. A student who texts the phrase of a class to {} gets the login of a temporary account there by reply. Each text is the answer to a text that the student has sent a moment ago: account credentials on request. There is no marketing, and nothing is sent unasked. The account is deleted when the class is over.",
        site.organization,
        readable_number(&site.number)
    )
}

fn consent(site: &PagesSite) -> String {
    format!(
        "Students opt in by texting first. In the classroom the instructor shows the number {} and the phrase of the class on the wall. A student who wants an account texts the phrase from their own phone, and gets at most one text in reply. Nobody is texted who has not texted first, numbers are not collected in any other way, and they are not shared with third parties or affiliates for marketing. {}/ describes this publicly: who sends, what and how often, \"Message and data rates may apply\", STOP and HELP. It links to the privacy policy ({}/privacy) and the terms ({}/terms).",
        readable_number(&site.number),
        site.url,
        site.url,
        site.url
    )
}

fn opt_in(site: &PagesSite) -> String {
    format!(
        "{}: you get at most one text for each text that you send, such as the login of your class. Message and data rates may apply. Reply HELP for help, STOP to end.",
        site.organization
    )
}

fn opt_out(site: &PagesSite) -> String {
    format!(
        "{}: you are unsubscribed and get no more texts. Reply START to get them again.",
        site.organization
    )
}

fn help(site: &PagesSite) -> String {
    let contact = site.contact.as_deref();
    let reach = contact.unwrap_or("your instructor");
    format!(
        "{}: logins for classes on request. Help: {reach}. Message and data rates may apply. Reply STOP to end.",
        site.organization
    )
}

/// Texts as students get them: a login, its name and password in brackets, and the two notices that are sent most.
fn samples(config: &Config) -> [String; 3] {
    let (username, password) = (Username::draw(0), Password::draw());
    let link = config.pages.link();
    let link = link.map(|pages| reply::link(&pages, &username, &password));
    let left: Option<Duration> = config.class.longest_life(unix_now());
    let email = username.email(&config.coder.email_domain);
    let login = reply::login(
        &config.coder.address.site,
        &email,
        &password,
        left,
        link.as_deref(),
    );
    let organization = config.pages.organization.as_deref();
    let login = sender_line::login_from(organization, login);
    let login = login.replace(username.as_str(), "[name]");
    [
        login.replace(password.reveal(), "[password]"),
        sender_line::notice_from(organization, &reply::full()),
        sender_line::notice_from(organization, &reply::hint()),
    ]
}
