//! What is played while the tape counts: twelve acts, each with one student, or two.

use std::time::Duration;

use super::offer::Offer;
use super::stage::PointStage;
use super::{page, warm};
use crate::classroom::student::{Login, Student};
use crate::classroom::{ORIGIN, PHRASE};
use crate::fakes::twilio::SentText;
use crate::faults::table::Row;

/// How long Coder takes to stop the workspace of a user who is locked out. A look of the service finds it running
/// before.
const STOP: Duration = Duration::from_millis(400);

/// One act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PointAct {
    /// An empty folder; one text, one login.
    First,
    /// A phone that has a login texts again and gets another.
    Again,
    /// The same, when the database's log is due to be carried into the database.
    Carry,
    /// An account with a stopped workspace whose time is up.
    Removal,
    /// An account with a running workspace that was ended by hand: it is locked out, Coder stops the workspace.
    End,
    /// The command that gives an account another password, and the student's next text.
    Renew,
    /// An empty folder; a text whose answer Twilio refuses for good: a dead letter, and the account
    /// is removed again.
    Refused,
    /// An empty folder; a text that never reached us is found in Twilio's log.
    Missed,
    /// An empty folder; a text with the code of a laptop's page, whose person says yes.
    Screen,
    /// An empty folder; one text, one login, and a workspace with it.
    Workspace,
    /// A phone with an account of one class, whose login was not sent yet, texts the phrase of another.
    Moved,
    /// An empty folder; a class with spare accounts, from the first one until it has closed.
    Warm,
}

impl PointAct {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::First,
        Self::Again,
        Self::Carry,
        Self::Removal,
        Self::End,
        Self::Renew,
        Self::Refused,
        Self::Missed,
        Self::Screen,
        Self::Workspace,
        Self::Moved,
        Self::Warm,
    ];

    /// Its name in plans.
    pub fn word(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Again => "again",
            Self::Carry => "carry",
            Self::Removal => "removal",
            Self::End => "end",
            Self::Renew => "renew",
            Self::Refused => "refused",
            Self::Missed => "missed",
            Self::Screen => "screen",
            Self::Workspace => "workspace",
            Self::Moved => "moved",
            Self::Warm => "warm",
        }
    }

    /// Its name in the table.
    pub fn title(self) -> &'static str {
        match self {
            Self::First => "first login",
            Self::Again => "another login",
            Self::Carry => "another, with a checkpoint",
            Self::Removal => "removal",
            Self::End => "end with a running workspace",
            Self::Renew => "renewal of a password",
            Self::Refused => "refused, dead letter, removal",
            Self::Missed => "found in Twilio's log",
            Self::Screen => "login on a laptop's page",
            Self::Workspace => "a workspace with the login",
            Self::Moved => "move to another class",
            Self::Warm => "spare accounts",
        }
    }

    /// Texts that the student is to have in the end.
    fn texts(self) -> usize {
        match self {
            Self::Refused | Self::Screen => 0,
            Self::First
            | Self::Removal
            | Self::End
            | Self::Missed
            | Self::Workspace
            | Self::Warm => 1,
            Self::Again | Self::Carry | Self::Renew | Self::Moved => 2,
        }
    }

    /// How many students it has.
    pub fn students(self) -> usize {
        if self == Self::Warm { 2 } else { 1 }
    }

    /// Whether the service runs already when it begins.
    fn is_in_the_middle(self) -> bool {
        matches!(self, Self::Again | Self::Carry)
    }

    /// Brings the stage to where the act begins; the tape does not count yet.
    pub fn prepare(self, stage: &PointStage, student: &Student<'_>) {
        match self {
            Self::First => return,
            Self::Refused => {
                stage.class.set("CODER_REG_CALL_LIMIT", "2s");
                return stage.class.twilio().refuse(student.phone(), 400, 21_614);
            }
            Self::Workspace => return stage.class.set("CODER_REG_TEMPLATE", "docker"),
            Self::Warm => return warm::prepare(stage),
            Self::Missed => {
                stage.class.set("CODER_REG_CATCH_UP", "30");
                // It stands in the log now, and is not brought to us.
                return drop(student.webhook(PHRASE, &[]));
            }
            Self::Screen => {
                stage.class.set("CODER_REG_PAGES_URL", ORIGIN);
                stage.class.set("CODER_REG_ORG", "A class");
                return stage.class.set("CODER_REG_REPLY", "screen");
            }
            Self::Moved => two_classes(stage),
            Self::Again | Self::Carry | Self::Removal | Self::End | Self::Renew => {}
        }
        stage.start_service();
        student.texts(PHRASE);
        let login = student.next_login();
        stage.class.eventually("a quiet service", || {
            stage.is_served() && stage.class.service().logs("] Coder: ")
        });
        match self {
            Self::Removal => return time_is_up(stage, &login),
            Self::End => return was_ended(stage, &login),
            Self::Moved => return waits_for_its_login(stage),
            _ => {}
        }
        // A login answers all texts of its second, so it was a while ago.
        stage.class.change(
            "UPDATE registrations SET announced_at = announced_at - 600, window_start = window_start - 600",
        );
        if self == Self::Renew {
            stage.stop_service();
        }
        if self == Self::Carry {
            // SQLite carries its log over after the transaction with which it has a thousand pages.
            stage.class.change(
                "PRAGMA wal_autocheckpoint = 0;
                 INSERT INTO facts (name, value) VALUES ('ballast', zeroblob(4200000));
                 DELETE FROM facts WHERE name = 'ballast'",
            );
        }
    }

    /// Plays it with the tape counting. Returns whether it came to its end in time.
    pub fn play(self, stage: &PointStage, students: &[Student<'_>]) -> bool {
        let student = &students[0];
        match (self, student.last_login()) {
            (Self::Renew, Some(login)) => {
                if !stage.runs_command(&["renew", login.username()]) {
                    return false;
                }
                stage.start_service();
            }
            _ if self.is_in_the_middle() => {}
            _ => stage.start_service(),
        }
        if self == Self::Screen {
            return page::plays(stage, student);
        }
        if self == Self::Warm {
            return warm::plays(stage, students);
        }
        let first_life = stage.tape.life();
        let texts = !matches!(self, Self::Removal | Self::End | Self::Missed);
        let phrase = if self == Self::Moved {
            OTHER_PHRASE
        } else {
            PHRASE
        };
        let webhook = texts.then(|| student.webhook(phrase, &[]));
        let offer = Offer::new(webhook);
        let ready = |stage: &PointStage| {
            let fresh = self.is_in_the_middle() && stage.tape.life() == first_life;
            fresh || (stage.tape.has_reached("coder check permissions") && stage.is_idle())
        };
        stage.plays_until(
            |stage| {
                // Not in the middle of a start: the order of effects would change from run to run.
                if ready(stage) {
                    offer.goes_on(stage, student);
                }
            },
            |stage| {
                let is_over = match self {
                    Self::Removal | Self::End => nothing_is_left(stage),
                    Self::Refused => {
                        offer.is_taken() && stage.is_served() && nothing_is_left(stage)
                    }
                    Self::Missed => !student.inbox().is_empty() && stage.is_served(),
                    Self::Workspace => {
                        offer.is_taken() && stage.is_served() && has_a_settled_workspace(stage)
                    }
                    _ => offer.is_taken() && stage.is_served(),
                };
                is_over && ready(stage) && stage.is_idle()
            },
        )
    }

    /// Counts who came to harm, and says what else is wrong.
    pub fn judge(self, stage: &PointStage, students: &[Student<'_>], row: &mut Row) -> Vec<String> {
        let mut wrong = match self {
            Self::Warm => warm::judge(stage, students, row),
            _ => self.judge_one(stage, &students[0], row),
        };
        let mut expect = |holds: bool, what: &str| {
            if !holds {
                wrong.push(what.to_owned());
            }
        };
        expect(stage.is_served(), "a text is left in the stream");
        stage.stop_service();
        expect(
            stage.class.query("PRAGMA integrity_check") == "ok",
            "the database is damaged",
        );
        expect(
            stage.tape.strays().is_empty(),
            "something went past the tape",
        );
        wrong
    }

    fn judge_one(self, stage: &PointStage, student: &Student<'_>, row: &mut Row) -> Vec<String> {
        let class = &stage.class;
        let removes = matches!(self, Self::Removal | Self::End | Self::Refused);
        if removes {
            row.students += 1;
            row.count_left(class);
            row.doubled += usize::from(student.inbox().len() > self.texts());
            row.doubled += class.coder().created_ever().len().saturating_sub(1);
        } else {
            if self == Self::Screen {
                row.students += 1;
                row.lost += usize::from(!page::has_a_login_that_works(stage));
                row.doubled += student.inbox().len();
            } else {
                row.count_logins(std::slice::from_ref(student), self.texts());
            }
            // A password that is not known and cannot be set is got rid of with its account.
            let replaces = self == Self::Renew && !stage.site.sets_passwords();
            let replaced = class.coder().deleted_users().len();
            row.count_accounts(class, 1 + if replaces { replaced } else { 0 });
        }
        let mut wrong = Vec::new();
        let mut expect = |holds: bool, what: &str| {
            if !holds {
                wrong.push(what.to_owned());
            }
        };
        let logins = student.inbox();
        expect(logins.len() >= self.texts(), "a text is missing");
        // Who asks again gets the same words once more; more texts than asked for are counted above.
        let is_renewed = stage.command_code.get() == Some(0);
        let may_repeat =
            self.is_in_the_middle() || self == Self::Moved || self == Self::Renew && !is_renewed;
        expect(
            may_repeat || all_differ(&logins),
            "the same text was sent twice",
        );
        let first = logins.first().and_then(|text| Login::read(&text.body));
        let opens =
            first.is_some_and(|login| class.coder().password_works(&login.email, &login.password));
        expect(
            !(is_renewed && opens),
            "the password that was renewed still works",
        );
        if self == Self::Refused {
            // Killed while it is written, it may stand there twice.
            let written = (1..=3).contains(&stage.dead_letters());
            expect(written, "the dead letter is missing or stands there often");
        } else {
            expect(stage.dead_letters() == 0, "there is a dead letter");
        }
        if !removes {
            let stage_word = class.query("SELECT stage FROM registrations");
            expect(stage_word == "announced", "no login is recorded");
            let open = class.query("SELECT count(fingerprint) FROM registrations");
            expect(open == "0", "a send is still open");
        }
        if self == Self::Moved {
            let where_it_is = class.query("SELECT group_concat(class) FROM registrations");
            expect(where_it_is == "next", "it is not in the other class");
        }
        if self == Self::Workspace {
            let made = class.coder().all_workspaces();
            row.doubled += made.len().saturating_sub(1);
            row.lost += usize::from(!made.iter().any(|one| one.status == "running"));
        }
        wrong
    }
}

/// The phrase of the other class.
const OTHER_PHRASE: &str = "brown lantern";

fn two_classes(stage: &PointStage) {
    stage.class.unset("CODER_REG_PASS");
    stage.class.set("CODER_CLASS_FIRST_PASS", PHRASE);
    stage.class.set("CODER_CLASS_NEXT_PASS", OTHER_PHRASE);
    stage.class.set("CODER_CLASS_NEXT_SEATS", "1");
}

/// Its user is made, and its login has yet to be sent.
fn waits_for_its_login(stage: &PointStage) {
    stage.stop_service();
    stage.class.change(
        "UPDATE registrations SET stage = 'created', announced_at = NULL, sent_in_window = 0",
    );
}

/// Its workspace is at rest, and nobody looked at it since its time is up.
fn time_is_up(stage: &PointStage, login: &Login) {
    stage.class.coder().build_time(Duration::ZERO);
    stage.class.has_a_stopped_workspace(login);
    stage.stop_service();
    // There is an old text to be forgotten, too.
    stage.class.change(
        "UPDATE registrations SET due_at = due_at - 86400;
         INSERT INTO seen (sid, at) VALUES ('SM0', 0)",
    );
}

/// Its workspace runs, and the command that ends it is on record; the service has yet to see it.
fn was_ended(stage: &PointStage, login: &Login) {
    let coder = stage.class.coder();
    coder.build_time(Duration::ZERO);
    coder.suspended_workspaces_stop_after(STOP);
    let runs = coder.running_workspace(login.username(), "dev");
    runs.expect("a workspace");
    stage.stop_service();
    let ended = stage.class.by_hand(&["end", login.username()]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

fn nothing_is_left(stage: &PointStage) -> bool {
    stage.class.nobody_is_left()
}

fn all_differ(texts: &[SentText]) -> bool {
    texts
        .iter()
        .enumerate()
        .all(|(i, text)| texts[..i].iter().all(|other| other.body != text.body))
}

/// Whether the workspace is made and runs, and the service knows it.
fn has_a_settled_workspace(stage: &PointStage) -> bool {
    let settled = "SELECT count(*) FROM workspaces WHERE id IS NOT NULL AND check_at IS NULL";
    stage.class.query(settled) == "1"
}
