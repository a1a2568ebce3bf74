//! A brake on the worker and the reaper of a service: each of them is held where it leaves its process, before an effect
//! or before the answer to it, until the player of a story lets it go on.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::effects::settles;
use crate::faults::tape::EffectEnd;

/// Who is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The thread that takes texts from Redis.
    Taker,
    /// The worker that serves the text.
    Worker,
    /// The thread that removes accounts.
    Reaper,
}

/// What has become of an effect that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Wait,
    Apply,
    Answer,
    Close,
}

struct HeldEffect {
    number: u64,
    /// `None`: it belongs to a life that is over, and may still be carried out.
    role: Option<Role>,
    label: Arc<str>,
    order: Order,
    /// Whether its deed has begun, and whether it is done.
    applied: bool,
    done: bool,
}

/// How far the reaper has come in an inspection that it was told to make. Until that begins, it may have to finish another
/// one, which nobody holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Inspection {
    /// None is wanted.
    #[default]
    None,
    /// It has to begin.
    Wanted,
    /// The reaper has asked for the rights of its token, as it does first.
    Begun,
    /// Its first call was held, and so is all that follows.
    Held,
}

#[derive(Default)]
struct BrakeState {
    taken: Vec<Role>,
    inspection: Inspection,
    /// To whom calls belong that worker and reaper both make.
    mover: Option<Role>,
    held: Vec<HeldEffect>,
    next: u64,
}

/// The brake of one run.
#[derive(Default)]
pub struct Brake {
    state: Mutex<BrakeState>,
    changed: Condvar,
}

/// How long anything may take until it is held or let go.
const PATIENCE: Duration = Duration::from_secs(60);

impl BrakeState {
    /// Whose effect that is, if it is to be held.
    fn holds(&mut self, label: &str) -> Option<Role> {
        let role = match label {
            "coder create user"
            | "coder set password"
            | "twilio send text"
            | "twilio list texts"
            | "worker disk write log"
            | "worker disk sync log" => Some(Role::Worker),
            "coder delete user"
            | "coder list workspaces"
            | "reaper disk write log"
            | "reaper disk sync log"
            | "coder check permissions" => Some(Role::Reaper),
            "coder list users" | "coder read user" => self.mover,
            _ if settles(label) => Some(Role::Worker),
            _ if label.starts_with("provisioner redis X") => Some(Role::Taker),
            _ => None,
        };
        match role? {
            Role::Reaper => self.inspects(label).then_some(Role::Reaper),
            other => self.taken.contains(&other).then_some(other),
        }
    }

    /// Holds an effect, and gives its number.
    fn arrives(&mut self, role: Role, label: &str) -> u64 {
        // Of an effect that somebody gave up while it was held nobody waits for the answer.
        let former = self.held.iter_mut().filter(|one| one.role == Some(role));
        former.for_each(|one| one.order = Order::Close);
        let number = self.next;
        self.next += 1;
        self.held.push(HeldEffect {
            number,
            role: Some(role),
            label: label.into(),
            order: Order::Wait,
            applied: false,
            done: false,
        });
        number
    }

    /// The deed is done; its answer is held, if no order for it has come meanwhile.
    fn is_done(&mut self, number: u64) {
        for one in self.held.iter_mut().filter(|one| one.number == number) {
            one.done = true;
            if one.order == Order::Apply {
                one.order = Order::Wait;
            }
        }
    }

    /// Whether an effect of the reaper belongs to the inspection that is wanted.
    fn inspects(&mut self, label: &str) -> bool {
        self.inspection = match (self.inspection, label) {
            (Inspection::Wanted, "coder check permissions") => Inspection::Begun,
            (Inspection::Begun, "coder list users" | "coder read user") => Inspection::Held,
            // The rights were asked for at the end of the inspection before.
            (Inspection::Begun, "reaper disk write log") => Inspection::Wanted,
            (before, _) => before,
        };
        self.inspection == Inspection::Held && label != "coder check permissions"
    }
}

impl Brake {
    /// Has one effect pass, once it is let go. `None` = it is not held.
    pub fn meets(&self, label: &str, deed: &mut dyn FnMut()) -> Option<EffectEnd> {
        let mut state = self.lock();
        let role = state.holds(label)?;
        let number = state.arrives(role, label);
        self.changed.notify_all();
        loop {
            let one = state.held.iter_mut().find(|one| one.number == number);
            let one = one.expect("it stays until it ends here");
            let end = match one.order {
                Order::Apply | Order::Answer if !one.applied => {
                    one.applied = true;
                    drop(state);
                    deed();
                    state = self.lock();
                    state.is_done(number);
                    self.changed.notify_all();
                    continue;
                }
                Order::Answer => EffectEnd::Answered,
                Order::Close => EffectEnd::Broken,
                Order::Wait | Order::Apply => {
                    let waited = self.changed.wait(state);
                    state = waited.unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
            };
            state.held.retain(|one| one.number != number);
            self.changed.notify_all();
            return Some(end);
        }
    }

    /// From now on the effects of these are held; those of the reaper when it begins its next inspection.
    pub fn takes(&self, role: Role) {
        let mut state = self.lock();
        if role == Role::Reaper {
            state.inspection = Inspection::Wanted;
        }
        if !state.taken.contains(&role) {
            state.taken.push(role);
        }
    }

    /// From now on it goes on by itself.
    pub fn frees(&self, role: Role) {
        let mut state = self.lock();
        state.taken.retain(|one| *one != role);
        if role == Role::Reaper {
            state.inspection = Inspection::None;
        }
        let own = state.held.iter_mut().filter(|one| one.role == Some(role));
        own.for_each(|one| one.order = Order::Answer);
        drop(state);
        self.changed.notify_all();
    }

    /// Calls that worker and reaper both make are now made by this one; `None` = they are not held.
    pub fn moves(&self, role: Option<Role>) {
        self.lock().mover = role;
    }

    /// Waits until an effect of this role is held that is not applied yet, and says which.
    pub fn waits_for(&self, role: Role) -> Option<Arc<str>> {
        self.waits_for_within(role, PATIENCE)
    }

    /// The same, for so long.
    pub fn waits_for_within(&self, role: Role, limit: Duration) -> Option<Arc<str>> {
        self.wait(limit, |state| {
            let own = |one: &&HeldEffect| one.role == Some(role);
            let held = state.held.iter().find(own);
            let fresh = held.filter(|one| one.order == Order::Wait && !one.applied);
            fresh.map(|one| Arc::clone(&one.label))
        })
    }

    /// Has the effect that is held carried out; its answer is held. Returns when it is done.
    pub fn applies(&self, role: Role) -> bool {
        self.orders(role, Order::Apply);
        let done = self.wait(PATIENCE, |state| {
            let own = |one: &&HeldEffect| one.role == Some(role);
            let held = state.held.iter().find(own);
            held.is_none_or(|one| one.done).then_some(())
        });
        done.is_some()
    }

    /// Has the effect that is held carried out and answered. Returns when it is.
    pub fn answers(&self, role: Role) -> bool {
        self.ends(role, Order::Answer)
    }

    /// Breaks the connection off on which the answer is awaited.
    pub fn closes(&self, role: Role) -> bool {
        self.ends(role, Order::Close)
    }

    /// The service is dead. What was held is dropped, but for a create that may be on its way to Coder.
    pub fn drops_all(&self, with_create: bool) {
        let mut state = self.lock();
        state.mover = None;
        for one in state.held.iter_mut().filter(|one| one.role.is_some()) {
            let stays = with_create && &*one.label == "coder create user" && !one.applied;
            one.role = None;
            if !stays {
                one.order = Order::Close;
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    /// The create that has been on its way for longest is carried out, or never will be.
    pub fn lands(&self, is_done: bool) -> bool {
        let number = {
            let mut state = self.lock();
            let mut late = state.held.iter_mut().filter(|one| one.role.is_none());
            let Some(first) = late.find(|one| one.order == Order::Wait) else {
                return false;
            };
            first.order = if is_done { Order::Answer } else { Order::Close };
            first.number
        };
        self.changed.notify_all();
        self.is_over(number)
    }

    fn orders(&self, role: Role, order: Order) -> Option<u64> {
        let mut state = self.lock();
        let held = state.held.iter_mut().find(|one| one.role == Some(role))?;
        held.order = order;
        let number = held.number;
        drop(state);
        self.changed.notify_all();
        Some(number)
    }

    fn ends(&self, role: Role, order: Order) -> bool {
        let number = self.orders(role, order);
        number.is_some_and(|number| self.is_over(number))
    }

    fn is_over(&self, number: u64) -> bool {
        let over = self.wait(PATIENCE, |state| {
            let mut held = state.held.iter();
            held.all(|one| one.number != number).then_some(())
        });
        over.is_some()
    }

    fn wait<T>(&self, limit: Duration, look: impl Fn(&BrakeState) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + limit;
        let mut state = self.lock();
        loop {
            if let Some(found) = look(&state) {
                return Some(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, BrakeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
