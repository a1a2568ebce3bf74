//! Coder: is it there, is it Coder, and may our token do all that a class takes?

use std::net::IpAddr;
use std::time::Duration;

use super::Notes;
use crate::clock::{seconds, span, unix_now};
use crate::coder::{Coder, CoderFault, Rights, Trouble};
use crate::config::{CoderConfig, Parts};
use crate::domain::{Password, UnixSeconds, Username};
use crate::http::{Http, Stage};

/// Passwords that are shown to Coder. Its rule looks at each, and it counts the calls.
const PASSWORDS: usize = 3;

/// A token that is good for longer needs no word. An owner's lives for 7 days from its last use, which
/// was just now, so less than 6 means that use does not prolong it.
const LONG: UnixSeconds = 6 * 86_400;

/// What later looks have to know.
#[derive(Default)]
pub(super) struct AtCoder {
    /// Seconds by which our clock is ahead of Coder's, as it tells it; `None` = it was not reached.
    pub(super) clock_ahead: Option<Option<UnixSeconds>>,
    /// The token is let in.
    pub(super) let_in: bool,
}

/// One thing to ask; an error is one that spoils all further questions as well.
type Step = fn(&Coder, &Parts, &mut AtCoder, &mut Notes<'_>) -> Result<(), CoderFault>;

const STEPS: [(&str, Step); 5] = [
    ("password login", password_login),
    ("generated passwords", passwords),
    ("the token", token),
    ("the token's time", expiry),
    ("what the token may do", rights),
];

pub(super) fn look(parts: &Parts, http: &Http, notes: &mut Notes<'_>) -> AtCoder {
    let mut found = AtCoder::default();
    let config = match &parts.coder {
        Some(config) if !parts.is_faulty(&["CODER_API_", "CODER_EMAIL_DOM"]) => config,
        _ => {
            notes.skip("Coder", "as its settings have faults");
            return found;
        }
    };
    address(config, notes);
    let coder = Coder::new(http.clone(), &config.address.api, config.key.clone());
    let mut broken = None;
    match coder.server() {
        Ok(server) => {
            found.clock_ahead = Some(server.clock_ahead);
            notes.pass(format!(
                "{} is Coder {}",
                config.address.site, server.version
            ));
        }
        Err(fault) => {
            notes.fault(format!("cannot {fault}"), cure(&fault));
            broken = Some("as Coder does not answer");
        }
    }
    for (what, step) in STEPS {
        match broken {
            Some(because) => notes.skip(what, because),
            None => {
                if let Err(fault) = step(&coder, parts, &mut found, notes) {
                    notes.fault(format!("cannot {fault}"), cure(&fault));
                    broken = Some(match fault.trouble {
                        Trouble::Denied => "as the token is not let in",
                        _ => "as Coder does not answer any more",
                    });
                }
            }
        }
    }
    let email = Username::draw(0).email(&config.email_domain);
    // The setting is read by Coder's own rule; only making a user proves more.
    notes.pass(format!(
        "e-mail addresses such as {email} are well-formed for Coder"
    ));
    found
}

pub(super) fn cure(fault: &CoderFault) -> &'static str {
    match fault.trouble {
        Trouble::Unreachable if fault.stage() == Some(Stage::Tls) => {
            "give Coder's address a certificate that browsers trust, with its full chain: private authorities are not supported"
        }
        Trouble::Unreachable => {
            "set CODER_API_URL to the address of Coder, and see that this machine reaches it"
        }
        Trouble::NotCoder => {
            "set CODER_API_URL to the address that opens Coder in a browser, as in https://coder.example.org"
        }
        Trouble::Denied => {
            "make a token as a user admin (coder tokens create --lifetime 8760h) and put it into CODER_API_KEY"
        }
        Trouble::Unclear => "look into the log of Coder, and of the proxy in front of it",
        Trouble::Busy(_) => "wait for a minute, and check again",
        Trouble::Refused => "update Coder, or look into its log",
    }
}

/// Students get this address by text.
fn address(config: &CoderConfig, notes: &mut Notes<'_>) {
    let site = &config.address.site;
    let host = site.split_once("://").map_or("", |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or(host);
    let is_own = host == "localhost"
        || host.starts_with('[')
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if is_own || !host.contains('.') {
        notes.warn(
            format!("students are sent to {site}, which is known to this machine alone"),
            "set CODER_API_URL to the address that students open",
        );
    }
}

/// A question that the server does not know, or refuses, is not looked at; the others are.
fn unless_everybodys(
    fault: CoderFault,
    what: &str,
    notes: &mut Notes<'_>,
) -> Result<(), CoderFault> {
    if fault.is_everybodys() {
        return Err(fault);
    }
    if fault.is_unknown_question() {
        notes.skip(what, "as this Coder does not know the question");
    } else {
        notes.skip_until(what, &format!("as this failed: {fault}"), cure(&fault));
    }
    Ok(())
}

fn password_login(
    coder: &Coder,
    _: &Parts,
    _: &mut AtCoder,
    notes: &mut Notes<'_>,
) -> Result<(), CoderFault> {
    match coder.password_login() {
        Ok(on) => notes.judge(
            on,
            "users may log in with passwords",
            "Coder lets nobody log in with a password",
            "take CODER_DISABLE_PASSWORD_AUTH off Coder's settings and restart it",
        ),
        Err(fault) => return unless_everybodys(fault, "password login", notes),
    }
    Ok(())
}

fn passwords(
    coder: &Coder,
    _: &Parts,
    _: &mut AtCoder,
    notes: &mut Notes<'_>,
) -> Result<(), CoderFault> {
    for _ in 0..PASSWORDS {
        match coder.takes_password(&Password::draw()) {
            Ok(Some(true)) => {}
            Ok(Some(false)) => {
                notes.fault(
                    "Coder refuses a password as students get them",
                    "report this: its rule for passwords has changed; an older Coder helps until then",
                );
                return Ok(());
            }
            Ok(None) => {
                notes.skip(
                    "generated passwords",
                    "as a Coder before 2.17 cannot be asked",
                );
                return Ok(());
            }
            Err(fault) => return unless_everybodys(fault, "generated passwords", notes),
        }
    }
    notes.pass("generated passwords obey its rule");
    Ok(())
}

fn token(
    coder: &Coder,
    _: &Parts,
    found: &mut AtCoder,
    notes: &mut Notes<'_>,
) -> Result<(), CoderFault> {
    let holder = coder.holder()?;
    found.let_in = true;
    let name = holder.username.as_deref().unwrap_or("a user");
    let owner = if holder.owner { ", an owner" } else { "" };
    notes.pass(format!("the token is that of {name}{owner}"));
    Ok(())
}

fn expiry(
    coder: &Coder,
    parts: &Parts,
    _: &mut AtCoder,
    notes: &mut Notes<'_>,
) -> Result<(), CoderFault> {
    match coder.token_expiry() {
        Ok(Some(until)) => {
            let class = parts.rules.as_ref().and_then(|rules| rules.remove_after);
            time_left(until - unix_now(), class, notes);
        }
        Ok(None) => notes.skip("the token's time", "as Coder does not tell it"),
        Err(fault) => return unless_everybodys(fault, "the token's time", notes),
    }
    Ok(())
}

fn time_left(left: UnixSeconds, class: Option<Duration>, notes: &mut Notes<'_>) {
    let words = format!("the token is good for {}", span(left));
    let cure = "make one that lives longer (coder tokens create --lifetime 8760h), put it into CODER_API_KEY and restart the service";
    match class.map(seconds) {
        Some(class) if left < class => notes.warn(
            format!(
                "{words}, and accounts live for {}: they would not be removed",
                span(class)
            ),
            cure,
        ),
        _ if left < LONG => notes.warn(words, cure),
        _ => notes.pass(format!("{words} or more")),
    }
}

fn rights(
    coder: &Coder,
    _: &Parts,
    _: &mut AtCoder,
    notes: &mut Notes<'_>,
) -> Result<(), CoderFault> {
    match coder.rights() {
        Ok(rights) => allowances(&rights, notes),
        Err(fault) if fault.is_unknown_question() => notes.fault(
            "this Coder cannot be asked what the token may do, so no account is removed",
            "update Coder to 2.24 or later",
        ),
        Err(fault) => return unless_everybodys(fault, "what the token may do", notes),
    }
    Ok(())
}

/// By Coder's own word (`POST /authcheck`), for a workspace of somebody else: a list of workspaces is
/// empty as well for a token that may not see any.
fn allowances(rights: &Rights, notes: &mut Notes<'_>) {
    const USERS: &str = "give the token's user the role User Admin";
    const WORKSPACES: &str =
        "give the token's user the role Organization Admin of the default organization";
    for (may, what, so, cure) in [
        (rights.see_users, "see users", "", USERS),
        (
            rights.create_users,
            "create users in the default organization",
            "",
            USERS,
        ),
        (rights.update_users, "suspend users", "", USERS),
        (rights.delete_users, "delete users", "", USERS),
        (
            rights.see_workspaces,
            "see workspaces of others",
            ": their students could not be removed",
            WORKSPACES,
        ),
        (
            rights.stop_workspaces,
            "stop workspaces of others",
            ": those that run on would keep their students here",
            WORKSPACES,
        ),
        (
            rights.delete_workspaces,
            "delete workspaces of others",
            ": their students could not be removed",
            WORKSPACES,
        ),
    ] {
        notes.judge(
            may,
            &format!("it may {what} (authcheck)"),
            &format!("the token may not {what} (authcheck){so}"),
            cure,
        );
    }
    passwords_of_others(rights.set_passwords, notes);
}

fn passwords_of_others(may: Option<bool>, notes: &mut Notes<'_>) {
    match may {
        Some(true) => notes.pass("it may set passwords of others (authcheck)"),
        Some(false) => notes.warn(
            "the token may not set passwords of others: students get the same login again, but not once they have changed its password",
            "nothing has to be done; up to Coder 2.35 only the token of an Owner may, and that one ends after a week",
        ),
        // No student needs that, so it is not something that was not looked at.
        None => notes.pass(
            "this Coder does not tell whether the token may set passwords of others; check --write tries it",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Area, Finding, Verdict};

    fn notes(judge: impl FnOnce(&mut Notes<'_>)) -> Vec<Finding> {
        let mut all = Vec::new();
        judge(&mut Notes::of(Area::Coder, &mut all));
        all
    }

    #[test]
    fn a_tokens_time_is_held_against_the_class() {
        let hour = 3_600;
        let class = Some(Duration::from_secs(12 * 3_600));
        for (left, class, verdict) in [
            (11 * hour, class, Verdict::Warning),
            (13 * hour, class, Verdict::Warning),
            (167 * hour, class, Verdict::Pass),
            (5 * 24 * hour, None, Verdict::Warning),
            (167 * hour, None, Verdict::Pass),
        ] {
            let found = notes(|notes| time_left(left, class, notes));
            assert_eq!(found[0].verdict, verdict, "{left}");
        }
    }
}
