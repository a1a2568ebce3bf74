//! Checks the registration of a number with carriers: its A2P campaign and brand, or its toll-free
//! verification.

use super::{EndedEarly, StepResult, cures, note_incomplete, unanswered};
use crate::check::Notes;
use crate::domain::Phone;
use crate::twilio::account::{
    Account, Brand, Campaign, Member, MessagingService, Number, Verification,
};
use crate::twilio::error_message::Message;

const WHAT: &str = "its A2P campaign";
const BLOCKED: &str = "US carriers block its texts (30034)";
const WAIT: &str =
    "wait for it (days to weeks), or text from a verified toll-free number until then";
const REGISTER: &str = "register a brand and a campaign in Twilio's console (docs/deploy.md, \"Carriers of the United States\"); it takes days to weeks";
const RESUBMIT: &str = "see the reason in Twilio's console under Regulatory Compliance, correct it, and submit it again";
const SUPPORT: &str = "contact Twilio's support: Twilio suspends campaigns and brands after complaints or breaches of its rules";

/// Whether carriers require a campaign for a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    No,
    /// Twilio does not report its country.
    Unknown,
    Yes,
}

impl Need {
    fn of(member: &Member) -> Self {
        if Phone::is_toll_free(&member.number) {
            return Self::No;
        }
        match member.country.as_deref() {
            Some("US") => Self::Yes,
            None | Some("") if member.number.starts_with("+1") => Self::Unknown,
            _ => Self::No,
        }
    }
}

/// Checks the campaign of a Messaging Service that texts from these numbers. Returns whether a real
/// one is verified.
pub(super) fn campaign(
    account: &Account,
    service: &MessagingService,
    members: &[&Member],
    notes: &mut Notes<'_>,
) -> Result<bool, EndedEarly> {
    let need = members.iter().map(|member| Need::of(member)).max();
    let need = need.unwrap_or(Need::No);
    if need == Need::No {
        notes.pass("it has no US long code that would need an A2P campaign");
        return Ok(false);
    }
    let found = account.campaigns(&service.sid);
    let found = found.map_err(|error| unanswered(&error, notes))?;
    let Some(best) = best(found.rows) else {
        match (found.complete, need) {
            (false, _) => note_incomplete(false, WHAT, notes),
            (true, Need::Unknown) => notes.skip_until(
                WHAT,
                "as it has none and Twilio does not report the country of its number",
                REGISTER,
            ),
            _ => notes.fault(format!("it has no A2P campaign: {BLOCKED}"), REGISTER),
        }
        return Ok(false);
    };
    if !judge_campaign(&best, notes) {
        return Ok(false);
    }
    let Some(sid) = &best.brand else {
        if best.elsewhere {
            notes.pass("its brand is registered outside Twilio");
        } else {
            notes.skip("its brand", "as Twilio does not name it");
        }
        return Ok(true);
    };
    let found = account.brand(sid);
    match found.map_err(|error| unanswered(&error, notes))? {
        Some(found) => judge_brand(&found, notes),
        None => notes.skip("its brand", "as Twilio does not have it"),
    }
    Ok(true)
}

/// The campaign that counts: a verified one, else one that is not a mock.
fn best(all: Vec<Campaign>) -> Option<Campaign> {
    let rank = |one: &Campaign| (one.mock, one.status != "VERIFIED");
    all.into_iter().min_by_key(rank)
}

/// Judges a campaign. Returns whether it is in order.
fn judge_campaign(found: &Campaign, notes: &mut Notes<'_>) -> bool {
    let why = because(found.reason.as_ref());
    match found.status.as_str() {
        _ if found.mock => notes.fault(
            format!(
                "its A2P campaign is a mock one, which is not registered with carriers: {BLOCKED}"
            ),
            REGISTER,
        ),
        "VERIFIED" => {
            notes.pass("its A2P campaign is verified: US carriers accept its texts");
            return true;
        }
        "IN_PROGRESS" | "PENDING" => notes.fault(
            format!("its A2P campaign is not verified yet: {BLOCKED}{why}"),
            WAIT,
        ),
        "SUSPENDED" => notes.fault(
            format!("its A2P campaign is SUSPENDED: its texts are blocked (30033){why}"),
            SUPPORT,
        ),
        "" => notes.skip(WHAT, "as Twilio does not report its state"),
        state => notes.fault(
            format!("its A2P campaign is {state}: {BLOCKED}{why}"),
            cures::of_review(&found.codes).unwrap_or(RESUBMIT),
        ),
    }
    false
}

fn judge_brand(found: &Brand, notes: &mut Notes<'_>) {
    let why = because(found.reason.as_ref());
    match found.status.as_str() {
        _ if found.mock => notes.fault(
            format!("its brand is a mock one, which is not registered with carriers: {BLOCKED}"),
            REGISTER,
        ),
        "APPROVED" => notes.pass("its brand is approved"),
        "PENDING" | "IN_REVIEW" => {
            notes.fault(
                format!("its brand is not approved yet: {BLOCKED}{why}"),
                WAIT,
            );
        }
        "SUSPENDED" => notes.fault(format!("its brand is SUSPENDED: {BLOCKED}{why}"), SUPPORT),
        "" => notes.skip("its brand", "as Twilio does not report its state"),
        state => notes.fault(format!("its brand is {state}: {BLOCKED}{why}"), RESUBMIT),
    }
}

/// Checks the verification of a toll-free number.
pub(super) fn toll_free(account: &Account, number: &Number, notes: &mut Notes<'_>) -> StepResult {
    let found = account.verifications(number);
    let found = found.map_err(|error| unanswered(&error, notes))?;
    let approved = |one: &Verification| one.status != "TWILIO_APPROVED";
    let best = found.rows.into_iter().min_by_key(approved);
    if best.is_none() && !found.complete {
        note_incomplete(
            false,
            &format!("the verification of {}", number.number),
            notes,
        );
    } else {
        judge_toll_free(&number.number, best.as_ref(), notes);
    }
    Ok(())
}

fn judge_toll_free(number: &str, found: Option<&Verification>, notes: &mut Notes<'_>) {
    let Some(found) = found else {
        return notes.fault(
            format!("{number} is toll-free and not verified: its texts are blocked (30032)"),
            "submit the verification in Twilio's console (docs/deploy.md, \"Carriers of the United States\"); it takes days to weeks",
        );
    };
    let why = because(found.reason.as_ref());
    match found.status.as_str() {
        "TWILIO_APPROVED" => notes.pass(format!("the toll-free number {number} is verified")),
        "" => notes.skip(
            &format!("the verification of {number}"),
            "as Twilio does not report its state",
        ),
        state @ ("PENDING_REVIEW" | "IN_REVIEW") => notes.fault(
            format!(
                "the verification of {number} is {state}: its texts are blocked until then (30460)"
            ),
            WAIT_FOR_REVIEW,
        ),
        state => notes.fault(
            format!("the verification of {number} is {state}: its texts are blocked (30032){why}"),
            cures::of_review(&found.codes).unwrap_or(RESUBMIT),
        ),
    }
}

const WAIT_FOR_REVIEW: &str =
    "wait for it (days to weeks), or text from a number with a verified campaign until then";

fn because(reason: Option<&Message>) -> String {
    reason.map_or_else(String::new, |words| format!(" (Twilio says: {words})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Area, CheckStatus};

    fn verdict(judge: impl FnOnce(&mut Notes<'_>)) -> CheckStatus {
        let mut all = Vec::new();
        judge(&mut Notes::of(Area::Twilio, &mut all));
        all.remove(0).verdict
    }

    fn of(status: &str, mock: bool) -> Campaign {
        Campaign {
            status: status.to_owned(),
            mock,
            elsewhere: false,
            brand: None,
            reason: None,
            codes: Vec::new(),
        }
    }

    #[test]
    fn registrations_are_judged_by_their_state() {
        use CheckStatus::{Fault, Pass, Skipped};
        for (status, mock, expected) in [
            ("VERIFIED", false, Pass),
            ("VERIFIED", true, Fault),
            ("IN_PROGRESS", false, Fault),
            ("PENDING", false, Fault),
            ("FAILED", false, Fault),
            ("SUSPENDED", false, Fault),
            ("SOMETHING_NEW", false, Fault),
            ("", false, Skipped),
        ] {
            let found = verdict(|notes| {
                judge_campaign(&of(status, mock), notes);
            });
            assert_eq!(found, expected, "campaign {status} {mock}");
        }
        for (status, mock, expected) in [
            ("APPROVED", false, Pass),
            ("APPROVED", true, Fault),
            ("PENDING", false, Fault),
            ("IN_REVIEW", false, Fault),
            ("FAILED", false, Fault),
            ("SUSPENDED", false, Fault),
            ("DELETION_PENDING", false, Fault),
            ("", false, Skipped),
        ] {
            let brand = Brand {
                status: status.to_owned(),
                mock,
                reason: None,
            };
            let found = verdict(|notes| judge_brand(&brand, notes));
            assert_eq!(found, expected, "brand {status} {mock}");
        }
        for (status, expected) in [
            (Some("TWILIO_APPROVED"), Pass),
            (Some("PENDING_REVIEW"), Fault),
            (Some("IN_REVIEW"), Fault),
            (Some("TWILIO_REJECTED"), Fault),
            (Some("SOMETHING_NEW"), Fault),
            (Some(""), Skipped),
            (None, Fault),
        ] {
            let verification = status.map(|status| Verification {
                status: status.to_owned(),
                reason: None,
                codes: Vec::new(),
            });
            let number = "+18885550123";
            let found = verdict(|notes| judge_toll_free(number, verification.as_ref(), notes));
            assert_eq!(found, expected, "toll-free {status:?}");
        }
    }

    #[test]
    fn the_campaign_that_counts_is_a_real_and_verified_one() {
        let all = || {
            vec![
                of("VERIFIED", true),
                of("FAILED", false),
                of("VERIFIED", false),
            ]
        };
        assert_eq!(best(all()), Some(of("VERIFIED", false)));
        assert_eq!(best(all()[..2].to_vec()), Some(of("FAILED", false)));
        assert_eq!(best(all()[..1].to_vec()), Some(of("VERIFIED", true)));
    }

    #[test]
    fn country_and_kind_of_number_decide_about_a_campaign() {
        for (number, country, need) in [
            ("+12125550123", Some("US"), Need::Yes),
            ("+12125550123", None, Need::Unknown),
            ("+12125550123", Some(""), Need::Unknown),
            ("+14165550123", Some("CA"), Need::No),
            ("+18885550123", Some("US"), Need::No),
            ("+18885550123", None, Need::No),
            ("+491701234567", Some("DE"), Need::No),
            ("+491701234567", None, Need::No),
        ] {
            let member = Member {
                sid: "PN0".to_owned(),
                number: number.to_owned(),
                country: country.map(str::to_owned),
                sms: Some(true),
            };
            assert_eq!(Need::of(&member), need, "{number} {country:?}");
        }
    }
}
