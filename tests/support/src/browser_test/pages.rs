//! The pages that everybody sees, and the wall.

use std::process::Command;

use serde_json::json;

use super::stage::{BrowserLaptop, Stage, pages_of};
use crate::browser::Window;
use crate::classroom::{Classroom, PHRASE, http};

/// What a QR code in a picture of the window says.
fn reads_qr(window: &Window<'_>, class: &Classroom) -> String {
    let file = class.folder().join("qr.png");
    std::fs::write(&file, window.picture()).expect("a file is written");
    let read = Command::new("zbarimg")
        .args(["--quiet", "--raw"])
        .arg(&file)
        .output()
        .expect("zbarimg is installed: `make browsers`");
    String::from_utf8_lossy(&read.stdout).trim().to_owned()
}

/// A link that begins a text, as its number and its words.
fn parts_of(link: &str) -> (String, String) {
    let (number, body) = link
        .strip_prefix("sms:")
        .and_then(|rest| rest.split_once("?&body="))
        .unwrap_or_else(|| panic!("{link} begins no text"));
    (number.to_owned(), crate::fakes::http::percent_decode(body))
}

/// Without script, in text mode, and what a carrier looks for.
pub fn for_everybody(stage: &Stage) {
    let class = stage.class("both");
    let window = stage.browser().private_window();
    works_without_script(&window, &class);
    says_what_carriers_look_for(&window, &class);
    codes_fill_in_the_text(BrowserLaptop::opens(window, &class), &class);

    let class = stage.class("text");
    let window = stage.browser().private_window();
    window.open(&format!("{}/", pages_of(&class)));
    assert!(window.shows("#plain") && !window.shows("#code"));
    window.close();
}

fn works_without_script(window: &Window<'_>, class: &Classroom) {
    window.devtools(
        "Emulation.setScriptExecutionDisabled",
        &json!({ "value": true }),
    );
    window.open(&format!("{}/", pages_of(class)));
    assert_eq!(
        window.reads("#plain .number"),
        "+1 312 555 0100",
        "the phrase alone can be texted without script"
    );
    window.devtools(
        "Emulation.setScriptExecutionDisabled",
        &json!({ "value": false }),
    );
}

fn says_what_carriers_look_for(window: &Window<'_>, class: &Classroom) {
    let pages = pages_of(class);
    for (path, wanted) in [
        (
            "/",
            vec!["Message and data rates may apply", "STOP", "HELP"],
        ),
        (
            "/privacy",
            vec!["class@example.org", "keyed hash", "third parties"],
        ),
        (
            "/terms",
            vec![
                "Example University",
                "STOP",
                "HELP",
                "Message and data rates may apply",
            ],
        ),
    ] {
        window.open(&format!("{pages}{path}"));
        let shown = window.text("body").unwrap_or_default();
        for words in wanted {
            assert!(
                shown.contains(words),
                "{path} does not say {words:?}: {shown}"
            );
        }
        assert!(!shown.contains(PHRASE), "{path} does not show the phrase");
    }
}

/// The QR code fills in number and code; opened by the projector's link, the phrase as well.
fn codes_fill_in_the_text(laptop: BrowserLaptop<'_>, class: &Classroom) {
    let code = laptop.code();
    let number = "+13125550100".to_owned();
    let read = reads_qr(&laptop.window, class);
    // A blank behind it, so that the phrase can be typed after it.
    assert_eq!(parts_of(&read), (number.clone(), format!("{code} ")));
    let token = token_of(class);
    laptop.window.open("about:blank");
    laptop
        .window
        .open(&format!("{}/#class={token}", pages_of(class)));
    let text = laptop.wanted_text();
    laptop.window.eventually("the phrase", |window| {
        window.text("#phrase").as_deref() == Some(PHRASE)
    });
    let read = reads_qr(&laptop.window, class);
    assert_eq!(parts_of(&read), (number, text));
    laptop.window.close();
}

/// The token of the projector's present link.
fn token_of(class: &Classroom) -> String {
    let said = class.by_hand(&["projector"]);
    let words = said.stdout.split_whitespace();
    let link = words.into_iter().find(|word| word.contains("/class/"));
    let link = link.unwrap_or_else(|| panic!("no link: {said:?}"));
    let (_, token) = link.rsplit_once('/').expect("a path");
    class.keeps_secret(token);
    token.to_owned()
}

/// The wall shows what to text, its QR code says the same, and it counts who is in.
pub fn projector(stage: &Stage) {
    let class = stage.class("both");
    let wall = stage.browser().private_window();
    wall.is_sized(1920, 1080, 1);
    let token = token_of(&class);
    let page = format!("{}/class/{token}", pages_of(&class));
    wall.open(&page);
    assert_eq!(wall.eventually_shows("#phrase:not(:empty)"), PHRASE);
    let counts = |count: &str| {
        wall.eventually(count, |wall| wall.text("#in").as_deref() == Some(count));
    };
    counts("0");
    assert_eq!(
        parts_of(&reads_qr(&wall, &class)),
        ("+13125550100".to_owned(), PHRASE.to_owned())
    );
    class.student().gets_a_login();
    counts("1");
    let laptop = BrowserLaptop::opens(stage.browser().private_window(), &class);
    laptop.is_joined_by(&class.student());
    laptop.signed_in_as();
    counts("2");
    // A new link ends this one.
    class.by_hand(&["projector", "--rotate"]);
    wall.eventually("that the link is over", |wall| {
        wall.text("#lost")
            .is_some_and(|words| words.contains("no longer valid"))
    });
    let address = class.service().address();
    let again = http::request(address, "GET", &format!("/class/{token}"), &[], b"");
    assert_eq!(again.map_or(0, |answer| answer.status), 404);
    laptop.window.close();
    wall.close();
}

/// A picture of the wall of this class.
pub fn opens_the_wall(window: &Window<'_>, class: &Classroom) {
    window.open(&format!("{}/class/{}", pages_of(class), token_of(class)));
    window.eventually_shows("#phrase:not(:empty)");
    window.eventually_shows("#qr");
}
