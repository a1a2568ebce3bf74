//! The figures of the page: their names, their help texts and where each value comes from.

use std::sync::{Arc, Mutex};

use super::QueryAnswers;
use crate::clock::unix_now;
use crate::domain::{ClassName, UnixSeconds};
use crate::http::Calls;
use crate::metrics::{Counter, Family, Gauge, MetricsPage};
use crate::obstacles::{Obstacle, Obstacles};
use crate::run::lanes::Lanes;
use crate::run::provisioner;
use crate::screen::ScreenCounters;
use crate::store::{ClassStanding, Store};
use crate::stream::{Depth, StreamInspector};
use crate::twilio::codes::{Code, UndeliveredLogins};
use crate::{gate, redact, webhook};

/// The sources of the figures.
pub(in crate::run) struct ServiceMetrics {
    pub(in crate::run) gate: Arc<gate::GateCounters>,
    pub(in crate::run) webhook: Arc<webhook::RequestCounters>,
    pub(in crate::run) texts: Arc<provisioner::TextCounters>,
    pub(in crate::run) lanes: Arc<Lanes>,
    pub(in crate::run) screens: Arc<ScreenCounters>,
    pub(in crate::run) store: Arc<Store>,
    pub(in crate::run) streams: Arc<Mutex<StreamInspector>>,
    /// Texts that the catch-up has found in Twilio's log.
    pub(in crate::run) missed: Arc<Counter>,
    pub(in crate::run) to_coder: Arc<Calls>,
    pub(in crate::run) to_twilio: Arc<Calls>,
    pub(in crate::run) failed_sends: Arc<Family<Code>>,
    pub(in crate::run) undelivered: Arc<UndeliveredLogins>,
    pub(in crate::run) redact: Arc<redact::RedactionCounters>,
    /// When the token at Coder expires.
    pub(in crate::run) token_ends: Arc<Gauge>,
    pub(in crate::run) obstacles: Arc<Obstacles>,
    /// The classes with a name, and their seats.
    pub(in crate::run) classes: Vec<(ClassName, u32)>,
}

/// Seconds since `then`; 0 if that is `None` or in the future.
fn age(then: Option<UnixSeconds>) -> UnixSeconds {
    then.map_or(0, |then| unix_now().saturating_sub(then).max(0))
}

impl ServiceMetrics {
    /// Figures from Redis and the database. If one of them did not answer, its figures are missing.
    pub(super) fn write_answers(&self, page: &mut MetricsPage, answers: &QueryAnswers) {
        let ok = [
            ("redis", answers.depth.is_some()),
            ("database", answers.standing.is_some()),
        ];
        let mut samples = page.gauge(
            "coder_sms_register_scrape_ok",
            "Whether this source answered in time for this page.",
        );
        for (source, ok) in ok {
            samples = samples.and(&[("source", &source)], u8::from(ok));
        }
        if let Some(depth) = &answers.depth {
            write_depth(page, depth);
        }
        if let Some(standing) = &answers.standing {
            write_standing(page, standing);
            self.write_classes(page, standing);
        }
        page.gauge(
            "coder_sms_register_redis_well",
            "Whether Redis confirmed the last text or health check; 1 before the first.",
        )
        .value(self.webhook.redis_well.get());
    }

    /// Only with classes.
    fn write_classes(&self, page: &mut MetricsPage, standing: &ClassStanding) {
        if self.classes.is_empty() {
            return;
        }
        let mut samples = page.gauge(
            "coder_sms_register_class_accounts",
            "Accounts of each class of the settings, in any stage.",
        );
        for (class, _) in &self.classes {
            let found = standing.classes.iter().find(|(name, _)| name == class);
            samples = samples.and(&[("class", class)], found.map_or(0, |(_, count)| *count));
        }
        let mut samples = page.gauge(
            "coder_sms_register_class_seats",
            "The most accounts that each class may have at the same time.",
        );
        for (class, seats) in &self.classes {
            samples = samples.and(&[("class", class)], seats);
        }
    }

    pub(super) fn write_texts(&self, page: &mut MetricsPage) {
        page.counter(
            "coder_sms_register_requests_total",
            "Requests that passed the gate, by result.",
        )
        .each("verdict", &self.webhook.requests);
        page.counter(
            "coder_sms_register_missed_texts_total",
            "Texts that never reached the webhook and were found in Twilio's log.",
        )
        .value(self.missed.get());
        page.counter(
            "coder_sms_register_texts_total",
            "Texts that ended, by result; each counts once, however often it was tried.",
        )
        .each("verdict", &self.texts.ended);
        page.counter(
            "coder_sms_register_texts_unanswered_total",
            "Texts that ended without an answer, by reason.",
        )
        .each("reason", &self.texts.unanswered);
        page.counter(
            "coder_sms_register_texts_put_off_total",
            "Failed attempts at a text that will be repeated, by cause.",
        )
        .each("cause", &self.texts.put_off);
        page.gauge(
            "coder_sms_register_paused",
            "Whether all texts wait, except one attempt a minute, until a person fixes what Coder or Twilio refuses.",
        )
        .value(u8::from(self.lanes.is_paused()));
        let mut samples = page.gauge(
            "coder_sms_register_obstacle",
            "Whether an obstacle of this kind keeps students from being served now, or delays them.",
        );
        for obstacle in Obstacle::ALL {
            let is_present = u8::from(self.obstacles.has(*obstacle));
            samples = samples.and(&[("kind", obstacle)], is_present);
        }
    }

    pub(super) fn write_logins(&self, page: &mut MetricsPage) {
        let store = self.store.counts();
        page.counter(
            "coder_sms_register_logins_sent_total",
            "Logins that Twilio accepted.",
        )
        .value(store.sent.get());
        page.counter(
            "coder_sms_register_logins_delivered_total",
            "Logins that certainly reached their phone.",
        )
        .value(store.delivered.get());
        let mut samples = page.counter(
            "coder_sms_register_logins_failed_total",
            "Logins that could not be sent (each attempt counts) or were not delivered, by Twilio's code.",
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
            "Attempts to redact a login in Twilio's log, by result.",
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

    pub(super) fn write_screens(&self, page: &mut MetricsPage) {
        let screens = &self.screens;
        page.gauge(
            "coder_sms_register_screens",
            "Open pages that show a code or a login.",
        )
        .value(screens.open.get());
        for (name, help, counter) in [
            (
                "coder_sms_register_screens_opened_total",
                "Pages that got a code.",
                &screens.opened,
            ),
            (
                "coder_sms_register_screens_refused_total",
                "Pages that got no code, because too many were open.",
                &screens.refused,
            ),
            (
                "coder_sms_register_screens_evicted_total",
                "Pages that lost a code that nobody had texted, to make room for others.",
                &screens.evicted,
            ),
            (
                "coder_sms_register_screen_logins_arrived_total",
                "Browsers that proved to be signed in with a login from a page.",
                &screens.arrived,
            ),
        ] {
            page.counter(name, help).value(counter.get());
        }
        page.counter(
            "coder_sms_register_screen_claims_total",
            "Texts with the code of a page, by result.",
        )
        .each("end", &screens.claims);
    }

    pub(super) fn write_accounts(&self, page: &mut MetricsPage) {
        let store = self.store.counts();
        page.counter(
            "coder_sms_register_registrations_total",
            "Phones for which a name was reserved.",
        )
        .value(store.reserved.get());
        page.counter(
            "coder_sms_register_spare_accounts_taken_total",
            "Spare accounts that a phone has got.",
        )
        .value(store.spares_taken.get());
        page.counter(
            "coder_sms_register_removals_total",
            "Accounts that were removed.",
        )
        .value(store.forgotten.get());
        page.gauge(
            "coder_sms_register_token_expires_timestamp_seconds",
            "When the token at Coder expires, as of the last check, in seconds since 1970; 0 if that is not known.",
        )
        .value(self.token_ends.get());
    }

    pub(super) fn write_gate(&self, page: &mut MetricsPage) {
        let gate = &self.gate;
        page.gauge(
            "coder_sms_register_gate_connections",
            "Open connections to the public port.",
        )
        .value(gate.open.get());
        for (name, help, counter) in [
            (
                "coder_sms_register_gate_connections_total",
                "Connections that were accepted on the public port.",
                &gate.accepted,
            ),
            (
                "coder_sms_register_gate_evicted_total",
                "Connections to the public port that were closed to make room for others.",
                &gate.evicted,
            ),
            (
                "coder_sms_register_gate_refused_total",
                "Requests that the gate itself answered with an error.",
                &gate.refused,
            ),
            (
                "coder_sms_register_gate_accept_errors_total",
                "Connections that the system could not accept, for example because it had no file descriptors left.",
                &gate.accept_errors,
            ),
            (
                "coder_sms_register_gate_upstream_lost_total",
                "How often the gate lost its connection to the HTTP server behind it.",
                &gate.upstream_lost,
            ),
        ] {
            page.counter(name, help).value(counter.get());
        }
    }

    /// How long calls to other systems and to the disk took.
    pub(super) fn write_durations(&self, page: &mut MetricsPage) {
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
            "How long transactions took, including the wait for the database.",
        )
        .spread(&[], &self.store.counts().writes);
    }
}

fn write_depth(page: &mut MetricsPage, depth: &Depth) {
    page.gauge(
        "coder_sms_register_stream_entries",
        "Texts that are not finished, including those being served.",
    )
    .value(depth.texts);
    page.gauge(
        "coder_sms_register_stream_oldest_seconds",
        "Age of the oldest of these texts; 0 if there is none.",
    )
    .value(age(depth.oldest));
    page.gauge(
        "coder_sms_register_stream_pending_entries",
        "Texts that were taken from the stream and are not finished.",
    )
    .value(depth.pending);
    page.gauge(
        "coder_sms_register_stream_oldest_pending_seconds",
        "Age of the oldest pending text; 0 if there is none.",
    )
    .value(age(depth.oldest_pending));
    page.gauge(
        "coder_sms_register_dead_letters",
        "Texts that were given up and not retried or dropped since; about 1,000 are kept.",
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
    let spares = standing.spares;
    page.gauge(
        "coder_sms_register_spare_accounts",
        "Spare accounts by state: ready, they or their workspaces being made, without a workspace that runs.",
    )
    .and(&[("state", &"ready")], spares.ready)
    .and(&[("state", &"building")], spares.building)
    .and(&[("state", &"troubled")], spares.troubled);
    page.gauge(
        "coder_sms_register_accounts_overdue",
        "Accounts whose time is up.",
    )
    .value(standing.overdue);
    page.gauge(
        "coder_sms_register_removal_overdue_seconds",
        "How long the time of the first of these accounts has been up; 0 if there is none.",
    )
    .value(age(standing.overdue_since));
}
