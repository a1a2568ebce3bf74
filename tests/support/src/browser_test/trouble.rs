//! Lost and refused answers, and hosts between which no browser keeps a session.

use std::time::Duration;

use super::stage::{BrowserLaptop, Stage, pages_of};
use crate::browser::hosts;
use crate::classroom::{Classroom, PATIENCE};
use crate::fakes::coder::ops;
use crate::fakes::trouble::Trouble;

/// The page shows a login that works, in words and by its buttons, and has claimed nothing.
fn shows_the_login(laptop: &BrowserLaptop<'_>, class: &Classroom) -> (String, String) {
    laptop.window.eventually_shows("#hand h1");
    let read = |selector: &str| laptop.window.text(selector).unwrap_or_default();
    let (email, password) = (read("#email"), read("#password"));
    assert!(
        class.coder().password_works(&email, &password),
        "the login on the screen works"
    );
    class.keeps_secret(&password);
    assert!(laptop.window.url().starts_with(&pages_of(class)));
    for what in ["email", "password"] {
        let button = format!("[data-copy={what}]");
        laptop.window.click(&button);
        laptop.window.eventually("that it is copied", |window| {
            window.text(&button).as_deref() == Some("Copied")
        });
        let chosen = laptop.window.run("return getSelection().toString()", &[]);
        assert_eq!(chosen, Ok(read(&format!("#{what}")).into()));
    }
    (email, password)
}

/// Coder's login refuses: the page tries once more, then shows the login with copy buttons, and goes on by itself
/// once the student has signed in by hand.
pub fn coder_refuses(stage: &Stage) {
    let class = stage.class("screen");
    class.trouble_at_coder(ops::LOGIN, 1, Trouble::too_many_requests(60));
    let laptop = BrowserLaptop::opens(stage.browser().private_window(), &class);
    laptop.is_joined_by(&class.student());
    laptop.window.eventually_shows("#wait #seconds");
    laptop.signed_in_as();
    assert_eq!(class.coder().count(ops::LOGIN), 2);
    laptop.window.close();

    class.trouble_at_coder(ops::LOGIN, 2, Trouble::html(500, "Internal Server Error"));
    let laptop = BrowserLaptop::opens(stage.browser().private_window(), &class);
    laptop.is_joined_by(&class.student());
    let (email, password) = shows_the_login(&laptop, &class);
    assert_eq!(class.coder().count(ops::LOGIN), 4);
    laptop.signs_in_by_hand(&email, &password);
    assert_eq!(
        laptop.signed_in_as(),
        email.split('@').next().unwrap_or_default()
    );
    laptop.window.close();
}

/// Coder takes long to say whose session it is. A page that knows that its browser tells of errors waits for it, and
/// does not take the login for failed.
pub fn coder_is_slow(stage: &Stage) {
    let class = stage.class("screen");
    let laptop = BrowserLaptop::opens(stage.browser().private_window(), &class);
    let ana = class.student();
    ana.texts(&laptop.wanted_text());
    laptop.asks_after(&ana);
    laptop
        .window
        .eventually("that there is no session yet", |window| {
            window.run("return silence", &[]) == Ok(9_000.into())
        });
    class.trouble_at_coder(ops::LOGIN_TYPE, 1, Trouble::Delay(Duration::from_secs(4)));
    laptop.window.click("#yes");
    assert_eq!(laptop.signed_in_as(), class.coder().only_user().username);
    assert_eq!(class.coder().count(ops::LOGIN), 1, "one login");
    laptop.window.close();
}

/// Coder says nothing to the login; nor does a browser that waits to be allowed to reach a private network. The page does
/// not wait for long.
pub fn coder_is_silent(stage: &Stage) {
    let class = stage.class("screen");
    class.trouble_at_coder(ops::LOGIN, 2, Trouble::Hang(2 * PATIENCE));
    let laptop = BrowserLaptop::opens(stage.browser().private_window(), &class);
    laptop.is_joined_by(&class.student());
    shows_the_login(&laptop, &class);
    laptop.window.close();
}

/// The service is away for a while. The page says so, and goes on with a new code.
pub fn service_is_away(stage: &Stage) {
    let class = stage.class("screen");
    let laptop = BrowserLaptop::opens(stage.browser().private_window(), &class);
    let code = laptop.code();
    class.end_service();
    laptop.window.eventually("that it is told", |window| {
        window.text("#lost").is_some_and(|words| !words.is_empty())
    });
    // Who opens the page now learns it from the browser. Who has it open sees the next code.
    class.start_service();
    laptop.window.eventually("a new code", |window| {
        window.text("#lost").is_none_or(|words| words.is_empty())
            && window.text("#code").is_some_and(|text| text != code)
    });
    laptop.is_joined_by(&class.student());
    laptop.signed_in_as();
    laptop.window.close();
}

/// Coder at a host that is foreign to the pages': no browser keeps the session, so the page claims nothing.
pub fn foreign_host(stage: &Stage) {
    let class = stage.class_with("screen", hosts::FOREIGN_CODER);
    let laptop = BrowserLaptop::opens(stage.browser().private_window(), &class);
    laptop.is_joined_by(&class.student());
    shows_the_login(&laptop, &class);
    laptop.window.close();
}
