//! Laptops that wait too long, sleep, or find no room; clicks and answers that cross on the way; two tabs.

use serde_json::json;

use std::time::Duration;

use super::stage::{BrowserLaptop, Stage, account_of, nothing_was_sent, time_passes};
use crate::classroom::{PHRASE, http};
use crate::fakes::coder::ops;
use crate::fakes::trouble::Trouble;

/// A little longer than a code lives.
const LIFE: Duration = Duration::from_secs(601);

/// The page gets a new code by itself, and says why.
fn shows_a_new_code(laptop: &BrowserLaptop<'_>, old: &str) {
    laptop.window.eventually("another code, and why", |window| {
        window.shows("#renewed") && window.text("#code").is_some_and(|text| text != old)
    });
}

/// A code that is too old is replaced while the page is open, also on a laptop that slept. What was texted to a
/// sleeping laptop is asked when it wakes.
pub fn old_codes_and_sleep(stage: &Stage) {
    let class = stage.class_in_time("both");
    let laptop = BrowserLaptop::opens(stage.browser().private_window(), &class);
    let first = laptop.code();
    time_passes(&class, LIFE);
    shows_a_new_code(&laptop, &first);

    let second = laptop.code();
    laptop.falls_asleep();
    time_passes(&class, LIFE);
    laptop.wakes_up();
    shows_a_new_code(&laptop, &second);
    // Old codes are nobody's: the login comes by text.
    for old in [first, second] {
        let late = class.student();
        late.texts(&format!("{PHRASE} {old}"));
        late.logs_in();
    }

    let ana = class.student();
    let text = laptop.wanted_text();
    laptop.falls_asleep();
    ana.texts(&text);
    laptop.wakes_up();
    laptop.asks_after(&ana);
    laptop.window.click("#yes");
    laptop.signed_in_as();
    class.all_served();
    assert!(ana.inbox().is_empty(), "it was on the screen");
    laptop.window.close();
}

/// One client has opened as many screens as it may. Its oldest page gets a new code, and a page without one says
/// what works all the same. When a minute is over it shows a code by itself.
pub fn no_room(stage: &Stage) {
    let class = stage.class_in_time("both");
    let laptop = BrowserLaptop::opens(stage.browser().private_window(), &class);
    let old = laptop.code();
    let address = class.service().address();
    let opens = || {
        let answer = http::request(address, "POST", "/screen", &[], b"").expect("an answer");
        answer.status == 201
    };
    // Its screen is the oldest, so it is the first to go.
    for _ in 0..512 {
        assert!(opens());
    }
    shows_a_new_code(&laptop, &old);
    while opens() {}
    let late = BrowserLaptop::opens(stage.browser().private_window(), &class);
    says(&late, "Just text the phrase");
    assert_eq!(
        late.window.text("#plain .number").as_deref(),
        Some("+1 312 555 0100")
    );
    assert!(!late.window.shows("#code"));
    class.student().gets_a_login();
    time_passes(&class, Duration::from_secs(61));
    late.is_joined_by(&class.student());
    late.signed_in_as();
    laptop.window.close();
    late.window.close();
}

/// The line on top of the page says this before long.
fn says(laptop: &BrowserLaptop<'_>, words: &str) {
    laptop.window.eventually(words, |window| {
        window
            .text("#lost")
            .is_some_and(|line| line.contains(words))
    });
}

/// Where logins go to screens only, a page without a code says what is so, and no more: it is not for want of a script, and
/// the phrase alone brings nothing.
pub fn no_code_and_no_text(stage: &Stage) {
    let class = stage.class("screen");
    let laptop = BrowserLaptop::opens(stage.browser().private_window(), &class);
    laptop.code();
    class.end_service();
    says(&laptop, "No connection");
    laptop.window.run(HAS_NO_ROOM, &[]).expect("a script");
    class.start_service();
    says(&laptop, "This page tries again by itself");
    assert!(laptop.window.shows("#moment") && !laptop.window.shows("#plain"));
    assert!(!laptop.window.shows("#code"), "the old code is nobody's");
    laptop.window.close();
}

/// The service has no room for another screen.
const HAS_NO_ROOM: &str = "const real = window.fetch;
window.fetch = (path, how) => path == '/screen' && how.method == 'POST'
  ? Promise.resolve(new Response('{\"error\":\"full\"}', { status: 503 })) : real(path, how);";

/// The first answer to a yes is lost after the service has read it.
const LOSES_AN_ANSWER: &str = "const real = window.fetch;
window.lost = 0;
window.fetch = async (path, how) => {
  const answer = await real(path, how);
  if (path == '/screen/answer' && !window.lost++) throw new TypeError('lost');
  return answer;
};";

/// The answer to a yes is lost on the way: the page goes on by itself, with one login.
pub fn lost_answer(stage: &Stage) {
    let class = stage.class("screen");
    let laptop = BrowserLaptop::opens(stage.browser().private_window(), &class);
    let ana = class.student();
    ana.texts(&laptop.wanted_text());
    laptop.asks_after(&ana);
    laptop.window.run(LOSES_AN_ANSWER, &[]).expect("a script");
    // Before the login there is a moment to see that an answer was lost.
    class.trouble_at_coder(ops::LOGIN, 1, Trouble::Delay(Duration::from_secs(2)));
    laptop.window.click("#yes");
    laptop.window.eventually_shows("#login h1");
    let lost = laptop.window.run("return window.lost", &[]);
    assert!(
        lost.is_ok_and(|lost| lost.as_u64() >= Some(2)),
        "it asked again"
    );
    assert_eq!(laptop.signed_in_as(), class.coder().only_user().username);
    assert_eq!(class.coder().count(ops::LOGIN), 1, "one login");
    class.all_served();
    nothing_was_sent(&class);
    laptop.window.close();
}

/// Keeps the answer to one question about the state of the screen until it is let go.
const HOLDS_A_POLL: &str = "const real = window.fetch;
delete window.letGo;
window.answers = 0;
window.fetch = async (path, how) => {
  if (path == '/screen/answer') window.answers++;
  const answer = await real(path, how);
  if (path == '/screen' && how.method == 'GET' && !window.letGo) await new Promise(done => window.letGo = done);
  return answer;
};";

/// A yes and a no during a poll that is under way are sent when it is over.
pub fn click_during_a_poll(stage: &Stage) {
    let class = stage.class("screen");
    let laptop = BrowserLaptop::opens(stage.browser().private_window(), &class);
    let (ana, ben) = (class.student(), class.student());
    for (student, button) in [(&ben, "#no"), (&ana, "#yes")] {
        student.texts(&laptop.wanted_text());
        laptop.asks_after(student);
        laptop.window.run(HOLDS_A_POLL, &[]).expect("a script");
        laptop.window.eventually("a poll under way", |window| {
            window.run("return !!window.letGo", &[]) == Ok(json!(true))
        });
        laptop.window.click(button);
        laptop.window.run("window.letGo()", &[]).expect("a script");
        if button == "#no" {
            laptop
                .window
                .eventually("the code", |window| window.shows("#code"));
            // A claim that nobody answers ends by itself after a while.
            let answers = laptop.window.run("return window.answers", &[]);
            assert_eq!(answers, Ok(1.into()), "the no was sent");
        }
    }
    assert_eq!(laptop.signed_in_as(), account_of(&class, &ana));
    assert_eq!(class.coder().count(ops::LOGIN), 1, "one login");
    laptop.window.close();
}

/// Two tabs of one browser have a code each. The second finds the browser signed in, and just goes on.
pub fn two_tabs(stage: &Stage) {
    let class = stage.class("screen");
    let first = BrowserLaptop::opens(stage.browser().private_window(), &class);
    let second = BrowserLaptop::opens(first.window.new_tab(), &class);
    let ana = class.student();
    let code = first.code();
    assert_ne!(code, second.code());
    second.is_joined_by(&ana);
    let name = second.signed_in_as();
    assert_eq!(first.code(), code, "it waits on");
    class.all_served();
    // A text with its code says the same login again, which this browser has already used.
    class.some_time_passes();
    first.is_joined_by(&ana);
    assert_eq!(first.signed_in_as(), name);
    assert_eq!(class.coder().count(ops::LOGIN), 1, "one login");
    assert_eq!(class.coder().students().len(), 1);
    class.all_served();
    nothing_was_sent(&class);
    second.window.close();
    first.window.close();
}
