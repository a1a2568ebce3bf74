//! What runs on a thread each: put together, shown to the metrics, started.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::metrics_page::ServiceMetrics;
use super::provisioner::TextLoop;
use super::threads::Threads;
use super::{RunError, catch_up, reaper, receipts};
use crate::catch_up::CatchUp;
use crate::domain::Receipt;
use crate::gate::Gate;
use crate::http::Http;
use crate::metrics::Counter;
use crate::reap::Reaper;
use crate::reconcile::Reconciler;
use crate::redact::Redactor;
use crate::stop::Stop;
use crate::store::Store;
use crate::stream::{Redis, Settler, Taker, Waiting};
use crate::webhook::Webhook;

/// What runs on a thread each.
pub(super) struct Roles {
    pub(super) webhook: Webhook,
    pub(super) gate: Gate,
    pub(super) texts: TextLoop,
    pub(super) taker: Taker,
    /// The search for missed texts and who rings for it, unless it is switched off.
    pub(super) catch_up: Option<(CatchUp, Receiver<()>)>,
    /// What that search has found.
    pub(super) found: Arc<Counter>,
    /// Where receipts are written, and where they come from.
    pub(super) receipts: (Arc<Store>, Receiver<Receipt>),
    pub(super) reaper: Reaper,
    /// Looks for accounts that the database does not know.
    pub(super) reconciler: Reconciler,
    /// Who wakes it before its time.
    pub(super) reaper_wakeups: Receiver<()>,
    /// Blanks logins at Twilio, unless that is switched off.
    pub(super) redactor: Option<Redactor>,
    pub(super) settler: Arc<Settler>,
    /// How long a text may be tried for.
    pub(super) text_life: Duration,
}

impl Roles {
    /// Where the metrics come from.
    pub(super) fn figures(
        &self,
        redis: Redis,
        to_coder: &Http,
        to_twilio: &Http,
    ) -> ServiceMetrics {
        let texts = &self.texts;
        ServiceMetrics {
            gate: self.gate.counts(),
            webhook: self.webhook.counts(),
            texts: Arc::clone(&texts.counts),
            lanes: Arc::clone(&texts.lanes),
            store: Arc::clone(&texts.provisioner.store),
            waiting: Arc::new(Mutex::new(Waiting::new(redis))),
            missed: Arc::clone(&self.found),
            to_coder: to_coder.calls(),
            to_twilio: to_twilio.calls(),
            token_ends: self.reaper.token.expires_at(),
            undelivered: Arc::clone(&texts.provisioner.undelivered),
            failed_sends: texts.provisioner.sms.failed_logins(),
            redact: self
                .redactor
                .as_ref()
                .map_or_else(Arc::default, Redactor::counts),
        }
    }

    /// Starts a thread for each.
    ///
    /// # Errors
    /// The system has no more threads.
    pub(super) fn start(self, threads: &mut Threads, stop: &Stop) -> Result<(), RunError> {
        let Self {
            webhook,
            gate,
            texts,
            mut taker,
            catch_up,
            found,
            receipts: (store, noted),
            reaper,
            reconciler,
            reaper_wakeups,
            redactor,
            settler,
            text_life,
        } = self;
        let undelivered = Arc::clone(&texts.provisioner.undelivered);
        threads.start("webhook", move || webhook.run().is_ok())?;
        threads.start("gate", move || gate.run().is_ok())?;
        let told = stop.clone();
        threads.start("provisioner", move || {
            texts.run(&mut taker, &told);
            told.asked()
        })?;
        if let Some((mut search, wakeups)) = catch_up {
            let told = stop.clone();
            threads.start("catch-up", move || {
                catch_up::run(&mut search, &wakeups, &found, &told);
                told.asked()
            })?;
        }
        let told = stop.clone();
        threads.start("receipts", move || {
            receipts::run(&store, &undelivered, &noted, &told);
            told.asked()
        })?;
        let told = stop.clone();
        threads.start("reaper", move || {
            let redactor = redactor.as_ref();
            reaper::run(
                &reaper,
                &reconciler,
                redactor,
                &settler,
                text_life,
                &reaper_wakeups,
                &told,
            );
            told.asked()
        })
    }
}
