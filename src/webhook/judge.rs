//! Decides what a request is: a text, a receipt for a text that we sent, a question about our health,
//! a probe of our identity, or something to refuse.
//!
//! The order is path, method, media type, size, signature, account, content. The content of a request
//! has no effect before its signature is verified.

use std::io::Read;
use std::time::Instant;

use tiny_http::{Method, Request};

use super::form::{Form, FormError};
use super::probe;
use crate::clock::unix_now;
use crate::config::{HEALTH_PATH, TwilioConfig};
use crate::domain::{
    Delivery, InstanceId, KeyId, MessageSid, OptWord, PageRequest, Receipt, Secret, Text,
};
use crate::gate::CLIENT_HEADER;
use crate::twilio::signature::{SETTINGS_HEADER, SignatureError, Signer, Verifier};

/// The largest body; Twilio's largest is about 20 KB (1,600 emoji).
const BODY_LIMIT: u64 = 64 * 1024;

/// Reason for a refusal. `check` recognises these words in the answer.
pub const WRONG_SIGNATURE: &str = "wrong signature";
/// See [`WRONG_SIGNATURE`].
pub const ANOTHER_ACCOUNT: &str = "another account";
/// See [`WRONG_SIGNATURE`].
pub const NOT_FOUND: &str = "not found";
pub(super) const NO_SIGNATURE: &str = "no signature";
/// See [`WRONG_SIGNATURE`].
pub const WRONG_BY_KEY: &str = "wrong signature by a shared key";
/// See [`WRONG_SIGNATURE`].
pub const UNKNOWN_KEY: &str = "signed with a shared key, which is not configured";
/// See [`WRONG_SIGNATURE`].
pub const NO_TOKEN: &str = "signed with the Auth Token, which is not configured";
pub(super) const UNKNOWN_ALGORITHM: &str = "signed by an algorithm that is unknown";
/// The answer of a service without support for probes.
pub const NO_SID: &str = "no MessageSid";

/// The path for texts, in addition to the path of `TWILIO_WEBHOOK_URL`: a proxy may map one to the other.
const TEXT_PATH: &str = "/inbound";

/// A judged request.
#[derive(Debug)]
pub enum Judgement {
    /// A text from Twilio.
    Take(Text),
    /// The delivery of a text that we sent; `None` = a state without a meaning for us.
    Receipt(Option<Receipt>),
    /// A probe of our identity, signed with our token; contains the answer.
    Probe(String),
    /// A request for our health.
    Health,
    /// A page, or nothing that is here. Only the webhook itself takes a request for this.
    Page(PageRequest),
    /// Anything else.
    Refuse(RequestRefusal),
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRefusal {
    /// The HTTP status.
    pub status: u16,
    /// The words for the answer and the log.
    pub reason: &'static str,
    /// The allowed methods, for a 405.
    pub allow: Option<&'static str>,
    /// The shared key that the request claims to be signed with.
    pub key: Option<KeyId>,
}

/// Judges requests for one account and one webhook URL.
pub struct Judge {
    verifier: Verifier,
    account_sid: String,
    path: String,
    /// The path for receipts, and the verifier of their signatures.
    receipts: Option<(String, Verifier)>,
    /// The answers to probes are computed from the token, the instance id and the settings.
    token: Secret,
    instance_id: Option<InstanceId>,
    settings: Secret,
}

const fn refuse(status: u16, reason: &'static str) -> RequestRefusal {
    RequestRefusal {
        status,
        reason,
        allow: None,
        key: None,
    }
}

/// The refusal of a path that is nobody's.
pub(super) const UNKNOWN_PATH: RequestRefusal = refuse(404, NOT_FOUND);

fn unreadable(why: FormError) -> RequestRefusal {
    refuse(
        400,
        match why {
            FormError::NotAForm => "not a form",
            FormError::TooManyParameters => "too many parameters",
        },
    )
}

fn distrusted(distrust: SignatureError) -> RequestRefusal {
    let (reason, key) = match distrust {
        SignatureError::Token => (WRONG_SIGNATURE, None),
        SignatureError::NoToken => (NO_TOKEN, None),
        SignatureError::Key(key) => (WRONG_BY_KEY, key),
        SignatureError::NoKey(key) => (UNKNOWN_KEY, key),
        SignatureError::Algorithm => (UNKNOWN_ALGORITHM, None),
    };
    RequestRefusal {
        key,
        ..refuse(403, reason)
    }
}

impl Judge {
    /// A judge for the account, tokens, shared keys and URL of `config`.
    pub fn new(config: &TwilioConfig) -> Self {
        let verifier = |url| Verifier::new(url, &config.webhook_tokens, &config.shared_keys);
        Self {
            verifier: verifier(&config.webhook_url),
            account_sid: config.account_sid.clone(),
            path: config.webhook_url.path().to_owned(),
            receipts: config
                .receipts
                .as_ref()
                .map(|url| (url.signed.path().to_owned(), verifier(&url.signed))),
            // There is always one: the settings require it.
            token: config
                .signing_secrets()
                .into_iter()
                .next()
                .unwrap_or_else(|| Secret::new("")),
            instance_id: None,
            settings: Secret::new(""),
        }
    }

    /// Sets the instance id of the data folder, for the answers to probes.
    #[must_use]
    pub fn of_instance(mut self, instance_id: InstanceId) -> Self {
        self.instance_id = Some(instance_id);
        self
    }

    /// Sets what the service was started with, for the answers to probes.
    #[must_use]
    pub fn of_settings(mut self, settings: Secret) -> Self {
        self.settings = settings;
        self
    }

    /// Judges one request. Its body is read only after path, method and media type were accepted.
    pub fn judge(&self, request: &mut Request) -> Judgement {
        match self.route(request.method(), request.url()) {
            Err(refusal) => Judgement::Refuse(refusal),
            Ok(Route::Health) => Judgement::Health,
            Ok(Route::Text) => read_signed(request)
                .and_then(|(signature, body)| self.judge_post(&signature, &body))
                .unwrap_or_else(Judgement::Refuse),
            Ok(Route::Receipt(verifier)) => read_signed(request)
                .and_then(|(signature, body)| self.judge_receipt(verifier, &signature, &body))
                .unwrap_or_else(Judgement::Refuse),
        }
    }

    fn route(&self, method: &Method, url: &str) -> Result<Route<'_>, RequestRefusal> {
        let path = url.split('?').next().unwrap_or(url);
        let not_allowed = |allow| RequestRefusal {
            allow: Some(allow),
            ..refuse(405, "method not allowed")
        };
        if path == HEALTH_PATH {
            match method {
                Method::Get | Method::Head => Ok(Route::Health),
                _ => Err(not_allowed("GET, HEAD")),
            }
        } else if path == TEXT_PATH || path == self.path {
            match method {
                Method::Post => Ok(Route::Text),
                _ => Err(not_allowed("POST")),
            }
        } else if let Some((_, verifier)) = self.receipts.as_ref().filter(|(at, _)| path == at) {
            match method {
                Method::Post => Ok(Route::Receipt(verifier)),
                _ => Err(not_allowed("POST")),
            }
        } else {
            Err(UNKNOWN_PATH)
        }
    }

    fn judge_post(&self, signature: &Signature, body: &[u8]) -> Result<Judgement, RequestRefusal> {
        let form = self.verified_form(&self.verifier, signature, body)?;
        match self.answer_probe(&form) {
            Some(answered) => answered,
            None => text_of(&form).map(Judgement::Take),
        }
    }

    /// The answer to a probe, if the form is one.
    fn answer_probe(&self, form: &Form) -> Option<Result<Judgement, RequestRefusal>> {
        let nonce = form.get(probe::PARAMETER)?;
        if !probe::is_nonce(nonce) {
            return Some(Err(refuse(400, "not a probe")));
        }
        let answer = probe::answer(
            nonce,
            &self.token,
            self.instance_id.as_ref(),
            &self.settings,
        );
        Some(Ok(Judgement::Probe(answer)))
    }

    /// Judges the body of a request whose path, method and media type were accepted. `signature` is the signature of
    /// the request, made with the Auth Token.
    ///
    /// # Errors
    /// The reason for a refusal.
    pub fn judge_form(&self, signature: &str, body: &[u8]) -> Result<Text, RequestRefusal> {
        let signature = Signature {
            value: signature.to_owned(),
            signer: Signer::AuthToken,
        };
        text_of(&self.verified_form(&self.verifier, &signature, body)?)
    }

    fn judge_receipt(
        &self,
        verifier: &Verifier,
        signature: &Signature,
        body: &[u8],
    ) -> Result<Judgement, RequestRefusal> {
        let form = self.verified_form(verifier, signature, body)?;
        if let Some(answered) = self.answer_probe(&form) {
            return answered;
        }
        let sid = sid_of(&form)?;
        let state = form.get("MessageStatus").or_else(|| form.get("SmsStatus"));
        let state = state.ok_or(refuse(400, "no MessageStatus"))?;
        let code = form.get("ErrorCode").and_then(|code| code.parse().ok());
        Ok(Judgement::Receipt(Delivery::parse(state).map(|delivery| {
            Receipt {
                sid,
                delivery,
                code,
            }
        })))
    }

    /// Parses a form, and verifies that Twilio signed it for our account.
    fn verified_form<'b>(
        &self,
        verifier: &Verifier,
        signature: &Signature,
        body: &'b [u8],
    ) -> Result<Form<'b>, RequestRefusal> {
        let form = Form::read(body).map_err(unreadable)?;
        if signature.value.is_empty() {
            return Err(refuse(403, NO_SIGNATURE));
        }
        verifier
            .check(&signature.signer, form.pairs(), &signature.value)
            .map_err(distrusted)?;
        if form.get("AccountSid") != Some(&self.account_sid) {
            return Err(refuse(403, ANOTHER_ACCOUNT));
        }
        Ok(form)
    }
}

/// The MessageSid in a form.
fn sid_of(form: &Form) -> Result<MessageSid, RequestRefusal> {
    let sid = form.get("MessageSid").and_then(MessageSid::parse);
    sid.ok_or(refuse(400, NO_SID))
}

/// The text in a form.
fn text_of(form: &Form) -> Result<Text, RequestRefusal> {
    let field = |name| form.get(name).unwrap_or_default();
    Ok(Text {
        sid: sid_of(form)?,
        from: field("From").to_owned(),
        to: field("To").to_owned(),
        body: Text::cut(field("Body")).to_owned(),
        opt_out: form.get("OptOutType").and_then(OptWord::from_parameter),
        received: unix_now(),
        heard: Some(Instant::now()),
    })
}

enum Route<'a> {
    Text,
    Receipt(&'a Verifier),
    Health,
}

/// A signature, and the signer that the request names.
struct Signature {
    value: String,
    signer: Signer,
}

/// The signature and the body of a form.
fn read_signed(request: &mut Request) -> Result<(Signature, Vec<u8>), RequestRefusal> {
    let media_type = header(request, "Content-Type")
        .split(';')
        .next()
        .unwrap_or("");
    if !media_type
        .trim()
        .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    {
        return Err(refuse(400, "not a form"));
    }
    let signature = Signature {
        value: header(request, "X-Twilio-Signature").to_owned(),
        signer: Signer::read(header(request, SETTINGS_HEADER)),
    };
    Ok((signature, read_body(request, BODY_LIMIT)?))
}

/// The headers of a request that the webhook and the pages read, besides the one that the gate writes. The gate passes
/// on no others.
pub const HEADERS: [&str; 7] = [
    "Content-Type",
    "If-None-Match",
    "Sec-Fetch-Site",
    "X-Class",
    "X-Screen",
    SETTINGS_HEADER,
    "X-Twilio-Signature",
];

pub(super) fn header<'a>(request: &'a Request, name: &'static str) -> &'a str {
    debug_assert!(
        name == CLIENT_HEADER || HEADERS.contains(&name),
        "{name} is read, so HEADERS has to name it"
    );
    let mut headers = request.headers().iter();
    headers
        .find(|header| header.field.equiv(name))
        .map_or("", |header| header.value.as_str())
}

/// Reads a body of at most `limit` bytes.
pub(super) fn read_body(request: &mut Request, limit: u64) -> Result<Vec<u8>, RequestRefusal> {
    let announced = request.body_length().unwrap_or(0);
    if announced as u64 > limit {
        return Err(refuse(413, "body too large"));
    }
    let mut body = Vec::with_capacity(announced);
    let read = request.as_reader().take(limit + 1).read_to_end(&mut body);
    // tiny_http reports no error for a truncated body, so the length has to be compared.
    match read {
        Ok(_) if body.len() as u64 > limit => Err(refuse(413, "body too large")),
        Ok(length) if length == announced => Ok(body),
        _ => Err(refuse(400, "incomplete body")),
    }
}

#[cfg(test)]
mod tests;
