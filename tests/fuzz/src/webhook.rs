//! A form body, rightly and wrongly signed, before the judge of webhooks.
//!
//! The input is the body of a request, as Twilio would post it.

use std::sync::LazyLock;

use coder_sms_register::domain::Text;
use coder_sms_register::webhook::{Judge, RequestRefusal};

use crate::form::{Pairs, decode, sign, signed_text};
use crate::{ACCOUNT, TOKENS, URL, assert_harmless, pick, twilio_config};

static JUDGE: LazyLock<Judge> =
    LazyLock::new(|| Judge::new(&twilio_config("https://api.twilio.com")));

/// Reads the input, and panics where the service reads it wrongly.
pub fn check(body: &[u8]) {
    let pairs = decode(body);
    let text = signed_text(URL, &pairs);
    let signature = sign(TOKENS[0], &text);
    let judged = JUDGE.judge_form(&signature, body);
    assert_eq!(told(&judged), expected(body, &pairs));
    if let Ok(text) = &judged {
        assert_eq!(format!("{text:?}"), format!("Text({})", text.sid));
        assert_harmless(&format!("{text:?}"), &[]);
    }
    if !is_form(body, &pairs) {
        return;
    }
    let old = JUDGE.judge_form(&sign(TOKENS[1], &text), body);
    assert_eq!(told(&old), told(&judged), "the old token counts as well");
    let stranger = JUDGE.judge_form(&sign("AnotherToken", &text), body);
    assert_eq!(stranger.err().map(|refusal| refusal.status), Some(403));
    no_order_matters(body, &signature);
    no_other_signature_will_do(body, &signature);
    no_other_body_will_do(body, &text, &signature);
}

/// A text's contents, or the status of a refusal.
type Told = Result<(String, String, String, String, Option<&'static str>), u16>;

fn told(judged: &Result<Text, RequestRefusal>) -> Told {
    match judged {
        Ok(text) => Ok((
            text.sid.to_string(),
            text.from.clone(),
            text.to.clone(),
            text.body.clone(),
            text.opt_out.map(|word| word.as_str()),
        )),
        Err(refusal) => Err(refusal.status),
    }
}

/// What the judge has to say of a body that is rightly signed.
fn expected(body: &[u8], pairs: &Pairs) -> Told {
    if !is_form(body, pairs) {
        return Err(400);
    }
    let field = |name: &str| {
        let found = pairs.iter().find(|(n, _)| n == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    if field("AccountSid") != ACCOUNT {
        return Err(403);
    }
    let sid = field("MessageSid");
    let letters = sid.chars().take(2).all(|c| c.is_ascii_uppercase());
    let digits = sid.chars().skip(2).all(|c| c.is_ascii_hexdigit());
    if sid.chars().count() != 34 || !letters || !digits {
        return Err(400);
    }
    let opt_out = ["STOP", "START", "HELP"]
        .into_iter()
        .find(|word| *word == field("OptOutType"));
    Ok((
        sid.to_owned(),
        field("From").to_owned(),
        field("To").to_owned(),
        field("Body").chars().take(1_600).collect(),
        opt_out,
    ))
}

fn is_form(body: &[u8], pairs: &Pairs) -> bool {
    body.contains(&b'=') && body.iter().all(|b| (b'!'..=b'~').contains(b)) && pairs.len() <= 256
}

fn no_order_matters(body: &[u8], signature: &str) {
    let mut pieces: Vec<&[u8]> = body.split(|byte| *byte == b'&').collect();
    pieces.reverse();
    let turned = pieces.join(&b'&');
    if let Err(refusal) = JUDGE.judge_form(signature, &turned) {
        assert_ne!(refusal.reason, "wrong signature");
    }
}

/// Another character in the signature, one less, one more.
fn no_other_signature_will_do(body: &[u8], signature: &str) {
    let at = pick(body, signature.len());
    let mut other = signature.as_bytes().to_vec();
    other[at] = if other[at] == b'A' { b'B' } else { b'A' };
    let longer = format!("{signature}=");
    let other = String::from_utf8(other).expect("ASCII");
    for forged in [&other, &signature[1..], &longer, ""] {
        assert!(JUDGE.judge_form(forged, body).is_err(), "{forged:?}");
    }
}

/// Another byte in the body, unless it is another spelling of the same form.
fn no_other_body_will_do(body: &[u8], text: &str, signature: &str) {
    let mut other = body.to_vec();
    let at = pick(body, body.len());
    other[at] = b'!' + (other[at].wrapping_add(1 + pick(&body[..at], 92) as u8)) % 94;
    let pairs = decode(&other);
    let judged = JUDGE.judge_form(signature, &other);
    if signed_text(URL, &pairs) == text {
        assert_eq!(told(&judged), expected(&other, &pairs));
    } else {
        assert!(judged.is_err());
    }
}
