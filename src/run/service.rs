//! Assembles the service from its settings, and starts its roles.
//!
//! A role is a job with its own thread. A new role is written in its own file, and added in [`Shared::roles`].

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::call_limit::CallLimit;
use super::channels::Channels;
use super::front::Front;
use super::lanes::Lanes;
use super::metrics_page::{self, MetricsSource, ServiceMetrics};
use super::notifier::Notifier;
use super::observers::{self, FailedCalls};
use super::provisioner::TextLoop;
use super::reaper::ReaperLoop;
use super::shutdown::Shutdown;
use super::threads::{AtStop, Role, Threads};
use super::{
    RunError, arrivals, banner, catch_up, commands, pages, receipts, spares, workspaces, writer,
};
use crate::catch_up::CatchUp;
use crate::coder::Coder;
use crate::config::{ClassConfig, Config};
use crate::domain::{ClassName, InstanceId, PasswordKey, PhoneKey, Receipt};
use crate::http::Http;
use crate::metrics::MetricsListener;
use crate::obstacles::{FailingTemplates, Obstacles};
use crate::provision::{self, Provisioner};
use crate::reap::Reaper;
use crate::reconcile::Reconciler;
use crate::redact::{RedactionCounters, Redactor};
use crate::screen::Screens;
use crate::spares::SpareKeeper;
use crate::stop::Stop;
use crate::store::{Arrival, Store};
use crate::stream::{Redis, Settler, StreamInspector, Taker};
use crate::token::CoderToken;
use crate::twilio::codes::UndeliveredLogins;
use crate::twilio::sms::Sms;
use crate::workspaces::WorkspaceMaker;

/// The parts that several roles use.
struct Shared {
    store: Arc<Store>,
    redis: Redis,
    settler: Arc<Settler>,
    coder: Arc<Coder>,
    token: Arc<CoderToken>,
    /// Ends the calls to Coder and to Twilio together.
    calls: Http,
    to_coder: Http,
    to_twilio: Http,
    obstacles: Arc<Obstacles>,
    /// Counts calls to Twilio that failed in a row.
    failed_to_twilio: Arc<FailedCalls>,
    instance_id: InstanceId,
    undelivered: Arc<UndeliveredLogins>,
    lanes: Arc<Lanes>,
    screens: Arc<Screens>,
    /// Wakes the catch-up.
    notifier: Notifier,
    /// Wakes the reaper.
    reaper_notifier: Notifier,
    /// Wakes the keeper of spare accounts.
    spares: Notifier,
    /// Wakes the maker of workspaces; `None` = none are made.
    workspaces: Option<workspaces::WorkspaceWaker>,
    /// The templates of which no workspaces can be made for now.
    failing_templates: Arc<FailingTemplates>,
    stop: Stop,
}

/// The receiving ends of the notifiers and of the receipts' queue.
struct Receivers {
    catch_up: Receiver<()>,
    reaper: Receiver<()>,
    receipts: Receiver<Receipt>,
    arrivals: Receiver<Arrival>,
    workspaces: Receiver<workspaces::Wake>,
    spares: Receiver<()>,
}

/// The service, ready to start.
pub(super) struct Service {
    roles: Vec<Role>,
    shutdown: Shutdown,
}

impl Service {
    /// Opens all sockets and creates all roles. The metrics are served from then on.
    ///
    /// # Errors
    /// A socket or the database cannot be used.
    pub(super) fn assemble(
        config: &Config,
        store: Arc<Store>,
        keys: (PhoneKey, PasswordKey),
    ) -> Result<Self, RunError> {
        let (notifier, missed) = Notifier::new();
        let (reaper_notifier, wakeups) = Notifier::new();
        let (receipts, queued) = writer::queue();
        let (waker, wanted) = workspaces::queue();
        let makes_workspaces = !config.class.workspaces().is_empty();
        let waker = makes_workspaces.then_some(waker);
        let (spares, taken) = Notifier::new();
        let wakers = (waker, spares);
        let shared = Shared::open(config, store, notifier, reaper_notifier, wakers)?;
        let screens = Arc::clone(&shared.screens);
        let pages = pages::handler(config, &shared.store, &keys.1, screens);
        let (arrivals, arrived) = writer::queue();
        shared.screens.on_arrival(arrivals::observer(arrivals));
        let front = Front::open(
            config,
            &shared.redis,
            &shared.store,
            &shared.instance_id,
            shared.notifier.clone(),
            receipts,
            &shared.obstacles,
        )?
        .with_pages(pages);
        let listener = metrics_page::listen(&config.service)?;
        // After the front, because the front empties the folder of the sockets.
        let (reaper, waker) = (shared.reaper_notifier.clone(), shared.workspaces.clone());
        let screens = Arc::clone(&shared.screens);
        commands::listen(&config.service.data_dir, move || {
            reaper.notify();
            screens.review(Instant::now());
            waker
                .iter()
                .for_each(workspaces::WorkspaceWaker::accounts_changed);
        })?;
        let taker = Taker::new(shared.redis.clone(), &shared.store.redis_owner()?);
        let shutdown = shared.shutdown(&front, &taker);
        banner::log(config, front.gate.local_addr(), &shared.store);
        let receivers = Receivers {
            catch_up: missed,
            reaper: wakeups,
            receipts: queued,
            arrivals: arrived,
            workspaces: wanted,
            spares: taken,
        };
        let roles = shared.roles(config, keys, front, taker, receivers, listener)?;
        Ok(Self { roles, shutdown })
    }

    /// Starts a thread for each role. Returns the [`Shutdown`] that stops them.
    ///
    /// # Errors
    /// The system has no more threads.
    pub(super) fn start(self, threads: &mut Threads) -> Result<Shutdown, RunError> {
        for role in self.roles {
            threads.start(role, &self.shutdown.stop)?;
        }
        Ok(self.shutdown)
    }
}

impl Shared {
    fn open(
        config: &Config,
        store: Arc<Store>,
        notifier: Notifier,
        reaper_notifier: Notifier,
        (workspaces, spares): (Option<workspaces::WorkspaceWaker>, Notifier),
    ) -> Result<Self, RunError> {
        let redis = Redis::new(&config.redis)?;
        let calls = Http::new(config.service.call_limit);
        let (to_coder, to_twilio) = (calls.to_a_peer(), calls.to_a_peer());
        let coder = Arc::new(Coder::new(
            to_coder.clone(),
            &config.coder.address.api,
            config.coder.key.clone(),
        ));
        let rights_notifier = reaper_notifier.clone();
        // The reaper's thread then asks for the rights.
        coder.on_refusal(Box::new(move || rights_notifier.notify()));
        let obstacles = Arc::default();
        let lanes = Arc::new(Lanes::new(config.service.parallel));
        let woken = Arc::clone(&lanes);
        let screens = Screens::new(Box::new(move |sid| woken.wake(sid)));
        coder.observe(observers::of_coder(&obstacles, reaper_notifier.clone()));
        store.observe(observers::of_writes(
            &obstacles,
            &config.service.data_dir,
            reaper_notifier.clone(),
        ));
        Ok(Self {
            instance_id: store.instance_id()?,
            store,
            settler: Arc::new(Settler::new(redis.clone())),
            redis,
            token: Arc::new(CoderToken::of(Arc::clone(&coder), Arc::clone(&obstacles))),
            obstacles,
            failed_to_twilio: Arc::default(),
            coder,
            calls,
            to_coder,
            to_twilio,
            undelivered: Arc::default(),
            lanes,
            screens: Arc::new(screens),
            notifier,
            reaper_notifier,
            spares,
            workspaces,
            failing_templates: Arc::default(),
            stop: Stop::new(),
        })
    }

    fn shutdown(&self, front: &Front, taker: &Taker) -> Shutdown {
        Shutdown {
            gate: front.gate.handle(),
            webhook: front.webhook.waker(),
            settler: Arc::clone(&self.settler),
            taker_id: taker.client_id(),
            calls: self.calls.clone(),
            notifier: self.notifier.clone(),
            reaper_notifier: self.reaper_notifier.clone(),
            stop: self.stop.clone(),
        }
    }

    fn sms(&self, config: &Config) -> Sms {
        Sms::new(self.to_twilio.clone(), &config.twilio).observed_by(observers::of_twilio(
            &self.obstacles,
            &self.failed_to_twilio,
        ))
    }

    /// Creates all roles, and serves the page of their metrics.
    fn roles(
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
        let search = || CatchUp::new(config, self.sms(config), &self.store, &self.redis);
        // The code of a text that is found late is dead, and nothing else would be answered.
        let search = config.pages.reply.by_text().then(search).flatten();
        let found = Arc::default();
        let reaper = self.reaper_loop(config, receivers.reaper);
        if let Some(listener) = listener {
            let redactions = reaper.redactor.as_ref();
            let redactions = redactions.map_or_else(Arc::default, Redactor::counts);
            let mut page = self.metrics(&front, &texts, Arc::clone(&found), redactions);
            listener
                .serve(move || page.page())
                .map_err(super::system("start the thread metrics"))?;
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
        if config.pages.reply.on_screens() {
            let (store, arrived) = (Arc::clone(&self.store), receivers.arrivals);
            roles.push(Role::new("arrivals", AtStop::Leave, move |stop| {
                arrivals::run(&store, &arrived, stop)
            }));
        }
        if let Some(maker) =
            WorkspaceMaker::new(config, &self.store, &self.coder, &self.failing_templates)
        {
            let (wakeups, pause) = (receivers.workspaces, config.class.check_interval);
            let spares = self.spares.clone();
            roles.push(Role::new("workspaces", AtStop::Leave, move |stop| {
                workspaces::run((&maker, &spares), &wakeups, pause, stop)
            }));
        }
        if let Some(mut keeper) = keeper {
            let wakeups = receivers.spares;
            roles.push(Role::new("spares", AtStop::Leave, move |stop| {
                spares::run(&mut keeper, &wakeups, stop)
            }));
        }
        if let Some(mut search) = search {
            let wakeups = receivers.catch_up;
            roles.push(Role::new("catch-up", AtStop::Leave, move |stop| {
                catch_up::run(&mut search, &wakeups, &found, stop)
            }));
        }
        Ok(roles)
    }

    fn text_loop(&self, config: &Config, keys: (PhoneKey, PasswordKey)) -> TextLoop {
        let parts = provision::ProvisionerParts {
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
        let parts = crate::spares::SpareKeeperParts {
            store: Arc::clone(&self.store),
            coder: Arc::clone(&self.coder),
            key: keys.0.clone(),
            passwords: keys.1.clone(),
            instance_id: self.instance_id.clone(),
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
        missed: Arc<crate::metrics::Counter>,
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
