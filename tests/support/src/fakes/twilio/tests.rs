//! The fake's own rules.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::super::client::{Client, ClientAnswer};
use super::super::server::{Action, Reply, Request, Server};
use super::super::{clock, lock};
use super::{FakeTwilio, Fate, SentReceipt, new_sid, ops, sign};

const PHONE: &str = "+14155550123";

fn path(twilio: &FakeTwilio, rest: &str) -> String {
    format!(
        "/2010-04-01/Accounts/{}/{rest}",
        twilio.account().account_sid
    )
}

fn sender(twilio: &FakeTwilio) -> Client {
    Client::new(&twilio.url()).basic(&twilio.account().auth_sid, &twilio.account().auth_token)
}

fn send(twilio: &FakeTwilio, changes: &[(&str, &str)]) -> ClientAnswer {
    let from = twilio.account().from_numbers[0].clone();
    let usual = [("To", PHONE), ("From", from.as_str()), ("Body", "welcome")];
    let kept = usual
        .into_iter()
        .filter(|(name, _)| changes.iter().all(|(other, _)| other != name));
    let params: Vec<(&str, &str)> = kept.chain(changes.iter().copied()).collect();
    sender(twilio).form(&path(twilio, "Messages.json"), &params)
}

fn code(answer: &ClientAnswer) -> (u16, u64) {
    assert_eq!(answer.json()["status"], answer.status);
    (
        answer.status,
        answer.json()["code"].as_u64().unwrap_or_default(),
    )
}

#[test]
fn a_text_is_taken_queued_and_remembered() {
    let twilio = FakeTwilio::start_default();
    let answer = send(&twilio, &[]);
    let message = answer.json();
    assert_eq!(
        (answer.status, &message["status"]),
        (201, &Value::from("queued"))
    );
    assert_eq!(
        (&message["direction"], &message["num_segments"]),
        (&Value::from("outbound-api"), &Value::from("1"))
    );
    assert!(message["date_sent"].is_null() && answer.header("Twilio-Request-Id").is_some());
    let texts = twilio.texts_to(PHONE);
    assert_eq!((texts.len(), texts[0].body.as_str()), (1, "welcome"));
    assert_eq!(message["sid"], texts[0].sid.as_str());
    assert!(twilio.unexpected().is_empty());
}

#[test]
fn what_twilio_refuses_is_refused_with_its_code() {
    let twilio = FakeTwilio::start_default();
    let from = twilio.account().from_numbers[0].clone();
    let service = twilio.account().service_sid.clone();
    let long = "é".repeat(1601);
    let table: [(&[(&str, &str)], u64); 15] = [
        (&[("To", "")], 21604),
        (&[("From", "")], 21603),
        (&[("Body", "")], 21602),
        (&[("To", "4155550123")], 21211),
        (&[("To", "+1415555012")], 21211),
        (&[("To", "72345")], 21265),
        (&[("To", &from)], 21266),
        (&[("From", &service)], 21212),
        (&[("From", "+12015559999999")], 21212),
        (&[("From", "+442071838750")], 21606),
        (&[("MessagingServiceSid", "MG0")], 21701),
        (&[("Body", &long)], 21617),
        (&[("StatusCallback", "https://a_b.example.org/")], 21609),
        (&[("ValidityPeriod", "36001")], 21624),
        (&[("ValidityPeriod", "0")], 21624),
    ];
    for (changes, expected) in table {
        assert_eq!(
            code(&send(&twilio, changes)),
            (400, expected),
            "{changes:?}"
        );
    }
    assert_eq!(send(&twilio, &[("Body", &long[..3200])]).status, 201);
    let json = sender(&twilio).json(
        "POST",
        &path(&twilio, "Messages.json"),
        &serde_json::json!({ "To": PHONE }),
    );
    assert_eq!(code(&json), (400, 21604));
}

#[test]
fn only_the_account_gets_in() {
    let twilio = FakeTwilio::start_default();
    let account = twilio.account().clone();
    let target = path(&twilio, "Messages.json");
    let status = |mut client: Client| client.get(&target).status;
    assert_eq!(status(Client::new(&twilio.url())), 401);
    assert_eq!(
        status(Client::new(&twilio.url()).basic(&account.auth_sid, "wrong")),
        401
    );
    assert_eq!(
        status(Client::new(&twilio.url()).basic(&account.account_sid, &account.auth_token)),
        401
    );
    assert_eq!(
        status(Client::new(&twilio.url()).basic(&account.account_sid, &account.account_token)),
        200
    );
    let other = sender(&twilio)
        .get("/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json");
    assert_eq!(code(&other), (404, 20404));
    assert!(twilio.unexpected().is_empty());
    twilio.auth_fails(true);
    assert_eq!(code(&send(&twilio, &[])), (401, 20003));
}

#[test]
fn the_list_filters_by_whole_days() {
    let twilio = FakeTwilio::start_default();
    let from = twilio.account().from_numbers[0].clone();
    let now = SystemTime::now();
    let yesterday = now - Duration::from_secs(86_400);
    let inbound = new_sid();
    twilio.add_inbound(&inbound, PHONE, &from, "I am ready to learn", yesterday);
    send(&twilio, &[("Body", "first")]);
    send(&twilio, &[("Body", "second")]);
    send(&twilio, &[("To", "+14155550199")]);
    let today = clock::day(now);
    let list = |query: &str| {
        sender(&twilio)
            .get(&path(&twilio, &format!("Messages.json?{query}")))
            .json()
    };
    let bodies = |query: &str| {
        let messages = list(query)["messages"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        messages
            .iter()
            .map(|message| message["body"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        bodies(&format!("To=%2B14155550123&DateSent={today}")),
        ["second", "first"]
    );
    assert_eq!(
        bodies(&format!("To=%2B14155550123&DateSent%3E={today}T23:59:59Z")),
        ["second", "first"]
    );
    assert_eq!(
        bodies(&format!("DateSent%3C={}", clock::day(yesterday))),
        ["I am ready to learn"]
    );
    assert_eq!(bodies("From=%2B14155550123"), ["I am ready to learn"]);
    assert_eq!(
        sender(&twilio)
            .get(&path(&twilio, "Messages.json?DateSent=today"))
            .status,
        400
    );
}

#[test]
fn the_list_pages_from_the_newest_to_the_oldest() {
    let twilio = FakeTwilio::start_default();
    let from = twilio.account().from_numbers[0].clone();
    let inbound = new_sid();
    let date = SystemTime::now() - Duration::from_secs(86_400);
    twilio.add_inbound(&inbound, PHONE, &from, "I am ready to learn", date);
    for _ in 0..3 {
        send(&twilio, &[]);
    }
    let list = |query: &str| {
        sender(&twilio)
            .get(&path(&twilio, &format!("Messages.json?{query}")))
            .json()
    };
    let page = list("PageSize=3");
    assert_eq!(page["messages"].as_array().map(Vec::len), Some(3));
    let next = sender(&twilio)
        .get(page["next_page_uri"].as_str().expect("a second page"))
        .json();
    assert_eq!(
        (
            &next["messages"][0]["sid"],
            &next["messages"][0]["direction"]
        ),
        (&inbound.into(), &"inbound".into())
    );
    assert!(next["next_page_uri"].is_null());
}

#[test]
fn the_list_can_lag_behind_and_fail() {
    let twilio = FakeTwilio::start_default();
    send(&twilio, &[]);
    let list = || sender(&twilio).get(&path(&twilio, "Messages.json")).json();
    let count = || list()["messages"].as_array().map(Vec::len);
    assert_eq!(count(), Some(1));
    twilio.hide_from_list_for(Duration::from_secs(60));
    assert_eq!(count(), Some(0));
    twilio.list_unavailable(true);
    assert_eq!(list()["code"], 20503);
}

#[test]
fn a_message_is_read_redacted_and_deleted() {
    let twilio = FakeTwilio::start_default();
    twilio.delivery_time(Duration::from_secs(60));
    let sid = send(&twilio, &[]).json()["sid"]
        .as_str()
        .expect("a sid")
        .to_owned();
    let target = path(&twilio, &format!("Messages/{sid}.json"));
    let mut api = sender(&twilio);
    assert_eq!(api.get(&target).json()["status"], "queued");
    assert_eq!(
        code(&api.send("DELETE", &target, "", "").expect("an answer")),
        (409, 20009)
    );
    twilio.delivery_time(Duration::ZERO);
    assert_eq!(api.get(&target).json()["status"], "delivered");
    assert_eq!(api.form(&target, &[("Body", "x")]).status, 400);
    assert_eq!(api.form(&target, &[("Body", "")]).json()["body"], "");
    assert_eq!(
        api.send("DELETE", &target, "", "")
            .expect("an answer")
            .status,
        204
    );
    assert_eq!(code(&api.get(&target)), (404, 20404));
}

#[test]
fn refusals_are_told_by_phone_or_by_all() {
    let twilio = FakeTwilio::start_default();
    twilio.refuse(PHONE, 400, 21610);
    assert_eq!(code(&send(&twilio, &[])), (400, 21610));
    assert_eq!(send(&twilio, &[("To", "+14155550199")]).status, 201);
    twilio.refuse_all(429, 20429);
    assert_eq!(
        code(&send(&twilio, &[("To", "+14155550199")])),
        (429, 20429)
    );
    twilio.refuse_none();
    assert_eq!(send(&twilio, &[]).status, 201);
    assert_eq!(
        (
            twilio.refused_to(PHONE),
            twilio.texts().len(),
            twilio.count(ops::SEND)
        ),
        (1, 2, 4)
    );
}

#[test]
fn waiting_for_a_text_ends_with_it_or_with_the_deadline() {
    let twilio = Arc::new(FakeTwilio::start_default());
    assert!(
        twilio
            .wait_for_texts(PHONE, 1, Duration::from_millis(10))
            .is_none()
    );
    let waiting = thread::spawn({
        let twilio = Arc::clone(&twilio);
        move || {
            twilio
                .wait_for_texts(PHONE, 2, Duration::from_secs(5))
                .map(|texts| texts.len())
        }
    });
    send(&twilio, &[]);
    send(&twilio, &[]);
    assert_eq!(waiting.join().expect("no panic"), Some(2));
}

#[test]
fn calls_are_described_without_phones_texts_and_keys() {
    let twilio = FakeTwilio::start_default();
    send(&twilio, &[]);
    sender(&twilio).get(&path(&twilio, "Messages.json?To=%2B14155550123&PageSize=5"));
    let text = twilio.describe();
    assert!(text.contains("To&PageSize=5"), "{text}");
    assert!(
        !text.contains("4155550123")
            && !text.contains("welcome")
            && !text.contains(&twilio.account().auth_token)
    );
}

#[test]
fn what_is_no_parameter_is_noted() {
    let twilio = FakeTwilio::start_default();
    assert_eq!(send(&twilio, &[("body", "x")]).status, 201);
    assert_eq!(
        sender(&twilio).get(&path(&twilio, "Calls.json")).status,
        404
    );
    assert_eq!(twilio.unexpected().len(), 2);
}

#[test]
fn a_fate_is_told_by_signed_posts_to_the_callback_alone() {
    let twilio = FakeTwilio::start_default();
    let seen: Arc<Mutex<Vec<Request>>> = Arc::default();
    let host = Server::start({
        let seen = Arc::clone(&seen);
        move |request| {
            lock(&seen).push(request.clone());
            Action::Reply(Reply::empty(204))
        }
    });
    twilio.reaches("https://sms.example.org", host.address());
    twilio.fate_of(PHONE, Fate::undelivered(30003));
    let url = "https://sms.example.org/status";
    send(&twilio, &[]);
    let asked = send(&twilio, &[("StatusCallback", url)]).json();
    let elsewhere = [("StatusCallback", "https://other.example.org/")];
    send(&twilio, &elsewhere);
    let told = || twilio.receipts().len() == 4;
    while !told() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let seen = lock(&seen);
    let mut states = Vec::new();
    for request in seen.iter() {
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("POST", "/status")
        );
        let params: Vec<(String, String)> =
            form_urlencoded::parse(&request.body).into_owned().collect();
        let signature = sign(&twilio.account().account_token, url, &params);
        assert_eq!(
            request.header("x-twilio-signature"),
            Some(signature.as_str())
        );
        let value = |name: &str| {
            let found = params.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone())
        };
        assert_eq!(value("MessageSid").as_deref(), asked["sid"].as_str());
        states.push((value("MessageStatus"), value("ErrorCode")));
    }
    let word = |word: &str| Some(word.to_owned());
    let expected = [(word("sent"), None), (word("undelivered"), word("30003"))];
    assert_eq!(states, expected);
    let unreachable = |one: &&SentReceipt| one.answer == 0;
    assert_eq!(twilio.receipts().iter().filter(unreachable).count(), 2);
}
