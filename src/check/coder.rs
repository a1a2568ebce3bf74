//! Coder: is it there, is it Coder, and may our token do all that a class takes?

use std::net::IpAddr;

use super::{Notes, mails, members, token};
use crate::coder::{Coder, CoderError, CoderErrorKind};
use crate::config::{CoderConfig, PartialConfig};
use crate::domain::{Password, UnixSeconds, Username};
use crate::http::Http;

/// Passwords that are shown to Coder. Its rule looks at each, and it counts the calls.
const PASSWORDS: usize = 3;

/// What later looks have to know.
#[derive(Default)]
pub(super) struct CoderFacts {
    /// Seconds by which our clock is ahead of Coder's, as it tells it; `None` = it was not reached.
    pub(super) clock_ahead: Option<Option<UnixSeconds>>,
    /// The token is let in.
    pub(super) let_in: bool,
}

/// One thing to ask; an error is one that spoils all further questions as well.
type CoderStep =
    fn(&Coder, &PartialConfig, &mut CoderFacts, &mut Notes<'_>) -> Result<(), CoderError>;

const STEPS: [(&str, CoderStep); 7] = [
    ("password login", password_login),
    ("generated passwords", passwords),
    ("the token", token::token),
    ("the token's time", token::expiry),
    ("what the token may do", token::rights),
    ("the roles of members", members::inspect),
    ("mails", mails::inspect),
];

/// How many may log in within a minute from one address, by a limit of Coder's own that no setting of it moves.
/// Source: `cli/server.go`, `coderd/coderd.go`.
const LOGINS_A_MINUTE: u32 = 60;

pub(super) fn inspect(parts: &PartialConfig, http: &Http, notes: &mut Notes<'_>) -> CoderFacts {
    let mut found = CoderFacts::default();
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
            notes.fault(format!("cannot {fault}"), fault.cure());
            broken = Some("as Coder does not answer");
        }
    }
    for (what, step) in STEPS {
        match broken {
            Some(because) => notes.skip(what, because),
            None => {
                if let Err(fault) = step(&coder, parts, &mut found, notes) {
                    notes.fault(format!("cannot {fault}"), fault.cure());
                    broken = Some(match fault.kind {
                        CoderErrorKind::Denied => "as the token is not let in",
                        _ => "as Coder does not answer any more",
                    });
                }
            }
        }
    }
    if let Some(service) = &parts.service {
        seats(service.max_users, notes);
    }
    let email = Username::draw(0).email(&config.email_domain);
    // The setting is read by Coder's own rule; only making a user proves more.
    notes.pass(format!(
        "e-mail addresses such as {email} are well-formed for Coder"
    ));
    found
}

/// Students of one room come from one address.
fn seats(max_users: u32, notes: &mut Notes<'_>) {
    let limit = LOGINS_A_MINUTE;
    if max_users > limit {
        notes.warn(
            format!("there are {max_users} seats (CODER_REG_MAX_USERS), and Coder lets {limit} log in a minute from one address: of more in one room the rest are refused for a minute (429)"),
            "let a large class log in in waves, a minute apart; where a proxy stands before Coder set CODER_PROXY_TRUSTED_HEADERS and CODER_PROXY_TRUSTED_ORIGINS there, as otherwise all come from the proxy's address; CODER_API_RATE_LIMIT does not move this limit",
        );
    } else {
        notes.pass(format!(
            "{max_users} seats: all may log in within the same minute"
        ));
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
pub(super) fn unless_everybodys(
    fault: CoderError,
    what: &str,
    notes: &mut Notes<'_>,
) -> Result<(), CoderError> {
    if fault.affects_every_call() {
        return Err(fault);
    }
    if fault.is_unsupported_call() {
        notes.skip(what, "as this Coder does not know the question");
    } else {
        notes.skip_until(what, &format!("as this failed: {fault}"), fault.cure());
    }
    Ok(())
}

fn password_login(
    coder: &Coder,
    _: &PartialConfig,
    _: &mut CoderFacts,
    notes: &mut Notes<'_>,
) -> Result<(), CoderError> {
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
    _: &PartialConfig,
    _: &mut CoderFacts,
    notes: &mut Notes<'_>,
) -> Result<(), CoderError> {
    for _ in 0..PASSWORDS {
        match coder.accepts_password(&Password::draw()) {
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
