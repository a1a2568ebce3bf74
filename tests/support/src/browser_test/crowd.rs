//! Thirty laptops and thirty texts at once.

use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use super::shares::Shares;
use super::stage::{BrowserLaptop, Stage, account_of, ends_of, nothing_was_sent};
use crate::bench::stats::percentile;
use crate::browser::{Browser, Engine};
use crate::classroom::student::{Student, Webhook};
use crate::classroom::{Classroom, PATIENCE, http, within};
use crate::fakes::coder::ops;

const LAPTOPS: usize = 30;

/// Says yes as soon as the page asks after this phone: how long a person thinks is not measured.
const SAYS_YES: &str = "const [ends] = arguments;
const look = new MutationObserver(() => {
  if (document.getElementById('question').hidden) return;
  look.disconnect();
  document.getElementById(document.getElementById('ends').textContent == ends ? 'yes' : 'no').click();
});
look.observe(document.body, { subtree: true, attributes: true, childList: true });";

/// Reloads the page at this time, in milliseconds since 1970.
const RELOADS: &str = "setTimeout(() => location.reload(), arguments[0] - Date.now())";

/// How long it takes to tell all windows to load their page at one moment, in milliseconds.
const NOTICE: f64 = 8_000.0;

/// When the page that is shown was loaded, in milliseconds since 1970.
const LOADED: &str = "return performance.timing.domContentLoadedEventEnd";

fn now_ms() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0.0, |now| now.as_secs_f64() * 1_000.0)
}

/// What the browser alone needs on this machine, in seconds: all windows load the page that they show at one moment.
fn load_at_once(laptops: &[BrowserLaptop<'_>]) -> Vec<f64> {
    let at = now_ms() + NOTICE;
    for laptop in laptops {
        laptop.window.run(RELOADS, &[at.into()]).expect("a script");
    }
    let loaded = |laptop: &BrowserLaptop<'_>| {
        laptop.window.eventually("the page again", |window| {
            window
                .run(LOADED, &[])
                .is_ok_and(|time| time.as_f64() > Some(at))
        });
        laptop.window.run(LOADED, &[]).expect("a time")
    };
    let seconds = |laptop| (loaded(laptop).as_f64().unwrap_or_default() - at) / 1_000.0;
    laptops.iter().map(seconds).collect()
}

fn tells(what: &str, mut seconds: Vec<f64>) {
    seconds.sort_by(f64::total_cmp);
    println!(
        "       {what}, {LAPTOPS} at once: p50 {:.2} s, p99 {:.2} s",
        percentile(&seconds, 0.5),
        percentile(&seconds, 0.99)
    );
}

fn tells_shares(used: &[(&str, f64)]) {
    let all: f64 = used.iter().map(|(_, seconds)| seconds).sum();
    println!("       processor time of that: {all:.1} s");
    for (who, seconds) in used {
        println!("       {:5.1} %  {who}", seconds / all * 100.0);
    }
}

/// The browser that is measured.
fn start() -> Browser {
    if Engine::Shell.is_installed() {
        return Browser::start(Engine::Shell);
    }
    println!("       chromium-headless-shell is missing: Chromium's own windows count as well");
    Browser::start(Engine::Chromium)
}

/// Sends all texts at the same time, and gives when each began, in milliseconds since 1970.
fn text_at_once(posts: &[Webhook], class: &Classroom) -> Vec<f64> {
    let address = class.service().address();
    thread::scope(|scope| {
        let threads = posts.iter().map(|post| {
            scope.spawn(move || {
                let began = now_ms();
                let body = post.body.as_bytes();
                let answer = http::request(address, "POST", "/inbound", &post.headers, body);
                assert_eq!(answer.map_or(0, |answer| answer.status), 200);
                began
            })
        });
        let threads: Vec<_> = threads.collect();
        let began = threads.into_iter().map(|thread| thread.join());
        began.map(|began| began.expect("a text is taken")).collect()
    })
}

/// Waits until every browser has asked for Coder's page, without its driver, which would take processor time from it.
fn all_go_to_coder(class: &Classroom) {
    let coder = class.coder();
    // Some browsers also ask for an icon, which is no page.
    let pages = || coder.calls().iter().filter(|call| call.path == "/").count();
    let arrived = within(PATIENCE, || pages() >= LAPTOPS);
    assert!(arrived, "not all have reached Coder:\n{}", coder.describe());
}

/// Each window is signed in as its own student, by one login.
fn everybody_is_themselves(class: &Classroom, students: &[Student<'_>], mut names: Vec<String>) {
    for (student, name) in students.iter().zip(&names) {
        assert_eq!(&account_of(class, student), name, "whose window it is");
    }
    names.sort();
    names.dedup();
    assert_eq!(
        names.len(),
        LAPTOPS,
        "everybody has an account of their own"
    );
    // The page of a browser that is too slow tries again, and Coder refuses that.
    let calls = class.coder().calls();
    let logins = calls.iter().filter(|call| call.op == ops::LOGIN.0);
    let admitted = logins.filter(|call| call.applied == Some(201)).count();
    assert_eq!(admitted, LAPTOPS, "one login each");
}

/// Everybody is signed in as themselves, and nothing is sent. Tells the time from a text to the page of Coder.
pub fn thirty_at_once(stage: &Stage) {
    let browser = start();
    let class = stage.class("screen");
    class.coder().rate_limits(true);
    let laptops: Vec<BrowserLaptop<'_>> = (0..LAPTOPS)
        .map(|_| BrowserLaptop::opens(browser.private_window(), &class))
        .collect();
    let students = class.students(LAPTOPS);
    let mut posts = Vec::new();
    for (laptop, student) in laptops.iter().zip(&students) {
        let text = laptop.wanted_text();
        let ends = ends_of(student).into();
        laptop.window.run(SAYS_YES, &[ends]).expect("a script");
        posts.push(student.webhook(&text, &[]));
    }
    let before = Shares::now(&browser, &class);
    let sent = text_at_once(&posts, &class);
    all_go_to_coder(&class);
    let used = Shares::now(&browser, &class).since(&before);
    class.all_served();
    let mut seconds = Vec::new();
    let mut names = Vec::new();
    for (laptop, began) in laptops.iter().zip(sent) {
        names.push(laptop.signed_in_as());
        let loaded = laptop.window.run(LOADED, &[]).expect("a time");
        seconds.push((loaded.as_f64().unwrap_or_default() - began) / 1_000.0);
    }
    everybody_is_themselves(&class, &students, names);
    nothing_was_sent(&class);
    tells("from the text to the page of Coder", seconds);
    tells_shares(&used);
    tells(
        "the browser alone, one page in each window",
        load_at_once(&laptops),
    );
    for laptop in laptops {
        laptop.window.close();
    }
}
