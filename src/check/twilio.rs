//! Twilio: are the keys right, is the number ours, do its texts come to us, do carriers take ours?

use super::{Notes, target};
use crate::config::{Parts, Sender, TwilioConfig};
use crate::domain::{Phone, UnixSeconds};
use crate::http::Http;
use crate::twilio::account::{Account, Member, Number, Service, Token};
use crate::twilio::sms::SmsFault;

/// What later looks have to know.
#[derive(Default)]
pub(super) struct AtTwilio {
    /// Seconds by which our clock is ahead of Twilio's, as it tells it; `None` = it was not reached.
    pub(super) clock_ahead: Option<Option<UnixSeconds>>,
}

/// Why a look ended early.
enum End {
    /// Nothing of Twilio can be looked at any more.
    Away(SmsFault),
    /// It has been said.
    Said,
}

type Step = Result<(), End>;

const SENDER: &str = "the number or Messaging Service, its webhook and its registration";

pub(super) fn look(parts: &Parts, http: &Http, notes: &mut Notes<'_>) -> AtTwilio {
    let mut found = AtTwilio::default();
    let config = match &parts.twilio {
        Some(config) if !parts.is_faulty(&["TWILIO_", "FROM_NUM"]) => config,
        _ => {
            notes.skip("Twilio", "as its settings have faults");
            return found;
        }
    };
    let mut account = Account::new(http.clone(), config);
    let looked = keys(config, &mut account, &mut found, notes)
        .and_then(|()| sender(config, &account, notes));
    if let Err(End::Away(fault)) = looked {
        notes.fault(
            format!("cannot {fault}"),
            "see that this machine reaches Twilio itself (TWILIO_API_URL), by no proxy; status.twilio.com tells of outages",
        );
        notes.skip("all else at Twilio", "as Twilio does not answer");
    }
    found
}

/// What an answer that does not help means: the end, or a thing that this key may not look at.
fn ended(fault: SmsFault, what: &str, notes: &mut Notes<'_>) -> End {
    if fault.is_everybodys() {
        return End::Away(fault);
    }
    notes.skip(what, &format!("as this was refused: {fault}"));
    End::Said
}

/// The token signs, the key sends.
fn keys(
    config: &TwilioConfig,
    account: &mut Account,
    found: &mut AtTwilio,
    notes: &mut Notes<'_>,
) -> Step {
    let (mut known, mut wrong) = (false, 0);
    for token in &config.webhook_tokens {
        match account.token(token) {
            Ok((verdict, clock_ahead)) => {
                found.clock_ahead = Some(clock_ahead);
                match verdict {
                    Token::Wrong => wrong += 1,
                    Token::Right { active, trial } if !known => {
                        known = true;
                        account.look_with(token);
                        state(active, trial, notes);
                    }
                    Token::Right { .. } => {}
                }
            }
            Err(fault) => return Err(ended(fault, "the account's token", notes)),
        }
    }
    if !known {
        notes.fault(
            "Twilio does not take TWILIO_ACCOUNT_TOKEN for TWILIO_ACCOUNT_SID: no signature would be right",
            "copy the Auth Token of that account from Twilio's console (an API key's secret is none)",
        );
    } else if wrong > 0 {
        notes.warn(
            "Twilio takes only one of the two tokens in TWILIO_ACCOUNT_TOKEN: the rotation is over",
            "leave the other one out once no account from before is left, or set CODER_REG_PHONE_KEY to it",
        );
    } else {
        notes.pass("TWILIO_ACCOUNT_TOKEN is the account's: signatures will be right");
    }
    match account.sender_is_let_in() {
        Ok(()) => {
            notes.pass("TWILIO_AUTH_SID is let in, and reads the log");
            Ok(())
        }
        Err(fault) if fault.is_refusal() => {
            notes.fault(
                "Twilio refuses TWILIO_AUTH_SID with TWILIO_AUTH_TOKEN: no text could be sent",
                "make an API key (Standard) in Twilio's console and put both halves of it there",
            );
            if !known {
                notes.skip(SENDER, "as nothing is let in at Twilio");
                return Err(End::Said);
            }
            Ok(())
        }
        Err(fault) => Err(ended(fault, "the key that sends", notes)),
    }
}

fn state(active: bool, trial: bool, notes: &mut Notes<'_>) {
    notes.judge(
        active,
        "the account is active",
        "the account is suspended or closed",
        "see Twilio's console: usually its balance is used up",
    );
    if trial {
        notes.warn(
            "the account is a trial one: it texts verified numbers only, and not its own words",
            "upgrade the account in Twilio's console",
        );
    }
}

fn sender(config: &TwilioConfig, account: &Account, notes: &mut Notes<'_>) -> Step {
    match &config.sender {
        Sender::Service(sid) => {
            let found = account.service(sid);
            match found.map_err(|fault| ended(fault, SENDER, notes))? {
                Some(found) => service(config, account, &found, notes),
                None => {
                    notes.fault(
                        format!("the account has no Messaging Service {sid}"),
                        "set FROM_NUM to one of the account, or to a number of its own",
                    );
                    Ok(())
                }
            }
        }
        Sender::Number(number) if !number.starts_with('+') => {
            notes.skip(SENDER, "as short codes are looked after by hand");
            Ok(())
        }
        Sender::Number(number) => {
            let found = account.number(number);
            match found.map_err(|fault| ended(fault, SENDER, notes))? {
                Some(found) => of_number(config, account, number, &found, notes),
                None => {
                    notes.fault(
                        format!("the account does not own {number}"),
                        "set FROM_NUM to a number of TWILIO_ACCOUNT_SID, as Twilio's console lists it",
                    );
                    Ok(())
                }
            }
        }
    }
}

fn of_number(
    config: &TwilioConfig,
    account: &Account,
    number: &str,
    found: &Number,
    notes: &mut Notes<'_>,
) -> Step {
    owned(number, found.sms, notes);
    let within = account.service_with(found);
    let within = within.map_err(|fault| ended(fault, "its Messaging Service", notes))?;
    let url = &config.webhook_url;
    match &within {
        Some(service) if !service.target_on_number => {
            let whose = format!("Messaging Service {} (with {number} in it)", service.sid);
            target::judge(url, &service.target, &whose, notes);
        }
        _ if found.by_application => notes.fault(
            format!("a TwiML app takes the texts of {number}"),
            "at Twilio, choose Webhook in place of TwiML App for its messages",
        ),
        _ => target::judge(url, &found.target, number, notes),
    }
    if Phone::is_toll_free(number) {
        let state = account.toll_free(found);
        let state = state.map_err(|fault| ended(fault, "its toll-free verification", notes))?;
        toll_free(state.as_deref(), notes);
    } else if number.starts_with("+1") {
        match within {
            Some(service) => registration(account, &service, Some(number), notes)?,
            None => notes.warn(
                format!("{number} is in no Messaging Service, so it has no A2P campaign"),
                "US carriers block texts of such a number (30034): register a campaign at Twilio, unless it is Canadian",
            ),
        }
    }
    Ok(())
}

fn service(
    config: &TwilioConfig,
    account: &Account,
    found: &Service,
    notes: &mut Notes<'_>,
) -> Step {
    let whose = format!("Messaging Service {}", found.sid);
    let members = account.members(&found.sid);
    let members = members.map_err(|fault| ended(fault, "its numbers", notes))?;
    let able: Vec<&Member> = members.iter().filter(|one| one.sms).collect();
    notes.judge(
        !able.is_empty(),
        &format!(
            "the account owns {whose} with {} number(s) for texts",
            able.len()
        ),
        &format!("{whose} has no number that can text"),
        "at Twilio, add a number with SMS to its sender pool",
    );
    let url = &config.webhook_url;
    if found.target_on_number {
        for member in able {
            let number = account.number(&member.number);
            let number = number.map_err(|fault| ended(fault, "a number's webhook", notes))?;
            let own = number.map(|number| number.target).unwrap_or_default();
            target::judge(url, &own, &member.number, notes);
        }
    } else {
        target::judge(url, &found.target, &whose, notes);
    }
    if members.iter().any(|one| one.number.starts_with("+1")) {
        registration(account, found, None, notes)?;
    }
    Ok(())
}

fn owned(number: &str, sms: bool, notes: &mut Notes<'_>) {
    notes.judge(
        sms,
        &format!("the account owns {number}, which can text"),
        &format!("{number} cannot text"),
        "buy a number with SMS at Twilio and set FROM_NUM to it",
    );
}

/// The carriers' registration of the service that texts from US numbers, or from `number` alone.
fn registration(
    account: &Account,
    service: &Service,
    number: Option<&str>,
    notes: &mut Notes<'_>,
) -> Step {
    const WHAT: &str = "its A2P campaign";
    let members = account.members(&service.sid);
    let members = members.map_err(|fault| ended(fault, WHAT, notes))?;
    let needs_one = |member: &&Member| {
        number.is_none_or(|number| number == member.number)
            && member.country == "US"
            && !Phone::is_toll_free(&member.number)
    };
    if !members.iter().any(|member| needs_one(&member)) {
        notes.pass("no US long code that would need an A2P campaign");
        return Ok(());
    }
    let state = account.campaign(&service.sid);
    let state = state.map_err(|fault| ended(fault, WHAT, notes))?;
    campaign(state.as_deref(), notes);
    Ok(())
}

fn campaign(state: Option<&str>, notes: &mut Notes<'_>) {
    match state {
        Some("VERIFIED") => notes.pass("its A2P campaign is verified: US carriers take its texts"),
        Some("IN_PROGRESS" | "PENDING") => notes.fault(
            "its A2P campaign is not verified yet: US carriers block its texts (30034)",
            "wait for it (days to weeks), or text from a verified toll-free number until then",
        ),
        Some(state) => notes.fault(
            format!("its A2P campaign is {state}: US carriers block its texts (30034)"),
            "see the reason in Twilio's console under Regulatory Compliance, and hand it in again",
        ),
        None => notes.fault(
            "it has no A2P campaign: US carriers block its texts (30034)",
            "register a brand and a campaign in Twilio's console; it takes days to weeks",
        ),
    }
}

fn toll_free(state: Option<&str>, notes: &mut Notes<'_>) {
    match state {
        Some("TWILIO_APPROVED") => notes.pass("the toll-free number is verified"),
        Some(state) => notes.fault(
            format!(
                "the toll-free number's verification is {state}: its texts are blocked (30032)"
            ),
            "see Twilio's console under Regulatory Compliance; it takes days to weeks",
        ),
        None => notes.fault(
            "the toll-free number is not verified: its texts are blocked (30032)",
            "hand the verification in, in Twilio's console; it takes days to weeks",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Area, Verdict};

    #[test]
    fn carriers_have_the_last_word() {
        let judged = |judge: fn(Option<&str>, &mut Notes<'_>), state| {
            let mut all = Vec::new();
            judge(state, &mut Notes::of(Area::Twilio, &mut all));
            all.remove(0).verdict
        };
        for (state, verdict) in [
            (Some("VERIFIED"), Verdict::Pass),
            (Some("IN_PROGRESS"), Verdict::Fault),
            (Some("FAILED"), Verdict::Fault),
            (None, Verdict::Fault),
        ] {
            assert_eq!(judged(campaign, state), verdict, "{state:?}");
        }
        assert_eq!(judged(toll_free, Some("TWILIO_APPROVED")), Verdict::Pass);
        assert_eq!(judged(toll_free, Some("PENDING_REVIEW")), Verdict::Fault);
        assert!(Phone::is_toll_free("+18885550123") && !Phone::is_toll_free("+12125550123"));
    }
}
