//! A short run of every benchmark; `make bench` runs them in full. No figure is judged here: only that
//! each part comes to its end, with a table, and that what does not depend on time holds.

use support::bench::report::Section;
use support::bench::{Bench, PARTS};

/// Runs the part of that name.
fn runs(name: &str) -> Section {
    let part = PARTS.iter().find(|part| part.name == name);
    let part = part.unwrap_or_else(|| panic!("there is no part {name}"));
    let bench = Bench {
        binary: env!("CARGO_BIN_EXE_coder-sms-register").into(),
        own: None,
        // Any build can be compared with itself.
        base: Some(env!("CARGO_BIN_EXE_coder-sms-register").into()),
        hyper: None,
        quick: true,
        progress: Box::new(|words| println!("{words}")),
    };
    (part.run)(&bench)
}

/// A test for each part, and a test that there is one for each.
macro_rules! parts {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                let drawn = runs(stringify!($name)).draw();
                assert!(drawn.contains("\n| "), "there is no table:\n{drawn}");
            }
        )*

        #[test]
        fn every_part_has_its_short_cut() {
            let tested = [$(stringify!($name)),*, "webhook", "instructions", "student"];
            for part in PARTS {
                assert!(tested.contains(&part.name), "{} is missing", part.name);
            }
        }
    };
}

parts!(
    reading, class, limit, growth, footprint, screens, warm, compare
);

#[test]
fn what_the_webhook_confirms_under_load_is_in_the_stream() {
    let section = runs("webhook");
    let ledger = section
        .goals
        .iter()
        .find(|goal| goal.what.contains("no entry"));
    let ledger = ledger.expect("texts are counted");
    assert_eq!(ledger.met, Some(true), "{}", section.draw());
}

#[test]
fn the_instructions_for_a_student_are_counted_or_it_says_why_not() {
    let drawn = runs("student").draw();
    let counted = drawn.contains("| a student |");
    assert!(
        counted || drawn.contains("valgrind is not installed"),
        "{drawn}"
    );
}

#[test]
fn instructions_are_not_counted_without_a_child_to_count_in() {
    assert!(runs("instructions").draw().contains("Nothing was counted"));
}
