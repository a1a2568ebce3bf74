//! The page of metrics: what is counted in all rooms, and what Redis and the database tell when somebody looks.
//!
//! Every name stands here, and in docs/monitoring.md; a test holds one against the other. Names never change their
//! meaning, as somebody's alerts depend on them. No value of a label is anybody's word: all are listed in our source.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use log::info;

use super::lanes::Lanes;
use super::provisioner;
use super::timed_query::TimedQuery;
use super::{RunError, listening};
use crate::clock::unix_now;
use crate::config::ServiceConfig;
use crate::domain::UnixSeconds;
use crate::http::Calls;
use crate::metrics::{Counter, Family, Gauge, MetricsListener, MetricsPage};
use crate::obstacles::{Obstacle, Obstacles};
use crate::store::{ClassStanding, Store};
use crate::stream::{Depth, Waiting};
use crate::twilio::codes::{Code, UndeliveredLogins};
use crate::{gate, redact, webhook};

/// How long Redis and the database are waited for, together.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long their answers count, so that they have no more work the more look.
const FRESH: Duration = Duration::from_secs(1);

/// Where the figures come from.
pub(super) struct ServiceMetrics {
    pub(super) gate: Arc<gate::GateCounters>,
    pub(super) webhook: Arc<webhook::RequestCounters>,
    pub(super) texts: Arc<provisioner::TextCounters>,
    pub(super) lanes: Arc<Lanes>,
    pub(super) store: Arc<Store>,
    pub(super) waiting: Arc<Mutex<Waiting>>,
    /// Texts that the search in Twilio's log has found.
    pub(super) missed: Arc<Counter>,
    pub(super) to_coder: Arc<Calls>,
    pub(super) to_twilio: Arc<Calls>,
    pub(super) failed_sends: Arc<Family<Code>>,
    pub(super) undelivered: Arc<UndeliveredLogins>,
    pub(super) redact: Arc<redact::RedactionCounters>,
    /// When the token at Coder ends.
    pub(super) token_ends: Arc<Gauge>,
    pub(super) obstacles: Arc<Obstacles>,
}

/// Opens the address that metrics are shown on, if there is one.
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

/// Asks for the page.
pub(super) struct MetricsSource {
    figures: ServiceMetrics,
    redis: TimedQuery<Option<Depth>>,
    database: TimedQuery<Option<ClassStanding>>,
    last: Option<(Instant, AnsweredFigures)>,
}

/// What was told when it was last asked for; `None` = nothing.
#[derive(Clone, Debug, Default)]
struct AnsweredFigures {
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

    /// The page as of now; takes [`PATIENCE`] at most.
    pub(super) fn page(&mut self) -> String {
        let told = match &self.last {
            Some((at, told)) if at.elapsed() < FRESH => told.clone(),
            _ => {
                let told = self.ask();
                self.last = Some((Instant::now(), told.clone()));
                told
            }
        };
        let mut page = MetricsPage::default();
        self.figures.write_asked(&mut page, &told);
        self.figures.write_texts(&mut page);
        self.figures.write_logins(&mut page);
        self.figures.write_accounts(&mut page);
        self.figures.write_door(&mut page);
        self.figures.write_waits(&mut page);
        write_build(&mut page);
        page.into_text()
    }

    fn ask(&mut self) -> AnsweredFigures {
        let waiting = Arc::clone(&self.figures.waiting);
        self.redis.ask(move || {
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.depth().ok()
        });
        let store = Arc::clone(&self.figures.store);
        self.database.ask(move || store.standing(unix_now()).ok());
        let until = Instant::now() + PATIENCE;
        AnsweredFigures {
            depth: self.redis.wait(until).flatten(),
            standing: self.database.wait(until).flatten(),
        }
    }
}

/// Seconds from then until now; 0 if there is no then, or if clocks differ.
fn age(then: Option<UnixSeconds>) -> UnixSeconds {
    then.map_or(0, |then| unix_now().saturating_sub(then).max(0))
}

fn write_build(page: &mut MetricsPage) {
    page.gauge(
        "coder_sms_register_build_info",
        "Which version runs; always 1.",
    )
    .and(&[("version", &env!("CARGO_PKG_VERSION"))], 1);
}

impl ServiceMetrics {
    /// What Redis and the database tell; of one that tells nothing there is nothing but that.
    fn write_asked(&self, page: &mut MetricsPage, told: &AnsweredFigures) {
        let ok = [
            ("redis", told.depth.is_some()),
            ("database", told.standing.is_some()),
        ];
        let mut samples = page.gauge(
            "coder_sms_register_scrape_ok",
            "Whether that source answered in time when it was asked for this page.",
        );
        for (source, ok) in ok {
            samples = samples.and(&[("source", &source)], u8::from(ok));
        }
        if let Some(depth) = &told.depth {
            write_depth(page, depth);
        }
        if let Some(standing) = &told.standing {
            write_standing(page, standing);
        }
        page.gauge(
            "coder_sms_register_redis_well",
            "Whether Redis confirmed what the last text or health check asked of it; 1 before the first.",
        )
        .value(self.webhook.redis_well.get());
    }

    fn write_texts(&self, page: &mut MetricsPage) {
        page.counter(
            "coder_sms_register_requests_total",
            "Requests that came through the gate, by what was said to them.",
        )
        .each("verdict", &self.webhook.requests);
        page.counter(
            "coder_sms_register_missed_texts_total",
            "Texts that never reached us and were found in Twilio's log.",
        )
        .value(self.missed.get());
        page.counter(
            "coder_sms_register_texts_total",
            "Texts that ended, by how; each counts once, however often it was tried.",
        )
        .each("verdict", &self.texts.ended);
        page.counter(
            "coder_sms_register_texts_unanswered_total",
            "Texts that ended without an answer, by reason.",
        )
        .each("reason", &self.texts.unanswered);
        page.counter(
            "coder_sms_register_texts_put_off_total",
            "Attempts at a text that failed and are followed by another one, by cause.",
        )
        .each("cause", &self.texts.put_off);
        page.gauge(
            "coder_sms_register_paused",
            "Whether all texts wait, but for one try a minute, until somebody mends what Coder or Twilio refuses.",
        )
        .value(u8::from(self.lanes.is_paused()));
        let mut samples = page.gauge(
            "coder_sms_register_obstacle",
            "Whether something of that kind keeps students from being served at present.",
        );
        for obstacle in Obstacle::ALL {
            let is_present = u8::from(self.obstacles.has(*obstacle));
            samples = samples.and(&[("kind", obstacle)], is_present);
        }
    }

    fn write_logins(&self, page: &mut MetricsPage) {
        let store = self.store.counts();
        page.counter(
            "coder_sms_register_logins_sent_total",
            "Logins that Twilio took.",
        )
        .value(store.sent.get());
        page.counter(
            "coder_sms_register_logins_delivered_total",
            "Logins that are known to have reached their phone.",
        )
        .value(store.delivered.get());
        let mut samples = page.counter(
            "coder_sms_register_logins_failed_total",
            "Logins that could not be sent (each try), or were not delivered, by Twilio's code.",
        );
        for (step, family) in [
            ("send", &*self.failed_sends),
            ("delivery", self.undelivered.counts()),
        ] {
            for (code, count) in family.iter() {
                samples = samples.and(&[("step", &step), ("code", &code)], count.get());
            }
        }
        let mut samples = page.counter(
            "coder_sms_register_redactions_total",
            "Logins to be redacted in Twilio's log, by what came of the try.",
        );
        for (result, count) in [
            ("done", &self.redact.redacted),
            ("put_off", &self.redact.put_off),
            ("given_up", &self.redact.given_up),
            ("refused", &self.redact.refused),
        ] {
            samples = samples.and(&[("result", &result)], count.get());
        }
    }

    fn write_accounts(&self, page: &mut MetricsPage) {
        let store = self.store.counts();
        page.counter(
            "coder_sms_register_registrations_total",
            "Phones that a name was reserved for.",
        )
        .value(store.reserved.get());
        page.counter(
            "coder_sms_register_removals_total",
            "Accounts that were removed and forgotten.",
        )
        .value(store.forgotten.get());
        page.gauge(
            "coder_sms_register_token_expires_timestamp_seconds",
            "When the token at Coder ends, as it stood at the last look, in seconds since 1970; 0 if that is not known.",
        )
        .value(self.token_ends.get());
    }

    fn write_door(&self, page: &mut MetricsPage) {
        let gate = &self.gate;
        page.gauge(
            "coder_sms_register_gate_connections",
            "Connections to the public port at present.",
        )
        .value(gate.open.get());
        for (name, help, counter) in [
            (
                "coder_sms_register_gate_connections_total",
                "Connections to the public port.",
                &gate.accepted,
            ),
            (
                "coder_sms_register_gate_evicted_total",
                "Connections to the public port that had to leave for others.",
                &gate.evicted,
            ),
            (
                "coder_sms_register_gate_refused_total",
                "Requests that the gate itself answered with an error.",
                &gate.refused,
            ),
            (
                "coder_sms_register_gate_accept_errors_total",
                "Times that the system had no connection for us, for want of file descriptors say.",
                &gate.accept_errors,
            ),
            (
                "coder_sms_register_gate_upstream_lost_total",
                "Times that the gate lost the HTTP server behind it.",
                &gate.upstream_lost,
            ),
        ] {
            page.counter(name, help).value(counter.get());
        }
    }

    /// How long others kept us waiting.
    fn write_waits(&self, page: &mut MetricsPage) {
        let mut samples = page.histogram(
            "coder_sms_register_call_duration_seconds",
            "How long calls to Coder and Twilio took, by the class of the answer's status.",
        );
        for (peer, calls) in [("coder", &self.to_coder), ("twilio", &self.to_twilio)] {
            for (status, durations) in calls.iter() {
                samples = samples.spread(&[("peer", &peer), ("status", &status)], durations);
            }
        }
        page.histogram(
            "coder_sms_register_redis_append_duration_seconds",
            "How long Redis took to confirm a batch of texts, or a health check.",
        )
        .spread(&[], &self.webhook.appends);
        page.histogram(
            "coder_sms_register_database_write_duration_seconds",
            "How long transactions took, the wait for their turn included.",
        )
        .spread(&[], &self.store.counts().writes);
    }
}

fn write_depth(page: &mut MetricsPage, depth: &Depth) {
    page.gauge(
        "coder_sms_register_stream_entries",
        "Texts without a verdict, those in work included.",
    )
    .value(depth.texts);
    page.gauge(
        "coder_sms_register_stream_oldest_seconds",
        "Age of the oldest of these texts; 0 if there is none.",
    )
    .value(age(depth.oldest));
    page.gauge(
        "coder_sms_register_stream_pending_entries",
        "Texts that were taken from the stream and have no verdict yet.",
    )
    .value(depth.pending);
    page.gauge(
        "coder_sms_register_stream_oldest_pending_seconds",
        "Age of the oldest of those; 0 if there is none.",
    )
    .value(age(depth.oldest_pending));
    page.gauge(
        "coder_sms_register_dead_letters",
        "Texts that were given up and that nobody has retried or dropped; about 1,000 are kept.",
    )
    .value(depth.dead);
}

fn write_standing(page: &mut MetricsPage, standing: &ClassStanding) {
    let mut samples = page.gauge(
        "coder_sms_register_accounts",
        "Accounts by stage: a name is reserved, the user is created, its login is announced, it is being removed.",
    );
    for (stage, count) in &standing.stages {
        samples = samples.and(&[("stage", &stage.as_str())], count);
    }
    page.gauge(
        "coder_sms_register_accounts_overdue",
        "Accounts whose time is up.",
    )
    .value(standing.overdue);
    page.gauge(
        "coder_sms_register_removal_overdue_seconds",
        "How long the time of the first of them has been up; 0 if there is none.",
    )
    .value(age(standing.overdue_since));
}
