//! Assembles the service from its settings, and starts its roles.
//!
//! A role is a job with its own thread. A new role is written in its own file, and added in [`Shared::roles`].

mod roles;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Instant;

use super::front::Front;
use super::lanes::Lanes;
use super::metrics_page;
use super::notifier::Notifier;
use super::observers::{self, FailedCalls};
use super::shutdown::Shutdown;
use super::threads::{Role, Threads};
use super::workspaces::WorkspaceWaker;
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
    workspaces: Option<WorkspaceWaker>,
    /// The templates of which no workspaces can be made for now.
    failing_templates: Arc<FailingTemplates>,
    stop: Stop,
}

/// What wakes the roles of these names, or brings them work.
struct Senders {
    catch_up: Notifier,
    reaper: Notifier,
    receipts: SyncSender<Receipt>,
    arrivals: SyncSender<Arrival>,
    /// `None` = no workspaces are made.
    workspaces: Option<WorkspaceWaker>,
    spares: Notifier,
}

/// The receiving ends of the [`Senders`].
struct Receivers {
    catch_up: Receiver<()>,
    reaper: Receiver<()>,
    receipts: Receiver<Receipt>,
    arrivals: Receiver<Arrival>,
    workspaces: Receiver<workspaces::Wake>,
    spares: Receiver<()>,
}

fn queues(makes_workspaces: bool) -> (Senders, Receivers) {
    let (catch_up, missed) = Notifier::new();
    let (reaper, wakeups) = Notifier::new();
    let (receipts, received) = writer::queue();
    let (arrivals, arrived) = writer::queue();
    let (workspaces, wanted) = workspaces::queue();
    let (spares, taken) = Notifier::new();
    let senders = Senders {
        catch_up,
        reaper,
        receipts,
        arrivals,
        workspaces: makes_workspaces.then_some(workspaces),
        spares,
    };
    let receivers = Receivers {
        catch_up: missed,
        reaper: wakeups,
        receipts: received,
        arrivals: arrived,
        workspaces: wanted,
        spares: taken,
    };
    (senders, receivers)
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
        let (senders, receivers) = queues(!config.class.workspaces().is_empty());
        let shared = Shared::open(config, store, &senders)?;
        let screens = Arc::clone(&shared.screens);
        let pages = pages::handler(config, &shared.store, &keys.1, screens);
        let arrivals = arrivals::observer(senders.arrivals);
        shared.screens.on_arrival(arrivals);
        let front = Front::open(
            config,
            &shared.redis,
            &shared.store,
            &shared.instance_id,
            senders.catch_up,
            senders.receipts,
            &shared.obstacles,
        )?
        .with_pages(pages);
        let listener = metrics_page::listen(&config.service)?;
        // After the front, because the front empties the folder of the sockets.
        shared.listen_for_commands(config)?;
        let taker = Taker::new(shared.redis.clone(), &shared.store.redis_owner()?);
        let shutdown = shared.shutdown(&front, &taker);
        banner::log(config, front.gate.local_addr(), &shared.store);
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
    fn open(config: &Config, store: Arc<Store>, senders: &Senders) -> Result<Self, RunError> {
        let Senders { reaper, .. } = senders;
        let redis = Redis::new(&config.redis)?;
        let calls = Http::new(config.service.call_limit);
        let (to_coder, to_twilio) = (calls.to_a_peer(), calls.to_a_peer());
        let coder = Arc::new(Coder::new(
            to_coder.clone(),
            &config.coder.address.api,
            config.coder.key.clone(),
        ));
        let rights_notifier = reaper.clone();
        // The reaper's thread then asks for the rights.
        coder.on_refusal(Box::new(move || rights_notifier.notify()));
        let obstacles = Arc::default();
        let lanes = Arc::new(Lanes::new(config.service.parallel));
        let woken = Arc::clone(&lanes);
        let screens = Screens::new(Box::new(move |sid| woken.wake(sid)));
        coder.observe(observers::of_coder(&obstacles, reaper.clone()));
        store.observe(observers::of_writes(
            &obstacles,
            &config.service.data_dir,
            reaper.clone(),
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
            notifier: senders.catch_up.clone(),
            reaper_notifier: reaper.clone(),
            spares: senders.spares.clone(),
            workspaces: senders.workspaces.clone(),
            failing_templates: Arc::default(),
            stop: Stop::new(),
        })
    }

    /// From now on a command of the operator takes effect at once.
    fn listen_for_commands(&self, config: &Config) -> Result<(), RunError> {
        let (reaper, workspaces) = (self.reaper_notifier.clone(), self.workspaces.clone());
        let screens = Arc::clone(&self.screens);
        commands::listen(&config.service.data_dir, move || {
            reaper.notify();
            screens.review(Instant::now());
            workspaces.iter().for_each(WorkspaceWaker::accounts_changed);
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
