//! Codes that are wrong, declined, late, or texted twice.

use super::stage::{BrowserLaptop, Stage, nothing_was_sent};
use crate::classroom::PHRASE;

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
    here.window.click("#no");
    here.asks_after(&ana);
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
