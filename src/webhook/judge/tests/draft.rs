//! A request with everything in order, of which each test spoils one thing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use tiny_http::{Header, Method, Request, TestRequest};

use crate::config::{Sender, StatusUrl, TwilioConfig};
use crate::domain::{Secret, SignedUrl, Text};
use crate::webhook::judge::{Judge, Judgement, RequestRefusal};

const URL: &str = "https://sms.example.org/twilio?class=7";
/// Where receipts are taken.
pub(super) const STATUS_URL: &str = "https://sms.example.org/status";
pub(super) const TOKEN: &str = "the token of the account";
pub(super) const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
pub(super) const SID: &str = "SM0123456789abcdef0123456789abcdef";
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

pub(super) fn judge(url: &str, token: &str, account: &str) -> Judge {
    Judge::new(&TwilioConfig {
        account_sid: account.to_owned(),
        webhook_tokens: vec![Secret::new(token)],
        shared_keys: Vec::new(),
        auth_sid: account.to_owned(),
        auth_token: Secret::new(token),
        sender: Sender::Number("+14155550100".to_owned()),
        webhook_url: SignedUrl::parse(url).unwrap(),
        receipts: Some(StatusUrl {
            given: Secret::new(STATUS_URL),
            signed: SignedUrl::parse(STATUS_URL).unwrap(),
        }),
        api_url: "https://api.twilio.com".to_owned(),
    })
}

/// The request.
#[derive(Clone)]
pub(super) struct RequestDraft {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) media_type: &'static str,
    pub(super) fields: Vec<(&'static str, String)>,
    /// Instead of the fields.
    pub(super) body: Option<String>,
    /// Instead of the right one.
    pub(super) signature: Option<String>,
    pub(super) length: Option<usize>,
}

impl RequestDraft {
    pub(super) fn new() -> Self {
        let fields = [
            ("AccountSid", ACCOUNT),
            ("MessageSid", SID),
            ("From", "+14155550123"),
            ("To", "+14155550100"),
            ("Body", "I am ready"),
        ];
        Self {
            method: Method::Post,
            path: "/twilio?class=7",
            media_type: FORM,
            fields: fields.map(|(name, value)| (name, value.to_owned())).into(),
            body: None,
            signature: None,
            length: None,
        }
    }

    /// With a field changed, or added.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.fields.retain(|(n, _)| *n != name);
        self.fields.push((name, value.to_owned()));
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(n, _)| *n != name);
        self
    }

    pub(super) fn with_body(mut self, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// A receipt: what became of a text, signed for the address of receipts.
    pub(super) fn receipt(state: &str, code: &str) -> Self {
        let draft = Self {
            path: "/status",
            ..Self::new().without("Body")
        };
        let draft = draft.with("MessageStatus", state);
        if code.is_empty() {
            draft.signed_for(STATUS_URL)
        } else {
            draft.with("ErrorCode", code).signed_for(STATUS_URL)
        }
    }

    pub(super) fn signed_for(mut self, url: &str) -> Self {
        self.signature = Some(sign_for(url, &self.encoded()));
        self
    }

    fn encoded(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.fields)
            .finish()
    }

    pub(super) fn judged(self) -> Judgement {
        let encoded = self.encoded();
        let body = self.body.unwrap_or(encoded);
        let signature = self.signature.unwrap_or_else(|| sign(&body));
        let mut headers = vec![("Content-Type", self.media_type.to_owned())];
        headers.extend(
            self.length
                .map(|length| ("Content-Length", length.to_string())),
        );
        headers.push(("X-Twilio-Signature", signature));
        let mut request = request(self.method, self.path, &headers, body);
        judge(URL, TOKEN, ACCOUNT).judge(&mut request)
    }

    pub(super) fn text(self) -> Text {
        match self.judged() {
            Judgement::Take(text) => text,
            other => panic!("not taken: {other:?}"),
        }
    }

    pub(super) fn refusal(self) -> RequestRefusal {
        match self.judged() {
            Judgement::Refuse(refusal) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }
}

/// Signs a form as Twilio does.
pub(super) fn sign(body: &str) -> String {
    sign_for(URL, body)
}

/// Signs a form that is sent to `url`.
pub(super) fn sign_for(url: &str, body: &str) -> String {
    let mut pairs: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect();
    pairs.sort();
    pairs.dedup();
    let mut mac = Hmac::<Sha1>::new_from_slice(TOKEN.as_bytes()).unwrap();
    mac.update(url.as_bytes());
    pairs
        .iter()
        .for_each(|(name, value)| mac.update(format!("{name}{value}").as_bytes()));
    STANDARD.encode(mac.finalize().into_bytes())
}

pub(super) fn request(
    method: Method,
    path: &str,
    headers: &[(&str, String)],
    body: String,
) -> Request {
    // The crate's test request borrows its body for ever.
    let mut test = TestRequest::new()
        .with_method(method)
        .with_path(path)
        .with_body(body.leak());
    for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
        test = test.with_header(Header::from_bytes(*name, value.as_bytes()).unwrap());
    }
    test.into()
}
