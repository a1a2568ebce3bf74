//! The pages of the running service: what they show of the class comes from the database.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::timed_query::TimedQuery;
use crate::config::Config;
use crate::domain::PasswordKey;
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
    let mut pages = Pages::new(config, class(Arc::clone(store), key.clone()), screens)?;
    Some(Box::new(move |request| pages.answer(request)))
}

/// Asks the database on a thread of its own, as a disk that hangs must not keep texts waiting.
fn class(store: Arc<Store>, key: PasswordKey) -> ClassSource {
    let mut query = TimedQuery::new("pages");
    let mut last: Option<(Instant, ProjectorFigures)> = None;
    Box::new(move || {
        if last.is_none_or(|(at, _)| at.elapsed() >= FRESH) {
            let store = Arc::clone(&store);
            query.start(move || store.projector().ok());
            if let Some(figures) = query.wait(Instant::now() + PATIENCE).flatten() {
                last = Some((Instant::now(), figures));
            }
        }
        last.map(|(_, figures)| ClassFigures {
            token: key.projector_token(figures.link),
            accounts: figures.accounts,
        })
    })
}
