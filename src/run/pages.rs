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
    let mut query = TimedQuery::new("pages");
    let mut last: Option<(Instant, Vec<ProjectorFigures>)> = None;
    Box::new(move || {
        if last.as_ref().is_none_or(|(at, _)| at.elapsed() >= FRESH) {
            let (store, names) = (Arc::clone(&store), Arc::clone(&names));
            query.start(move || {
                let figures = names.iter().map(|name| store.projector(name.as_ref()).ok());
                figures.collect::<Option<Vec<_>>>()
            });
            if let Some(figures) = query.wait(Instant::now() + PATIENCE).flatten() {
                last = Some((Instant::now(), figures));
            }
        }
        let (_, figures) = last.as_ref()?;
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
