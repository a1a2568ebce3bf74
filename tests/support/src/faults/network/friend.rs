//! The well-behaved client: sends signed texts one after the other, and looks at the clock.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::classroom::student::Webhook;
use crate::classroom::wire::{self, Wire};

/// How often a text is offered at most, with `#rc=3` in the webhook's URL.
const TRIES: usize = 4;

/// What became of the texts.
#[derive(Default)]
pub struct FriendReport {
    /// From the first try to the 200, a text each.
    pub waits: Vec<Duration>,
    /// Texts that had to be offered again.
    pub repeated: usize,
    /// Texts that were never taken.
    pub unanswered: usize,
}

impl FriendReport {
    /// Sends the texts one after the other, one every `pace` at most. Every other one goes over a connection that is
    /// kept, as a proxy keeps it, and the rest each over one of its own.
    pub fn send(&mut self, address: SocketAddr, texts: &[Webhook], pace: Duration) {
        let mut kept = None;
        for (number, text) in texts.iter().enumerate() {
            let began = Instant::now();
            let mut fresh = None;
            let wire = if number % 2 == 0 {
                &mut kept
            } else {
                &mut fresh
            };
            self.offer(address, text, wire);
            std::thread::park_timeout(pace.saturating_sub(began.elapsed()));
        }
    }

    fn offer(&mut self, address: SocketAddr, text: &Webhook, wire: &mut Option<Wire>) {
        let began = Instant::now();
        for number in 0..TRIES {
            self.repeated += usize::from(number == 1);
            let mut open = wire.take().or_else(|| Wire::open(address).ok());
            let status = open.as_mut().map_or(0, |wire| {
                wire.sends(&wire::bytes(text));
                wire.status()
            });
            if status == 200 {
                *wire = open;
                self.waits.push(began.elapsed());
                return;
            }
        }
        self.unanswered += 1;
    }

    /// Median, 99 of 100, and the longest.
    pub fn figures(&self) -> String {
        let mut waits = self.waits.clone();
        waits.sort();
        let at = |share: f64| {
            let index = (waits.len() as f64 * share) as usize;
            let wait = waits.get(index.min(waits.len().saturating_sub(1)));
            wait.map_or(f64::NAN, |wait| wait.as_secs_f64() * 1000.0)
        };
        format!(
            "p50 {:.1} ms, p99 {:.1} ms, max {:.0} ms",
            at(0.5),
            at(0.99),
            at(1.0)
        )
    }
}
