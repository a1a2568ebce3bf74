//! The paths that a child process runs under valgrind.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use coder_sms_register::config::Config;
use coder_sms_register::domain::registration::Sending;
use coder_sms_register::domain::{
    InstanceId, Marker, MessageSid, Passphrase, Phone, PhoneHash, PhoneKey, Secret, SignedUrl,
    Username,
};
use coder_sms_register::store::{Reservation, ReserveResult, Seats, SentLogin, Store};
use coder_sms_register::twilio::signature::{Signer, Verifier};
use coder_sms_register::webhook::Judge;

use crate::classroom::{PHRASE, SIGNED_URL, WEBHOOK_URL};
use crate::fakes::twilio;

/// What the database does for the phrase of a new phone, from the first question to the last record.
pub const STORE_NEW: &str = "store-new";

/// What the database does for other words of a phone that has a login.
pub const STORE_OTHER: &str = "store-other";

/// One path that needs nothing but memory.
pub struct Pure {
    /// By which it is called.
    pub name: &'static str,
    /// What it is, in words.
    pub about: &'static str,
    take: fn(&Props, u32),
}

/// All of them.
pub const PURE: &[Pure] = &[
    Pure {
        name: "form",
        about: "decoding a form of 19 parameters",
        take: |props, times| repeat(times, || decode(black_box(&props.body)).len()),
    },
    Pure {
        name: "signature",
        about: "checking the signature of 19 decoded parameters",
        take: |props, times| {
            repeat(times, || {
                props
                    .verifier
                    .check(
                        &Signer::AuthToken,
                        black_box(&props.params),
                        &props.signature,
                    )
                    .is_ok()
            });
        },
    },
    Pure {
        name: "verdict",
        about: "the whole verdict on a signed text: form, signature, account, names",
        take: |props, times| {
            repeat(times, || accepts(props, &props.signature, &props.body));
        },
    },
    Pure {
        name: "receipt",
        about: "the same on a form with the parameters of a receipt",
        take: |props, times| {
            repeat(times, || {
                accepts(props, &props.receipt_signature, &props.receipt_body)
            });
        },
    },
    Pure {
        name: "forged",
        about: "the whole verdict on a forged text",
        take: |props, times| {
            let forged = "AAAAAAAAAAAAAAAAAAAAAAAAAAA=";
            repeat(times, || accepts(props, forged, &props.body));
        },
    },
    Pure {
        name: "phone",
        about: "reading a phone number",
        take: |_, times| repeat(times, || Phone::parse(black_box(FROM)).is_ok()),
    },
    Pure {
        name: "hash",
        about: "the keyed hash of a phone",
        take: |props, times| repeat(times, || black_box(&props.phone).hash(&props.key)),
    },
    Pure {
        name: "phrase",
        about: "comparing a text with the phrase",
        take: |props, times| repeat(times, || props.phrase.matches(black_box(PHRASE))),
    },
];

const FROM: &str = "+12025550123";
const TO: &str = "+12015550100";
const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
const TOKEN: &str = "fedcba9876543210fedcba9876543210";

/// What the paths work on: always the same.
struct Props {
    params: Vec<(String, String)>,
    body: Vec<u8>,
    signature: String,
    receipt_body: Vec<u8>,
    receipt_signature: String,
    verifier: Verifier,
    judge: Judge,
    phone: Phone,
    key: PhoneKey,
    phrase: Passphrase,
}

fn repeat<T>(times: u32, path: impl Fn() -> T) {
    for _ in 0..times {
        black_box(path());
    }
}

fn accepts(props: &Props, signature: &str, body: &[u8]) -> bool {
    props.judge.judge_form(signature, black_box(body)).is_ok()
}

fn decode(body: &[u8]) -> Vec<(String, String)> {
    let pairs = form_urlencoded::parse(body);
    pairs
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

impl Props {
    fn new() -> Self {
        let sid = "SM6262211c157aa9623d96f03ffb638c3f";
        let mut params = twilio::webhook_params(sid, FROM, TO, PHRASE, ACCOUNT, &[]);
        // An order that is neither the alphabet's nor another one each time.
        params.sort_by_key(|(name, _)| (name.len(), name.clone()));
        let account = twilio::TwilioAccount {
            account_sid: ACCOUNT.to_owned(),
            ..twilio::TwilioAccount::random()
        };
        let receipt = twilio::receipt_params(sid, FROM, TO, "delivered", None, &account);
        let url = SignedUrl::parse(WEBHOOK_URL).expect("a URL");
        Self {
            receipt_body: twilio::form_encode(&receipt).into_bytes(),
            receipt_signature: twilio::sign(TOKEN, SIGNED_URL, &receipt),
            body: twilio::form_encode(&params).into_bytes(),
            signature: twilio::sign(TOKEN, SIGNED_URL, &params),
            params,
            verifier: Verifier::new(&url, &[Secret::new(TOKEN)], &[]),
            judge: Judge::new(&config(settings()).twilio),
            phone: Phone::parse(FROM).expect("a phone"),
            key: PhoneKey::derive(TOKEN),
            phrase: Passphrase::parse(PHRASE).expect("a phrase"),
        }
    }
}

fn settings() -> impl Iterator<Item = (String, String)> {
    let settings = [
        ("TWILIO_ACCOUNT_SID", ACCOUNT),
        ("TWILIO_ACCOUNT_TOKEN", TOKEN),
        ("FROM_NUM", TO),
        ("TWILIO_WEBHOOK_URL", WEBHOOK_URL),
        ("CODER_API_URL", "https://coder.class.example.org"),
        ("CODER_API_KEY", "0123456789-ABCDEFGHIJKLMNOPQRSTUV"),
        ("CODER_EMAIL_DOM", "class.example.org"),
        ("CODER_REG_PASS", PHRASE),
    ];
    settings
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
}

fn config(settings: impl Iterator<Item = (String, String)>) -> Config {
    let read = |path: &Path| std::fs::read_to_string(path);
    Config::from_vars(settings, &read).expect("the settings of a service")
}

/// Runs the path of that name `times` times. `folder` is a data folder for those that need one; the
/// settings that it was made with are then in the environment.
///
/// # Errors
/// There is no such path.
pub fn take_as_child(name: &str, times: u32, folder: Option<PathBuf>) -> Result<(), String> {
    if let Some(path) = PURE.iter().find(|path| path.name == name) {
        (path.take)(&Props::new(), times);
        return Ok(());
    }
    let folder =
        folder.ok_or_else(|| format!("there is no path {name:?}, or it needs a folder"))?;
    let (store, key) =
        Store::open(&folder, &config(std::env::vars()).service.phone_keys).expect("a data folder");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let at = now.as_secs().cast_signed();
    let known = phone(&key, 0);
    record(&store, &key, &known, 0, at);
    for number in (1..).take(times as usize) {
        match name {
            STORE_NEW => record(&store, &key, &phone(&key, number), number, at),
            STORE_OTHER => ignore(&store, &known, number, at),
            _ => return Err(format!("there is no path {name:?}")),
        }
    }
    Ok(())
}

/// Does what the database does for the phrase of `students` new phones, in a new database. Returns how
/// long that took.
pub fn register(folder: &Path, students: u32) -> Duration {
    let key = PhoneKey::derive(TOKEN);
    let (store, key) = Store::open(folder, &[key]).expect("a data folder");
    let now = 1_800_000_000;
    let began = Instant::now();
    for number in 0..u64::from(students) {
        record(&store, &key, &phone(&key, number), number, now);
    }
    began.elapsed()
}

fn phone(key: &PhoneKey, number: u64) -> PhoneHash {
    let digits = 10_000_000_000_000 + number % 10_000_000_000_000;
    Phone::parse(&format!("+{digits}"))
        .expect("a phone")
        .hash(key)
}

fn sid(number: u64) -> MessageSid {
    // Anywhere among the others, as real ones are.
    let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let sid = format!("SM{scattered:016x}{number:016x}");
    MessageSid::parse(&sid).expect("a name of Twilio's form")
}

/// The questions and records of `provision` for the phrase of a new phone, in their order.
fn record(store: &Store, key: &PhoneKey, phone: &PhoneHash, number: u64, now: i64) {
    const ROOM: u32 = 1_000_000;
    let due = now + 43_200;
    let sid = sid(number);
    let known = store.known(&sid, phone, now).expect("an answer");
    assert!(known.registration.is_none(), "the phone is new");
    let username = Username::parse(&format!("count-{number:x}")).expect("a name");
    let marker = Marker::draw(&username, key, &InstanceId::from_stored("folder"));
    let reserved = store.reserve(
        Reservation {
            phone,
            text: &sid,
            received: now,
            username: &username,
            marker: &marker,
            now,
            due_at: due,
        },
        Seats {
            class: None,
            limit: ROOM,
        },
    );
    assert_eq!(reserved.expect("a record"), ReserveResult::Done);
    let found = store
        .find(phone)
        .expect("an answer")
        .expect("it was reserved");
    let sending = Sending {
        fingerprint: key.fingerprint("E-mail, password"),
        since: now,
    };
    let coder_id = format!("00000000-0000-4000-8000-{number:012x}");
    store
        .created(found.id, &coder_id, due, Some(sending))
        .expect("a record");
    let sent = SentLogin {
        text: Some(&sid),
        at: now,
        due_at: Some(due),
        window_start: now,
        sent_in_window: 1,
    };
    store.login_sent(found.id, &sid, sent).expect("a record");
}

/// The same for other words of a phone that has a login.
fn ignore(store: &Store, phone: &PhoneHash, number: u64, now: i64) {
    let sid = sid(number);
    let known = store.known(&sid, phone, now).expect("an answer");
    assert!(known.registration.is_some(), "the phone is known");
    store.finish(&sid, now).expect("a record");
}
