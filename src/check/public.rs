//! Checks the public URL from this machine: its name, its certificate, the proxy, and whether it
//! leads to this service. See [`crate::webhook::probe`] for the proof.

use std::net::{IpAddr, ToSocketAddrs, UdpSocket};

use ureq::http::Method;

use super::folder::FolderFacts;
use super::{Notes, sends_texts};
use crate::config::{PartialConfig, TwilioConfig};
use crate::domain::twilio_hosts;
use crate::domain::{SignedUrl, nonce};
use crate::http::{self, Http, HttpError, HttpResponse, HttpStage};
use crate::twilio::signature::{SETTINGS_HEADER, settings_of, sign, sign_with_key};
use crate::webhook::probe::{self, Answerer};
use crate::webhook::{
    ANOTHER_ACCOUNT, NO_SID, NO_TOKEN, NOT_FOUND, UNKNOWN_KEY, WRONG_BY_KEY, WRONG_SIGNATURE,
};

const START: &str = "start the service, and check again";
const SAME_SETTINGS: &str = "run check with the settings of the running service, or restart the service with these settings";
const TEXTS: &str = "texts";
const FORWARD: &str = "let the proxy forward all paths of the host to CODER_REG_LISTEN, as in deploy/nginx.conf and deploy/caddy";

pub(super) fn inspect(
    parts: &PartialConfig,
    http: &Http,
    facts: &FolderFacts,
    notes: &mut Notes<'_>,
) {
    let config = match &parts.twilio {
        Some(config) if !parts.is_faulty(&["TWILIO_"]) => config,
        _ => return notes.skip("the public URL", "as its settings have faults"),
    };
    let url = &config.webhook_url;
    form(url, config, notes);
    let arrived = probe(url, TEXTS, config, http, facts, notes);
    if let Some(receipts) = config
        .receipts
        .as_ref()
        .filter(|_| arrived && sends_texts(parts))
    {
        probe(&receipts.signed, "receipts", config, http, facts, notes);
    }
}

/// Checks the URL itself, without any request.
fn form(url: &SignedUrl, config: &TwilioConfig, notes: &mut Notes<'_>) {
    if url.is_https() {
        notes.pass(format!("{} is https", url.as_str()));
    } else {
        notes.warn(
            format!("{} is not https: texts and phone numbers cross the network unencrypted", url.as_str()),
            "put a proxy with a certificate in front (docs/deploy.md, \"A proxy or a tunnel of your own\"), and use https in TWILIO_WEBHOOK_URL and at Twilio",
        );
    }
    let host = url.host().trim_matches(['[', ']']);
    let private = host
        .parse::<IpAddr>()
        .map_or_else(|_| !host.contains('.'), is_private);
    if private {
        let what = format!("Twilio cannot reach {host}: it is not a public address");
        let cure = "give this service a public name, and set TWILIO_WEBHOOK_URL to it";
        if twilio_hosts::leads_to_twilio(&config.api_url) {
            notes.fault(what, cure);
        } else {
            notes.warn(what, cure);
        }
    }
}

/// Checks who answers at the URL. Returns whether it is this service.
fn probe(
    url: &SignedUrl,
    what: &str,
    config: &TwilioConfig,
    http: &Http,
    facts: &FolderFacts,
    notes: &mut Notes<'_>,
) -> bool {
    let nonce = nonce();
    let params = [
        ("AccountSid", config.account_sid.as_str()),
        (probe::PARAMETER, nonce.as_str()),
    ];
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(params)
        .finish();
    let Some((signature, settings)) = signed(url, config, &params) else {
        notes.skip(
            "who answers at the public URL",
            "as there is no secret to sign with",
        );
        return false;
    };
    let mut headers = vec![
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("X-Twilio-Signature", signature.as_str()),
    ];
    headers.extend(
        settings
            .as_deref()
            .map(|settings| (SETTINGS_HEADER, settings)),
    );
    let answer = http.call(Method::POST, url.as_str(), &headers, form.into_bytes());
    let answer = match answer {
        Ok(answer) => answer,
        Err(broken) => {
            unreached(url, broken, facts, notes);
            return false;
        }
    };
    let instance_id = facts.instance.id();
    let answerer = (answer.status == 200)
        .then(|| probe::read(&answer.body, &nonce, &config.signing_secrets(), instance_id))
        .flatten();
    let prefix = match what {
        TEXTS => String::new(),
        _ => format!("{what}, {}: ", url.path()),
    };
    judge_answer(answerer, &answer, (what, &prefix), facts, notes)
}

/// Notes who answered. Returns whether it is this service.
fn judge_answer(
    answerer: Option<Answerer>,
    answer: &HttpResponse,
    (what, prefix): (&str, &str),
    facts: &FolderFacts,
    notes: &mut Notes<'_>,
) -> bool {
    match answerer {
        Some(Answerer::Ourselves) => {
            notes.pass(format!("{what} sent to it reach this service"));
            true
        }
        Some(Answerer::Unnamed) => {
            notes.pass(format!("{what} sent to it reach a service with our token"));
            true
        }
        Some(Answerer::Twin) => {
            notes.fault(
                "another installation answers at the public URL: it has our token, but another data folder",
                "stop that one, or let the name lead to this machine; if that one is right, run check with its CODER_REG_DATA_DIR",
            );
            false
        }
        None => {
            let (error, cure) = judge_foreign(answer);
            if !facts.running && (502..=504).contains(&answer.status) {
                notes.skip_until(
                    "whether it reaches the service",
                    "as the service does not run",
                    START,
                );
            } else {
                notes.fault(format!("{prefix}{error}"), cure);
            }
            false
        }
    }
}

/// A signature as Twilio makes it, and the value of its settings header. A configured shared key is
/// used first: if Twilio uses it in place of the Auth Token, the service must accept it.
fn signed(
    url: &SignedUrl,
    config: &TwilioConfig,
    params: &[(&str, &str)],
) -> Option<(String, Option<String>)> {
    match config.shared_keys.first() {
        Some(key) => Some((sign_with_key(url, key, params), Some(settings_of(key)))),
        None => Some((sign(url, config.webhook_tokens.first()?, params), None)),
    }
}

fn unreached(url: &SignedUrl, broken: HttpError, facts: &FolderFacts, notes: &mut Notes<'_>) {
    let host = url.host();
    match broken.stage() {
        HttpStage::Name => notes.fault(
            format!("{host}: {broken}"),
            format!("create a DNS record (A or AAAA) for {host} that leads to this machine, or correct TWILIO_WEBHOOK_URL"),
        ),
        HttpStage::Tls => notes.fault(format!("{host}: {broken}"), certificate_cure(broken)),
        HttpStage::Connection if !facts.running => notes.skip_until(
            "whether it reaches the service",
            &format!("as the service does not run ({broken})"),
            START,
        ),
        HttpStage::Connection if leads_here(url) => notes.fault(
            format!("{host}: {broken}, though the name leads to this machine"),
            FORWARD,
        ),
        // Many routers do not let a machine reach itself by its public address; Twilio may reach
        // it.
        HttpStage::Connection => notes.skip_until(
            &format!("whether {host} reaches the service"),
            &format!("{broken} from here; this network may not lead back to its own public address (hairpin NAT), or a firewall is in the way"),
            format!("try from outside: a phone without Wi-Fi that opens {} sees \"method not allowed\"", url.as_str()),
        ),
        HttpStage::Response => notes.fault(
            format!("{host} accepts the request, but {broken}"),
            "see the logs of the proxy and of the service",
        ),
    }
}

fn certificate_cure(broken: HttpError) -> &'static str {
    match broken {
        HttpError::NotSent(http::EXPIRED) => {
            "renew the certificate (certbot renew; Caddy's log says why it could not), and check this machine's clock"
        }
        HttpError::NotSent(http::OTHER_NAME) => {
            "get a certificate for the host of TWILIO_WEBHOOK_URL, or correct that name in the setting and at Twilio"
        }
        HttpError::NotSent(http::UNTRUSTED) => {
            "use a certificate of a public authority with its full chain (fullchain.pem): Twilio accepts no other"
        }
        HttpError::NotSent(http::NO_TLS) => {
            "put a proxy with a certificate in front, or correct the port in TWILIO_WEBHOOK_URL"
        }
        _ => "check the certificate and the TLS settings of the proxy",
    }
}

/// Judges an answer that does not prove to be from this service: what is wrong, and the cure.
fn judge_foreign(answer: &HttpResponse) -> (String, &'static str) {
    let said = std::str::from_utf8(&answer.body).unwrap_or_default();
    let said = said.strip_suffix('\n').unwrap_or(said);
    if let Some((what, cure)) = judge_one_of_ours(answer.status, said) {
        return (what.to_owned(), cure);
    }
    match answer.status {
        status @ 502..=504 => (
            format!("a proxy answers ({status}), but does not reach the service"),
            "let the proxy forward to where the service listens (CODER_REG_LISTEN); its log says why it cannot",
        ),
        status @ 300..=399 => (
            format!("the server redirects ({status})"),
            "set TWILIO_WEBHOOK_URL and the URL at Twilio to the redirect's target, because Twilio signs the URL that is set there",
        ),
        status @ (401 | 403 | 407) => (
            format!("the server requires a login ({status})"),
            "let the proxy forward the path without a login: the signature is the proof",
        ),
        status => (
            format!("another program than this service answers ({status})"),
            FORWARD,
        ),
    }
}

/// Judges the answer of a coder-sms-register with other settings or of another version; `None` = it is none.
fn judge_one_of_ours(status: u16, said: &str) -> Option<(&'static str, &'static str)> {
    Some(match (status, said) {
        (403, WRONG_SIGNATURE) => (
            "a coder-sms-register answers, but with another TWILIO_WEBHOOK_URL or TWILIO_ACCOUNT_TOKEN",
            SAME_SETTINGS,
        ),
        (403, WRONG_BY_KEY | UNKNOWN_KEY) => (
            "a coder-sms-register answers, but with another TWILIO_WEBHOOK_URL or TWILIO_SHARED_KEY",
            SAME_SETTINGS,
        ),
        (403, NO_TOKEN) => (
            "a coder-sms-register answers, but without TWILIO_ACCOUNT_TOKEN",
            SAME_SETTINGS,
        ),
        (403, ANOTHER_ACCOUNT) => (
            "a coder-sms-register answers, but with another TWILIO_ACCOUNT_SID",
            SAME_SETTINGS,
        ),
        (400, NO_SID) => (
            "an older coder-sms-register answers, which cannot identify itself",
            "restart the service with this version",
        ),
        (404, NOT_FOUND) => (
            "the service answers, but it does not serve that path",
            "let the proxy forward the path unchanged, or restart the service with this TWILIO_WEBHOOK_URL",
        ),
        (411, _) => (
            "the server refuses a chunked body (411), as tunnels send it: perhaps it is an older coder-sms-register",
            "restart the service with this version, or let the proxy buffer request bodies",
        ),
        _ => return None,
    })
}

/// Whether the name resolves to an address of this machine or of a private network.
fn leads_here(url: &SignedUrl) -> bool {
    let host = url.host().trim_matches(['[', ']']);
    let Ok(mut addresses) = (host, 0).to_socket_addrs() else {
        return false;
    };
    addresses.any(|address| is_private(address.ip()) || UdpSocket::bind((address.ip(), 0)).is_ok())
}

/// Whether an address is not public: this machine's own, or a private network's.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified()
        }
        IpAddr::V6(ip) => {
            ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use ureq::http::HeaderMap;

    use super::*;
    use crate::check::folder::FolderInstance;
    use crate::check::{Area, CheckStatus};

    #[test]
    fn an_address_that_only_this_network_may_fail_to_reach_is_skipped() {
        use CheckStatus::{Fault, Skipped};
        let refused = HttpError::NotSent("connection refused");
        let expired = HttpError::NotSent(http::EXPIRED);
        let silent = HttpError::Unknown("timed out");
        for (url, broken, running, verdict) in [
            // An address that nobody uses (RFC 5737), and one of ours.
            ("https://192.0.2.1/inbound", refused, true, Skipped),
            ("https://127.0.0.1/inbound", refused, true, Fault),
            ("https://192.0.2.1/inbound", refused, false, Skipped),
            ("https://192.0.2.1/inbound", expired, false, Fault),
            ("https://192.0.2.1/inbound", silent, true, Fault),
        ] {
            let facts = FolderFacts {
                instance: FolderInstance::Unread,
                place: None,
                running,
            };
            let mut all = Vec::new();
            let mut notes = Notes::of(Area::Public, &mut all);
            unreached(&SignedUrl::parse(url).unwrap(), broken, &facts, &mut notes);
            assert_eq!(all[0].verdict, verdict, "{url} {broken}: {all:?}");
        }
    }

    #[test]
    fn who_answers_is_recognised_by_status_and_body() {
        for (status, body, words) in [
            (403, "wrong signature\n", "another TWILIO_WEBHOOK_URL"),
            (
                403,
                "wrong signature by a shared key\n",
                "TWILIO_SHARED_KEY",
            ),
            (
                403,
                "signed with a shared key, which is not configured\n",
                "TWILIO_SHARED_KEY",
            ),
            (
                403,
                "signed with the Auth Token, which is not configured\n",
                "without TWILIO_ACCOUNT_TOKEN",
            ),
            (403, "another account\n", "another TWILIO_ACCOUNT_SID"),
            (400, "no MessageSid\n", "older"),
            (404, "not found\n", "does not serve that path"),
            (404, "<html>", "another program"),
            (411, "411 length required: ...\n", "a chunked body"),
            (502, "<html>", "does not reach the service"),
            (301, "", "redirects"),
            (401, "", "requires a login"),
            (403, "<html>", "requires a login"),
            (200, "<html>", "another program"),
        ] {
            let answer = HttpResponse {
                status,
                headers: HeaderMap::new(),
                body: body.into(),
            };
            let (error, _) = judge_foreign(&answer);
            assert!(error.contains(words), "{status} {body}: {error}");
        }
    }

    #[test]
    fn private_addresses_are_recognised() {
        for inner in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "172.16.0.1",
            "169.254.1.1",
            "::1",
            "fd00::1",
            "fe80::1",
            "0.0.0.0",
        ] {
            assert!(is_private(inner.parse().unwrap()), "{inner}");
        }
        for public in ["192.0.2.1", "8.8.8.8", "2001:db8::1"] {
            assert!(!is_private(public.parse().unwrap()), "{public}");
        }
    }
}
