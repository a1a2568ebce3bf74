//! The class on screens of several sizes.

use rustix::process::{Pid, Signal, kill_process};

use super::sleepy;
use support::classroom::terminal::{OnScreen, Screen};
use support::classroom::{Classroom, PATIENCE};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (60, 20)];

const FIRST: [&str; 8] = [
    "agile", "clear", "happy", "quiet", "rapid", "sunny", "vivid", "witty",
];
const LAST: [&str; 8] = [
    "barley", "comet", "falcon", "lagoon", "noodle", "pepper", "saddle", "tuna",
];

fn name(number: usize) -> String {
    let (first, last) = (FIRST[number % 8], LAST[number / 8 % 8]);
    match number / 64 {
        0 => format!("{first}-{last}"),
        round => format!("{first}-{last}-{round}"),
    }
}

/// A class of `count` students with users at Coder, in the database of a stopped service. Of every ten one has a
/// running workspace; with more than 100 the logins of 13 were refused by the carrier, 7 have no number in use and
/// 6 phones were off.
fn class_of(count: usize) -> Classroom {
    let class = sleepy();
    class.end_service();
    let sql: String = (0..count)
        .map(|number| {
            let name = name(number);
            let id = class
                .coder()
                .add_stranger(&name, &format!("{name}@class.example.org"));
            if number % 10 == 3 {
                class
                    .coder()
                    .running_workspace(&name, "python")
                    .expect("a workspace");
            }
            let (state, code) = match number {
                _ if count <= 100 => ("delivered", "NULL"),
                0..13 => ("undelivered", "30034"),
                13..20 => ("undelivered", "30005"),
                20..26 => ("undelivered", "30003"),
                _ => ("delivered", "NULL"),
            };
            let sid = format!("SM{number:032x}");
            format!(
                "INSERT INTO registrations (phone, username, marker, stage, coder_id, reserved_at,
                     announced_at, due_at, login_sid)
                 VALUES (randomblob(20), '{name}', 'Class guest {number}', 'announced', '{id}',
                     unixepoch() - 1500, unixepoch() - 1440, unixepoch() + 41000, '{sid}');
                 INSERT INTO deliveries (sid, at, registration, state, code)
                 VALUES ('{sid}', unixepoch() - 1400, last_insert_rowid(), '{state}', {code});"
            )
        })
        .collect();
    class.change(&format!("BEGIN; {sql} COMMIT;"));
    class
}

/// The rows of the table, below its titles.
fn rows(text: &[String]) -> Vec<&String> {
    let titles = text.iter().position(|line| line.starts_with("USER "));
    let below = titles.map_or(text.len(), |titles| titles + 1);
    let rows = text[below..].iter();
    rows.take_while(|line| !line.is_empty() && !line.starts_with("and "))
        .collect()
}

#[test]
fn a_class_of_any_size_fits_its_screen() {
    for count in [0, 12, 120, 1_000] {
        let class = class_of(count);
        for size in SIZES {
            let (code, screen) = class.on_a_screen(size, &["status"], &[]).ends();
            let text = screen.text();
            let shown = text.join("\n");
            assert_eq!(code, Some(0), "{shown}");
            assert_eq!(
                (screen.scrolled, screen.overlong),
                (0, 0),
                "{count} in {size:?}:\n{shown}"
            );
            let failed = if count > 100 { 26 } else { 0 };
            assert!(
                text[0].starts_with(&format!("{count} accounts: {count} with login, {failed} ")),
                "{shown}"
            );
            let words = text.join(" ");
            let left = 500_usize.saturating_sub(count);
            for told in [
                &format!("{left} of 500 seats left, 0 turned away;"),
                "0 texts waiting; 0 dead letters",
                "FAULT  the service does not run",
            ] {
                assert!(words.contains(told), "{told}:\n{shown}");
            }
            if count > 100 {
                assert!(
                    words.contains("13 logins were not delivered: 30034,"),
                    "{shown}"
                );
                let cause = words.split("FAULT").find(|one| one.contains("30034"));
                let cause = cause.expect("the cause");
                assert!(
                    cause.contains("agile-barley,") && cause.contains(", … and "),
                    "{shown}"
                );
            }
            let rows = rows(&text);
            let more = match count - rows.len() {
                0 => None,
                more => Some(format!("and {more} more")),
            };
            let told = text.iter().find(|line| line.starts_with("and "));
            assert_eq!(told, more.as_ref(), "{shown}");
            assert!(count == 0 || rows.len() >= 3, "{shown}");
            assert_eq!(
                count > 100,
                rows.first()
                    .is_some_and(|row| row.contains(" undelivered 300"))
            );
        }
    }
}

#[test]
fn elsewhere_everything_comes_whole_and_plain() {
    let class = class_of(120);
    let text = class.does(&["status"]);
    assert!(!text.contains('\u{1b}'), "{text}");
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(rows(&lines).len(), 120, "{text}");
    let cause = lines.iter().find(|line| line.contains(": 30034, "));
    let cause = cause.expect("one line");
    for number in 0..13 {
        assert!(cause.contains(&name(number)), "{cause}");
    }
    assert!(!text.contains('…'), "{text}");
}

#[test]
fn what_there_is_no_room_for_is_left_out_by_its_weight() {
    let class = class_of(12);
    let titles = |columns: u16| {
        let (_, screen) = class.on_a_screen((columns, 40), &["status"], &[]).ends();
        let text = screen.text();
        assert_eq!(screen.overlong, 0, "{text:?}");
        let line = text.iter().find(|line| line.starts_with("USER "));
        let line = line.unwrap_or_else(|| panic!("{columns}: {text:?}"));
        let titles = line.split("  ").map(str::trim);
        let titles: Vec<String> = titles
            .filter(|title| !title.is_empty())
            .map(str::to_owned)
            .collect();
        titles
    };
    let all = [
        "USER",
        "STATE",
        "LOGIN SENT",
        "LEFT",
        "LAST SEEN",
        "WORKSPACES",
    ];
    assert_eq!(titles(120), all);
    // A workspace is cut only where no column that matters less is left to go.
    let at_80 = class
        .on_a_screen((80, 40), &["status"], &[])
        .ends()
        .1
        .text();
    let row = at_80.iter().find(|row| row.starts_with("quiet-barley "));
    let row = row.unwrap_or_else(|| panic!("{at_80:?}"));
    assert!(row.ends_with("  python running"), "{at_80:?}");
    assert_eq!(
        titles(78),
        ["USER", "STATE", "LEFT", "LAST SEEN", "WORKSPACES"]
    );
    assert_eq!(titles(56), ["USER", "STATE", "LEFT", "LAST SEEN"]);
    assert_eq!(titles(44), ["USER", "STATE", "LEFT"]);
    assert_eq!(titles(20), ["USER", "STATE"]);
}

const RED: &str = "[1;31m";
const YELLOW: &str = "[33m";

/// The colours of a command on a terminal with these variables, and the text that it shows.
fn colours(class: &Classroom, command: &str, variables: &[(&str, &str)]) -> (Vec<String>, String) {
    let (_, screen) = class.on_a_screen((80, 200), &[command], variables).ends();
    let text = screen.text().join("\n");
    (screen.colours, text)
}

#[test]
fn colours_need_a_terminal_that_has_them_and_no_objection() {
    let class = class_of(0);
    for command in ["status", "check"] {
        let (shown, text) = colours(&class, command, &[("NO_COLOR", "")]);
        assert!(shown.contains(&RED.to_owned()), "{command}: {text}");
        for refusal in [("NO_COLOR", "1"), ("TERM", "dumb")] {
            let (shown, text) = colours(&class, command, &[refusal]);
            assert_eq!(shown, [""; 0], "{command}: {refusal:?}: {text}");
        }
    }
    let minutes = ("CODER_REMOVE_TIME", "12");
    let (warned, text) = colours(
        &class,
        "config",
        &[
            minutes,
            ("CODER_REG_ENV", "prod"),
            ("CODER_REG_LOG_LEVEL", "info"),
        ],
    );
    assert!(text.contains("warning: CODER_REMOVE_TIME"), "{text}");
    assert!(warned.contains(&YELLOW.to_owned()), "{warned:?}");
    let (failed, text) = colours(&class, "config", &[("REDIS_PORT", "none")]);
    assert!(text.starts_with("coder-sms-register: "), "{text}");
    assert_eq!(failed[0], RED);
}

#[test]
fn errors_of_the_log_stand_out_on_a_terminal() {
    let class = sleepy();
    // The data folder is in use, so that a second service ends.
    let (logged, text) = colours(&class, "run", &[("CODER_REG_LISTEN", "127.0.0.1:0")]);
    assert!(text.contains(" ERROR "), "{text}");
    assert!(logged.contains(&RED.to_owned()), "{logged:?}: {text}");
    let plain = class.fails(1, &["run"]);
    assert!(
        plain.stderr.contains(" ERROR ") && !plain.stderr.contains('\u{1b}'),
        "{plain:?}"
    );
}

#[test]
fn check_breaks_its_lines_between_words() {
    let class = class_of(0);
    let plain = class.fails(1, &["check"]).stdout;
    let longest = plain.lines().map(|line| line.chars().count()).max();
    assert!(longest > Some(80), "{plain}");
    let (_, text) = colours(&class, "check", &[]);
    let words = |text: &str| -> Vec<String> {
        let words = text.split_whitespace();
        // Spans of time, ports of fakes and the example of an address differ.
        // A time that is left may change its units between two calls.
        let words = words.filter(|word| !["d", "h", "min", "s"].contains(word));
        let words = words.filter(|word| !word.contains(|c: char| c.is_ascii_digit() || c == '@'));
        words.map(str::to_owned).collect()
    };
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    assert_eq!(words(&text), words(&plain));
    let margin = " ".repeat(20);
    let continued = text.lines().filter(|line| {
        let rest = line.strip_prefix(&margin);
        rest.is_some_and(|rest| !rest.starts_with("-> ") && !rest.starts_with(' '))
    });
    assert!(continued.count() > 0, "{text}");
}

fn is_drawn(screen: &Screen, times: usize) -> bool {
    screen.drawn >= times && screen.text()[0].contains(" UTC ")
}

fn signal(shown: &OnScreen, signal: Signal) {
    kill_process(Pid::from_child(&shown.child), signal).expect("it runs");
}

#[test]
fn a_watch_is_drawn_in_place_and_gives_the_terminal_back() {
    let class = class_of(120);
    let shown = class.on_a_screen((80, 24), &["status", "--offline", "--watch", "1"], &[]);
    assert!(shown.comes_to(PATIENCE, |screen| is_drawn(screen, 3)));
    let screen = shown.screen();
    let text = screen.text();
    assert!(screen.is_second() && screen.cursor_is_hidden);
    assert!(!screen.flickers && screen.scrolled == 0, "{text:?}");
    let clock: Vec<&str> = text[0].splitn(3, ':').collect();
    assert!(clock.len() == 3 && clock[0].len() == 2, "{text:?}");
    // A smaller window gets a smaller picture at once, not only after the pause.
    shown.resize(60, 20);
    assert!(shown.comes_to(PATIENCE, |screen| screen.overlong == 0
        && rows(&screen.text()).len() < rows(&text).len()));
    signal(&shown, Signal::INT);
    let (code, screen) = shown.ends();
    assert_eq!(code, None, "ended by the signal, as without a watch");
    assert!(!screen.is_second() && !screen.cursor_is_hidden);
    assert!(
        screen.text().iter().all(String::is_empty),
        "nothing is left"
    );
}

#[test]
fn a_watch_that_fails_says_why_on_the_first_screen() {
    let class = class_of(1);
    let shown = class.on_a_screen((80, 24), &["status", "--offline", "--watch", "1"], &[]);
    assert!(shown.comes_to(PATIENCE, |screen| is_drawn(screen, 1)));
    std::fs::rename(class.data_dir(), class.folder().join("aside")).expect("moved");
    let (code, screen) = shown.ends();
    assert_eq!(code, Some(1));
    assert!(!screen.is_second() && !screen.cursor_is_hidden);
    let text = screen.text().join("\n");
    assert!(text.starts_with("coder-sms-register: "), "{text}");
}
