//! Answers Twilio: verify, parse, append, reply. A text gets its 200 after Redis has confirmed it.
//!
//! This module hides tiny_http, and how requests become batches. One thread takes all waiting requests,
//! judges them, appends all texts of the batch in one round trip, and answers in order. While Redis
//! works on one batch, the next one collects, so under load one fsync covers many texts.

mod form;
mod judge;
mod page;
pub mod probe;
mod tally;

use std::io::Cursor;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use log::{error, info};
use std::sync::mpsc::SyncSender;

use tiny_http::{Header, Request, Response, Server, StatusCode};

pub use page::PageHandler;

pub use judge::{
    ANOTHER_ACCOUNT, HEADERS, Judge, Judgement, NO_SID, NO_TOKEN, NOT_FOUND, RequestRefusal,
    UNKNOWN_KEY, WRONG_BY_KEY, WRONG_SIGNATURE,
};

use crate::domain::{PageRequest, Receipt, Text};
use crate::obstacles::{Observer, Obstacle, Obstacles};
use crate::stream::{AppendResult, Appender, Confirmation};
use judge::UNKNOWN_PATH;
use tally::RequestTally;
pub use tally::{RequestCounters, RequestResult};

/// The largest number of requests in one batch.
const BATCH: usize = 64;

/// Tells Twilio that we accepted the request and that it sends no reply for us. Twilio would text any
/// body in `text/plain` to the sender.
const ACCEPTED: &str = "<Response/>";

/// Checks whether the database can be written; the error is the name of the fault.
pub type DatabaseCheck = Box<dyn Fn() -> Result<(), &'static str> + Send>;

/// Called when Redis accepts texts again after a fault.
pub type OnReturn = Box<dyn Fn() + Send>;

/// The HTTP server behind the gate.
pub struct Webhook {
    server: Arc<Server>,
    closing: Arc<AtomicBool>,
    judge: Judge,
    appender: Appender,
    database: DatabaseCheck,
    on_return: OnReturn,
    receipts: SyncSender<Receipt>,
    pages: Option<PageHandler>,
    obstacles: Arc<Obstacles>,
    counts: Arc<RequestCounters>,
    refusals: RequestTally,
    redis_fault: Option<&'static str>,
    /// Texts rejected with 503 since the present fault of Redis began.
    turned_away: u64,
}

/// Ends a running [`Webhook`].
#[derive(Clone)]
pub struct Waker {
    server: Arc<Server>,
    closing: Arc<AtomicBool>,
}

impl Waker {
    /// Ends the webhook after it has answered the present batch.
    pub fn close(&self) {
        // Set before the wake-up, because `try_recv` in the loop of a batch can consume the wake-up.
        self.closing.store(true, Ordering::Release);
        self.server.unblock();
    }
}

impl Webhook {
    /// Listens on a private Unix socket at `path`. Receipts go into the queue `receipts`; the webhook
    /// never waits for room in it.
    ///
    /// # Errors
    /// The socket cannot be created.
    pub fn listen(
        path: &Path,
        judge: Judge,
        appender: Appender,
        database: DatabaseCheck,
        on_return: OnReturn,
        receipts: SyncSender<Receipt>,
        obstacles: Arc<Obstacles>,
    ) -> std::io::Result<Self> {
        let listener = UnixListener::bind(path)?;
        let server = Server::from_listener(listener, None).map_err(std::io::Error::other)?;
        Ok(Self {
            server: Arc::new(server),
            closing: Arc::default(),
            judge,
            appender,
            database,
            on_return,
            receipts,
            pages: None,
            obstacles,
            counts: Arc::default(),
            refusals: RequestTally::default(),
            redis_fault: None,
            turned_away: 0,
        })
    }

    /// The same webhook, which has `pages` answer what is not for itself.
    #[must_use]
    pub fn with_pages(mut self, pages: PageHandler) -> Self {
        self.pages = Some(pages);
        self
    }

    /// The counters of this webhook.
    pub fn counts(&self) -> Arc<RequestCounters> {
        Arc::clone(&self.counts)
    }

    /// The handle that ends this webhook.
    pub fn waker(&self) -> Waker {
        Waker {
            server: Arc::clone(&self.server),
            closing: Arc::clone(&self.closing),
        }
    }

    /// Serves until the waker closes it.
    ///
    /// # Errors
    /// The private socket has failed.
    pub fn run(mut self) -> std::io::Result<()> {
        while !self.closing.load(Ordering::Acquire) {
            let first = match self.server.recv() {
                Ok(request) => request,
                Err(_) if self.closing.load(Ordering::Acquire) => break,
                Err(error) => return Err(error),
            };
            let mut batch = vec![first];
            while batch.len() < BATCH
                && let Ok(Some(request)) = self.server.try_recv()
            {
                batch.push(request);
            }
            self.serve(batch);
        }
        Ok(())
    }

    fn serve(&mut self, mut batch: Vec<Request>) {
        let judged: Vec<Judgement> = batch
            .iter_mut()
            .map(|request| self.judge(request))
            .collect();
        let texts: Vec<&Text> = judged
            .iter()
            .filter_map(|judged| match judged {
                Judgement::Take(text) => Some(text),
                _ => None,
            })
            .collect();
        let asked = judged
            .iter()
            .any(|judged| matches!(judged, Judgement::Health));
        let (appended, alive) = self.append(&texts, asked);
        let mut appended = appended.into_iter();
        // In the order of arrival: the gate sends all requests over one connection, and tiny_http
        // holds an answer back until the earlier ones are sent.
        for (request, judged) in batch.into_iter().zip(&judged) {
            let confirmed = match judged {
                Judgement::Take(_) => appended.next().unwrap_or(Err("redis-away")),
                _ => alive,
            };
            let answer = self.answer(judged, confirmed);
            // If Twilio has closed the connection, it repeats the request.
            let _ = request.respond(answer);
        }
    }

    /// The answer to a request. `confirmed` = whether Redis has stored its text, or answers at all.
    fn answer(&mut self, judged: &Judgement, confirmed: Confirmation) -> WebhookResponse {
        match judged {
            Judgement::Take(_) => {
                self.count(
                    confirmed,
                    RequestResult::TextTaken,
                    RequestResult::TextTurnedAway,
                );
                confirmation(confirmed)
            }
            Judgement::Receipt(receipt) => {
                let queued = self.pass_on(receipt.as_ref());
                self.count(
                    queued,
                    RequestResult::ReceiptTaken,
                    RequestResult::ReceiptTurnedAway,
                );
                confirmation(queued)
            }
            Judgement::Probe(proof) => {
                self.counts.requests.add(RequestResult::Probe);
                answer(200, "application/json", proof.clone())
            }
            Judgement::Health => {
                self.counts.requests.add(RequestResult::Health);
                healthy(confirmed.and_then(|()| (self.database)()), &self.obstacles)
            }
            Judgement::Page(asked) => self.page(asked),
            Judgement::Refuse(refusal) => self.refuse(refusal),
        }
    }

    fn judge(&self, request: &mut Request) -> Judgement {
        match self.judge.judge(request) {
            Judgement::Refuse(UNKNOWN_PATH) if self.pages.is_some() => {
                Judgement::Page(page::read(request))
            }
            judged => judged,
        }
    }

    fn page(&mut self, asked: &PageRequest) -> WebhookResponse {
        let answered = self.pages.as_mut().and_then(|pages| pages(asked));
        let Some(response) = answered else {
            return self.refuse(&UNKNOWN_PATH);
        };
        self.counts.requests.add(RequestResult::Page);
        page::response(response)
    }

    fn refuse(&mut self, refusal: &RequestRefusal) -> WebhookResponse {
        self.counts.requests.add(RequestResult::of(refusal));
        self.refusals.count_of(refusal);
        refused(refusal)
    }

    /// Passes a receipt to the thread that records it. If the queue is full, the receipt is rejected,
    /// because texts must not wait for it.
    fn pass_on(&mut self, receipt: Option<&Receipt>) -> Confirmation {
        const BUSY: &str = "too many receipts wait";
        match receipt.map(|receipt| self.receipts.try_send(receipt.clone())) {
            None | Some(Ok(())) => Ok(()),
            Some(Err(_)) => {
                self.refusals.count(BUSY);
                Err(BUSY)
            }
        }
    }

    fn count(&self, result: Confirmation, accepted: RequestResult, rejected: RequestResult) {
        let result = result.map_or(rejected, |()| accepted);
        self.counts.requests.add(result);
    }

    fn append(&mut self, texts: &[&Text], ping: bool) -> (Vec<Confirmation>, Confirmation) {
        if texts.is_empty() && !ping {
            return (Vec::new(), Ok(()));
        }
        let began = Instant::now();
        let AppendResult {
            texts,
            alive,
            fault,
        } = self.appender.append(texts, ping);
        let turned_away = texts.iter().filter(|one| one.is_err()).count();
        self.turned_away += turned_away as u64;
        let well = turned_away == 0 && alive.is_ok();
        self.counts.redis_well.set(u64::from(well));
        match fault.as_ref() {
            Some(fault) => self
                .obstacles
                .set_redis(Observer::Webhook, Some(fault.name())),
            None if well => self.obstacles.set_redis(Observer::Webhook, None),
            None => {}
        }
        if well {
            self.counts.appends.observe(began.elapsed());
        }
        match fault {
            // One line when it begins and one when it ends: Twilio may send the texts of a class again for hours.
            Some(fault) if self.redis_fault.replace(fault.name()) != Some(fault.name()) => error!(
                "{fault}; texts are answered with 503, and Twilio sends them again if the webhook URL asks for retries"
            ),
            None if well && self.redis_fault.take().is_some() => {
                info!(
                    "Redis accepts texts again; requests with a text that were answered with 503: {}",
                    std::mem::take(&mut self.turned_away)
                );
                (self.on_return)();
            }
            _ => {}
        }
        (texts, alive)
    }
}

type WebhookResponse = Response<Cursor<Vec<u8>>>;

fn confirmation(result: Confirmation) -> WebhookResponse {
    match result {
        Ok(()) => answer(200, "text/xml", ACCEPTED.to_owned()),
        Err(name) => answer(503, "text/plain", format!("not accepted: {name}\n")),
    }
}

/// The status and the first line say whether texts can be accepted; each further line names an obstacle that keeps
/// students from being served. It contains names only, because anybody may ask.
fn healthy(state: Result<(), &'static str>, obstacles: &Obstacles) -> WebhookResponse {
    let (status, first) = match state {
        Ok(()) => (200, "ok"),
        Err(name) => (503, name),
    };
    let names = obstacles.present().map(Obstacle::as_str);
    let names = names.filter(|name| *name != first);
    let lines = std::iter::once(first).chain(names);
    answer(
        status,
        "text/plain",
        lines.map(|line| format!("{line}\n")).collect(),
    )
}

fn refused(refusal: &RequestRefusal) -> WebhookResponse {
    let plain = answer(
        refusal.status,
        "text/plain",
        format!("{}\n", refusal.reason),
    );
    match refusal.allow {
        Some(methods) => plain.with_header(header("Allow", methods)),
        None => plain,
    }
}

fn answer(status: u16, media_type: &str, body: String) -> WebhookResponse {
    let length = body.len();
    let headers = vec![header("Content-Type", media_type)];
    Response::new(
        StatusCode(status),
        headers,
        Cursor::new(body.into_bytes()),
        Some(length),
        None,
    )
}

fn header(name: &str, value: &str) -> Header {
    // Names and values are literals of this module and of `judge`, all ASCII.
    Header::from_bytes(name, value).expect("a literal ASCII header")
}
