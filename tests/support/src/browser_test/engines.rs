//! The sign-in in Firefox and WebKit, where they are installed.

use super::stage::{BrowserLaptop, Stage, nothing_was_sent};
use crate::browser::{Browser, Engine};

/// One student in each.
pub fn others(stage: &Stage) {
    for engine in [Engine::Firefox, Engine::WebKit] {
        if !engine.is_installed() {
            println!("       {engine:?} is not installed here and was not tried");
            continue;
        }
        let browser = Browser::start(engine);
        let class = stage.class("screen");
        let laptop = BrowserLaptop::opens(browser.window(), &class);
        laptop.is_joined_by(&class.student());
        assert_eq!(
            laptop.signed_in_as(),
            class.coder().only_user().username,
            "{engine:?}"
        );
        class.all_served();
        class.eventually("the sign-in is recorded", || {
            class.query("SELECT count(arrived_at) FROM registrations") == "1"
        });
        nothing_was_sent(&class);
        println!("       {engine:?}: signed in");
    }
}
