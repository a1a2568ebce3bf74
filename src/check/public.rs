//! The public URL, from here: its name, its certificate, the proxy behind it, and whether it is this very
//! service that answers. See [`crate::webhook::probe`] for how that is proved.

use std::net::{IpAddr, ToSocketAddrs, UdpSocket};

use ureq::http::Method;

use super::Notes;
use super::folder::FolderFacts;
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
const TEXTS: &str = "texts";
const FORWARD: &str = "let the proxy forward the whole host to CODER_REG_LISTEN: deploy/nginx.conf and deploy/caddy show how";

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
    if let Some(receipts) = config.receipts.as_ref().filter(|_| arrived) {
        probe(&receipts.signed, "receipts", config, http, facts, notes);
    }
}

/// What can be said of the URL without asking anybody.
fn form(url: &SignedUrl, config: &TwilioConfig, notes: &mut Notes<'_>) {
    if url.is_https() {
        notes.pass(format!("{} is https", url.as_str()));
    } else {
        notes.warn(
            format!("{} is not https: texts and phones cross the network in clear", url.as_str()),
            "put a proxy with a certificate in front (docs/deploy.md, \"A proxy or a tunnel of your own\"), and https into TWILIO_WEBHOOK_URL and at Twilio",
        );
    }
    let host = url.host().trim_matches(['[', ']']);
    let inner = host
        .parse::<IpAddr>()
        .map_or_else(|_| !host.contains('.'), is_inner);
    if inner {
        let what = format!("Twilio does not reach {host}: it is no address of the internet");
        let cure = "give this service a public name, and put that into TWILIO_WEBHOOK_URL";
        if twilio_hosts::leads_to_twilio(&config.api_url) {
            notes.fault(what, cure);
        } else {
            notes.warn(what, cure);
        }
    }
}

/// Asks the URL who is there. Returns whether it is us.
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
        notes.skip("who answers there", "as there is no token to sign with");
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
    let instance_id = facts.instance_id.as_ref().and_then(Option::as_ref);
    let proved = (answer.status == 200)
        .then(|| probe::read(&answer.body, &nonce, &config.signing_secrets(), instance_id))
        .flatten();
    match proved {
        Some(Answerer::Ourselves) => {
            notes.pass(format!("{what} sent there reach this service"));
            true
        }
        Some(Answerer::Unnamed) => {
            notes.pass(format!("{what} sent there reach a service with our token"));
            true
        }
        Some(Answerer::Twin) => {
            notes.fault(
                "another installation answers there: our token, but another data folder",
                "stop that one, or let the name lead here; if it is this one, check with its CODER_REG_DATA_DIR",
            );
            false
        }
        None => {
            let (fault, cure) = stranger(&answer);
            if !facts.running && (502..=504).contains(&answer.status) {
                notes.skip_until(
                    "whether it reaches the service",
                    "as the service does not run",
                    START,
                );
            } else {
                let of = if what == TEXTS {
                    String::new()
                } else {
                    format!("{what}, {}: ", url.path())
                };
                notes.fault(format!("{of}{fault}"), cure);
            }
            false
        }
    }
}

/// A signature as Twilio would make it, and what it says of it. By the shared key where there is one: where it takes the
/// Auth Token's place, the service has to know it as well.
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
            format!("make a DNS record (A, or AAAA) of {host} that leads to this machine, or correct TWILIO_WEBHOOK_URL"),
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
        // Many routers do not let a machine reach itself by its public address; Twilio may reach it.
        HttpStage::Connection => notes.skip_until(
            &format!("whether {host} reaches the service"),
            &format!("{broken} from here; this network may not lead back to its own public address (hairpin NAT), or a firewall is in the way"),
            format!("try from outside: a phone without Wi-Fi that opens {} sees \"method not allowed\"", url.as_str()),
        ),
        HttpStage::Response => notes.fault(
            format!("{host} takes the request, but {broken}"),
            "look into the log of the proxy, and of the service",
        ),
    }
}

fn certificate_cure(broken: HttpError) -> &'static str {
    match broken {
        HttpError::NotSent(http::EXPIRED) => {
            "renew the certificate (certbot renew; Caddy's log says why it could not), and look at this machine's clock"
        }
        HttpError::NotSent(http::OTHER_NAME) => {
            "get a certificate for the host of TWILIO_WEBHOOK_URL, or correct its name there and at Twilio"
        }
        HttpError::NotSent(http::UNTRUSTED) => {
            "use a certificate of a public authority with its full chain (fullchain.pem): Twilio takes no other"
        }
        HttpError::NotSent(http::NO_TLS) => {
            "let a proxy with a certificate answer there, or correct the port in TWILIO_WEBHOOK_URL"
        }
        _ => "look at the certificate and the TLS settings of the proxy",
    }
}

/// What it means when not we answer, or not as we should.
fn stranger(answer: &HttpResponse) -> (String, &'static str) {
    let said = std::str::from_utf8(&answer.body).unwrap_or_default();
    let said = said.strip_suffix('\n').unwrap_or(said);
    let ours = |what: &str, cure| (what.to_owned(), cure);
    match (answer.status, said) {
        (403, WRONG_SIGNATURE) => ours(
            "a coder-sms-register answers there, but with another TWILIO_WEBHOOK_URL or TWILIO_ACCOUNT_TOKEN",
            "give check the settings of the running service, or restart the service with these",
        ),
        (403, WRONG_BY_KEY | UNKNOWN_KEY) => ours(
            "a coder-sms-register answers there, but with another TWILIO_WEBHOOK_URL or TWILIO_SHARED_KEY",
            "give check the settings of the running service, or restart the service with these",
        ),
        (403, NO_TOKEN) => ours(
            "a coder-sms-register answers there, but without TWILIO_ACCOUNT_TOKEN",
            "give check the settings of the running service, or restart the service with these",
        ),
        (403, ANOTHER_ACCOUNT) => ours(
            "a coder-sms-register answers there, but with another TWILIO_ACCOUNT_SID",
            "give check the settings of the running service, or restart the service with these",
        ),
        (400, NO_SID) => ours(
            "an older coder-sms-register answers there, which cannot say who it is",
            "restart the service with this program",
        ),
        (404, NOT_FOUND) => ours(
            "the service answers there, but does not know that path",
            "let the proxy pass the path on as it is, or restart the service with this TWILIO_WEBHOOK_URL",
        ),
        (411, _) => ours(
            "something there takes no body in chunks (411), as tunnels send it: perhaps an older coder-sms-register",
            "restart the service with this program, or let the proxy collect the body first",
        ),
        (502..=504, _) => (
            format!(
                "a proxy answers there ({}), and does not reach the service",
                answer.status
            ),
            "let the proxy forward to where the service listens (CODER_REG_LISTEN); its log says why it cannot",
        ),
        (300..=399, _) => (
            format!("something there redirects ({})", answer.status),
            "put the address that it redirects to into TWILIO_WEBHOOK_URL and at Twilio, which signs the address that it was given",
        ),
        (401 | 403 | 407, _) => (
            format!("something there wants a login ({})", answer.status),
            "let the proxy pass the path on without a login: the signature is the proof",
        ),
        (status, _) => (
            format!("something else than this service answers there ({status})"),
            FORWARD,
        ),
    }
}

/// Whether the name leads to an address of this machine, or to one that nobody else can have.
fn leads_here(url: &SignedUrl) -> bool {
    let host = url.host().trim_matches(['[', ']']);
    let Ok(mut addresses) = (host, 0).to_socket_addrs() else {
        return false;
    };
    addresses.any(|address| is_inner(address.ip()) || UdpSocket::bind((address.ip(), 0)).is_ok())
}

/// No address of the internet: this machine's own, or an inner network's.
fn is_inner(ip: IpAddr) -> bool {
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
    use crate::check::{Area, CheckStatus};

    #[test]
    fn an_address_that_only_this_network_may_not_reach_is_not_looked_at() {
        use CheckStatus::{Fault, Skipped};
        let refused = HttpError::NotSent("connection refused");
        let expired = HttpError::NotSent(http::EXPIRED);
        let silent = HttpError::Unknown("timed out");
        for (url, broken, running, verdict) in [
            // An address of nobody (RFC 5737), and one of ours.
            ("https://192.0.2.1/inbound", refused, true, Skipped),
            ("https://127.0.0.1/inbound", refused, true, Fault),
            ("https://192.0.2.1/inbound", refused, false, Skipped),
            ("https://192.0.2.1/inbound", expired, false, Fault),
            ("https://192.0.2.1/inbound", silent, true, Fault),
        ] {
            let facts = FolderFacts {
                instance_id: None,
                running,
            };
            let mut all = Vec::new();
            let mut notes = Notes::of(Area::Public, &mut all);
            unreached(&SignedUrl::parse(url).unwrap(), broken, &facts, &mut notes);
            assert_eq!(all[0].verdict, verdict, "{url} {broken}: {all:?}");
        }
    }

    #[test]
    fn who_answers_is_known_by_status_and_words() {
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
            (404, "not found\n", "does not know that path"),
            (404, "<html>", "something else"),
            (411, "411 length required: ...\n", "no body in chunks"),
            (502, "<html>", "does not reach the service"),
            (301, "", "redirects"),
            (401, "", "wants a login"),
            (403, "<html>", "wants a login"),
            (200, "<html>", "something else"),
        ] {
            let answer = HttpResponse {
                status,
                headers: HeaderMap::new(),
                body: body.into(),
            };
            let (fault, _) = stranger(&answer);
            assert!(fault.contains(words), "{status} {body}: {fault}");
        }
    }

    #[test]
    fn inner_addresses_are_known() {
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
            assert!(is_inner(inner.parse().unwrap()), "{inner}");
        }
        for public in ["192.0.2.1", "8.8.8.8", "2001:db8::1"] {
            assert!(!is_inner(public.parse().unwrap()), "{public}");
        }
    }
}
