//! Checks the public URL from this machine: its name, its certificate, the proxy, and whether it
//! leads to this service. See [`crate::webhook::probe`] for the proof.

use std::net::{IpAddr, ToSocketAddrs, UdpSocket};

use ureq::http::Method;

use super::folder::FolderFacts;
use super::foreign::{FORWARD, SAME_SETTINGS, judge_foreign};
use super::{Notes, sends_texts};
use crate::config::{PartialConfig, TwilioConfig};
use crate::domain::twilio_hosts;
use crate::domain::{Secret, SignedUrl, nonce};
use crate::http::{self, Http, HttpError, HttpResponse, HttpStage};
use crate::twilio::signature::{SETTINGS_HEADER, settings_of, sign, sign_with_key};
use crate::webhook::probe::{self, Answerer};

const START: &str = "start the service, and check again";
const TEXTS: &str = "texts";

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
    let coder = parts.coder.as_ref();
    let settings = parts.class.as_ref().zip(coder);
    let settings = settings.map(|(class, coder)| class.in_full(coder));
    let settings = settings.as_ref();
    let arrived = probe(url, TEXTS, (config, settings), http, facts, notes);
    if let Some(receipts) = config
        .receipts
        .as_ref()
        .filter(|_| arrived && sends_texts(parts))
    {
        // What it was started with is known by now.
        let url = &receipts.signed;
        probe(url, "receipts", (config, None), http, facts, notes);
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

/// Checks who answers at the URL. Returns whether it is this service. `started_with`: the settings that it should have.
fn probe(
    url: &SignedUrl,
    what: &str,
    (config, started_with): (&TwilioConfig, Option<&Secret>),
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
    let tokens = config.signing_secrets();
    let answerer = (answer.status == 200)
        .then(|| probe::read(&answer.body, &nonce, &tokens, instance_id, started_with))
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
        Some(known @ (Answerer::Ourselves | Answerer::Outdated)) => {
            notes.pass(format!("{what} sent to it reach this service"));
            if known == Answerer::Outdated {
                notes.fault(
                    "but it was started with another phrase, other seats, times or templates, or another address or token of Coder than are set now, or as another version",
                    SAME_SETTINGS,
                );
            }
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
