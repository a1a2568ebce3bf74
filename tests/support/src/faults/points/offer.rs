//! A text that is brought until it is taken.

use std::cell::Cell;
use std::time::Duration;

use super::stage::PointStage;
use crate::classroom::http;
use crate::classroom::student::{Student, Webhook};

/// The webhook, offered until it is taken, as Twilio does.
pub struct Offer {
    webhook: Option<Webhook>,
    taken: Cell<bool>,
    monitored: Cell<bool>,
}

impl Offer {
    /// This webhook is to be brought; with none nothing is.
    pub fn new(webhook: Option<Webhook>) -> Self {
        Self {
            taken: Cell::new(webhook.is_none()),
            monitored: Cell::new(false),
            webhook,
        }
    }

    /// Whether the service has taken it.
    pub fn is_taken(&self) -> bool {
        self.taken.get()
    }

    /// Brings it once more, unless it is taken.
    pub fn goes_on(&self, stage: &PointStage, student: &Student<'_>) {
        let listens = || stage.class.service().listens(Duration::from_secs(30));
        if let (Some(webhook), false) = (&self.webhook, self.taken.get())
            && let Some(address) = listens()
        {
            if !self.monitored.replace(true) {
                stage.step.set(stage.step.get() + 1);
                // A monitor looks by, which has the service write to Redis and to the disk.
                let _ = http::request(address, "GET", "/healthz", &[], b"");
            }
            self.taken.set(student.posts(webhook) == 200);
            if self.taken.get() {
                stage.step.set(stage.step.get() + 1);
            }
        }
    }
}
