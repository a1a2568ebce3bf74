//! The pages of the running service: what they show of the class comes from the database.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::timed_query::TimedQuery;
use crate::config::Config;
use crate::domain::{ClassName, PasswordKey};
use crate::pages::{ClassFigures, ClassSource, Pages};
use crate::screen::Screens;
use crate::store::{ProjectorFigures, Store};
use crate::webhook::PageHandler;

/// How long the figures of the class count, so that the database has no more work the more look.
const FRESH: Duration = Duration::from_secs(1);

/// How long the webhook's thread waits for them; then it shows the last ones.
const PATIENCE: Duration = Duration::from_millis(20);

/// What answers browsers; `None` if no pages are configured.
pub(super) fn handler(
    config: &Config,
    store: &Arc<Store>,
    key: &PasswordKey,
    screens: Arc<Screens>,
) -> Option<PageHandler> {
    let mut pages = Pages::new(
        config,
        classes(config, Arc::clone(store), key.clone()),
        screens,
    )?;
    Some(Box::new(move |request| pages.answer(request)))
}

/// Asks the database on a thread of its own, as a disk that hangs must not keep texts waiting.
fn classes(config: &Config, store: Arc<Store>, key: PasswordKey) -> ClassSource {
    let names = config.class.classes.iter().map(|class| class.name.clone());
    let names: Arc<[Option<ClassName>]> = names.collect();
    let mut latest: Latest<Vec<ProjectorFigures>> = Latest::new();
    Box::new(move || {
        let (store, asked) = (Arc::clone(&store), Arc::clone(&names));
        let figures = latest.read(move || {
            let figures = asked.iter().map(|name| store.projector(name.as_ref()).ok());
            figures.collect::<Option<Vec<_>>>()
        })?;
        let figures = names
            .iter()
            .zip(figures)
            .map(|(name, figures)| ClassFigures {
                token: key.projector_token(name.as_ref(), figures.link),
                accounts: figures.accounts,
            });
        Some(figures.collect())
    })
}

/// The last answer of a query, which is repeated when the answer is too old.
struct Latest<T> {
    query: TimedQuery<Option<T>>,
    last: Option<(Instant, T)>,
}

impl<T: Send + 'static> Latest<T> {
    fn new() -> Self {
        Self {
            query: TimedQuery::new("pages"),
            last: None,
        }
    }

    /// The last answer; `None` = there was none yet. It waits for a fresh one no longer than [`PATIENCE`]; one that
    /// comes later counts for the next call, else a slow disk would never answer anybody.
    fn read(&mut self, query: impl FnOnce() -> Option<T> + Send + 'static) -> Option<&T> {
        let is_fresh = |(at, _): &(Instant, T)| at.elapsed() < FRESH;
        if !self.last.as_ref().is_some_and(is_fresh) {
            let late = self.query.start(query);
            let fresh = self.query.wait(Instant::now() + PATIENCE);
            if let Some(answer) = fresh.flatten().or_else(|| late.flatten()) {
                self.last = Some((Instant::now(), answer));
            }
        }
        self.last.as_ref().map(|(_, answer)| answer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn an_answer_that_comes_late_counts_for_the_next_call() {
        let mut latest = Latest::new();
        let (release, held) = channel::<()>();
        let (done, is_done) = channel::<()>();
        let slow = move || {
            let _ = held.recv();
            // Dropped when the answer is on its way.
            let _done = done;
            Some(1)
        };
        assert_eq!(latest.read(slow), None);
        drop(release);
        let _ = is_done.recv();
        let deadline = Instant::now() + Duration::from_secs(60);
        let never = || -> Option<i32> {
            std::thread::park_timeout(Duration::from_secs(60));
            None
        };
        while latest.read(never).is_none() {
            assert!(Instant::now() < deadline, "the late answer is lost");
        }
        assert_eq!(latest.read(|| panic!("it is fresh")), Some(&1));
    }
}
