//! The roles: each thread of the service with the parts that it needs.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};

use super::{Receivers, Shared};
use crate::catch_up::CatchUp;
use crate::config::{ClassConfig, Config};
use crate::domain::{ClassName, PasswordKey, PhoneKey};
use crate::metrics::{Counter, MetricsListener};
use crate::provision::{Provisioner, ProvisionerParts};
use crate::reap::Reaper;
use crate::reconcile::Reconciler;
use crate::redact::{RedactionCounters, Redactor};
use crate::run::call_limit::CallLimit;
use crate::run::channels::Channels;
use crate::run::front::Front;
use crate::run::metrics_page::{MetricsSource, ServiceMetrics};
use crate::run::provisioner::TextLoop;
use crate::run::reaper::ReaperLoop;
use crate::run::threads::{AtStop, Role};
use crate::run::{RunError, arrivals, catch_up, receipts, spares, system, workspaces};
use crate::spares::{SpareKeeper, SpareKeeperParts};
use crate::store::Arrival;
use crate::stream::{StreamInspector, Taker};
use crate::workspaces::WorkspaceMaker;

impl Shared {
    /// Creates all roles, and serves the page of their metrics.
    pub(super) fn roles(
        &self,
        config: &Config,
        keys: (PhoneKey, PasswordKey),
        front: Front,
        mut taker: Taker,
        receivers: Receivers,
        listener: Option<MetricsListener>,
    ) -> Result<Vec<Role>, RunError> {
        let keeper = self.spare_keeper(config, &keys)?;
        let texts = self.text_loop(config, keys);
        let found = Arc::default();
        let reaper = self.reaper_loop(config, receivers.reaper);
        if let Some(listener) = listener {
            let redactions = reaper.redactor.as_ref();
            let redactions = redactions.map_or_else(Arc::default, Redactor::counts);
            let mut page = self.metrics(&front, &texts, Arc::clone(&found), redactions);
            listener
                .serve(move || page.page())
                .map_err(system("start the thread metrics"))?;
        }
        let Front { webhook, gate } = front;
        let (store, undelivered) = (Arc::clone(&self.store), Arc::clone(&self.undelivered));
        let queued = receivers.receipts;
        let mut roles = vec![
            Role::new("webhook", AtStop::Wait, move |_| webhook.run().is_ok()),
            Role::new("gate", AtStop::Leave, move |_| gate.run().is_ok()),
            Role::new("provisioner", AtStop::Wait, move |stop| {
                texts.run(&mut taker, stop)
            }),
            Role::new("receipts", AtStop::Wait, move |stop| {
                receipts::run(&store, &undelivered, &queued, stop)
            }),
            Role::new("reaper", AtStop::Wait, move |stop| reaper.run(stop)),
        ];
        roles.extend(self.arrivals(config, receivers.arrivals));
        roles.extend(self.workspace_maker(config, receivers.workspaces));
        roles.extend(keeper.map(|mut keeper| {
            let wakeups = receivers.spares;
            Role::new("spares", AtStop::Leave, move |stop| {
                spares::run(&mut keeper, &wakeups, stop)
            })
        }));
        roles.extend(self.catch_up(config, receivers.catch_up, found));
        Ok(roles)
    }

    /// Records which students have signed in at a screen; `None` = no login goes there.
    fn arrivals(&self, config: &Config, arrived: Receiver<Arrival>) -> Option<Role> {
        let store = Arc::clone(&self.store);
        let role = Role::new("arrivals", AtStop::Leave, move |stop| {
            arrivals::run(&store, &arrived, stop)
        });
        config.pages.reply.on_screens().then_some(role)
    }

    /// Makes workspaces; `None` = no class has any.
    fn workspace_maker(
        &self,
        config: &Config,
        wakeups: Receiver<workspaces::Wake>,
    ) -> Option<Role> {
        let failing = &self.failing_templates;
        let screens = &self.screens;
        let maker = WorkspaceMaker::new(config, &self.store, &self.coder, failing, screens)?;
        let (pause, spares) = (config.class.check_interval, self.spares.clone());
        Some(Role::new("workspaces", AtStop::Leave, move |stop| {
            workspaces::run((&maker, &spares), &wakeups, pause, stop)
        }))
    }

    /// Searches for texts that never arrived, and counts them; `None` = that is off.
    fn catch_up(
        &self,
        config: &Config,
        wakeups: Receiver<()>,
        found: Arc<Counter>,
    ) -> Option<Role> {
        // The code of a text that is found late is dead, and nothing else would be answered.
        if !config.pages.reply.by_text() {
            return None;
        }
        let mut search = CatchUp::new(config, self.sms(config), &self.store, &self.redis)?;
        Some(Role::new("catch-up", AtStop::Leave, move |stop| {
            catch_up::run(&mut search, &wakeups, &found, stop)
        }))
    }

    fn text_loop(&self, config: &Config, keys: (PhoneKey, PasswordKey)) -> TextLoop {
        let parts = ProvisionerParts {
            store: Arc::clone(&self.store),
            coder: Arc::clone(&self.coder),
            sms: self.sms(config),
            undelivered: Arc::clone(&self.undelivered),
            key: keys.0,
            passwords: keys.1,
            instance_id: self.instance_id.clone(),
            screens: Arc::clone(&self.screens),
            failing_templates: Arc::clone(&self.failing_templates),
        };
        TextLoop {
            provisioner: Provisioner::new(config, parts),
            lanes: Arc::clone(&self.lanes),
            parallel: config.service.parallel,
            settler: Arc::clone(&self.settler),
            notifier: self.notifier.clone(),
            counts: Arc::default(),
            call_limit: CallLimit::default(),
            channels: Channels::default(),
            workspaces: self.workspaces.clone(),
            spares: self.spares.clone(),
            obstacles: Arc::clone(&self.obstacles),
        }
    }

    /// The keeper of spare accounts; `None` = no class wants any, and none are left.
    fn spare_keeper(
        &self,
        config: &Config,
        keys: &(PhoneKey, PasswordKey),
    ) -> Result<Option<SpareKeeper>, RunError> {
        let is_wanted = config.class.classes.iter().any(|class| class.warm > 0);
        if !is_wanted && self.store.spares()?.is_empty() {
            return Ok(None);
        }
        // Before the first text: none is taken that this process has not looked at.
        self.store.forget_looks_at_spares()?;
        let (workspaces, reaper) = (self.workspaces.clone(), self.reaper_notifier.clone());
        let parts = SpareKeeperParts {
            store: Arc::clone(&self.store),
            coder: Arc::clone(&self.coder),
            key: keys.0.clone(),
            passwords: keys.1.clone(),
            instance_id: self.instance_id.clone(),
            obstacles: Arc::clone(&self.obstacles),
            on_made: Box::new(move |username| workspaces.iter().for_each(|w| w.wanted(username))),
            on_dismissed: Box::new(move || reaper.notify()),
        };
        Ok(Some(SpareKeeper::new(config, parts)))
    }

    fn reaper_loop(&self, config: &Config, wakeups: Receiver<()>) -> ReaperLoop {
        let redactor = || Redactor::new(Arc::clone(&self.store), self.sms(config));
        ReaperLoop {
            reaper: Reaper::new(config, &self.store, &self.coder, &self.token),
            reconciler: Reconciler::new(config, &self.store, &self.coder, &self.instance_id),
            redactor: redacts(config).then(redactor),
            settler: Arc::clone(&self.settler),
            text_life: config.service.give_up,
            wakeups,
            obstacles: Arc::clone(&self.obstacles),
        }
    }

    /// The source of the page of metrics.
    fn metrics(
        &self,
        front: &Front,
        texts: &TextLoop,
        missed: Arc<Counter>,
        redact: Arc<RedactionCounters>,
    ) -> MetricsSource {
        MetricsSource::of(ServiceMetrics {
            gate: front.gate.counts(),
            webhook: front.webhook.counts(),
            texts: Arc::clone(&texts.counts),
            lanes: Arc::clone(&texts.lanes),
            screens: Arc::clone(self.screens.counts()),
            store: Arc::clone(&self.store),
            streams: Arc::new(Mutex::new(StreamInspector::new(self.redis.clone()))),
            missed,
            to_coder: self.to_coder.calls(),
            to_twilio: self.to_twilio.calls(),
            token_ends: self.token.expires_at(),
            failed_sends: texts.provisioner.sms.failed_logins(),
            undelivered: Arc::clone(&self.undelivered),
            redact,
            obstacles: Arc::clone(&self.obstacles),
            classes: named_classes(&texts.provisioner.class),
        })
    }
}

/// The classes with a name, and their seats.
fn named_classes(class: &ClassConfig) -> Vec<(ClassName, u32)> {
    let classes = class.classes.iter();
    let named = classes.filter_map(|one| Some((one.name.clone()?, one.seats)));
    named.collect()
}

/// Whether logins are redacted in Twilio's log: also where none are sent any more, as earlier ones may be
/// left, but not without credentials.
fn redacts(config: &Config) -> bool {
    let may_call = !config.twilio.auth_token.reveal().is_empty();
    config.service.redact && (config.pages.reply.by_text() || may_call)
}
