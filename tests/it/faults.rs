//! A short run of every proof in `support::faults`; `make faults` runs them in full.

use support::faults::table::draw;
use support::faults::{Assault, PROOFS};

/// Runs the proof of that name and fails if anybody came to harm.
fn holds(name: &str) {
    let proof = PROOFS.iter().find(|proof| proof.name == name);
    let proof = proof.unwrap_or_else(|| panic!("there is no proof {name}"));
    println!("{}", proof.about);
    let force = Assault {
        binary: env!("CARGO_BIN_EXE_coder-sms-register").into(),
        full: false,
        progress: Box::new(|words| println!("{words}")),
    };
    let rows = (proof.run)(&force);
    assert!(rows.iter().all(|row| row.holds()), "\n{}", draw(&rows));
}

/// A test for each proof, and a test that there is one for each.
macro_rules! proofs {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                holds(stringify!($name));
            }
        )*

        #[test]
        fn every_proof_has_its_short_cut() {
            let tested = [$(stringify!($name)),*];
            for proof in PROOFS {
                assert!(tested.contains(&proof.name), "{} is missing", proof.name);
            }
        }
    };
}

proofs!(
    points,
    pairs_first,
    pairs_again,
    pairs_removal,
    pairs_end,
    pairs_renew,
    pairs_screen,
    pairs_warm,
    worlds,
    kills,
    crash_loop,
    outages,
    answers,
    network,
    populations,
    crossings,
    schedules,
    seats,
    class_seats,
    secrets,
    storage,
    full_disk,
    clock_back,
    repeats,
    soak,
    stories
);
