//! Twilio's side of a class in trouble: it offers each text until it is taken, wherever the service
//! is by then.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::classroom::student::{Student, Webhook};
use crate::classroom::{Classroom, PHRASE, http};

/// Pause between two offers of a text.
const PAUSE: Duration = Duration::from_millis(20);

/// How long a text is offered. Twilio does so for 15 seconds; here more happens in that time.
const PATIENCE: Duration = Duration::from_secs(90);

/// Texts on their way.
pub struct Post {
    address: Arc<Mutex<SocketAddr>>,
    offers: RefCell<Vec<JoinHandle<bool>>>,
}

impl Post {
    /// To the service as it runs now.
    pub fn to(class: &Classroom) -> Self {
        Self {
            address: Arc::new(Mutex::new(class.service().address())),
            offers: RefCell::default(),
        }
    }

    /// The service was started again and listens elsewhere.
    pub fn follows(&self, class: &Classroom) {
        *self.address.lock().unwrap_or_else(PoisonError::into_inner) = class.service().address();
    }

    /// The student texts the phrase; returns at once.
    pub fn asks(&self, student: &Student<'_>) {
        self.texts(student, PHRASE);
    }

    /// The student texts these words; returns at once.
    pub fn texts(&self, student: &Student<'_>, words: &str) {
        self.offer(student.webhook(words, &[]));
    }

    /// The student texts these words once, and Twilio offers the text twice; returns at once.
    pub fn texts_twice(&self, student: &Student<'_>, words: &str) {
        let webhook = student.webhook(words, &[]);
        self.offer(webhook.clone());
        self.offer(webhook);
    }

    fn offer(&self, webhook: Webhook) {
        let address = Arc::clone(&self.address);
        let offer = move || {
            let deadline = Instant::now() + PATIENCE;
            while Instant::now() < deadline {
                let address = *address.lock().unwrap_or_else(PoisonError::into_inner);
                let body = webhook.body.as_bytes();
                let answer = http::request(address, "POST", "/inbound", &webhook.headers, body);
                if answer.is_ok_and(|answer| answer.status == 200) {
                    return true;
                }
                std::thread::park_timeout(PAUSE);
            }
            false
        };
        self.offers.borrow_mut().push(std::thread::spawn(offer));
    }

    /// Waits until every text was taken. Returns how many were not.
    pub fn is_delivered(&self) -> usize {
        let offers = self.offers.take();
        let taken = offers
            .into_iter()
            .map(|offer| offer.join().unwrap_or(false));
        taken.filter(|taken| !taken).count()
    }
}
