//! `status`: an overview of the class.
//!
//! - `overview`: what was found, and what follows from it
//! - `concerns`: what needs the operator
//! - `screen`: the text, fitted to the terminal; `account_table`: its table
//! - `json`: the same for scripts
//! - `watch`: the text again and again, drawn in place

mod account_table;
mod concerns;
mod json;
mod overview;
mod screen;
mod watch;

use std::time::Duration;

use super::arguments::{ArgumentWord, Arguments, CLASS, CommandError};
use super::naming::no_class;
use super::{Command, print, print_raw};
use crate::clock::unix_now;
use crate::coder::{Coder, CoderError, User};
use crate::config::Config;
use crate::domain::registration::Registration;
use crate::domain::{ClassName, seconds};
use crate::healthcheck::{self, HealthError, NamedFault};
use crate::http::Http;
use crate::reconcile::{self, Marks, UnknownAccount};
use crate::store::{Commands, Spare, SpareFigures, TroubledWorkspace};
use crate::stream::{Redis, StreamError, StreamInspector};
use crate::wake;
use overview::{ClassSeats, ClassView, CoderView, Condition, QueueView, TokenView};

pub(super) const COMMAND: Command = Command {
    name: "status",
    operands: "",
    summary: "show the class: accounts, their time, logins, and what needs you",
    details: "\
First come the numbers of accounts, seats and texts and the state of the service, then what needs you, one \
entry per cause, then a line for each account. On a terminal it prints as much as fits, with the accounts first \
whose students have no login; elsewhere it prints everything. It changes nothing. Its requests to Coder are one per \
200 users, one per 100 workspaces, and a few about the token. If Coder or Redis does not answer, the rest is \
shown. It shows no phones: the database has none. In JSON, times are UTC seconds; docs/monitoring.md describes \
every field.

With --class only the accounts and seats of one class are shown.

Exit codes: 0 Coder and Redis answered, 1 one of them did not, 2 wrong usage, 3 no such class
",
    options: "      --class NAME     only this class
      --offline        do not ask Coder
      --json           print one JSON object
      --watch [SECONDS]  repeat it every SECONDS (default: 5) until Ctrl-C
",
    run: status,
};

/// The default pause between two views of `--watch`.
const PAUSE: Duration = Duration::from_secs(5);

#[derive(Default)]
struct StatusArguments {
    offline: bool,
    json: bool,
    class: Option<ClassName>,
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
                        CLASS => {
                            arguments.read_class()?;
                            wanted.class = arguments.class().cloned();
                        }
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
            "--watch needs seconds from 1 to 3600, not {seconds:?}"
        ))),
    }
}

fn status(arguments: &mut Arguments) -> Result<(), CommandError> {
    let wanted = StatusArguments::read(arguments)?;
    let config = arguments.config()?;
    let redis =
        Redis::new(&config.redis).map_err(|error| CommandError::Failed(error.to_string()))?;
    let mut waiting = StreamInspector::new(redis.patient());
    let coder = Coder::new(
        Http::new(config.service.call_limit),
        &config.coder.address.api,
        config.coder.key.clone(),
    );
    let mut view = || inspect(&config, &wanted, &coder, &mut waiting);
    let Some(pause) = wanted.watch else {
        let view = view()?;
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
            print(&format!("{}\n", view()?.json()));
            std::thread::sleep(pause);
        }
    }
    watch::show(&mut view, pause)
}

fn inspect(
    config: &Config,
    wanted: &StatusArguments,
    coder: &Coder,
    waiting: &mut StreamInspector,
) -> Result<ClassView, CommandError> {
    // Opened for each view: between two views a restore must be able to replace the database.
    let hand = Commands::open(&config.service.data_dir)?;
    let (roster, deliveries) = (hand.roster()?, hand.deliveries()?);
    let spares = hand.spares()?;
    let pending_redactions = config
        .service
        .redact
        .then(|| hand.pending_redactions(unix_now()));
    let pending_redactions = pending_redactions.transpose()?;
    let turned_away = hand.turned_away(unix_now())?;
    let troubled_workspaces = troubled_workspaces(config, wanted, &hand)?;
    drop(hand);
    let at_coder = (!wanted.offline).then(|| at_coder(coder, &config.coder.email_domain, &roster));
    let unknown = match &at_coder {
        Some(Ok(found)) => unknown_of(config, &found.users, &roster)?,
        _ => Vec::new(),
    };
    let (condition, obstacles) = condition(config);
    let (classes, mut roster) = classes(config, wanted, roster, &spares)?;
    // A spare has no student; only one that cannot be removed needs the operator.
    roster.retain(|one| !one.is_spare() || one.removal.refused_since.is_some());
    let shows_all = classes.len() == config.class.classes.len();
    Ok(ClassView {
        now: unix_now(),
        condition,
        obstacles,
        roster,
        deliveries,
        pending_redactions,
        classes,
        reply: config.pages.reply,
        check_interval: seconds(config.class.check_interval),
        turned_away: shows_all.then_some(turned_away),
        at_coder,
        unknown,
        texts: texts(waiting).map_err(|fault| fault.to_string()),
        troubled_workspaces,
    })
}

/// The workspaces of the classes that are shown that are not made or do not run, each with its template.
fn troubled_workspaces(
    config: &Config,
    wanted: &StatusArguments,
    hand: &Commands,
) -> Result<Vec<(TroubledWorkspace, String)>, CommandError> {
    let mut troubled = hand.troubled_workspaces(unix_now())?;
    if wanted.class.is_some() {
        troubled.retain(|one| one.class == wanted.class);
    }
    let with_template = |one: TroubledWorkspace| {
        let workspace = config.class.workspace_of(one.class.as_ref())?;
        let template = workspace.template.as_str().to_owned();
        Some((one, template))
    };
    Ok(troubled.into_iter().filter_map(with_template).collect())
}

/// The seats of the classes that are shown, and the accounts that are.
fn classes(
    config: &Config,
    wanted: &StatusArguments,
    mut roster: Vec<Registration>,
    spares: &[Spare],
) -> Result<(Vec<ClassSeats>, Vec<Registration>), CommandError> {
    let now = unix_now();
    let seats_of = |class: &crate::config::ClassSettings| ClassSeats {
        name: class.name.clone(),
        state: class.state_at(now),
        seats: class.seats,
        setting: class.setting("_SEATS"),
        taken: {
            let students = roster.iter().filter(|one| !one.is_spare());
            match &class.name {
                // It has the seats of all accounts.
                None => students.count(),
                name => students.filter(|one| one.class == *name).count(),
            }
        },
        spares_wanted: class.spares_wanted(now),
        spares: {
            let all = spares.iter();
            SpareFigures::of(all.filter(|one| one.class == class.name))
        },
    };
    let mut classes: Vec<ClassSeats> = config.class.classes.iter().map(seats_of).collect();
    if let Some(asked) = &wanted.class {
        let names = classes.iter().filter_map(|class| class.name.as_ref());
        // Accounts of a class that was taken out of the settings are shown as well.
        let known = names.chain(roster.iter().filter_map(|one| one.class.as_ref()));
        if !known.clone().any(|name| name == asked) {
            return Err(CommandError::Unmatched(no_class(asked, known)));
        }
        classes.retain(|class| class.name.as_ref() == Some(asked));
        roster.retain(|one| one.class.as_ref() == Some(asked));
    }
    Ok((classes, roster))
}

/// The condition of the service that uses this data folder, and what keeps students from being served.
fn condition(config: &Config) -> (Condition, Vec<NamedFault>) {
    let condition = match wake::is_running(&config.service.data_dir) {
        Err(_) => Condition::Hidden,
        Ok(false) => Condition::Stopped,
        // The system has chosen its port, which is not known here.
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

/// Accounts with our mark that are missing from the database.
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

/// The most accounts that are looked up one by one because the list does not contain them.
const LOOK_UPS: usize = 20;

/// The users of `domain`, and the users of `roster` that were made before `CODER_EMAIL_DOM` was changed.
fn users_of(coder: &Coder, domain: &str, roster: &[Registration]) -> Result<Vec<User>, CoderError> {
    let mut users = coder.users_of(domain)?;
    let mut look_ups = 0;
    for registration in roster {
        let Some(id) = &registration.coder_id else {
            continue;
        };
        if look_ups == LOOK_UPS || users.iter().any(|user| user.id == *id) {
            continue;
        }
        look_ups += 1;
        let Some(user) = coder.locate(id, &registration.username.email(domain))? else {
            continue;
        };
        match user.email.rsplit_once('@') {
            Some((_, other)) if !other.eq_ignore_ascii_case(domain) => {
                users.extend(coder.users_of(other)?);
            }
            _ => {}
        }
        users.push(user);
    }
    Ok(users)
}

fn at_coder(coder: &Coder, domain: &str, roster: &[Registration]) -> Result<CoderView, CoderError> {
    let users = users_of(coder, domain, roster)?;
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

fn texts(waiting: &mut StreamInspector) -> Result<QueueView, StreamError> {
    let (waiting_now, oldest) = waiting.queue()?;
    Ok(QueueView {
        waiting: waiting_now,
        oldest,
        dead: waiting.dead()?,
    })
}
