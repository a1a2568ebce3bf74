//! Whether the database can be written. Answers are cached, and no caller waits long for one.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use std::cell::RefCell;

use crate::store::Store;
use crate::webhook::DatabaseCheck;

/// How long an answer is used.
const FRESH: Duration = Duration::from_secs(5);

/// How long a write may take before the answer is "stuck".
const PATIENCE: Duration = Duration::from_millis(500);

type HealthResult = Result<(), &'static str>;

/// A check of `store` for the webhook. The write runs on its own thread, because texts must not wait
/// for a disk that hangs. There is at most one such thread.
pub(super) fn database_check(store: Arc<Store>) -> DatabaseCheck {
    let last: RefCell<Option<(Instant, HealthResult)>> = RefCell::new(None);
    let running: RefCell<Option<Receiver<HealthResult>>> = RefCell::new(None);
    Box::new(move || {
        if let Some((at, verdict)) = *last.borrow()
            && at.elapsed() < FRESH
        {
            return verdict;
        }
        let mut running = running.borrow_mut();
        let verdict = match running.take() {
            None => {
                let receiver = probe(&store)?;
                match receiver.recv_timeout(PATIENCE) {
                    Err(RecvTimeoutError::Timeout) => {
                        *running = Some(receiver);
                        return Err("database-stuck");
                    }
                    other => other.unwrap_or(Err("database-refuses")),
                }
            }
            Some(receiver) => match receiver.try_recv() {
                Err(TryRecvError::Empty) => {
                    *running = Some(receiver);
                    return Err("database-stuck");
                }
                other => other.unwrap_or(Err("database-refuses")),
            },
        };
        // A fault is not cached, so that its end is noticed immediately.
        *last.borrow_mut() = verdict.is_ok().then(|| (Instant::now(), verdict));
        verdict
    })
}

fn probe(store: &Arc<Store>) -> Result<Receiver<HealthResult>, &'static str> {
    let (sender, receiver) = channel();
    let store = Arc::clone(store);
    thread::Builder::new()
        .name("health".to_owned())
        .spawn(move || {
            let verdict = store.probe().map_err(|_| "database-not-writable");
            // The receiver may be gone; then the result is not needed.
            let _ = sender.send(verdict);
        })
        .map_err(|_| "no-threads")?;
    Ok(receiver)
}
