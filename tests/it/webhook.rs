//! Which requests the webhook accepts.

use crate::{class, plan};
use std::time::Duration;
use support::classroom::http::{Answer, request};
use support::classroom::wire::{self, Wire};
use support::classroom::{Classroom, SIGNED_URL, within};
use support::fakes::twilio;

const FORM: &str = "application/x-www-form-urlencoded";

fn headers(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn send(
    class: &Classroom,
    method: &str,
    target: &str,
    list: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    request(
        class.service().address(),
        method,
        target,
        &headers(list),
        body,
    )
    .expect("an answer")
}

fn left_no_trace(class: &Classroom) {
    assert_eq!(class.redis().length("coder-sms-register:texts"), 0);
    // At its start the service asks what its token may do and how long, and looks for accounts that it does not know.
    let calls = class.coder().calls().into_iter();
    let coder: Vec<String> = calls
        .map(
            |call| match call.path.strip_prefix("/api/v2/users/me/keys/") {
                Some(_) => "its token".to_owned(),
                None => call.path,
            },
        )
        .collect();
    assert_eq!(
        coder,
        [
            "/api/v2/organizations",
            "/api/v2/authcheck",
            "its token",
            "/api/v2/users"
        ]
    );
    assert!(class.twilio().calls().is_empty());
}

#[test]
fn a_text_is_answered_with_an_empty_response_and_nothing_else() {
    let class = class();
    let webhook = class.student().webhook("hello", &[]);
    let address = class.service().address();
    let answer = request(
        address,
        "POST",
        "/inbound",
        &webhook.headers,
        webhook.body.as_bytes(),
    )
    .unwrap();
    assert_eq!((answer.status, answer.body()), (200, "<Response/>"));
    assert_eq!(answer.header("Content-Type"), Some("text/xml"));
}

#[test]
fn a_forged_webhook_leaves_no_trace() {
    let class = class();
    let ana = class.student();
    let good = ana.phrase_webhook();
    let mut forged = good.clone();
    forged.body = forged.body.replace("ready", "Ready");
    assert_eq!(ana.posts(&forged), 403);

    let mut unsigned = good.clone();
    unsigned
        .headers
        .retain(|(name, _)| !name.eq_ignore_ascii_case("X-Twilio-Signature"));
    assert_eq!(ana.posts(&unsigned), 403);

    let other = twilio::TwilioAccount::random();
    let params = twilio::webhook_params(
        &twilio::new_sid(),
        ana.phone(),
        "+12015550100",
        "x",
        &other.account_sid,
        &[],
    );
    let signature = twilio::sign(&class.twilio().account().account_token, SIGNED_URL, &params);
    let body = twilio::form_encode(&params);
    let answer = request(
        class.service().address(),
        "POST",
        "/inbound",
        &twilio::webhook_headers(&signature),
        body.as_bytes(),
    );
    assert_eq!(
        answer.unwrap().status,
        403,
        "rightly signed, but of another account"
    );
    left_no_trace(&class);
}

#[test]
fn each_wrong_request_has_its_status() {
    let class = class();
    let big = "x".repeat(64 * 1024 + 1);
    type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, u16);
    let table: [Row<'_>; 12] = [
        ("GET", "/inbound", &[], "", 405),
        ("PUT", "/inbound", &[("Content-Type", FORM)], "a=b", 405),
        ("DELETE", "/elsewhere", &[], "", 404),
        ("GET", "/elsewhere", &[], "", 404),
        ("POST", "/", &[("Content-Type", FORM)], "a=b", 404),
        ("POST", "/healthz", &[("Content-Type", FORM)], "a=b", 405),
        (
            "POST",
            "/inbound",
            &[("Content-Type", "application/json")],
            "{}",
            400,
        ),
        ("POST", "/inbound", &[], "a=b", 400),
        ("POST", "/inbound", &[("Content-Type", FORM)], "", 400),
        (
            "POST",
            "/inbound",
            &[("Content-Type", FORM)],
            "no form at all",
            400,
        ),
        ("POST", "/inbound", &[("Content-Type", FORM)], "a=b", 403),
        ("POST", "/inbound", &[("Content-Type", FORM)], &big, 413),
    ];
    for (method, target, list, body, status) in table {
        let answer = send(&class, method, target, list, body.as_bytes());
        assert_eq!(answer.status, status, "{method} {target} {list:?}");
        assert_eq!(
            answer.header("Allow").is_some(),
            status == 405,
            "{method} {target}"
        );
    }
    left_no_trace(&class);
}

#[test]
fn the_path_of_the_configured_url_is_served_too() {
    let class = plan()
        .with(
            "TWILIO_WEBHOOK_URL",
            "https://sms.class.example.org/hooks/sms?v=1",
        )
        .open();
    let ana = class.student();
    let account = class.twilio().account();
    let params = twilio::webhook_params(
        &twilio::new_sid(),
        ana.phone(),
        &account.from_numbers[0],
        "I am ready to learn",
        &account.account_sid,
        &[],
    );
    let signature = twilio::sign(
        &account.account_token,
        "https://sms.class.example.org/hooks/sms?v=1",
        &params,
    );
    let body = twilio::form_encode(&params);
    let answer = request(
        class.service().address(),
        "POST",
        "/hooks/sms?v=1",
        &twilio::webhook_headers(&signature),
        body.as_bytes(),
    );
    assert_eq!(answer.unwrap().status, 200);
    ana.next_login();
}

#[test]
fn a_text_is_confirmed_only_by_redis() {
    let class = class();
    let ana = class.student();
    class.redis().kill();
    assert_eq!(ana.posts(&ana.phrase_webhook()), 503);
    let health = send(&class, "GET", "/healthz", &[], b"");
    assert_eq!((health.status, health.body()), (503, "redis-away\n"));

    class.redis().start_again();
    ana.asks();
    ana.logs_in();
}

#[test]
fn health_tells_what_is_wrong_and_when_it_is_over() {
    let class = class();
    let health = || send(&class, "GET", "/healthz", &[], b"");
    assert_eq!((health().status, health().body()), (200, "ok\n"));
    assert_eq!(send(&class, "HEAD", "/healthz", &[], b"").status, 200);

    class.redis().pause();
    assert_eq!(health().status, 503);
    class.redis().resume();
    assert!(within(Duration::from_secs(10), || health().status == 200));

    // Another process holds the database's write lock: no text could be recorded.
    let path = class.data_dir().join("registrations.db");
    let rival = rusqlite::Connection::open(path).unwrap();
    rival.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(within(Duration::from_secs(20), || health().status == 503));
    assert!(
        health().body().starts_with("database-"),
        "{}",
        health().body()
    );
    rival.execute_batch("ROLLBACK").unwrap();
    assert!(within(Duration::from_secs(20), || health().status == 200));
}

#[test]
fn a_text_that_a_tunnel_forwards_in_chunks_is_served() {
    let class = class();
    for size in [1, 7, 100, 64 * 1024] {
        let student = class.student();
        let whole = wire::bytes(&student.phrase_webhook());
        let whole = String::from_utf8(whole).unwrap();
        let (head, body) = whole.split_once("\r\n\r\n").unwrap();
        let length = format!("Content-Length: {}", body.len());
        let mut bytes = head.replace(&length, "Transfer-Encoding: chunked") + "\r\n\r\n";
        for chunk in body.as_bytes().chunks(size) {
            bytes += &format!(
                "{:x}\r\n{}\r\n",
                chunk.len(),
                String::from_utf8_lossy(chunk)
            );
        }
        bytes += "0\r\n\r\n";
        let mut wire = Wire::saying(class.service().address(), bytes.as_bytes());
        assert_eq!(
            wire.answer().unwrap().body(),
            "<Response/>",
            "chunks of {size}"
        );
        student.logs_in();
        // The tunnel keeps its connection for the next one's text.
        let next = class.student();
        wire.sends(&wire::bytes(&next.phrase_webhook()));
        assert_eq!(wire.status(), 200);
        next.next_login();
    }
}
