//! Plays one story on the real program.
//!
//! What a worker and the reaper do is held at their borders. At each move of the story the one that moves is let go up to
//! the effect of that move: its answer is kept back until the same one moves again. So whatever happens in between in the
//! story happens in between here. A failed call is let fail when the story goes on with another attempt. If the service is
//! about to do something else than the story says, the two have parted: everything is let go, and what comes of it is
//! judged all the same.

use std::cell::{Cell, RefCell};
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::brake::{Brake, Role};
use super::effects::{is_a_rest, is_effect_of};
use super::told::ToldMove;
use crate::classroom::student::{Student, Webhook};
use crate::classroom::within;
use crate::faults::points::stage::PointStage;

/// Seconds between two moments of the model.
pub const MOMENT: i64 = 100;

/// How long the service may take for its start, or to an end.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a role stands at its border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Nowhere: it has nothing to do, or begins by itself.
    Away,
    /// Before an effect.
    Arrived,
    /// The effect is done, and the answer is kept back.
    Done,
    /// There will be no answer.
    Failed,
}

/// One run of one story.
pub struct Player<'a> {
    stage: &'a PointStage,
    student: &'a Student<'a>,
    brake: Arc<Brake>,
    webhook: RefCell<Option<Webhook>>,
    worker: Cell<Standing>,
    reaper: Cell<Standing>,
    /// A worker is to take the text up with the next thing that it does.
    begins: Cell<bool>,
    /// The text was taken from Redis in this life.
    taken: Cell<bool>,
    /// A create is on its way to Coder.
    creates: Cell<bool>,
    moments: Cell<i64>,
    /// When the reaper looks at an account that nobody tells it to look at: never, in a story.
    far: i64,
}

type Parted = String;

impl<'a> Player<'a> {
    /// Starts the service, which then waits for the first move.
    pub fn new(stage: &'a PointStage, student: &'a Student<'a>, brake: Arc<Brake>) -> Self {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed();
        let now = now.map_or(0, |since| since.as_secs());
        let player = Self {
            stage,
            student,
            brake,
            webhook: RefCell::new(None),
            worker: Cell::new(Standing::Away),
            reaper: Cell::new(Standing::Away),
            begins: Cell::new(false),
            taken: Cell::new(false),
            creates: Cell::new(false),
            moments: Cell::new(0),
            far: i64::try_from(now).unwrap_or_default() + 80_000,
        };
        player.starts();
        player.keeps_the_reaper_away();
        player
    }

    /// Starts the service and waits until it has nothing to do.
    fn starts(&self) {
        self.brake.takes(Role::Taker);
        self.brake.takes(Role::Worker);
        self.stage.start_service();
        assert!(self.stage.class.service().logs("] Coder: "), "it starts");
    }

    /// When the reaper looks at an account again, the model leaves open. Here it does so when the story says it.
    fn keeps_the_reaper_away(&self) {
        let far = self.far;
        self.stage.class.change(&format!(
            "CREATE TRIGGER story_look AFTER UPDATE OF check_at ON registrations
                 WHEN NEW.check_at NOT IN (1, {far})
             BEGIN UPDATE registrations SET check_at = {far} WHERE id = NEW.id; END;
             CREATE TRIGGER story_first_look AFTER INSERT ON registrations
             BEGIN UPDATE registrations SET check_at = {far} WHERE id = NEW.id; END;"
        ));
    }

    /// Plays one move.
    ///
    /// # Errors
    /// The service does something else.
    pub fn plays(&self, what: &ToldMove, rest: &[ToldMove]) -> Result<(), Parted> {
        match what.parts() {
            ["text", ..] => self.texts(),
            ["begin", ..] => self.begins.set(true),
            ["time", ..] => self.time_passes(),
            ["kill", ..] => self.kills(),
            ["late", luck, _] => self.lands_late(luck == "done")?,
            ["lands", ..] => {
                self.creates.set(false);
                self.call(Role::Worker, "create", what)?;
            }
            ["work", "find", _] => self.finds(rest)?,
            ["work", step, _] => self.works(step, what)?,
            ["inspect", ..] => self.inspects()?,
            ["reap", step, _] => self.reaps(step, what, rest)?,
            _ => return Err("nobody knows how to play that".to_owned()),
        }
        self.is_as_far(what)
    }

    /// Compares the last registration with the story's. Others see a transaction a moment after its sync.
    fn is_as_far(&self, what: &ToldMove) -> Result<(), Parted> {
        let last =
            "SELECT coalesce((SELECT stage FROM registrations ORDER BY id DESC LIMIT 1), 'none')";
        let is_so = |stage: &String| within(PATIENCE, || self.stage.class.query(last) == *stage);
        match &what.stage {
            Some(stage) if !is_so(stage) => Err(format!("the registration is not {stage}")),
            _ => Ok(()),
        }
    }

    fn texts(&self) {
        let webhook = self.student.phrase_webhook();
        let is_taken = || self.student.posts(&webhook) == 200;
        self.stage.class.eventually("the text is taken", is_taken);
        *self.webhook.borrow_mut() = Some(webhook);
    }

    fn time_passes(&self) {
        self.moments.set(self.moments.get() + 1);
        let ahead = self.moments.get() * MOMENT;
        self.stage.class.coder().clock_is_ahead(ahead);
        self.stage.class.sets_the_clock(ahead);
    }

    fn kills(&self) {
        self.stage.stop_service();
        self.brake.drops_all(self.creates.replace(false));
        self.worker.set(Standing::Away);
        self.reaper.set(Standing::Away);
        self.begins.set(false);
        self.taken.set(false);
        self.brake.frees(Role::Reaper);
        self.starts();
    }

    fn lands_late(&self, is_done: bool) -> Result<(), Parted> {
        match self.brake.lands(is_done) {
            true => Ok(()),
            false => Err("no create is on its way".to_owned()),
        }
    }

    /// A worker reads the database. It does so on its way to what follows: a call, up to which it goes now, or a write.
    fn finds(&self, rest: &[ToldMove]) -> Result<(), Parted> {
        let own = |what: &&ToldMove| ["work", "kill"].contains(&what.parts()[0]);
        match rest.iter().find(own).map(ToldMove::parts) {
            Some(["work", step @ ("trace" | "again"), _]) => self.arrives(Role::Worker, step),
            _ => Ok(()),
        }
    }

    fn works(&self, step: &str, what: &ToldMove) -> Result<(), Parted> {
        match step {
            "create" => {
                self.arrives(Role::Worker, "create")?;
                self.creates.set(true);
                Ok(())
            }
            "acknowledge" | "deadletter" => {
                self.arrives(Role::Worker, step)?;
                self.brake.frees(Role::Worker);
                self.worker.set(Standing::Away);
                match within(PATIENCE, || self.stage.is_served()) {
                    true => Ok(()),
                    false => Err("the text is still in the stream".to_owned()),
                }
            }
            "ours" | "trace" | "again" | "send" => self.call(Role::Worker, step, what),
            // It finds that it may not.
            _ if !what.writes => Ok(()),
            _ => self.write(Role::Worker, step, what),
        }
    }

    /// The reaper looks at the account.
    fn inspects(&self) -> Result<(), Parted> {
        self.brake.takes(Role::Reaper);
        self.brake.moves(Some(Role::Reaper));
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let look = "UPDATE registrations SET check_at = 1 WHERE due_at <= CAST(strftime('%s') AS INTEGER) + ";
            let ahead = self.moments.get() * MOMENT;
            self.stage.class.change(&format!("{look}{ahead}"));
            self.wakes();
            let soon = Duration::from_millis(500);
            if self.brake.waits_for_within(Role::Reaper, soon).is_some() {
                let far = format!("UPDATE registrations SET check_at = {}", self.far);
                self.stage.class.change(&far);
                self.reaper.set(Standing::Arrived);
                return Ok(());
            }
        }
        Err("the reaper does not look at the account".to_owned())
    }

    /// Wakes the reaper as a command does.
    fn wakes(&self) {
        let path = self.stage.class.data_dir().join("run/wake.sock");
        // Without a service nobody is woken.
        let _ = UnixDatagram::unbound().and_then(|socket| socket.send_to(b"check", path));
    }

    fn reaps(&self, step: &str, what: &ToldMove, rest: &[ToldMove]) -> Result<(), Parted> {
        match step {
            "user" if what.parts()[2] == "well" => self.looks_for_user(what, rest)?,
            "user" | "delete" | "list" => self.call(Role::Reaper, step, what)?,
            // It finds that there is nothing to write.
            _ if !what.writes => {}
            _ => self.write(Role::Reaper, step, what)?,
        }
        if what.rests {
            if self.reaper.get() == Standing::Failed {
                self.brake.closes(Role::Reaper);
            }
            self.brake.frees(Role::Reaper);
            self.reaper.set(Standing::Away);
        }
        Ok(())
    }

    /// The reaper looks for the user, which takes several calls. The answer to the one that tells is kept back; where a
    /// user is found that is recorded, the answer has no part in what follows, and it goes on to the next call.
    fn looks_for_user(&self, what: &ToldMove, rest: &[ToldMove]) -> Result<(), Parted> {
        let own = |what: &&ToldMove| ["reap", "kill"].contains(&what.parts()[0]);
        let next = rest.iter().find(own).map(ToldMove::parts);
        let is_recorded = !matches!(next, Some(["reap", "created", _] | ["kill", ..]));
        if what.found && is_recorded {
            return self.arrives(Role::Reaper, "workspaces");
        }
        let twice = "SELECT count(*) FROM registrations
            WHERE coder_id IS NOT NULL AND create_repeated_at IS NOT NULL";
        let before = if self.stage.class.query(twice) == "0" {
            0
        } else {
            2
        };
        // By address; and by name, if there was none.
        let calls = before + if what.found { 1 } else { 2 };
        for call in 1..=calls {
            self.call(Role::Reaper, "user", what)?;
            if call < calls {
                self.brake.answers(Role::Reaper);
                self.stands(Role::Reaper, Standing::Away);
            }
        }
        Ok(())
    }

    /// A call, which ends as the story says.
    fn call(&self, role: Role, step: &str, what: &ToldMove) -> Result<(), Parted> {
        self.arrives(role, step)?;
        let [.., luck] = what.parts();
        let is_refused = luck == "refused";
        if is_refused {
            // Twilio is asked too much at this moment.
            let phone = self.student.phone();
            self.stage.class.twilio().refuse(phone, 429, 20_429);
        }
        if luck != "lostbefore" && !self.brake.applies(role) {
            return Err(format!("{step} is not carried out"));
        }
        if is_refused {
            self.stage.class.twilio().refuse_none();
        }
        let fails = luck.starts_with("lost");
        self.stands(
            role,
            if fails {
                Standing::Failed
            } else {
                Standing::Done
            },
        );
        Ok(())
    }

    /// A transaction of the database. When this returns it outlives a kill.
    fn write(&self, role: Role, step: &str, what: &ToldMove) -> Result<(), Parted> {
        self.arrives(role, step)?;
        if self.brake.waits_for(role).as_deref() == Some("coder create user") {
            return Ok(());
        }
        // A log that begins anew gets its head first, and that is synced by itself.
        let log = self.stage.class.data_dir().join("registrations.db-wal");
        let is_empty = std::fs::metadata(log).is_ok_and(|file| file.len() == 0);
        for _ in 0..1 + u32::from(is_empty) {
            for part in ["disk write log", "disk sync log"] {
                let label = self.brake.waits_for(role).unwrap_or_default();
                if !label.ends_with(part) {
                    return Err(format!("{step}: {part} is expected, not {label:?}"));
                }
                self.brake.answers(role);
            }
        }
        self.stands(role, Standing::Away);
        if !what.rests {
            // Up to the next effect, so that nobody else's calls are taken for its own.
            self.brake.moves(Some(role));
            if self.brake.waits_for(role).is_none() {
                return Err(format!("nothing follows {step}"));
            }
            self.stands(role, Standing::Arrived);
        }
        Ok(())
    }

    /// Has a role go on up to the effect of a step.
    fn arrives(&self, role: Role, step: &str) -> Result<(), Parted> {
        self.brake.moves(Some(role));
        let standing = match role {
            Role::Worker => self.worker.get(),
            _ => self.reaper.get(),
        };
        match standing {
            Standing::Done => drop(self.brake.answers(role)),
            Standing::Failed => drop(self.brake.closes(role)),
            Standing::Away | Standing::Arrived => {}
        }
        if role == Role::Worker && self.begins.take() && !self.taken.replace(true) {
            self.brake.frees(Role::Taker);
        }
        loop {
            let Some(label) = self.brake.waits_for(role) else {
                return Err(format!("{step} is expected, and nothing comes"));
            };
            if is_effect_of(step, &label) {
                self.stands(role, Standing::Arrived);
                return Ok(());
            }
            // More calls of the step before.
            if !is_a_rest(&label) {
                return Err(format!("{step} is expected, not {label:?}"));
            }
            self.brake.answers(role);
        }
    }

    fn stands(&self, role: Role, standing: Standing) {
        match role {
            Role::Worker => self.worker.set(standing),
            _ => self.reaper.set(standing),
        }
    }

    /// Lets everything go, has time pass, and waits until nobody is left. Returns whether that came.
    pub fn lets_all_go(&self) -> bool {
        self.brake.moves(None);
        for role in [Role::Taker, Role::Worker, Role::Reaper] {
            self.brake.frees(role);
        }
        while self.brake.lands(false) {}
        let class = &self.stage.class;
        class.change("DROP TRIGGER story_look; DROP TRIGGER story_first_look");
        if !within(PATIENCE, || self.stage.is_served()) {
            return false;
        }
        let is_gone = || class.nobody_is_left();
        let looks = || {
            class.change("UPDATE registrations SET check_at = 0");
            self.wakes();
            within(Duration::from_secs(1), is_gone)
        };
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if looks() {
                return true;
            }
            self.time_passes();
        }
        false
    }
}
