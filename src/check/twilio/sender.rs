//! Checks the number, short code or Messaging Service, and where its texts are sent.

use super::{EndedEarly, SENDER, note_incomplete, registration, unanswered, webhook_target};
use crate::check::Notes;
use crate::config::{Sender, TwilioConfig};
use crate::domain::{Phone, SignedUrl};
use crate::twilio::account::{
    Account, ListRows, Member, MessagingService, Number, ServiceMembership,
};

/// `shown`: the number on the pages. Returns whether it has a verified A2P campaign.
pub(super) fn inspect(
    config: &TwilioConfig,
    shown: Option<&str>,
    account: &Account,
    notes: &mut Notes<'_>,
) -> Result<bool, EndedEarly> {
    let url = &config.webhook_url;
    match &config.sender {
        Sender::Service(sid) => {
            let found = account.service(sid);
            match found.map_err(|error| unanswered(&error, notes))? {
                Some(found) => service((url, shown), account, &found, notes),
                None => {
                    notes.fault(
                        format!("the account has no Messaging Service {sid}"),
                        "set FROM_NUM to a Messaging Service of the account, or to a number of the account",
                    );
                    Ok(false)
                }
            }
        }
        Sender::Number(number) => {
            let found = if number.starts_with('+') {
                account.numbers(Some(number))
            } else {
                account.short_codes(number)
            };
            let found = found.map_err(|error| unanswered(&error, notes))?;
            match pick(number, found, notes)? {
                found if number.starts_with('+') => inspect_number(url, account, &found, notes),
                found => {
                    owned(&found, notes);
                    at_number(url, &found, notes);
                    Ok(false)
                }
            }
        }
    }
}

/// Picks the number itself from those that match it.
fn pick(name: &str, found: ListRows<Number>, notes: &mut Notes<'_>) -> Result<Number, EndedEarly> {
    let complete = found.complete;
    let mut all = found.rows.into_iter();
    if let Some(number) = all.find(|one| one.number == name) {
        return Ok(number);
    }
    if complete {
        notes.fault(
            format!("the account does not own {name}"),
            "set FROM_NUM to a number of TWILIO_ACCOUNT_SID, as Twilio's console lists it",
        );
    } else {
        note_incomplete(false, SENDER, notes);
    }
    Err(EndedEarly)
}

fn inspect_number(
    url: &SignedUrl,
    account: &Account,
    found: &Number,
    notes: &mut Notes<'_>,
) -> Result<bool, EndedEarly> {
    let number = &found.number;
    owned(found, notes);
    let within = account.service_with(found);
    let within = within.map_err(|error| unanswered(&error, notes))?;
    if let ServiceMembership::Service(service) = &within {
        texts_by_rcs(account, service, number, notes);
    }
    match &within {
        ServiceMembership::Service(service) if !service.target_on_number => {
            let whose = format!("Messaging Service {} (with {number} in it)", service.sid);
            webhook_target::judge(url, &service.target, &whose, notes);
        }
        ServiceMembership::Unknown => notes.skip_until(
            "its Messaging Service",
            "as the account has too many",
            "set FROM_NUM to the Messaging Service that the number is in",
        ),
        _ => at_number(url, found, notes),
    }
    if Phone::is_toll_free(number) {
        registration::toll_free(account, found, notes)?;
        return Ok(false);
    }
    match within {
        ServiceMembership::Service(service) => {
            let members = members(account, &service, notes)?;
            let own: Vec<&Member> = members.iter().filter(|one| one.number == *number).collect();
            registration::campaign(account, &service, &own, notes)
        }
        ServiceMembership::None if number.starts_with("+1") => {
            notes.skip_until(
                &format!("the A2P campaign of {number}"),
                "as it is in no Messaging Service",
                "US carriers block texts of a number without a campaign (30034): register one at Twilio and add the number to its Messaging Service; a Canadian number needs only the Messaging Service, which shows its country",
            );
            Ok(false)
        }
        ServiceMembership::None | ServiceMembership::Unknown => Ok(false),
    }
}

/// Missed texts to a number are found in Twilio's log by that number; texts by RCS have another
/// address there.
fn texts_by_rcs(
    account: &Account,
    service: &MessagingService,
    number: &str,
    notes: &mut Notes<'_>,
) {
    let sid = &service.sid;
    let cure =
        format!("set FROM_NUM to {sid}: then the service also finds such texts in Twilio's log");
    match account.has_rcs(sid) {
        Ok(false) => {}
        Ok(true) => notes.warn(
            format!(
                "Messaging Service {sid} (with {number} in it) has an RCS sender: a text by RCS that arrives while the service is down is not found afterwards"
            ),
            cure,
        ),
        Err(error) => notes.warn(
            format!(
                "unknown whether texts by RCS could be missed: cannot {}",
                error.what()
            ),
            cure,
        ),
    }
}

fn members(
    account: &Account,
    service: &MessagingService,
    notes: &mut Notes<'_>,
) -> Result<Vec<Member>, EndedEarly> {
    let members = account.members(&service.sid);
    let members = members.map_err(|error| unanswered(&error, notes))?;
    note_incomplete(
        members.complete,
        "some of its Messaging Service's numbers",
        notes,
    );
    Ok(members.rows)
}

fn service(
    (url, shown): (&SignedUrl, Option<&str>),
    account: &Account,
    found: &MessagingService,
    notes: &mut Notes<'_>,
) -> Result<bool, EndedEarly> {
    let whose = format!("Messaging Service {}", found.sid);
    let members = members(account, found, notes)?;
    let able: Vec<&Member> = members
        .iter()
        .filter(|one| one.sms != Some(false))
        .collect();
    notes.judge(
        !able.is_empty(),
        &format!(
            "the account owns {whose} with {} number(s) for texts",
            able.len()
        ),
        &format!("{whose} has no number that can text"),
        "at Twilio, add a number with SMS to its sender pool",
    );
    if members.iter().any(|one| one.sms.is_none()) {
        notes.skip(
            "whether some of its numbers can text",
            "as Twilio does not report it",
        );
    }
    if let Some(shown) = shown {
        judge_shown(shown, &able, &whose, notes);
    }
    inspect_members(url, account, found, &able, notes)?;
    registration::campaign(account, found, &able, notes)
}

/// Whether the students' texts go to the Messaging Service if they text the number on the pages. Its short
/// codes are not among the numbers that Twilio lists.
fn judge_shown(shown: &str, able: &[&Member], whose: &str, notes: &mut Notes<'_>) {
    if shown.starts_with('+') && able.iter().all(|one| one.number != shown) {
        notes.warn(
            format!("the pages show {shown} (CODER_REG_NUMBER), which is no number of {whose}"),
            "set CODER_REG_NUMBER to a number of the Messaging Service, unless texts to that one reach TWILIO_WEBHOOK_URL",
        );
    }
}

/// Checks where texts to the members are sent, and the verification of toll-free ones.
fn inspect_members(
    url: &SignedUrl,
    account: &Account,
    found: &MessagingService,
    able: &[&Member],
    notes: &mut Notes<'_>,
) -> Result<(), EndedEarly> {
    // One list for all numbers replaces one call per number.
    let wants_numbers = found.target_on_number || able.iter().any(is_toll_free);
    let numbers = if wants_numbers {
        let numbers = account.numbers(None);
        let numbers = numbers.map_err(|error| unanswered(&error, notes))?;
        note_incomplete(numbers.complete, "some of the account's numbers", notes);
        numbers.rows
    } else {
        Vec::new()
    };
    let number = |member: &Member| numbers.iter().find(|number| number.sid == member.sid);
    if found.target_on_number {
        for member in able {
            match number(member) {
                Some(number) => at_number(url, number, notes),
                None => notes.skip(
                    &format!("where texts of {} are sent", member.number),
                    "as Twilio does not list that number",
                ),
            }
        }
    } else {
        let whose = format!("Messaging Service {}", found.sid);
        webhook_target::judge(url, &found.target, &whose, notes);
    }
    for member in able.iter().filter(|one| is_toll_free(one)) {
        match number(member) {
            Some(number) => registration::toll_free(account, number, notes)?,
            None => notes.skip(
                &format!("the verification of {}", member.number),
                "as Twilio does not list that number",
            ),
        }
    }
    Ok(())
}

fn is_toll_free(member: &&Member) -> bool {
    Phone::is_toll_free(&member.number)
}

/// Judges where texts of a number are sent, if its Messaging Service leaves that to the number or
/// there is none.
fn at_number(url: &SignedUrl, found: &Number, notes: &mut Notes<'_>) {
    let number = &found.number;
    if found.by_application {
        notes.fault(
            format!("texts of {number} go to a TwiML app, not to this service"),
            "at Twilio, select Webhook instead of TwiML App for its messages",
        );
    } else {
        webhook_target::judge(url, &found.target, number, notes);
    }
}

fn owned(found: &Number, notes: &mut Notes<'_>) {
    let number = &found.number;
    match found.sms {
        None => notes.skip(
            &format!("whether {number} can text"),
            "as Twilio does not report it",
        ),
        Some(able) => notes.judge(
            able,
            &format!("the account owns {number}, which can text"),
            &format!("{number} cannot text"),
            "buy a number with SMS at Twilio and set FROM_NUM to it",
        ),
    }
}
