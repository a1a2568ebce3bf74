//! Assembles the service from its settings, and starts its roles.
//!
//! A role is a job with its own thread. A new role is written in its own file, and added in [`Shared::roles`].

mod roles;

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use super::front::Front;
use super::lanes::Lanes;
use super::metrics_page;
use super::notifier::Notifier;
use super::observers::{self, FailedCalls};
use super::shutdown::Shutdown;
use super::threads::{Role, Threads};
use super::{RunError, arrivals, banner, commands, pages, workspaces, writer};
use crate::coder::Coder;
use crate::config::Config;
use crate::domain::{InstanceId, PasswordKey, PhoneKey, Receipt};
use crate::http::Http;
use crate::obstacles::{FailingTemplates, Obstacles};
use crate::screen::Screens;
use crate::stop::Stop;
use crate::store::{Arrival, Store};
use crate::stream::{Redis, Settler, Taker};
use crate::token::CoderToken;
use crate::twilio::codes::UndeliveredLogins;
use crate::twilio::sms::Sms;

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
}
