//! `status`: the class at one glance.
//!
//! - `overview`: all that was found, and what follows from it
//! - `concerns`: what a person has to see to
//! - `screen`: the words for people, as large as their terminal
//! - `json`: the same for scripts
//! - `watch`: a screen that stays

mod account_table;
mod concerns;
mod json;
mod overview;
mod screen;
mod watch;

use std::time::Duration;

use super::arguments::{ArgumentWord, Arguments, CommandError};
use super::{Command, print, print_raw};
use crate::clock::unix_now;
use crate::coder::{Coder, CoderError, User};
use crate::config::Config;
use crate::domain::registration::Registration;
use crate::healthcheck::{self, HealthError, NamedFault};
use crate::http::Http;
use crate::reconcile::{self, Marks, UnknownAccount};
use crate::store::Commands;
use crate::stream::{Redis, StreamError, Waiting};
use crate::wake;
use overview::{ClassView, CoderView, Condition, QueueView, TokenView};

pub(super) const COMMAND: Command = Command {
    name: "status",
    operands: "",
    summary: "show who is in class: accounts, their time, who has logged in, and what needs a person",
    details: "\
First how many accounts, seats and texts there are and how the service is; then what needs a person, a cause \
each; then a line for each account. On a terminal it shows as much as there is room for, those first that have \
no login in hand; elsewhere everything. It changes nothing, and asks Coder once for 200 users and once for 100 \
workspaces, however many are in class, and what our token may do and when it ends. If Coder or Redis does not \
answer, the rest is shown. There are no phones in it: the database has none. In JSON, times are UTC seconds; \
docs/monitoring.md tells every field.

Exit codes: 0 all was asked, 1 something did not answer, 2 misused
",
    options: "      --offline        do not ask Coder
      --json           print one JSON object
      --watch [SECONDS]  show it again and again, every 5 seconds if nothing else is said, until Ctrl-C
",
    run: status,
};

/// Pause between two looks of `--watch`.
const PAUSE: Duration = Duration::from_secs(5);

#[derive(Default)]
struct StatusArguments {
    offline: bool,
    json: bool,
    watch: Option<Duration>,
}

impl StatusArguments {
    fn read(arguments: &mut Arguments) -> Result<Self, CommandError> {
        let mut wanted = Self::default();
        let mut after_watch = false;
        while let Some(word) = arguments.next()? {
            match word {
                ArgumentWord::Option(option) => {
                    after_watch = option == "watch";
                    match option.as_str() {
                        "offline" => wanted.offline = true,
                        "json" => wanted.json = true,
                        "watch" => {
                            let seconds = arguments.value_given();
                            after_watch = seconds.is_none();
                            let seconds = seconds.map(|s| pause(&s.to_string_lossy()));
                            wanted.watch = Some(seconds.transpose()?.unwrap_or(PAUSE));
                        }
                        _ => return Err(CommandError::unknown_option(&option)),
                    }
                }
                ArgumentWord::Value(value) if after_watch => {
                    after_watch = false;
                    wanted.watch = Some(pause(&value.to_string_lossy())?);
                }
                ArgumentWord::Value(value) => return Err(CommandError::unexpected(&value)),
            }
        }
        Ok(wanted)
    }
}

fn pause(seconds: &str) -> Result<Duration, CommandError> {
    match seconds.parse() {
        Ok(number @ 1..=3_600) => Ok(Duration::from_secs(number)),
        _ => Err(CommandError::Misused(format!(
            "--watch wants seconds from 1 to 3600, not {seconds:?}"
        ))),
    }
}

fn status(arguments: &mut Arguments) -> Result<(), CommandError> {
    let wanted = StatusArguments::read(arguments)?;
    let config = arguments.config()?;
    let redis =
        Redis::new(&config.redis).map_err(|error| CommandError::Failed(error.to_string()))?;
    let mut waiting = Waiting::new(redis);
    let coder = Coder::new(
        Http::new(config.service.call_limit),
        &config.coder.address.api,
        config.coder.key.clone(),
    );
    let mut look = || inspect(&config, &wanted, &coder, &mut waiting);
    let Some(pause) = wanted.watch else {
        let view = look()?;
        if wanted.json {
            print(&format!("{}\n", view.json()));
        } else {
            print_raw(&screen::now(&view));
        }
        return if view.is_whole() {
            Ok(())
        } else {
            Err(CommandError::Reported)
        };
    };
    if wanted.json {
        loop {
            print(&format!("{}\n", look()?.json()));
            std::thread::sleep(pause);
        }
    }
    watch::show(&mut look, pause)
}

fn inspect(
    config: &Config,
    wanted: &StatusArguments,
    coder: &Coder,
    waiting: &mut Waiting,
) -> Result<ClassView, CommandError> {
    // Opened for each look: a restore must be able to take the database's place in between.
    let hand = Commands::open(&config.service.data_dir)?;
    let (roster, deliveries) = (hand.roster()?, hand.deliveries()?);
    let pending_redactions = config
        .service
        .redact
        .then(|| hand.pending_redactions(unix_now()));
    let pending_redactions = pending_redactions.transpose()?;
    let turned_away = hand.turned_away(unix_now())?;
    drop(hand);
    let at_coder = (!wanted.offline)
        .then(|| at_coder(coder, &config.coder.email_domain).map_err(|fault| fault.to_string()));
    let unknown = match &at_coder {
        Some(Ok(found)) => unknown_of(config, &found.users, &roster)?,
        _ => Vec::new(),
    };
    let (condition, obstacles) = condition(config);
    Ok(ClassView {
        now: unix_now(),
        condition,
        obstacles,
        roster,
        deliveries,
        pending_redactions,
        seats: config.service.max_users,
        turned_away,
        at_coder,
        unknown,
        texts: texts(waiting).map_err(|fault| fault.to_string()),
    })
}

/// How the service of this data folder is, and what it reports that keeps students from being served.
fn condition(config: &Config) -> (Condition, Vec<NamedFault>) {
    let condition = match wake::is_running(&config.service.data_dir) {
        Err(_) => Condition::Hidden,
        Ok(false) => Condition::Stopped,
        // It listens on a port that the system has chosen.
        Ok(true) if config.service.listen.port() == 0 => Condition::Running,
        Ok(true) => match healthcheck::ask(config.service.listen, healthcheck::LIMIT) {
            Ok(obstacles) => return (Condition::Well, obstacles),
            Err(HealthError::Ill { fault, obstacles }) => {
                return (Condition::Unwell(fault.to_string()), obstacles);
            }
            Err(why) => Condition::Unwell(why.to_string()),
        },
    };
    (condition, Vec::new())
}

/// Accounts of ours that the database does not know.
fn unknown_of(
    config: &Config,
    users: &[User],
    before: &[Registration],
) -> Result<Vec<UnknownAccount>, CommandError> {
    let hand = Commands::open(&config.service.data_dir)?;
    let instance_id = hand.instance_id()?;
    let marks = Marks {
        keys: &config.service.phone_keys,
        instance_id: instance_id.as_ref(),
        domain: &config.coder.email_domain,
    };
    let found = reconcile::unknown(users, before, marks);
    Ok(reconcile::still_unknown(found, &hand.roster()?))
}

fn at_coder(coder: &Coder, domain: &str) -> Result<CoderView, CoderError> {
    let users = coder.users_of(domain)?;
    let workspaces = coder.all_workspaces()?;
    let now = unix_now();
    Ok(CoderView {
        users,
        workspaces,
        token: TokenView {
            rights: coder.rights().map_err(|fault| fault.to_string()),
            validity: coder.validity(now).ok(),
        },
    })
}

fn texts(waiting: &mut Waiting) -> Result<QueueView, StreamError> {
    let (waiting_now, oldest) = waiting.queue()?;
    Ok(QueueView {
        waiting: waiting_now,
        oldest,
        dead: waiting.dead()?,
    })
}
