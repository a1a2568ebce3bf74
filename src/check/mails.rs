//! Mails that Coder sends about students, and who could read those to the students' addresses.

use super::Notes;
use super::coder::{CoderFacts, unless_everybodys};
use crate::coder::{Coder, CoderError, Mails};
use crate::config::PartialConfig;

/// Domains at which anybody may have a mailbox.
const PROVIDERS: [&str; 40] = [
    "126.com",
    "163.com",
    "aol.com",
    "att.net",
    "comcast.net",
    "fastmail.com",
    "free.fr",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hey.com",
    "icloud.com",
    "libero.it",
    "mac.com",
    "mail.com",
    "mail.ru",
    "mailinator.com",
    "me.com",
    "msn.com",
    "naver.com",
    "orange.fr",
    "pm.me",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "rocketmail.com",
    "t-online.de",
    "tuta.com",
    "tutanota.com",
    "verizon.net",
    "web.de",
    "yandex.com",
    "yandex.ru",
    "ymail.com",
    "yopmail.com",
    "zoho.com",
];
/// Names under which providers have domains in many countries.
const CHAINS: [&str; 4] = ["hotmail", "live", "outlook", "yahoo"];

const DOMAIN_CURE: &str = "set CODER_EMAIL_DOM to a domain of your own without mailboxes, or to one that ends in .invalid, such as class.invalid: Coder takes it, and no mail reaches it";

pub(super) fn inspect(
    coder: &Coder,
    parts: &PartialConfig,
    _: &mut CoderFacts,
    notes: &mut Notes<'_>,
) -> Result<(), CoderError> {
    let Some(domain) = parts
        .coder
        .as_ref()
        .map(|config| config.email_domain.as_str())
    else {
        return Ok(());
    };
    match coder.mails() {
        Ok(mails) => judge(domain, mails, notes),
        Err(fault) => {
            judge(domain, Mails::Hidden, notes);
            return unless_everybodys(fault, "mails", notes);
        }
    }
    Ok(())
}

/// Who reads the mail of a student's address may ask Coder for a new password there ("forgot password").
fn judge(domain: &str, mails: Mails, notes: &mut Notes<'_>) {
    if is_providers(domain) {
        notes.fault(
            format!("students' addresses end in {domain} (CODER_EMAIL_DOM), where strangers have mailboxes: they can take accounts by \"forgot password\""),
            DOMAIN_CURE,
        );
    }
    match mails {
        Mails::Off => notes.pass("Coder sends no mails: it has no mail server"),
        Mails::Paused => notes.pass("Coder sends no mails: notifications are paused"),
        Mails::On => {
            notes.warn(
                "Coder sends mails: as many as three for each student to each owner and user admin",
                "let them switch it off for themselves, under Account and Notifications; or pause it for everybody while the class lasts: coder notifications pause",
            );
            if !is_without_mail(domain) && !is_providers(domain) {
                notes.warn(
                    format!("who reads mail to {domain} (CODER_EMAIL_DOM) can take students' accounts by \"forgot password\""),
                    DOMAIN_CURE,
                );
            }
        }
        Mails::Hidden => {
            const TOLD: &str = "whether Coder sends mails cannot be seen with this token; if it does, they are three for each student to each admin";
            if is_without_mail(domain) || is_providers(domain) {
                notes.warn(TOLD, "ask an Owner of Coder");
            } else {
                notes.warn(
                    format!("{TOLD}, and who reads mail to {domain} (CODER_EMAIL_DOM) can take students' accounts"),
                    format!("ask an Owner of Coder; {DOMAIN_CURE}"),
                );
            }
        }
    }
}

/// Whether that top level has no mail by the rules of the internet (RFC 2606).
fn is_without_mail(domain: &str) -> bool {
    domain.rsplit('.').next() == Some("invalid")
}

fn is_providers(domain: &str) -> bool {
    let domain = domain.to_ascii_lowercase();
    let is_chain = || {
        let Some((name, country)) = domain.split_once('.') else {
            return false;
        };
        let country = country
            .strip_prefix("co.")
            .or_else(|| country.strip_prefix("com."))
            .unwrap_or(country);
        CHAINS.contains(&name) && !country.contains('.')
    };
    PROVIDERS.contains(&domain.as_str()) || is_chain()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Area, CheckStatus, Finding};

    fn found(domain: &str, mails: Mails) -> Vec<Finding> {
        let mut all = Vec::new();
        judge(domain, mails, &mut Notes::of(Area::Coder, &mut all));
        all
    }

    #[test]
    fn a_domain_where_strangers_have_mailboxes_is_a_fault() {
        for (domain, fault) in [
            ("gmail.com", true),
            ("Outlook.com", true),
            ("yahoo.co.uk", true),
            ("hotmail.fr", true),
            ("yahoo.com.br", true),
            ("class.example.org", false),
            ("live.school.edu", false),
            ("gmail.com.example.org", false),
            ("class.invalid", false),
        ] {
            for mails in [Mails::On, Mails::Off, Mails::Paused, Mails::Hidden] {
                let found = found(domain, mails);
                let faults = found.iter().filter(|one| one.verdict == CheckStatus::Fault);
                assert_eq!(faults.count(), usize::from(fault), "{domain} {mails:?}");
            }
        }
    }

    #[test]
    fn readers_of_the_domains_mail_matter_where_mails_are_sent() {
        for (domain, mails, warnings) in [
            ("class.example.org", Mails::On, 2),
            ("class.invalid", Mails::On, 1),
            ("class.example.org", Mails::Off, 0),
            ("class.example.org", Mails::Paused, 0),
            ("class.example.org", Mails::Hidden, 1),
        ] {
            let found = found(domain, mails);
            let told = found
                .iter()
                .filter(|one| one.verdict == CheckStatus::Warning);
            assert_eq!(told.count(), warnings, "{domain} {mails:?}");
        }
        let hidden = found("class.example.org", Mails::Hidden);
        assert!(
            hidden[0]
                .what
                .contains("who reads mail to class.example.org")
        );
        assert!(
            !found("class.invalid", Mails::Hidden)[0]
                .what
                .contains("who reads")
        );
    }
}
