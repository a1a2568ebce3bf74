//! What Prometheus gets to see: exactly what happened, whatever is away, and nobody's words.
//!
//! `format` reads a page strictly; `trouble` is what may be in a page's way; `papers` holds documents and alerts
//! against what there is.

mod format;
mod papers;
mod trouble;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use format::Page;
use support::classroom::http::{self, Answer};
use support::classroom::{Classroom, PATIENCE, Plan, SIGNED_URL, within};
use support::fakes::twilio::{Fate, form_encode, ops, sign, webhook_headers};

/// A class that shows its metrics.
fn plan() -> Plan {
    crate::plan().with("CODER_REG_METRICS", "127.0.0.1:0")
}

/// Where a class shows them.
fn address(class: &Classroom) -> SocketAddr {
    let service = class.service();
    assert!(service.logs("metrics are at http://"));
    let log = service.log();
    let (_, rest) = log.split_once("metrics are at http://").unwrap();
    let address = rest.split('/').next().unwrap();
    address.parse().expect("an address")
}

fn ask(class: &Classroom, method: &str) -> Answer {
    http::request(address(class), method, "/metrics", &[], b"").expect("an answer")
}

fn text(class: &Classroom) -> String {
    let answer = ask(class, "GET");
    assert_eq!(answer.status, 200, "{}", answer.text);
    let media_type = answer.header("Content-Type");
    assert_eq!(media_type, Some("text/plain; version=0.0.4; charset=utf-8"));
    answer.body().to_owned()
}

fn scrape(class: &Classroom) -> Page {
    Page::read(&text(class))
}

/// The value of one series of ours.
fn figure(class: &Classroom, series: &str) -> f64 {
    scrape(class).value(&format!("coder_sms_register_{series}"))
}

/// Waits until a series of ours has that value.
pub fn comes_to(class: &Classroom, series: &str, value: f64) {
    // What is asked for may be missing for a while.
    let name = format!("coder_sms_register_{series}");
    class.eventually(series, || scrape(class).series.get(&name) == Some(&value));
}

/// What has nothing to do with what the class did.
fn is_circumstance(series: &str) -> bool {
    let ends = ["_bucket", "_sum", "_count", "_info"];
    let name = series.split('{').next().unwrap_or(series);
    name.contains("_gate_connections")
        || name.contains("_token_expires")
        || ends.iter().any(|end| name.ends_with(end))
}

/// Everything that happened, but for what is 0; without our prefix.
fn happened(class: &Classroom) -> BTreeMap<String, f64> {
    let all = scrape(class).series.into_iter();
    all.filter(|(series, value)| *value != 0.0 && !is_circumstance(series))
        .map(|(series, value)| {
            let short = series.strip_prefix("coder_sms_register_");
            (short.expect("our prefix").to_owned(), value)
        })
        .collect()
}

/// Waits until exactly this has happened.
fn sums_up_to(class: &Classroom, expected: &[(&str, f64)]) {
    let always = [
        ("scrape_ok{source=\"redis\"}", 1.0),
        ("scrape_ok{source=\"database\"}", 1.0),
        ("redis_well", 1.0),
    ];
    let expected: BTreeMap<String, f64> = expected
        .iter()
        .chain(&always)
        .map(|(series, value)| ((*series).to_owned(), *value))
        .collect();
    if !within(PATIENCE, || happened(class) == expected) {
        assert_eq!(happened(class), expected);
    }
}

/// A text with a signature that is none, or with no signature.
fn forges(class: &Classroom, signature: &str) {
    let webhook = class.student().webhook("I am ready to learn", &[]);
    let mut headers = webhook.headers;
    headers.retain(|(name, _)| !name.eq_ignore_ascii_case("X-Twilio-Signature"));
    if !signature.is_empty() {
        headers.push(("X-Twilio-Signature".to_owned(), signature.to_owned()));
    }
    let body = webhook.body.as_bytes();
    let answer = http::request(
        class.service().address(),
        "POST",
        "/inbound",
        &headers,
        body,
    );
    assert_eq!(answer.expect("an answer").status, 403);
}

/// Asks with our token who is there.
fn probes(class: &Classroom) {
    let account = class.twilio().account();
    let params = [
        ("AccountSid".to_owned(), account.account_sid.clone()),
        ("CoderSmsRegisterProbe".to_owned(), "0".repeat(32)),
    ];
    let headers = webhook_headers(&sign(&account.account_token, SIGNED_URL, &params));
    let body = form_encode(&params);
    let address = class.service().address();
    let answer = http::request(address, "POST", "/inbound", &headers, body.as_bytes());
    assert_eq!(answer.expect("an answer").status, 200);
}

fn gets(class: &Classroom, path: &str) -> u16 {
    let answer = http::request(class.service().address(), "GET", path, &[], b"");
    answer.expect("an answer").status
}

#[test]
fn a_class_is_counted_exactly_and_nobody_is_named() {
    let class = plan().with_receipts().open();
    sums_up_to(&class, &[]);
    let [ana, ben, cem, dan, eve] = &class.students(5)[..] else {
        unreachable!();
    };
    // A login that arrives, and the same text once more.
    let first = ana.webhook("I am ready to learn", &[]);
    assert_eq!(ana.posts(&first), 200);
    let login = ana.next_login();
    assert_eq!(ana.posts(&first), 200);
    // One that does not arrive.
    class
        .twilio()
        .fate_of(ben.phone(), Fate::undelivered(30003));
    ben.gets_a_login();
    // One that cannot be sent.
    class.twilio().refuse(dan.phone(), 400, 21614);
    dan.asks();
    // Hints and opt-outs.
    cem.texts("hello there");
    cem.next_text();
    cem.texts("what now?");
    eve.texts("STOP");
    class.student_with("+4915112345678").asks();
    // Others.
    probes(&class);
    forges(&class, "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    forges(&class, "");
    assert_eq!(gets(&class, "/nowhere"), 404);
    assert_eq!(gets(&class, "/inbound"), 405);
    assert_eq!(gets(&class, "/healthz"), 200);
    sums_up_to(
        &class,
        &[
            ("requests_total{verdict=\"text_taken\"}", 8.0),
            ("requests_total{verdict=\"receipt_taken\"}", 4.0),
            ("requests_total{verdict=\"wrong_signature\"}", 1.0),
            ("requests_total{verdict=\"no_signature\"}", 1.0),
            ("requests_total{verdict=\"not_found\"}", 1.0),
            ("requests_total{verdict=\"method_not_allowed\"}", 1.0),
            ("requests_total{verdict=\"probe\"}", 1.0),
            ("requests_total{verdict=\"health\"}", 1.0),
            ("texts_total{verdict=\"login_sent\"}", 2.0),
            ("texts_total{verdict=\"hint_sent\"}", 1.0),
            ("texts_total{verdict=\"opt_word_recorded\"}", 1.0),
            ("texts_total{verdict=\"given_up\"}", 1.0),
            ("texts_total{verdict=\"unanswered\"}", 3.0),
            ("texts_unanswered_total{reason=\"served_before\"}", 1.0),
            ("texts_unanswered_total{reason=\"country\"}", 1.0),
            ("texts_unanswered_total{reason=\"hinted_before\"}", 1.0),
            ("dead_letters", 1.0),
            ("logins_sent_total", 2.0),
            ("logins_delivered_total", 1.0),
            ("logins_failed_total{step=\"send\",code=\"21614\"}", 1.0),
            ("logins_failed_total{step=\"delivery\",code=\"30003\"}", 1.0),
            ("redactions_total{result=\"done\"}", 1.0),
            ("registrations_total", 3.0),
            // The account of the one who cannot be texted.
            ("removals_total", 1.0),
            ("accounts{stage=\"announced\"}", 2.0),
        ],
    );
    calls_are_counted(&class);

    let page = text(&class);
    for secret in [
        ana.phone(),
        &ana.phone()[1..],
        login.username(),
        &login.password,
        &first.sid,
    ] {
        assert!(!page.contains(secret), "{secret} stands in\n{page}");
    }
    class.change("UPDATE registrations SET due_at = 1");
    class.all_gone();
    comes_to(&class, "removals_total", 3.0);
    class.eventually("nobody is left", || {
        let page = scrape(&class);
        let left = page.series.iter().filter(|(series, value)| {
            series.starts_with("coder_sms_register_accounts") && **value != 0.0
        });
        left.count() == 0 && page.value("coder_sms_register_removal_overdue_seconds") == 0.0
    });
}

/// The histograms hold as many calls as Coder and Twilio have seen.
fn calls_are_counted(class: &Classroom) {
    let counted = |peer: &str, status: &str| {
        let labels = format!("{{peer=\"{peer}\",status=\"{status}\"}}");
        figure(class, &format!("call_duration_seconds_count{labels}"))
    };
    let seen = |statuses: Vec<Option<u16>>, class: u16| {
        let of_class = |status: &&Option<u16>| status.is_some_and(|status| status / 100 == class);
        statuses.iter().filter(of_class).count() as f64
    };
    let coder = || {
        class
            .coder()
            .calls()
            .into_iter()
            .map(|call| call.status)
            .collect()
    };
    let twilio = || {
        class
            .twilio()
            .calls()
            .into_iter()
            .map(|call| call.status)
            .collect()
    };
    class.eventually("all calls to Coder are counted", || {
        counted("coder", "2xx") == seen(coder(), 2) && counted("coder", "4xx") == seen(coder(), 4)
    });
    class.eventually("all calls to Twilio are counted", || {
        counted("twilio", "2xx") == seen(twilio(), 2)
            && counted("twilio", "4xx") == seen(twilio(), 4)
    });
    assert!(counted("coder", "2xx") > 3.0 && counted("twilio", "2xx") > 2.0);
    assert_eq!(counted("twilio", "4xx"), 1.0);
    assert!(figure(class, "redis_append_duration_seconds_count") >= 8.0);
    assert!(figure(class, "database_write_duration_seconds_count") >= 8.0);
    assert!(figure(class, "gate_connections_total") >= 10.0);
}

#[test]
fn receipts_in_any_order_count_each_login_once() {
    let class = plan().with_receipts().open();
    let (ana, ben) = (class.student(), class.student());
    let steps = &["delivered", "sent", "delivered", "read"];
    class.twilio().fate_of(ana.phone(), Fate::of(steps));
    let steps = &["failed", "failed", "delivered"];
    class.twilio().fate_of(ben.phone(), Fate::of(steps));
    ana.gets_a_login();
    ben.gets_a_login();
    comes_to(&class, "requests_total{verdict=\"receipt_taken\"}", 7.0);
    comes_to(&class, "logins_delivered_total", 1.0);
    comes_to(
        &class,
        "logins_failed_total{step=\"delivery\",code=\"none\"}",
        1.0,
    );
    // Those that come before the send's own answer.
    class.twilio().latency(ops::SEND, Duration::from_secs(2));
    for (state, code) in [("delivered", None), ("failed", Some(30034))] {
        let early = Fate {
            pause: Duration::ZERO,
            steps: vec![(state, code)],
        };
        let student = class.student();
        class.twilio().fate_of(student.phone(), early);
        student.asks();
    }
    comes_to(&class, "logins_sent_total", 4.0);
    comes_to(&class, "logins_delivered_total", 2.0);
    comes_to(
        &class,
        "logins_failed_total{step=\"delivery\",code=\"30034\"}",
        1.0,
    );
    let failed = figure(
        &class,
        "logins_failed_total{step=\"delivery\",code=\"none\"}",
    );
    assert_eq!(failed, 1.0);
}

#[test]
fn what_coder_and_twilio_refuse_shows_as_put_off_and_as_a_pause() {
    let class = plan().open();
    class.twilio().auth_fails(true);
    let students = class.students(2);
    students.iter().for_each(|student| drop(student.asks()));
    comes_to(&class, "paused", 1.0);
    let page = scrape(&class);
    let ours = |series: &str| page.value(&format!("coder_sms_register_{series}"));
    assert!(ours("texts_put_off_total{cause=\"blocked\"}") >= 2.0);
    assert!(ours("logins_failed_total{step=\"send\",code=\"20003\"}") >= 2.0);
    comes_to(&class, "stream_entries", 2.0);
    comes_to(&class, "stream_pending_entries", 2.0);
    comes_to(&class, "accounts{stage=\"created\"}", 2.0);
    class.eventually("the texts grow old", || {
        let page = scrape(&class);
        let ours = |series: &str| page.value(&format!("coder_sms_register_{series}"));
        let (all, pending) = (
            ours("stream_oldest_seconds"),
            ours("stream_oldest_pending_seconds"),
        );
        all >= 2.0 && all == pending
    });
}

#[test]
fn an_account_that_does_not_go_is_overdue() {
    let class = plan().with("CODER_REMOVE_TIME", "1s").open();
    let ana = class.student();
    let login = ana.gets_a_login();
    class
        .coder()
        .running_workspace(login.username(), "dev")
        .expect("a workspace");
    class.eventually("it is overdue", || {
        figure(&class, "removal_overdue_seconds") >= 2.0
    });
    assert_eq!(figure(&class, "accounts_overdue"), 1.0);
    class.coder().stop_workspace(login.username(), "dev");
    class.all_gone();
    comes_to(&class, "removal_overdue_seconds", 0.0);
    assert_eq!(figure(&class, "removals_total"), 1.0);
}

#[test]
fn texts_that_were_missed_are_counted() {
    let class = plan().with("CODER_REG_CATCH_UP", "30m").open();
    let ana = class.student();
    // It stands in Twilio's log, and its webhook never comes.
    drop(ana.webhook("I am ready to learn", &[]));
    class.restart_service();
    ana.next_login();
    comes_to(&class, "missed_texts_total", 1.0);
    assert_eq!(
        figure(&class, "requests_total{verdict=\"text_taken\"}"),
        0.0
    );
}

#[test]
fn the_page_tells_when_the_token_ends() {
    let class = plan().prepare();
    class.coder().token_lives(Duration::from_secs(36_000));
    class.start_service();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970")
        .as_secs_f64();
    class.eventually("its end", || {
        let ends = figure(&class, "token_expires_timestamp_seconds");
        (ends - now - 36_000.0).abs() < 60.0
    });
}

#[test]
fn each_class_has_its_accounts_and_its_seats() {
    let class = plan()
        .with("CODER_REG_PASS", "")
        .with("CODER_CLASS_INTRO_PASS", "purple kettle")
        .with("CODER_CLASS_INTRO_SEATS", "7")
        .with("CODER_CLASS_NEXT_PASS", "brown lantern")
        .open();
    let ana = class.student();
    ana.texts("purple kettle");
    ana.next_login();
    comes_to(&class, "class_accounts{class=\"intro\"}", 1.0);
    assert_eq!(figure(&class, "class_accounts{class=\"next\"}"), 0.0);
    assert_eq!(figure(&class, "class_seats{class=\"intro\"}"), 7.0);
}
