//! A student's text as Twilio's webhook delivers it: parameters, signature, headers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::super::random::{self, Dice};

/// `X-Twilio-Signature` of a form post: the URL as configured, then every parameter by name, name and value without
/// anything between; HMAC-SHA1 with the account's token; Base64.
pub fn sign(auth_token: &str, url: &str, params: &[(String, String)]) -> String {
    // Of a repeated name each distinct value counts once, in order.
    let mut sorted: Vec<&(String, String)> = params.iter().collect();
    sorted.sort();
    sorted.dedup();
    let mut mac =
        Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()).expect("a key of any length will do");
    mac.update(url.as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

/// A new message SID: `SM` and 32 hexadecimal digits.
pub fn new_sid() -> String {
    format!("SM{}", random::hex::<16>())
}

/// The full parameter set of an inbound text, in random order. `extra` is added, or replaces what has the same name.
pub fn webhook_params(
    sid: &str,
    from: &str,
    to: &str,
    body: &str,
    account_sid: &str,
    extra: &[(&str, &str)],
) -> Vec<(String, String)> {
    let usual = [
        ("ToCountry", "US"),
        ("ToState", "NJ"),
        ("ToCity", "JERSEY CITY"),
        ("ToZip", "07302"),
        ("FromCountry", "US"),
        ("FromState", "CA"),
        ("FromCity", "SAN FRANCISCO"),
        ("FromZip", ""),
        ("SmsMessageSid", sid),
        ("SmsSid", sid),
        ("MessageSid", sid),
        ("AccountSid", account_sid),
        ("SmsStatus", "received"),
        ("NumMedia", "0"),
        ("NumSegments", "1"),
        ("Body", body),
        ("From", from),
        ("To", to),
        ("ApiVersion", "2010-04-01"),
    ];
    let usual = usual
        .iter()
        .filter(|(name, _)| extra.iter().all(|(other, _)| other != name));
    let mut params: Vec<(String, String)> = usual
        .chain(extra)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Dice::unseeded().shuffle(&mut params);
    params
}

/// The headers that Twilio sends with a webhook, besides `Host` and `Content-Length`.
pub fn webhook_headers(signature: &str) -> Vec<(String, String)> {
    let headers = [
        ("User-Agent", "TwilioProxy/1.1"),
        ("Accept", "*/*"),
        (
            "Content-Type",
            "application/x-www-form-urlencoded; charset=UTF-8",
        ),
        ("I-Twilio-Idempotency-Token", &random::uuid()),
        ("X-Home-Region", "us1"),
        ("X-Twilio-Signature", signature),
    ];
    headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

/// A form body: blanks as `+`, everything else that is special percent-encoded.
pub fn form_encode(params: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(params)
        .finish()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// The URL itself, with the default port, and without any port: Twilio is inconsistent about it.
    fn candidates(url: &str) -> Vec<String> {
        let (scheme, rest) = url.split_once("://").expect("an absolute URL");
        let (authority, path) = rest.split_once('/').expect("a path");
        let host = authority.split(':').next().expect("a host");
        let port = if scheme == "https" { 443 } else { 80 };
        let with = |authority: &str| format!("{scheme}://{authority}/{path}");
        vec![url.to_owned(), with(host), with(&format!("{host}:{port}"))]
    }

    #[test]
    fn signatures_agree_with_the_official_vectors() {
        let data: Value =
            serde_json::from_str(include_str!("../../../../data/twilio-signatures.json"))
                .expect("JSON");
        let vectors = data["vectors"].as_array().expect("a list");
        let mut checked = 0;
        for vector in vectors
            .iter()
            .filter(|vector| vector["content_type"] != "application/json")
        {
            let text = |name: &str| vector[name].as_str().unwrap_or_default().to_owned();
            let params: Vec<(String, String)> =
                serde_json::from_value(vector["params"].clone()).expect("pairs");
            let signed =
                |url: &String| sign(&text("auth_token"), url, &params) == text("signature");
            let agrees = candidates(&text("url")).iter().any(signed);
            assert_eq!(Some(agrees), vector["valid"].as_bool(), "{}", text("name"));
            checked += 1;
        }
        assert!(checked >= 20, "only {checked} vectors");
    }

    #[test]
    fn a_form_is_encoded_as_twilio_encodes_it() {
        let params = [
            ("From".to_owned(), "+14155550123".to_owned()),
            ("Body".to_owned(), "a b&c=é".to_owned()),
        ];
        assert_eq!(
            form_encode(&params),
            "From=%2B14155550123&Body=a+b%26c%3D%C3%A9"
        );
    }

    #[test]
    fn extra_parameters_replace_the_usual_ones() {
        let params = webhook_params(
            "SM1",
            "+1",
            "+2",
            "hi",
            "AC1",
            &[("NumMedia", "1"), ("OptOutType", "STOP")],
        );
        let values = |name: &str| {
            params
                .iter()
                .filter(|(n, _)| n == name)
                .map(|(_, v)| v.as_str())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            (values("NumMedia"), values("OptOutType"), values("SmsSid")),
            (vec!["1"], vec!["STOP"], vec!["SM1"])
        );
        assert_eq!(params.len(), 20);
    }
}
