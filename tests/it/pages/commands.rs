//! The forms of carriers, and the link in a text.

use super::class_with_pages;
use crate::plan;

/// What stands below a heading of the form, as one line.
fn below<'a>(form: &'a str, heading: &str) -> &'a str {
    let marked = format!("\n{heading}\n{}\n", "-".repeat(heading.len()));
    let (_, rest) = form.split_once(&marked).expect(heading);
    rest.split("\n\n").next().unwrap_or(rest)
}

/// An address so long that no text has room for it: what is sent depends on no name's length then.
const PAGES: &str = "https://sms.a-rather-long-name-of-a-school-district.example.org";

#[test]
fn the_forms_of_carriers_are_filled_in_with_what_is_really_sent() {
    let class = plan()
        .with("CODER_REG_PAGES_URL", PAGES)
        .with("CODER_REG_ORG", "Example University")
        .with("CODER_REG_CONTACT", "class@example.org")
        .open();
    let form = class.does(&["campaign"]);
    for line in form.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(!form.contains("the form takes"), "{form}");
    // The sample is the text that a student gets, but for the name and the password in it.
    let ana = class.student();
    ana.asks();
    let sent = ana.next_text();
    let sample = below(&form, "Sample message 1");
    let shape = |text: &str| -> Vec<String> {
        let line = |line: &str| match line.split_once('@') {
            Some((_, domain)) => domain.to_owned(),
            None => line.split(' ').next().unwrap_or("").to_owned(),
        };
        text.lines().map(line).collect()
    };
    assert_eq!(shape(sample), shape(&sent));
    assert!(
        sample.contains("[name]@") && sample.contains("\nPassword: [password]\n"),
        "{sample}"
    );
    let one_line = |heading: &str| below(&form, heading).replace('\n', " ");
    // Each names who sends it, and how to opt out.
    let last = "Example University. Reply STOP to opt out";
    assert_eq!(sent.lines().last(), Some(last), "{sent}");
    let curious = class.student();
    curious.texts("what is the phrase?");
    assert_eq!(below(&form, "Sample message 3"), curious.next_text());
    for number in 1..=3 {
        let sample = below(&form, &format!("Sample message {number}"));
        assert_eq!(sample.lines().last(), Some(last), "{sample}");
    }
    assert!(
        !form.contains("Sample message 4") && !form.contains("30893"),
        "{form}"
    );
    assert_eq!(one_line("Privacy policy URL"), format!("{PAGES}/privacy"));
    assert_eq!(
        one_line("Terms and conditions URL"),
        format!("{PAGES}/terms")
    );
    let consent = one_line("How do end-users consent to receive messages?");
    for words in [
        "texting first",
        "Message and data rates may apply",
        "STOP and HELP",
        "third parties",
        PAGES,
    ] {
        assert!(consent.contains(words), "{words}: {consent}");
    }
    let help = one_line("Help message");
    assert!(help.contains("class@example.org") && help.contains("Example University"));
    assert!(!form.contains(support::classroom::PHRASE));
}

#[test]
fn a_form_whose_samples_do_not_name_the_sender_says_what_to_do() {
    for (name, cure) in [("", "Set it"), ("Uniwersytet Łódzki", "Shorten it")] {
        let class = plan()
            .with("CODER_REG_PAGES_URL", PAGES)
            .with("CODER_REG_ORG", name)
            .open();
        let form = class.does(&["campaign"]);
        assert!(form.contains("30893") && form.contains(cure), "{form}");
        for line in form.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}

#[test]
fn a_class_that_sends_no_text_has_nothing_to_register() {
    let class = class_with_pages("screen");
    let told = class.does(&["campaign"]);
    assert!(told.contains("nothing to register"), "{told}");
}

#[test]
fn a_login_in_a_text_has_a_link_that_signs_in_the_phone() {
    for (pages, has_link) in [("https://s.example.org", true), ("", false)] {
        let class = plan().with("CODER_REG_PAGES_URL", pages).open();
        let ana = class.student();
        ana.asks();
        let login = class.login_of(&ana);
        let text = ana.inbox().pop().expect("a text").body;
        let link = format!("{pages}/#{}:{}", login.username(), login.password);
        assert_eq!(text.ends_with(&format!("\n{link}")), has_link, "{text}");
        assert_eq!(text.contains('#'), has_link, "{text}");
        assert!(text.len() <= 160, "{text}");
        // Sent back by a phone, it is known as a login, and gets no answer.
        ana.texts(&link);
        class.all_served();
        ana.has_read_all();
    }
}
