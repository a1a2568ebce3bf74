//! The two parts that accept requests: the gate on the public port, and the webhook behind it on a private socket.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use super::notifier::Notifier;
use super::{RunError, health, listening, system};
use crate::config::Config;
use crate::domain::{InstanceId, Receipt};
use crate::gate::{self, Gate, Proxies};
use crate::obstacles::Obstacles;
use crate::store::Store;
use crate::stream::{Appender, Redis};
use crate::webhook::{self, Judge, PageHandler, Webhook};

/// The webhook, and the gate in front of it.
pub(super) struct Front {
    pub(super) webhook: Webhook,
    pub(super) gate: Gate,
}

impl Front {
    /// Opens both sockets.
    ///
    /// # Errors
    /// One of them cannot be opened.
    pub(super) fn open(
        config: &Config,
        redis: &Redis,
        store: &Arc<Store>,
        instance_id: &InstanceId,
        notifier: Notifier,
        receipts: SyncSender<Receipt>,
        obstacles: &Arc<Obstacles>,
    ) -> Result<Self, RunError> {
        let socket = private_socket(&config.service.data_dir)?;
        let webhook = Webhook::listen(
            &socket,
            Judge::new(&config.twilio)
                .of_instance(instance_id.clone())
                .of_settings(config.class.in_full(&config.coder)),
            Appender::new(redis.clone()),
            health::database_check(Arc::clone(store)),
            Box::new(move || notifier.notify()),
            receipts,
            Arc::clone(obstacles),
        )
        .map_err(system(format!("listen on {}", socket.display())))?;
        let limits = gate::Limits {
            drain: Duration::from_secs(2),
            forwarded: Some(&webhook::HEADERS),
            ..gate::Limits::for_this_process()
        };
        let listen = config.service.listen;
        let gate =
            Gate::bind(listen, socket, limits).map_err(listening(listen, "CODER_REG_LISTEN"))?;
        Ok(Self { webhook, gate })
    }

    /// The same front, which also serves pages, if there are any.
    pub(super) fn with_pages(self, pages: Option<PageHandler>) -> Self {
        match pages {
            None => self,
            Some(pages) => Self {
                webhook: self.webhook.with_pages(pages),
                // They limit what one client may do.
                gate: self.gate.naming_clients(Proxies::of_this_process()),
            },
        }
    }
}

/// The longest path of a Unix socket that all systems accept, in bytes.
const SOCKET_PATH: usize = 100;

/// The path for the socket between gate and webhook, in a folder that only our user may enter.
fn private_socket(data_dir: &Path) -> Result<PathBuf, RunError> {
    let inside = data_dir.join("run");
    let folder = if inside.join("http.sock").as_os_str().len() <= SOCKET_PATH {
        inside
    } else {
        std::env::temp_dir().join(format!("coder-sms-register-{}", std::process::id()))
    };
    // We hold the lock of the data folder, so the files here are left from an earlier run.
    let _ = fs::remove_dir_all(&folder);
    fs::DirBuilder::new()
        .mode(0o700)
        .create(&folder)
        .map_err(system(format!("create {}", folder.display())))?;
    Ok(folder.join("http.sock"))
}
