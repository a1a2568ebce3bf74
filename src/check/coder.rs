//! Checks Coder: whether it answers, and whether our token may do everything that a class needs.

use std::net::IpAddr;
use std::path::Path;

use super::folder::FolderFacts;
use super::{Notes, mails, members, spares, template, token};
use crate::clock::unix_now;
use crate::coder::{Coder, CoderError, CoderErrorKind};
use crate::config::{ClassSettings, ClassState, CoderConfig, PartialConfig};
use crate::domain::{Password, UnixSeconds, Username};
use crate::http::Http;
use crate::store::{Seats, inspect_spares};

/// How many generated passwords Coder is asked about. Coder's rule depends on each password, and
/// the calls count against its limit.
const PASSWORD_SAMPLES: usize = 3;

/// Results that later checks need.
#[derive(Default)]
pub(super) struct CoderFacts {
    /// Seconds by which our clock is ahead of Coder's; `Some(None)` = the answer had no date,
    /// `None` = Coder was not reached.
    pub(super) clock_ahead: Option<Option<UnixSeconds>>,
    /// Coder accepts the token.
    pub(super) accepted: bool,
}

/// One check at Coder. It returns an error only if all further checks would fail in the same way.
type CoderStep =
    fn(&Coder, &PartialConfig, &mut CoderFacts, &mut Notes<'_>) -> Result<(), CoderError>;

/// The step that is left out where no workspaces are made.
const TEMPLATE: &str = "the template of workspaces";

const STEPS: [(&str, CoderStep); 8] = [
    ("password login", password_login),
    ("generated passwords", passwords),
    ("the token", token::token),
    ("the token's expiry", token::expiry),
    ("what the token may do", token::rights),
    ("the roles of members", members::inspect),
    (TEMPLATE, template::inspect),
    ("e-mail notifications", mails::inspect),
];

/// How many users can log in per minute from one address. This is a fixed limit of Coder, without a
/// setting. Source: `cli/server.go`, `coderd/coderd.go`.
const LOGINS_PER_MINUTE: u32 = 60;

pub(super) fn inspect(
    parts: &PartialConfig,
    http: &Http,
    folder: &FolderFacts,
    notes: &mut Notes<'_>,
) -> CoderFacts {
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
    let broken = match coder.server() {
        Ok(server) => {
            found.clock_ahead = Some(server.clock_ahead);
            notes.pass(format!(
                "{} is Coder {}",
                config.address.site, server.version
            ));
            None
        }
        Err(error) => {
            notes.fault(format!("cannot {error}"), error.cure());
            Some("as Coder does not answer")
        }
    };
    take_steps(&coder, parts, broken, &mut found, notes);
    for class in parts.class.iter().flat_map(|class| &class.classes) {
        let state = class.state_at(unix_now());
        // No student logs in for the first time where it is over.
        if state != ClassState::Over {
            login_limit(class, notes);
        }
        // A class that opens later may have free seats by then.
        if state == ClassState::Open {
            taken_seats(class, &parts.data_dir, notes);
        }
    }
    for class in parts.class.iter().flat_map(|class| &class.classes) {
        spares::inspect(class, &parts.data_dir, folder, notes);
    }
    let email = Username::draw(0).email(&config.email_domain);
    // The setting is checked by Coder's own rule; only the creation of a user proves more.
    notes.pass(format!(
        "e-mail addresses such as {email} are well-formed for Coder"
    ));
    found
}

/// Takes the steps until one of them fails. `broken`: why none can be taken.
fn take_steps(
    coder: &Coder,
    parts: &PartialConfig,
    mut broken: Option<&'static str>,
    found: &mut CoderFacts,
    notes: &mut Notes<'_>,
) {
    let class = parts.class.as_ref();
    let makes_workspaces =
        class.is_some_and(|class| !class.workspaces_to_come(unix_now()).is_empty());
    let is_asked = |(what, _): &(&str, CoderStep)| *what != TEMPLATE || makes_workspaces;
    for (what, step) in STEPS.into_iter().filter(is_asked) {
        match broken {
            Some(because) => notes.skip(what, because),
            None => {
                if let Err(error) = step(coder, parts, found, notes) {
                    notes.fault(format!("cannot {error}"), error.cure());
                    broken = Some(match error.kind {
                        CoderErrorKind::Denied => "as Coder does not accept the token",
                        _ => "as Coder no longer answers",
                    });
                }
            }
        }
    }
}

/// Students in one room usually share one public IP address.
fn login_limit(class: &ClassSettings, notes: &mut Notes<'_>) {
    let limit = LOGINS_PER_MINUTE;
    let (whose, seats, setting) = (class.whose(), class.seats, class.setting("_SEATS"));
    if seats > limit {
        notes.warn(
            format!("{whose}there are {seats} seats ({setting}), but Coder accepts only {limit} logins per minute from one address: if more students in one room log in at once, Coder refuses the rest for a minute (429)"),
            "let a large class log in in groups, a minute apart; if Coder is behind a proxy, set CODER_PROXY_TRUSTED_HEADERS and CODER_PROXY_TRUSTED_ORIGINS there, because otherwise all logins seem to come from the proxy's address; CODER_API_RATE_LIMIT does not change this limit",
        );
    } else {
        notes.pass(format!(
            "{whose}there are {seats} seats: all students can log in within the same minute"
        ));
    }
}

/// Warns of an open class whose next student gets no account.
fn taken_seats(class: &ClassSettings, data_dir: &Path, notes: &mut Notes<'_>) {
    let seats = Seats {
        class: class.name.as_ref(),
        limit: class.seats,
    };
    // What is wrong with the database is said where the data folder is checked.
    if matches!(inspect_spares(data_dir, seats, 1), Ok(Some((_, 0)))) {
        let (whose, all, setting) = (class.whose(), class.seats, class.setting("_SEATS"));
        notes.warn(
            format!("{whose}no seat is free (all {all} of {setting} are taken): other students get no account until some are removed"),
            format!("end accounts that nobody uses (coder-sms-register end), or raise {setting} and restart the service"),
        );
    }
}

/// Students get this address by text, so it must be reachable from outside.
fn address(config: &CoderConfig, notes: &mut Notes<'_>) {
    let site = &config.address.site;
    let host = site.split_once("://").map_or("", |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or(host);
    let is_own = host == "localhost"
        || host.starts_with('[')
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if is_own || !host.contains('.') {
        notes.warn(
            format!("students are sent to {site}, an address that only this machine can open"),
            "set CODER_API_URL to the address that students open",
        );
    }
}

/// Skips a check that the server does not support or refuses. An error that would also affect the
/// other checks is returned.
pub(super) fn skip_unless_general(
    error: CoderError,
    what: &str,
    notes: &mut Notes<'_>,
) -> Result<(), CoderError> {
    if error.affects_every_call() {
        return Err(error);
    }
    if error.is_unsupported_call() {
        notes.skip(what, "as this version of Coder does not support it");
    } else {
        notes.skip_until(what, &format!("as this failed: {error}"), error.cure());
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
            "Coder does not accept logins with a password",
            "remove CODER_DISABLE_PASSWORD_AUTH from Coder's settings and restart Coder",
        ),
        Err(error) => return skip_unless_general(error, "password login", notes),
    }
    Ok(())
}

fn passwords(
    coder: &Coder,
    _: &PartialConfig,
    _: &mut CoderFacts,
    notes: &mut Notes<'_>,
) -> Result<(), CoderError> {
    for _ in 0..PASSWORD_SAMPLES {
        match coder.accepts_password(&Password::draw()) {
            Ok(Some(true)) => {}
            Ok(Some(false)) => {
                notes.fault(
                    "Coder refuses a password of the kind that students get",
                    "report this as a bug: Coder's rule for passwords has changed; use an older Coder until it is fixed",
                );
                return Ok(());
            }
            Ok(None) => {
                notes.skip(
                    "generated passwords",
                    "as a Coder before 2.17 has no such check",
                );
                return Ok(());
            }
            Err(error) => return skip_unless_general(error, "generated passwords", notes),
        }
    }
    notes.pass("generated passwords satisfy Coder's rule");
    Ok(())
}
