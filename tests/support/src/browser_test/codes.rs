//! Codes that are wrong, declined, late, or texted twice.

use super::stage::{BrowserLaptop, Stage, nothing_was_sent};
use crate::classroom::{PATIENCE, PHRASE, within};

/// The same code with another last digit, which belongs to no laptop.
fn mistyped(code: &str) -> String {
    let last = code.bytes().last().unwrap_or(b'0') - b'0';
    format!("{}{}", &code[..code.len() - 1], (last + 1) % 10)
}

/// Wrong, declined and late codes show nobody's login, and cost nobody theirs.
pub fn wrong_declined_and_late(stage: &Stage) {
    let class = stage.class("both");
    let laptop = BrowserLaptop::opens(stage.browser().private_window(), &class);
    let code = laptop.code();

    let [ana, ben, eva, ida] = [(); 4].map(|()| class.student());
    ana.texts(&format!("{PHRASE} {}", mistyped(&code)));
    ana.logs_in();
    assert_eq!(laptop.code(), code, "it asks after nobody");

    ben.texts(&laptop.wanted_text());
    laptop.asks_after(&ben);
    laptop.window.click("#no");
    assert_eq!(laptop.code(), code, "it waits for the right one");
    ben.logs_in();

    // A restart empties all screens. The page shows a new code by itself, and the old one is nobody's.
    class.restart_service();
    laptop.window.eventually("another code", |window| {
        window.shows("#renewed") && window.text("#code").is_some_and(|text| text != code)
    });
    eva.texts(&format!("{PHRASE} {code}"));
    eva.logs_in();

    laptop.is_joined_by(&ida);
    let name = laptop.signed_in_as();
    let others = [&ana, &ben, &eva].map(|student| student.last_login().expect("a login"));
    assert!(others.iter().all(|login| login.username() != name));
    class.all_served();
    assert!(ida.inbox().is_empty(), "it was on the screen");
    laptop.window.close();
}

/// Tells whether a button could be clicked at the moment when the question changed.
const WATCHES: &str =
    "const changed = () => { window.clickable = !document.getElementById('question').hidden; };
new MutationObserver(changed).observe(document.getElementById('ends'), { childList: true });";

/// What a screen reader reads out is written once, not at each poll.
fn stays_unread(laptop: &BrowserLaptop<'_>) {
    let script = "let written = 0;
        const look = new MutationObserver(() => written++);
        look.observe(document.querySelector('main'), { childList: true, subtree: true });
        return new Promise(done => setTimeout(() => done(written), 2000));";
    let written = laptop.window.run(script, &[]);
    assert_eq!(written, Ok(0.into()), "the question was written again");
}

/// Two texts with one code: the first that is confirmed wins. The other is told nothing, and nothing is sent.
pub fn two_texts_for_one_laptop(stage: &Stage) {
    let class = stage.class("screen");
    let (here, there) = (
        BrowserLaptop::opens(stage.browser().private_window(), &class),
        BrowserLaptop::opens(stage.browser().private_window(), &class),
    );
    let (ana, ben) = (class.student(), class.student());
    // Ben has read the code of Ana's laptop.
    let text = here.wanted_text();
    ben.texts(&text);
    here.asks_after(&ben);
    ana.texts(&text);
    let both = || class.coder().students().len() == 2;
    assert!(within(PATIENCE, both), "both texts are being served");
    here.window.run(WATCHES, &[]).expect("a script");
    here.window.click("#no");
    here.asks_after(&ana);
    // Else the second click of a double one would say no to her.
    let clickable = here.window.run("return window.clickable", &[]);
    assert_eq!(
        clickable,
        Ok(false.into()),
        "one question turned into the next"
    );
    stays_unread(&here);
    here.window.click("#yes");
    let ana_is = here.signed_in_as();
    // Now he texts that of his own, as the QR code without the phrase begins it.
    ben.texts(&format!("{} {PHRASE}", there.code()));
    there.asks_after(&ben);
    there.window.click("#yes");
    let ben_is = there.signed_in_as();
    assert_ne!(ana_is, ben_is);
    class.all_served();
    assert_eq!(class.coder().students().len(), 2);
    nothing_was_sent(&class);
    here.window.close();
    there.window.close();
}
