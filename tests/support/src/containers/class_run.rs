//! Students who text through a published port, and what must hold afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::site::Site;
use super::tls;
use crate::classroom::student::Login;
use crate::classroom::{PHRASE, SIGNED_URL, http, within};
use crate::fakes::twilio;

/// How long a class may take, with kills and restarts.
const PATIENCE: Duration = Duration::from_secs(120);

/// The way that a text takes to the service.
pub enum Entrance {
    /// The published port of the service.
    Plain(SocketAddr),
    /// The published port of a proxy with TLS, whose authority we trust.
    Tls(Box<ureq::Agent>),
}

impl Entrance {
    /// Through TLS at `address`, by a certificate of the authority `root`.
    pub fn tls(address: SocketAddr, root: &str) -> Self {
        Self::Tls(Box::new(tls::client(address, root)))
    }

    /// Sends a webhook once. Returns the status, 0 if no answer came.
    pub fn post(&self, headers: &[(String, String)], body: &str) -> u16 {
        match self {
            Self::Plain(address) => {
                http::request(*address, "POST", "/inbound", headers, body.as_bytes())
                    .map_or(0, |answer| answer.status)
            }
            Self::Tls(agent) => {
                let mut request = agent.post(SIGNED_URL);
                for (name, value) in headers {
                    request = request.header(name, value);
                }
                request
                    .send(body)
                    .map_or(0, |answer| answer.status().as_u16())
            }
        }
    }
}

/// Texts the phrase. Twilio offers the text again until it is accepted.
pub fn text(site: &Site, door: &Entrance, phone: &str) {
    let account = site.account();
    let sid = twilio::new_sid();
    let to = &account.from_numbers[0];
    let params = twilio::webhook_params(&sid, phone, to, PHRASE, &account.account_sid, &[]);
    let signature = twilio::sign(&account.account_token, SIGNED_URL, &params);
    let headers = twilio::webhook_headers(&signature);
    let body = twilio::form_encode(&params);
    let accepted = within(PATIENCE, || {
        let accepted = door.post(&headers, &body) == 200;
        if !accepted {
            thread::sleep(Duration::from_millis(200));
        }
        accepted
    });
    assert!(accepted, "a text was never accepted");
}

/// All of `phones` text the phrase, spread over `span`, while `harm` is done. Returns the seconds from the first
/// text to the last login.
pub fn play(
    site: &Site,
    door: &Entrance,
    phones: &[String],
    span: Duration,
    harm: impl FnOnce(),
) -> f64 {
    let before = texts(site);
    let began = Instant::now();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..phones.len().min(16) {
            scope.spawn(|| {
                while let Some((place, phone)) = {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    phones.get(place).map(|phone| (place, phone))
                } {
                    let at = span.mul_f64(place as f64 / phones.len() as f64);
                    thread::sleep(at.saturating_sub(began.elapsed()));
                    text(site, door, phone);
                }
            });
        }
        harm();
    });
    let have_logins = within(PATIENCE, || {
        thread::sleep(Duration::from_millis(100));
        let now = texts(site);
        phones
            .iter()
            .all(|phone| count(&now, phone) > count(&before, phone))
    });
    assert!(have_logins, "not every student got a login");
    began.elapsed().as_secs_f64()
}

type Texts = BTreeMap<String, Vec<String>>;

/// All texts that Twilio has sent, by phone.
fn texts(site: &Site) -> Texts {
    let seen: Vec<(String, String)> =
        serde_json::from_value(site.twilio().see("/texts")).expect("pairs");
    let mut texts = Texts::new();
    for (phone, body) in seen {
        texts.entry(phone).or_default().push(body);
    }
    texts
}

fn count(texts: &Texts, phone: &str) -> usize {
    texts.get(phone).map_or(0, Vec::len)
}

/// All secrets of the students: phones and passwords.
pub fn secrets(site: &Site) -> Vec<String> {
    let mut secrets = Vec::new();
    for (phone, bodies) in texts(site) {
        secrets.push(phone.trim_start_matches("+1").to_owned());
        let logins = bodies.iter().filter_map(|body| Login::read(body));
        secrets.extend(logins.map(|login| login.password));
    }
    secrets
}

/// Checks that each of `phones` has exactly one account, that its last login works, and that there is no other
/// account. `requests` is how often each has asked. Returns the user names by phone.
pub fn all_are_served(site: &Site, phones: &[String], requests: usize) -> BTreeMap<String, String> {
    let texts = texts(site);
    let mut names = BTreeMap::new();
    for phone in phones {
        let bodies = texts.get(phone).map_or(&[][..], Vec::as_slice);
        let logins: Vec<Login> = bodies.iter().filter_map(|body| Login::read(body)).collect();
        assert_eq!(logins.len(), bodies.len(), "a text was no login");
        // A text with an unknown outcome is sent again once at most.
        assert!(logins.len() <= 2 * requests, "too many texts to a student");
        let login = logins.last().expect("a login for each student");
        let accounts: BTreeSet<&str> = logins.iter().map(Login::username).collect();
        assert_eq!(accounts.len(), 1, "two accounts for one phone");
        let target = format!("/logs-in?email={}&password={}", login.email, login.password);
        assert_eq!(site.coder().see(&target), true, "the last login works");
        names.insert(phone.clone(), login.username().to_owned());
    }
    let wanted: BTreeSet<String> = names.values().cloned().collect();
    let found: BTreeSet<String> = site.coder().words("/students").into_iter().collect();
    assert_eq!(wanted.len(), phones.len(), "students share an account");
    assert_eq!(
        found, wanted,
        "the accounts at Coder are those of the students"
    );
    names
}

/// Checks that no request to Coder or Twilio was invalid or touched a stranger's account.
pub fn nothing_odd(site: &Site) {
    let complaints = [
        site.coder().words("/complaints"),
        site.twilio().words("/complaints"),
    ];
    assert!(complaints.concat().is_empty(), "{complaints:?}");
}
