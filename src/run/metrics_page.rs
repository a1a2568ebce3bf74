//! The page of metrics: the counters of all rooms, and figures from Redis and the database.
//!
//! All names are listed in `figures` and in docs/monitoring.md; a test compares the two. A name never changes its meaning,
//! because alerts depend on it. Values of labels are listed in the source, or are names of classes from the settings.

mod figures;

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use log::info;

use super::timed_query::TimedQuery;
use super::{RunError, listening};
use crate::clock::unix_now;
use crate::config::ServiceConfig;
use crate::metrics::{MetricsListener, MetricsPage};
use crate::store::ClassStanding;
use crate::stream::Depth;
pub(super) use figures::ServiceMetrics;

/// The longest wait for Redis and the database together.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long their answers are reused, so that more scrapes cause no more queries.
const FRESH: Duration = Duration::from_secs(1);

/// Listens on the address for the metrics, if one is set.
///
/// # Errors
/// The address cannot be listened on.
pub(super) fn listen(config: &ServiceConfig) -> Result<Option<MetricsListener>, RunError> {
    let open = |address| {
        let failed = || listening(address, "CODER_REG_METRICS");
        let listener = MetricsListener::open(address).map_err(failed())?;
        let address = listener.local_addr().map_err(failed())?;
        info!("metrics are at http://{address}/metrics");
        Ok(listener)
    };
    config.metrics.map(open).transpose()
}

/// Makes the page.
pub(super) struct MetricsSource {
    figures: ServiceMetrics,
    redis: TimedQuery<Option<Depth>>,
    database: TimedQuery<Option<ClassStanding>>,
    last: Option<(Instant, QueryAnswers)>,
}

/// The last answers of Redis and the database; `None` = no answer in time.
#[derive(Clone, Debug, Default)]
struct QueryAnswers {
    depth: Option<Depth>,
    standing: Option<ClassStanding>,
}

impl MetricsSource {
    pub(super) fn of(figures: ServiceMetrics) -> Self {
        Self {
            figures,
            redis: TimedQuery::new("metrics-redis"),
            database: TimedQuery::new("metrics-store"),
            last: None,
        }
    }

    /// The page at this moment; takes [`PATIENCE`] at most.
    pub(super) fn page(&mut self) -> String {
        let answers = match &self.last {
            Some((at, answers)) if at.elapsed() < FRESH => answers.clone(),
            _ => {
                let answers = self.query();
                self.last = Some((Instant::now(), answers.clone()));
                answers
            }
        };
        let mut page = MetricsPage::default();
        self.figures.write_answers(&mut page, &answers);
        self.figures.write_texts(&mut page);
        self.figures.write_logins(&mut page);
        self.figures.write_screens(&mut page);
        self.figures.write_accounts(&mut page);
        self.figures.write_gate(&mut page);
        self.figures.write_durations(&mut page);
        write_build(&mut page);
        page.into_text()
    }

    fn query(&mut self) -> QueryAnswers {
        let streams = Arc::clone(&self.figures.streams);
        self.redis.start(move || {
            let mut streams = streams.lock().unwrap_or_else(PoisonError::into_inner);
            streams.depth().ok()
        });
        let store = Arc::clone(&self.figures.store);
        self.database.start(move || store.standing(unix_now()).ok());
        let until = Instant::now() + PATIENCE;
        QueryAnswers {
            depth: self.redis.wait(until).flatten(),
            standing: self.database.wait(until).flatten(),
        }
    }
}

fn write_build(page: &mut MetricsPage) {
    page.gauge(
        "coder_sms_register_build_info",
        "The running version, in its label; always 1.",
    )
    .and(&[("version", &env!("CARGO_PKG_VERSION"))], 1);
}
