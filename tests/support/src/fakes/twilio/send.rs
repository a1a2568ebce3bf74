//! The rules for a new message.

use std::time::{Instant, SystemTime};

use super::super::server::{Reply, Request};
use super::fault::TwilioFault;
use super::records::Message;
use super::student::new_sid;
use super::{State, TwilioAccount};

const LONGEST_BODY: usize = 1600;
const LONGEST_WAIT: u32 = 36_000;
const KNOWN: [&str; 26] = [
    "To",
    "From",
    "MessagingServiceSid",
    "Body",
    "MediaUrl",
    "StatusCallback",
    "ApplicationSid",
    "MaxPrice",
    "ProvideFeedback",
    "Attempt",
    "ValidityPeriod",
    "ForceDelivery",
    "ContentRetention",
    "AddressRetention",
    "SmartEncoded",
    "PersistentAction",
    "TrafficType",
    "ShortenUrls",
    "ScheduleType",
    "SendAt",
    "SendAsMms",
    "ContentVariables",
    "RiskCheck",
    "ContentSid",
    "MessageIntent",
    "FallbackFrom",
];

/// The parameters of a form body; a body of another type is not read at all.
pub fn form(request: &Request) -> Vec<(String, String)> {
    if request.media_type() != "application/x-www-form-urlencoded" {
        return Vec::new();
    }
    form_urlencoded::parse(&request.body).into_owned().collect()
}

/// `POST .../Messages.json`
pub fn send(
    state: &mut State,
    account: &TwilioAccount,
    request: &Request,
) -> Result<Reply, TwilioFault> {
    let form = form(request);
    let value = |name: &str| {
        let found = form.iter().find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    };
    let to =
        value("To").ok_or_else(|| TwilioFault::bad(21604, "A 'To' phone number is required."))?;
    let (from, service) = (value("From"), value("MessagingServiceSid"));
    if from.is_none() && service.is_none() {
        return Err(TwilioFault::bad(
            21603,
            "A 'From' phone number is required.",
        ));
    }
    let body = value("Body").ok_or_else(|| TwilioFault::bad(21602, "Message body is required."))?;
    check_to(to)?;
    let sender = check_sender(account, from, service, to)?;
    if body.chars().count() > LONGEST_BODY {
        return Err(TwilioFault::bad(
            21617,
            "The concatenated message body exceeds the 1600 character limit.",
        ));
    }
    check_options(value("StatusCallback"), value("ValidityPeriod"))?;
    refuse(state, to, body)?;
    let default = state
        .setup
        .is_default
        .then_some(account.service_sid.as_str());
    let message = Message {
        service: service.or(default).map(str::to_owned),
        callback: value("StatusCallback").map(str::to_owned),
        ..outbound(state, to, sender, body)
    };
    let status = if from.is_none() { "accepted" } else { "queued" };
    let reply = Reply::json(201, &message.json(account, status));
    state.messages.push(message);
    let mut names = form.iter().map(|(name, _)| name.as_str());
    Ok(match names.find(|name| !KNOWN.contains(name)) {
        Some(name) => reply.noting(format!("{name} is no parameter of a message")),
        None => reply,
    })
}

/// Refuses a text to this phone, if the test wants that.
fn refuse(state: &mut State, to: &str, body: &str) -> Result<(), TwilioFault> {
    let Some((status, code)) = refused(state, to) else {
        return Ok(());
    };
    state.refused.push((to.to_owned(), code));
    let mut message = refusal(code, to);
    if state.refusals_quote {
        message = format!("{message}: '{body}' to {to}");
    }
    Err(TwilioFault::new(status, code, &message))
}

/// A text to a phone as the log shows it at first.
fn outbound(state: &State, to: &str, sender: &str, body: &str) -> Message {
    Message {
        sid: new_sid(),
        to: to.to_owned(),
        from: sender.to_owned(),
        body: if state.keeps_no_words { "" } else { body }.to_owned(),
        words: body.to_owned(),
        inbound: false,
        service: None,
        at: Instant::now(),
        date: SystemTime::now(),
        deleted: false,
        callback: None,
        state: None,
    }
}

fn refusal(code: u32, to: &str) -> String {
    let masked = format!(
        "{}XXXX",
        to.get(..to.len().saturating_sub(4)).unwrap_or_default()
    );
    match code {
        21610 => "Attempt to send to unsubscribed recipient".to_owned(),
        21408 => format!(
            "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {masked}"
        ),
        21614 => format!("'To' number is not a valid mobile number: {masked}"),
        20429 => "Too Many Requests".to_owned(),
        _ => format!("The message to {masked} was refused with code {code}"),
    }
}

/// With what texts to this phone are refused, if they are.
fn refused(state: &State, to: &str) -> Option<(u16, u32)> {
    let closed = || {
        let mut regions = state.closed.iter();
        regions.find_map(|(region, refusal)| to.starts_with(region.as_str()).then_some(*refusal))
    };
    let own = state.refusals.get(to).copied();
    state.refuse_all.or(own).or_else(closed)
}

fn is_e164(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    let right_length = if digits.starts_with('1') {
        digits.len() == 11
    } else {
        (8..=15).contains(&digits.len())
    };
    right_length && !digits.starts_with('0') && digits.bytes().all(|digit| digit.is_ascii_digit())
}

fn is_short_code(text: &str) -> bool {
    (5..=6).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit())
}

fn check_to(to: &str) -> Result<(), TwilioFault> {
    if is_short_code(to) {
        return Err(TwilioFault::bad(
            21265,
            "'To' number cannot be a Short Code",
        ));
    }
    if !is_e164(to) {
        return Err(TwilioFault::bad(21211, "Invalid 'To' Phone Number"));
    }
    Ok(())
}

/// The number that sends: the one that was named, or the first of the messaging service.
fn check_sender<'a>(
    account: &'a TwilioAccount,
    from: Option<&'a str>,
    service: Option<&str>,
    to: &str,
) -> Result<&'a str, TwilioFault> {
    if service.is_some_and(|service| service != account.service_sid) {
        return Err(TwilioFault::bad(
            21701,
            "The Messaging Service does not exist",
        ));
    }
    let Some(from) = from else {
        let first = account.from_numbers.iter().find(|number| *number != to);
        return first.map(String::as_str).ok_or_else(|| {
            TwilioFault::bad(21703, "The Messaging Service contains no phone numbers")
        });
    };
    if from == to {
        return Err(TwilioFault::bad(
            21266,
            "'To' and 'From' number cannot be the same",
        ));
    }
    if !is_e164(from) && !is_short_code(from) {
        return Err(TwilioFault::bad(
            21212,
            "The 'From' number is not a valid phone number, shortcode, or alphanumeric sender ID.",
        ));
    }
    if !account.from_numbers.iter().any(|number| number == from) {
        let message = "The 'From' phone number provided is not a valid message-capable Twilio phone number for this destination.";
        return Err(TwilioFault::bad(21606, message));
    }
    Ok(from)
}

fn check_options(callback: Option<&str>, validity: Option<&str>) -> Result<(), TwilioFault> {
    if callback.is_some_and(|url| !is_public_url(url)) {
        return Err(TwilioFault::bad(
            21609,
            "The 'StatusCallback' URL is not a valid URL.",
        ));
    }
    let in_range = |text: &str| {
        text.parse()
            .is_ok_and(|seconds: u32| (1..=LONGEST_WAIT).contains(&seconds))
    };
    if validity.is_some_and(|text| !in_range(text)) {
        return Err(TwilioFault::bad(
            21624,
            "The 'ValidityPeriod' is out of the range of 1 to 36000 seconds.",
        ));
    }
    Ok(())
}

/// An http or https URL with a host that the world can reach: dotted, no underscore, not of a private network.
fn is_public_url(url: &str) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority
        .rsplit('@')
        .next()
        .unwrap_or_default()
        .split(':')
        .next()
        .unwrap_or_default();
    let private = ["localhost", "127.", "10.", "192.168.", "169.254.", "0."];
    host.contains('.')
        && !host.contains('_')
        && !private.iter().any(|start| host.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_e164_or_nothing() {
        for fine in ["+12015550123", "+491701234567", "+6591234567"] {
            assert!(is_e164(fine), "{fine}");
        }
        for wrong in [
            "",
            "+",
            "12015550123",
            "+1201555012",
            "+120155501234",
            "+0123456789",
            "+49 170 1234567",
            "ana",
        ] {
            assert!(!is_e164(wrong), "{wrong}");
        }
    }

    #[test]
    fn callbacks_need_a_public_host() {
        assert!(
            is_public_url("https://example.org/status?x=1")
                && is_public_url("http://u:p@example.org:8080/")
        );
        for wrong in [
            "",
            "example.org",
            "ftp://example.org",
            "https://localhost/x",
            "http://127.0.0.1/",
            "https://a_b.org",
        ] {
            assert!(!is_public_url(wrong), "{wrong}");
        }
    }
}
