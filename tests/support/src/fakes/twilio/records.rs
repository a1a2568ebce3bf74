//! One message as the API shows it, changes it and deletes it.

use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use super::super::clock::rfc2822;
use super::super::server::{Reply, Request};
use super::fault::TwilioFault;
use super::{State, TwilioAccount};

/// One message, in either direction.
#[derive(Clone)]
pub struct Message {
    /// Twilio's name for it.
    pub sid: String,
    /// The recipient.
    pub to: String,
    /// The number that sends.
    pub from: String,
    /// The text in the log; empty once redacted.
    pub body: String,
    /// The text on the phone, which nobody takes back.
    pub words: String,
    /// From a student to the account.
    pub inbound: bool,
    /// Given when the message was sent by a messaging service.
    pub service: Option<String>,
    /// When the fake took it.
    pub at: Instant,
    /// The date that the API shows.
    pub date: SystemTime,
    /// No longer shown.
    pub deleted: bool,
    /// Where to tell what becomes of it.
    pub callback: Option<String>,
    /// What has become of it, with an error code, if it has a fate.
    pub state: Option<(&'static str, Option<u32>)>,
}

impl Message {
    /// What Twilio has done with it by now.
    pub fn status(&self, delivery_time: Duration) -> &'static str {
        if let Some((state, _)) = self.state {
            return state;
        }
        let elapsed = self.at.elapsed();
        if self.inbound {
            "received"
        } else if elapsed >= delivery_time {
            "delivered"
        } else if elapsed >= delivery_time * 2 / 3 {
            "sent"
        } else if elapsed >= delivery_time / 3 {
            "sending"
        } else {
            "queued"
        }
    }

    /// The message as JSON with this status. `accepted` means that no number has been picked yet.
    pub fn json(&self, account: &TwilioAccount, status: &str) -> Value {
        let accepted = status == "accepted";
        let date = rfc2822(self.date);
        let waiting = accepted || status == "queued";
        let uri = format!(
            "/2010-04-01/Accounts/{}/Messages/{}",
            account.account_sid, self.sid
        );
        json!({
            "sid": self.sid,
            "account_sid": account.account_sid,
            "api_version": "2010-04-01",
            "to": self.to,
            "from": if accepted { Value::Null } else { json!(self.from) },
            "messaging_service_sid": self.service,
            "body": self.body,
            "status": status,
            "direction": if self.inbound { "inbound" } else { "outbound-api" },
            "num_segments": if accepted { "0".to_owned() } else { segments(&self.body).to_string() },
            "num_media": "0",
            "price": Value::Null,
            "price_unit": "USD",
            "error_code": self.state.and_then(|(_, code)| code),
            "error_message": self.state.and_then(|(_, code)| code).map(error_message),
            "date_created": date,
            "date_updated": date,
            "date_sent": if waiting { Value::Null } else { json!(date) },
            "uri": format!("{uri}.json"),
            "subresource_uris": {
                "media": format!("{uri}/Media.json"),
                "feedback": format!("{uri}/Feedback.json"),
            },
        })
    }
}

/// Twilio's words for the error of a message.
fn error_message(code: u32) -> String {
    match code {
        30003 => "Unreachable destination handset".to_owned(),
        30004 => "Message blocked".to_owned(),
        30005 => "Unknown destination handset".to_owned(),
        30006 => "Landline or unreachable carrier".to_owned(),
        30007 => "Message filtered".to_owned(),
        _ => format!("Error {code}"),
    }
}

/// How many SMS a text needs: 160 or 153 units each in GSM-7, else 70 or 67 UTF-16 units.
pub fn segments(body: &str) -> usize {
    const GSM: &str = "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà\n\r !\"#%&'()*+,-./:;<=>?";
    const TWICE: &str = "^{}\\[]~|€";
    let gsm = |character: char| match character {
        _ if TWICE.contains(character) => Some(2),
        _ if GSM.contains(character) || character.is_ascii_alphanumeric() => Some(1),
        _ => None,
    };
    let (units, alone, chained) = match body.chars().map(gsm).sum::<Option<usize>>() {
        Some(units) => (units, 160, 153),
        None => (body.encode_utf16().count(), 70, 67),
    };
    if units <= alone {
        1
    } else {
        units.div_ceil(chained)
    }
}

impl State {
    fn find(&mut self, sid: &str) -> Option<&mut Message> {
        self.messages
            .iter_mut()
            .find(|message| message.sid == sid && !message.deleted)
    }
}

/// `GET .../Messages/{sid}.json`
pub fn read(state: &State, account: &TwilioAccount, sid: &str) -> Option<Reply> {
    let message = state
        .messages
        .iter()
        .find(|message| message.sid == sid && !message.deleted)?;
    Some(Reply::json(
        200,
        &message.json(account, message.status(state.delivery_time)),
    ))
}

/// `POST .../Messages/{sid}.json`: the only change allowed is to empty the body.
pub fn redact(
    state: &mut State,
    account: &TwilioAccount,
    sid: &str,
    request: &Request,
) -> Option<Result<Reply, TwilioFault>> {
    let delivery_time = state.delivery_time;
    let message = state.find(sid)?;
    let given = super::send::form(request)
        .into_iter()
        .find(|(name, _)| name == "Body");
    if given.is_none_or(|(_, body)| !body.is_empty()) {
        return Some(Err(TwilioFault::bad(
            20001,
            "Body can only be changed to the empty string",
        )));
    }
    message.body.clear();
    let status = message.status(delivery_time);
    let reply = Reply::json(200, &message.json(account, status));
    Some(Ok(match status {
        // Nobody knows what would be sent of it.
        "accepted" | "queued" | "sending" => {
            reply.noting("a text is blanked on its way".to_owned())
        }
        _ => reply,
    }))
}

/// `DELETE .../Messages/{sid}.json`
pub fn delete(state: &mut State, sid: &str) -> Option<Result<Reply, TwilioFault>> {
    let delivery_time = state.delivery_time;
    let message = state.find(sid)?;
    if message.status(delivery_time) == "queued" {
        return Some(Err(TwilioFault::new(
            409,
            20009,
            "Cannot delete this resource: it is still in progress",
        )));
    }
    message.deleted = true;
    Some(Ok(Reply::empty(204)))
}

#[cfg(test)]
mod tests {
    use super::segments;

    #[test]
    fn segments_depend_on_the_alphabet() {
        let count = |piece: &str, times: usize| segments(&piece.repeat(times));
        assert_eq!(
            [
                count("a", 160),
                count("a", 161),
                count("a", 306),
                count("a", 307)
            ],
            [1, 2, 2, 3]
        );
        assert_eq!(
            [
                count("\u{2019}", 70),
                count("\u{2019}", 71),
                count("[", 80),
                count("[", 81)
            ],
            [1, 2, 1, 2]
        );
    }
}
