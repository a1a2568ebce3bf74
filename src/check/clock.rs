//! Compares this machine's clock with those of Coder and Twilio.

use super::Notes;
use crate::clock::TOLERANCE;
use crate::domain::{UnixSeconds, span};

/// Seconds by which clocks may differ without a warning.
const AGREEMENT: UnixSeconds = 60;

/// `Some(None)` = the answer of that peer had no date; `None` = the peer was not reached. Twilio's clock
/// counts only if the service calls it.
pub(super) fn inspect(
    coder: Option<Option<UnixSeconds>>,
    twilio: Option<Option<UnixSeconds>>,
    calls_twilio: bool,
    notes: &mut Notes<'_>,
) {
    let known = |ahead: Option<Option<UnixSeconds>>| ahead.flatten();
    let agrees = |one: &UnixSeconds| one.abs() <= AGREEMENT;
    for (peer, ahead, other, others) in [
        ("Coder", coder, "Twilio", known(twilio)),
        ("Twilio", twilio, "Coder", known(coder)),
    ] {
        match ahead {
            None if peer == "Twilio" && !calls_twilio => {}
            None => notes.skip(&format!("{peer}'s clock"), "as it was not reached"),
            Some(None) => notes.skip(&format!("{peer}'s clock"), "as its answer had no date"),
            Some(Some(ahead)) => judge(peer, ahead, others.filter(agrees).map(|_| other), notes),
        }
    }
}

/// `witness` = the other peer, if its clock agrees with ours.
fn judge(peer: &str, ahead: UnixSeconds, witness: Option<&str>, notes: &mut Notes<'_>) {
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    let apart = format!(
        "this machine's clock is {} {side} {peer}'s",
        span(ahead.abs())
    );
    let cure = match witness {
        Some(other) => format!("set {peer}'s clock: this machine's agrees with {other}'s"),
        None => "set this machine's clock: sudo timedatectl set-ntp true".to_owned(),
    };
    match ahead.abs() {
        0..=AGREEMENT => notes.pass(format!("this machine's clock agrees with {peer}'s")),
        seconds if seconds <= TOLERANCE => notes.warn(apart, cure),
        _ if peer == "Coder" => notes.fault(format!("{apart}: no account would be removed"), cure),
        _ => notes.fault(apart, cure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Area, CheckStatus};

    #[test]
    fn a_clock_that_is_never_asked_is_not_missed() {
        let mut all = Vec::new();
        inspect(
            Some(Some(0)),
            None,
            false,
            &mut Notes::of(Area::Clock, &mut all),
        );
        let found: Vec<CheckStatus> = all.iter().map(|one| one.verdict).collect();
        assert_eq!(found, [CheckStatus::Pass]);
    }

    #[test]
    fn a_difference_is_judged_by_its_size_and_attributed_to_the_clock_that_stands_alone() {
        use CheckStatus::{Fault, Pass, Skipped, Warning};
        for (coder, twilio, verdicts, blamed) in [
            (Some(Some(0)), Some(Some(-60)), [Pass, Pass], ""),
            (
                Some(Some(61)),
                Some(Some(-900)),
                [Warning, Warning],
                "this machine's clock:",
            ),
            (
                Some(Some(-901)),
                Some(Some(0)),
                [Fault, Pass],
                "Coder's clock:",
            ),
            (
                Some(Some(3_600)),
                Some(Some(3_600)),
                [Fault, Fault],
                "this machine's clock:",
            ),
            (
                Some(Some(3_600)),
                None,
                [Fault, Skipped],
                "this machine's clock:",
            ),
            (None, Some(None), [Skipped, Skipped], ""),
        ] {
            let mut all = Vec::new();
            let mut notes = Notes::of(Area::Clock, &mut all);
            inspect(coder, twilio, true, &mut notes);
            let found: Vec<CheckStatus> = all.iter().map(|one| one.verdict).collect();
            assert_eq!(found, verdicts, "{coder:?} {twilio:?}");
            let cures = all.iter().filter_map(|one| one.cure.as_ref());
            for cure in cures {
                assert!(cure.contains(blamed), "{cure}");
            }
        }
    }
}
