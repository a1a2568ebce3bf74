//! One tape for all outside effects of the service: it numbers them, and cuts where it is told to.
//!
//! Every border of the process (the commands to Redis, the calls to Coder and Twilio, the writes to
//! the disk) has each effect [`Tape::pass`]. The tape knows an effect by a label and by how many of
//! that label came before it: threads run side by side, so the order of all effects changes from run
//! to run, that of one thread's effects of one kind hardly ever does. A plan is a row of [`Cut`]s;
//! after each the counting begins anew.

mod cut;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::classroom::service::Service;
pub use cut::{Cut, Mode, Point};

/// What a border does with an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectEnd {
    /// It was applied, and its answer goes back.
    Answered,
    /// No answer goes back: the connection is closed, or an error shown. The service lives on.
    Broken,
    /// The service that asked is dead.
    Dead,
}

/// One line of the trace.
#[derive(Clone, Debug)]
pub struct Mark {
    /// How many cuts came before it.
    pub phase: usize,
    /// The effect.
    pub point: Point,
    /// How it was to be cut, if it was.
    pub cut: Option<Mode>,
    /// Whether its answer came back to the service.
    pub answered: bool,
    /// Whether it began before the counting, so that only its end can be cut.
    pub only_ends: bool,
    /// Whether it is still under way.
    is_open: bool,
    life: u32,
    at: Duration,
}

struct TapeState {
    counting: bool,
    life: u32,
    /// Whom to kill; `None` until the service of this life has a process.
    service: Option<Arc<Service>>,
    dead: bool,
    plan: VecDeque<Cut>,
    phase: usize,
    seen: BTreeMap<Arc<str>, usize>,
    trace: Vec<Mark>,
    strays: Vec<String>,
    began: Instant,
    version: u64,
}

/// Stands before every effect of a life that is not over, by its life and its label. It may hold the effect, decides
/// whether the deed is done, and says how that ends; `None` = it has nothing to do with this one.
pub type Holder = dyn Fn(u32, &str, &mut dyn FnMut()) -> Option<EffectEnd> + Send + Sync;

/// The tape of one run.
pub struct Tape {
    state: Mutex<TapeState>,
    changed: Condvar,
    holder: OnceLock<Box<Holder>>,
}

impl Default for Tape {
    fn default() -> Self {
        Self::new()
    }
}

impl Tape {
    /// A tape that lets everything pass until [`Tape::counts`].
    pub fn new() -> Self {
        let state = TapeState {
            counting: false,
            life: 0,
            service: None,
            dead: true,
            plan: VecDeque::new(),
            phase: 0,
            seen: BTreeMap::new(),
            trace: Vec::new(),
            strays: Vec::new(),
            began: Instant::now(),
            version: 0,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            holder: OnceLock::new(),
        }
    }

    /// From the next effect on `holder` stands before all of them. Only the first one counts.
    pub fn held_by(&self, holder: Box<Holder>) {
        // A second one is dropped.
        let _ = self.holder.set(holder);
    }

    /// From now on effects are counted, and cut by this plan.
    pub fn counts(&self, plan: &[Cut]) {
        let mut state = self.lock();
        state.counting = true;
        state.plan = plan.iter().cloned().collect();
        state.began = Instant::now();
    }

    /// From now on everything passes uncounted again.
    pub fn rests(&self) {
        self.lock().counting = false;
    }

    /// Another life of the service begins: `start` starts it.
    pub fn begins(&self, start: impl FnOnce() -> Arc<Service>) {
        {
            let mut state = self.lock();
            state.life += 1;
            state.dead = false;
            state.service = None;
        }
        let service = start();
        self.lock().service = Some(service);
        self.changed.notify_all();
    }

    /// Whether no service lives: it was killed, has ended, or has yet to begin.
    pub fn is_dead(&self) -> bool {
        self.lock().dead
    }

    /// The service of this life has ended; what it still has under way does not arrive.
    pub fn ends(&self) {
        self.lock().dead = true;
    }

    /// The present life. A connection belongs to the life that it was made in.
    pub fn life(&self) -> u32 {
        self.lock().life
    }

    /// The life of the service with that process id; 0, which no life has, if it is another's.
    pub fn life_of(&self, process: i32) -> u32 {
        let state = self.lock();
        let known = state.service.as_ref().map(|service| service.pid());
        // Until the starter has reported its process, it can only be the new one.
        let is_it = known.is_none_or(|pid| pid.as_raw_nonzero().get() == process);
        if is_it { state.life } else { 0 }
    }

    /// Has one effect pass: `deed` applies it and may block. What is left of a life that is over
    /// does not arrive.
    pub fn pass(&self, life: u32, label: &str, deed: &mut dyn FnMut()) -> EffectEnd {
        let (number, mode) = {
            let mut state = self.lock();
            if state.dead || state.life != life {
                return EffectEnd::Dead;
            }
            match state.note(label) {
                Some(noted) => noted,
                None => {
                    drop(state);
                    return self.pass_uncounted(life, label, deed);
                }
            }
        };
        self.changed.notify_all();
        if let Some(holder) = self.holder.get()
            && let Some(end) = holder(life, label, deed)
        {
            self.note_end(number, end);
            return end;
        }
        if matches!(mode, None | Some(Mode::After | Mode::Lost)) {
            deed();
        }
        self.conclude(number, life, mode)
    }

    /// An effect that was held has ended.
    fn note_end(&self, number: usize, end: EffectEnd) {
        let mut state = self.lock();
        state.trace[number].is_open = false;
        state.trace[number].answered = end == EffectEnd::Answered;
        state.version += 1;
        drop(state);
        self.changed.notify_all();
    }

    /// An effect from before the counting. One that is still under way when the counting begins, such
    /// as a long wait for texts, counts when it ends.
    fn pass_uncounted(&self, life: u32, label: &str, deed: &mut dyn FnMut()) -> EffectEnd {
        deed();
        let (number, mode) = {
            let mut state = self.lock();
            if state.dead || state.life != life {
                return EffectEnd::Dead;
            }
            let Some(noted) = state.note(label) else {
                return EffectEnd::Answered;
            };
            state.trace[noted.0].only_ends = true;
            noted
        };
        self.conclude(number, life, mode)
    }

    /// Ends an effect as its mode says.
    fn conclude(&self, number: usize, life: u32, mode: Option<Mode>) -> EffectEnd {
        let mut state = self.lock();
        if state.dead || state.life != life {
            return EffectEnd::Dead;
        }
        state.trace[number].is_open = false;
        let fate = match mode {
            None => {
                state.trace[number].answered = true;
                state.version += 1;
                EffectEnd::Answered
            }
            Some(Mode::Lost | Mode::Refused) => {
                state.cut();
                EffectEnd::Broken
            }
            Some(Mode::Before | Mode::After) => {
                state.cut();
                return self.kill(state);
            }
        };
        drop(state);
        self.changed.notify_all();
        fate
    }

    /// Kills the service and returns when it is dead.
    fn kill(&self, mut state: MutexGuard<'_, TapeState>) -> EffectEnd {
        let service = loop {
            match &state.service {
                Some(service) => break Arc::clone(service),
                // It had an effect before the starter could report its process.
                None => {
                    state = self
                        .changed
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        };
        state.dead = true;
        drop(state);
        service.kill();
        self.lock().version += 1;
        self.changed.notify_all();
        EffectEnd::Dead
    }

    /// Notes something that happened outside of every border.
    pub fn stray(&self, what: String) {
        self.lock().strays.push(what);
    }

    /// All that happened outside of every border.
    pub fn strays(&self) -> Vec<String> {
        self.lock().strays.clone()
    }

    /// All effects so far.
    pub fn trace(&self) -> Vec<Mark> {
        self.lock().trace.clone()
    }

    /// How many cuts of the plan have been made.
    pub fn cuts_made(&self) -> usize {
        self.lock().phase
    }

    /// Whether the service of this life has done, or is about to do, something with that label.
    pub fn has_reached(&self, label: &str) -> bool {
        let state = self.lock();
        let life = state.life;
        state
            .trace
            .iter()
            .any(|mark| mark.life == life && *mark.point.label == *label)
    }

    /// Whether the last effect with that label has begun in this life and is still under way.
    pub fn is_waiting_at(&self, label: &str) -> bool {
        let state = self.lock();
        let mut marks = state.trace.iter().rev();
        let last = marks.find(|mark| *mark.point.label == *label);
        last.is_some_and(|mark| mark.life == state.life && mark.is_open)
    }

    /// A number that changes whenever something happens.
    pub fn version(&self) -> u64 {
        self.lock().version
    }

    /// Waits until something has happened since that version, for `limit` at most.
    pub fn wait_beyond(&self, version: u64, limit: Duration) {
        let state = self.lock();
        let unchanged = |state: &mut TapeState| state.version == version;
        drop(self.changed.wait_timeout_while(state, limit, unchanged));
    }

    /// The trace, one line an effect.
    pub fn describe(&self) -> String {
        let mut text = String::new();
        for mark in self.trace() {
            let Point { label, nth } = &mark.point;
            let end = match mark.cut {
                Some(mode) => format!("  <== cut: {}", mode.word()),
                None if mark.answered => String::new(),
                None => "  (no answer)".to_owned(),
            };
            let at = mark.at.as_secs_f64();
            text += &format!("{at:8.3} s  life {}  {label} {nth}{end}\n", mark.life);
        }
        for stray in self.strays() {
            text += &format!("past the tape: {stray}\n");
        }
        text
    }

    fn lock(&self) -> MutexGuard<'_, TapeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TapeState {
    /// Writes an effect into the trace and says how it is to be cut; `None` while nothing counts.
    fn note(&mut self, label: &str) -> Option<(usize, Option<Mode>)> {
        if !self.counting {
            return None;
        }
        let label: Arc<str> = label.into();
        let count = self.seen.entry(Arc::clone(&label)).or_default();
        *count += 1;
        let point = Point { label, nth: *count };
        let cut = self.plan.front().filter(|cut| cut.point == point);
        let cut = cut.map(|cut| cut.mode);
        self.trace.push(Mark {
            phase: self.phase,
            point,
            cut,
            answered: false,
            only_ends: false,
            is_open: true,
            life: self.life,
            at: self.began.elapsed(),
        });
        self.version += 1;
        Some((self.trace.len() - 1, cut))
    }

    /// The first cut of the plan is made; the counting begins anew.
    fn cut(&mut self) {
        self.plan.pop_front();
        self.phase += 1;
        self.seen.clear();
        self.version += 1;
    }
}
