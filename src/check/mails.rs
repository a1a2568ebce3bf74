//! Checks the e-mail that Coder sends about students, and who could read e-mail to the students'
//! addresses.

use super::Notes;
use super::coder::{CoderFacts, skip_unless_general};
use crate::coder::{Coder, CoderError, Mails};
use crate::config::PartialConfig;

/// Domains where anyone can get a mailbox.
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
/// Names of providers with domains in many countries.
const INTERNATIONAL: [&str; 4] = ["hotmail", "live", "outlook", "yahoo"];

const DOMAIN_CURE: &str = "set CODER_EMAIL_DOM to a domain of your own without mailboxes, or to one that ends in .invalid, such as class.invalid: Coder accepts it, and no e-mail reaches it";

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
        Err(error) => {
            judge(domain, Mails::Hidden, notes);
            return skip_unless_general(error, "e-mail notifications", notes);
        }
    }
    Ok(())
}

/// Anyone who can read e-mail to a student's address can request a new password from Coder ("forgot
/// password").
fn judge(domain: &str, mails: Mails, notes: &mut Notes<'_>) {
    if is_providers(domain) {
        notes.fault(
            format!("students' addresses end in {domain} (CODER_EMAIL_DOM), where strangers have mailboxes: they can take over accounts by \"forgot password\""),
            DOMAIN_CURE,
        );
    }
    match mails {
        Mails::Off => notes.pass("Coder sends no e-mail: it has no mail server"),
        Mails::Paused => notes.pass("Coder sends no e-mail: notifications are paused"),
        Mails::On => {
            notes.warn(
                "Coder sends up to three e-mails per student to each owner and user admin",
                "each of them can switch it off under Account, Notifications; or pause it for all during class: coder notifications pause",
            );
            if !is_without_mail(domain) && !is_providers(domain) {
                notes.warn(
                    format!("anyone who reads e-mail to {domain} (CODER_EMAIL_DOM) can take over students' accounts by \"forgot password\""),
                    DOMAIN_CURE,
                );
            }
        }
        Mails::Hidden => {
            const UNKNOWN: &str = "this token cannot show whether Coder sends e-mail; if it does, each admin gets up to three per student";
            if is_without_mail(domain) || is_providers(domain) {
                notes.warn(UNKNOWN, "ask an Owner of Coder");
            } else {
                notes.warn(
                    format!("{UNKNOWN}, and anyone who reads e-mail to {domain} (CODER_EMAIL_DOM) can take over students' accounts"),
                    format!("ask an Owner of Coder; {DOMAIN_CURE}"),
                );
            }
        }
    }
}

/// Whether the domain cannot receive e-mail by the rules of the internet (RFC 2606).
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
        INTERNATIONAL.contains(&name) && !country.contains('.')
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
        for (domain, error) in [
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
                assert_eq!(faults.count(), usize::from(error), "{domain} {mails:?}");
            }
        }
    }

    #[test]
    fn readers_of_the_domains_e_mail_matter_only_if_coder_sends_e_mail() {
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
                .contains("who reads e-mail to class.example.org")
        );
        assert!(
            !found("class.invalid", Mails::Hidden)[0]
                .what
                .contains("who reads")
        );
    }
}
