//! Makes the spares that are missing.

use std::sync::{Mutex, PoisonError};

use log::info;

use super::looks::is_unused;
use super::{AT_ONCE, SpareKeeper, due_at, seats};
use crate::clock::unix_now;
use crate::coder::{CoderError, CreateResult, NewUser};
use crate::config::ClassSettings;
use crate::domain::registration::{Event, Registration, Stage};
use crate::domain::{Marker, UnixSeconds, Username, count};
use crate::ownership::find_ours;
use crate::store::{NewSpare, ReserveResult, Spare, StoreError};

/// How many names are drawn for one spare.
const NAMES: u32 = 10;

/// A spare to make.
#[derive(Clone, Debug)]
enum Task<'a> {
    /// Another one of this class.
    New(&'a ClassSettings),
    /// One that is reserved already, by a sweep that was interrupted.
    Reserved(&'a Username),
}

/// How far a sweep has come.
#[derive(Default)]
struct MakingProgress {
    next: usize,
    made: usize,
    fault: Option<CoderError>,
    broken: Option<StoreError>,
}

/// Why one spare is not made.
enum SpareError {
    Coder(CoderError),
    Store(StoreError),
}

impl From<CoderError> for SpareError {
    fn from(fault: CoderError) -> Self {
        Self::Coder(fault)
    }
}

impl From<StoreError> for SpareError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl SpareKeeper {
    /// Makes the spares that are missing beside `spares`, at most a hundred. Returns whether these were all.
    pub(super) fn make_missing(
        &mut self,
        spares: &[Spare],
        now: UnixSeconds,
    ) -> Result<Result<bool, CoderError>, StoreError> {
        let mut tasks = Vec::new();
        for class in &self.class.classes {
            let wanted = class.spares_wanted(now);
            let own = spares.iter().filter(|spare| spare.class == class.name);
            let reserved = own.clone().filter(|one| one.stage == Stage::Reserved);
            tasks.extend(reserved.map(|one| Task::Reserved(&one.username)));
            let allowed = self.store.spares_allowed(seats(class), wanted)?;
            let allowed = usize::try_from(allowed).unwrap_or(usize::MAX);
            let missing = allowed.saturating_sub(own.count());
            let number = match self.pools.get_mut(&class.name) {
                Some(pool) => pool.allows(wanted, missing, now),
                None => missing,
            };
            tasks.extend((0..number).map(|_| Task::New(class)));
        }
        let all = tasks.len() <= AT_ONCE;
        tasks.truncate(AT_ONCE);
        let progress = self.make_side_by_side(&tasks);
        if progress.made > 0 {
            info!("{} made", count(progress.made, "spare account"));
        }
        match (progress.broken, progress.fault) {
            (Some(error), _) => Err(error),
            (None, Some(fault)) => Ok(Err(fault)),
            (None, None) => Ok(Ok(all)),
        }
    }

    fn make_side_by_side(&self, tasks: &[Task<'_>]) -> MakingProgress {
        let progress = Mutex::new(MakingProgress::default());
        let lock = || progress.lock().unwrap_or_else(PoisonError::into_inner);
        let take = || {
            let mut progress = lock();
            let is_over = progress.fault.is_some() || progress.broken.is_some();
            let task = tasks.get(progress.next).filter(|_| !is_over)?;
            progress.next += 1;
            Some(task)
        };
        let work = || {
            while let Some(task) = take() {
                let made = self.make(task);
                let mut progress = lock();
                match made {
                    Ok(made) => progress.made += usize::from(made),
                    Err(SpareError::Coder(fault)) => progress.fault = Some(fault),
                    Err(SpareError::Store(error)) => progress.broken = Some(error),
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.parallel.min(tasks.len()) {
                let helper = std::thread::Builder::new().name("spares".to_owned());
                // If the system has no thread left, this thread does all the work.
                let _ = helper.spawn_scoped(scope, work);
            }
            work();
        });
        progress
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes one spare. Returns `false` if it is not wanted any more.
    fn make(&self, task: &Task<'_>) -> Result<bool, SpareError> {
        let reserved = match task {
            Task::Reserved(username) => self.store.spare_named(username)?,
            Task::New(class) => self.reserve(class)?,
        };
        let Some(mut registration) = reserved else {
            return Ok(false);
        };
        if matches!(task, Task::Reserved(_)) {
            // An earlier request may still be carried out.
            self.store.begin_create(registration.id, unix_now())?;
        }
        for clashes in 1..=NAMES {
            if let Some(made) = self.create(&registration)? {
                return Ok(made);
            }
            let username = Username::draw(clashes);
            let marker = Marker::draw(&username, &self.key, &self.instance_id);
            let due = registration.due_at.unwrap_or_else(unix_now);
            let id = registration.id;
            if self
                .store
                .rename(id, Event::Renamed, &username, &marker, due)?
            {
                registration = Registration {
                    username,
                    marker,
                    ..registration
                };
            }
        }
        Ok(false)
    }

    /// Records a spare that is about to be made. `None` = its class wants no more.
    fn reserve(&self, class: &ClassSettings) -> Result<Option<Registration>, StoreError> {
        for clashes in 0..NAMES {
            let now = unix_now();
            let username = Username::draw(clashes);
            let new = NewSpare {
                username: &username,
                marker: &Marker::draw(&username, &self.key, &self.instance_id),
                due_at: due_at(class, now),
                seats: seats(class),
                wanted: class.spares_wanted(now),
            };
            match self.store.reserve_spare(new, now)? {
                ReserveResult::Done => return self.store.spare_named(&username),
                ReserveResult::Full | ReserveResult::Ended => return Ok(None),
                ReserveResult::Clash => {}
            }
        }
        Ok(None)
    }

    /// Makes the user of a spare, or finds the one that an interrupted sweep has made. Returns whether it is a
    /// spare now; `None` = its name belongs to somebody else.
    fn create(&self, registration: &Registration) -> Result<Option<bool>, SpareError> {
        let username = &registration.username;
        let email = username.email(&self.email_domain);
        let password = self.passwords.password_of(registration);
        let new = NewUser::of(registration, &email, &password);
        let created = self.coder.create_user(new)?;
        let now = unix_now();
        let due = registration.due_at.unwrap_or(now);
        // A name that is taken by our own user was made by a request whose answer was lost.
        let user = match created {
            CreateResult::Created(user) => Some((user.id, true)),
            CreateResult::Taken => find_ours(&self.coder, registration, &email)?
                .map(|user| (user.id.clone(), is_unused(&user))),
        };
        let Some((coder_id, unused)) = user else {
            return Ok(None);
        };
        let stage = if unused {
            let class = registration.class.as_ref();
            let wants = self.class.workspace_of(class).is_some();
            self.store
                .spare_made(registration.id, &coder_id, due, wants, now)?
        } else {
            // The next look dismisses it.
            self.store
                .created_for_screen(registration.id, &coder_id, due)?
        };
        let is_made = stage == Stage::Created;
        if is_made {
            (self.on_made)(username);
        }
        Ok(Some(is_made))
    }
}
