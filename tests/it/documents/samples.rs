//! What the pages say that commands print is what they print. `WRITE_PAGES=1` has the first of these tests write what it
//! saw.

use std::path::PathBuf;
use std::time::Duration;

use super::masks::masked;
use super::{read, root};
use crate::plan;
use support::classroom::Classroom;
use support::fakes::twilio::Fate;

const PAGE: &str = "docs/commands.md";
const START: &str = "```text\n$ coder-sms-register status\n";
const STOP: &str = "\n```";

fn page() -> PathBuf {
    root().join(PAGE)
}

/// The sample in three parts: what stands before it, itself, what stands behind.
fn parts(page: &str) -> (&str, &str, &str) {
    let start = page.find(START).expect("the sample begins") + "```text\n".len();
    let stop = start + page[start..].find(STOP).expect("the sample ends");
    (&page[..start], &page[start..stop], &page[stop..])
}

/// A class during which every command for it is used; what was typed and what came.
fn a_class() -> String {
    let class = plan().with_receipts().open();
    let fake = class.coder();
    // Slower than the command that ends an account.
    fake.suspended_workspaces_stop_after(Duration::from_secs(60));
    let (ana, ben, cleo) = (class.student(), class.student(), class.student());
    let (out_of_reach, landline) = (class.student(), class.student());
    let fate = Fate::undelivered(30005);
    class.twilio().fate_of(out_of_reach.phone(), fate);
    cleo.texts("what is this?");
    cleo.next_text();
    let [anas, bens, _, _] = [&ana, &ben, &cleo, &out_of_reach].map(|one| one.gets_a_login());
    for login in [&anas, &bens] {
        assert!(fake.password_works(&login.email, &login.password));
        fake.running_workspace(login.username(), "python");
    }
    class.twilio().refuse(landline.phone(), 400, 21614);
    let given_up = landline.asks();
    class.all_served();
    class.twilio().refuse_none();
    class.eventually(
        "every phone is heard of, and the account without a login is gone",
        || {
            let count = "SELECT count(*) FROM deliveries JOIN registrations ON registration = id
                     WHERE state LIKE '%delivered'";
            class.query(count) == "4" && class.registrations() == 4
        },
    );
    let mut sample = Vec::new();
    let mut types = |arguments: &[&str]| sample.push(seen(&class, arguments));
    types(&["status"]);
    types(&["extend", anas.username(), "30m"]);
    types(&["retry", &given_up]);
    types(&["end", bens.username()]);
    types(&["renew", anas.username()]);
    types(&["forget", cleo.phone()]);
    let phone = cleo.phone().to_owned();
    sample.join("\n\n").replace(&phone, "+12025550123")
}

fn seen(class: &Classroom, arguments: &[&str]) -> String {
    let told = class.does(arguments);
    format!(
        "$ coder-sms-register {}\n{}",
        arguments.join(" "),
        told.trim_end()
    )
}

/// The masked lines, in an order that does not depend on names.
fn comparable(sample: &str) -> Vec<String> {
    let mut lines: Vec<String> = sample.lines().map(|line| masked(line).join(" ")).collect();
    lines.sort();
    lines
}

#[test]
fn commands_print_what_their_page_says() {
    let page_text = read(&page());
    let (before, shown, after) = parts(&page_text);
    let sample = a_class();
    if std::env::var_os("WRITE_PAGES").is_some() {
        std::fs::write(page(), format!("{before}{sample}{after}")).unwrap();
        return;
    }
    assert_eq!(
        comparable(shown),
        comparable(&sample),
        "{PAGE} is behind; type: make pages"
    );
}

/// What `check` reports only about a class on this machine.
const HERE: [&str; 6] = [
    "warn students are sent to URL, an address that only this machine can open",
    "-> set CODER_API_URL to the address that students open",
    "warn URL is not https: ",
    "-> put a proxy with a certificate in front ",
    "warn Twilio cannot reach 0.0.0.0: it is not a public address",
    "-> give this service a public name, and set TWILIO_WEBHOOK_URL to it",
];

/// What is told in place of that of a class with public names.
const THERE: [&str; 2] = [
    "ok URL is https",
    "ok receipts sent to it reach this service",
];

#[test]
fn check_prints_what_its_page_says() {
    let page_text = read(&page());
    let start = page_text.find("$ coder-sms-register check\n").unwrap();
    let page = &page_text[start..start + page_text[start..].find(STOP).unwrap()];
    let mut shown: Vec<String> = page.lines().skip(1).map(finding).collect();
    let told = crate::check::of_a_class_with_a_wrong_url();
    let told = told.replace(
        "the token belongs to admin",
        "the token belongs to sms-robot",
    );
    // The tests may run on Valkey.
    let told = told.replace(" Valkey ", " Redis ");
    // Numbers that only a change of the program changes.
    for words in ["settings are understood", "schema"] {
        let around = |text: &str| {
            let at = text.find(words).expect(words);
            let (before, behind) = text.split_at(at);
            let number = before.split_whitespace().next_back().map(str::to_owned);
            let next = behind.split_whitespace().nth(1).map(str::to_owned);
            (number, next)
        };
        assert_eq!(around(page), around(&told), "{PAGE}: {words}");
    }
    let mut told: Vec<String> = told.lines().map(finding).collect();
    told.retain(|line| !HERE.iter().any(|here| line.starts_with(here)));
    shown.retain(|line| !THERE.contains(&line.as_str()));
    told.sort();
    shown.sort();
    assert_eq!(
        shown, told,
        "{PAGE} is behind: mend the sample of check by hand"
    );
}

/// A line without the area in front of it.
fn finding(line: &str) -> String {
    let areas = [
        "settings ",
        "data folder ",
        "redis ",
        "coder ",
        "twilio ",
        "public url ",
        "clock ",
        "phrase ",
    ];
    let area = areas.iter().find(|area| line.starts_with(**area));
    masked(&line[area.map_or(0, |area| area.len())..]).join(" ")
}
