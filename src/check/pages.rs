//! Checks the public pages: whether the join page is reached at its address, what it can do for
//! laptops there, and what carriers' reviewers and students miss on it.

use std::net::IpAddr;

use ureq::http::Method;

use super::Notes;
use super::folder::FolderFacts;
use crate::config::{PagesConfig, PagesSite, PartialConfig, Sender, readable_number};
use crate::http::{Http, HttpError, HttpResponse, HttpStage};
use crate::pages::{self, SignInPlace};

const START: &str = "start the service, and check again";
const RESTART: &str = "restart the service with these settings, or run check with the settings of the running service";
const FORWARD: &str = "let the proxy forward all paths of the host to CODER_REG_LISTEN, as in deploy/nginx.conf and deploy/caddy";
const SIBLINGS: &str = "give both hosts names below one domain, with https, such as sms.example.org and coder.example.org, or let the class use the copy buttons";

/// By this a join page of any installation is known.
const OURS: &str = "<script src=\"/page.js\"";

pub(super) fn inspect(
    parts: &PartialConfig,
    http: &Http,
    facts: &FolderFacts,
    notes: &mut Notes<'_>,
) {
    let Some(pages) = &parts.pages else {
        return notes.skip("the pages", "as their settings have faults");
    };
    let Some(site) = &pages.site else {
        return;
    };
    encryption(site, notes);
    settings(parts, pages, site, notes);
    let (Some(coder), Some(class)) = (&parts.coder, &parts.class) else {
        let why = "as the settings of Coder or of the class have faults";
        return notes.skip("the join page", why);
    };
    hosts(&site.url, &coder.address.site, notes);
    let expected = pages::join_page(pages, site, &SignInPlace::new(coder, class));
    if reached(site, &expected, http, facts, notes) && pages.reply.on_screens() {
        screens(site, http, notes);
    }
}

fn encryption(site: &PagesSite, notes: &mut Notes<'_>) {
    if site.url.starts_with("https://") {
        notes.pass(format!("{} is https", site.url));
    } else {
        notes.warn(
            format!(
                "{} is not https: logins cross the network unencrypted",
                site.url
            ),
            "put a proxy with a certificate in front, and write CODER_REG_PAGES_URL with https",
        );
    }
}

/// Judges the settings that the pages show.
fn settings(parts: &PartialConfig, pages: &PagesConfig, site: &PagesSite, notes: &mut Notes<'_>) {
    if pages.reply.by_text() && site.contact.is_none() {
        notes.warn(
            "the pages do not say how to reach you, which carriers' reviewers look for",
            "set CODER_REG_CONTACT to an e-mail address, a phone number or a URL",
        );
    }
    let sender = parts.twilio.as_ref().map(|twilio| &twilio.sender);
    match sender {
        Some(Sender::Number(number)) if *number != site.number => notes.warn(
            format!(
                "the pages show {} and replies come from {}",
                readable_number(&site.number),
                readable_number(number)
            ),
            "remove CODER_REG_NUMBER, unless texts to both numbers reach TWILIO_WEBHOOK_URL",
        ),
        _ => notes.pass(format!("the pages show {}", readable_number(&site.number))),
    }
}

/// Fetches the join page. Returns whether it is the one that these settings make.
fn reached(
    site: &PagesSite,
    expected: &[u8],
    http: &Http,
    facts: &FolderFacts,
    notes: &mut Notes<'_>,
) -> bool {
    let answer = match http.call(Method::GET, &format!("{}/", site.url), &[], Vec::new()) {
        Ok(answer) => answer,
        Err(broken) => {
            unreached(site, broken, facts, notes);
            return false;
        }
    };
    if answer.status == 200 && answer.body == expected {
        notes.pass(format!("students reach the join page at {}", site.url));
        return true;
    }
    if !facts.running && (502..=504).contains(&answer.status) {
        notes.skip_until("the join page", "as the service does not run", START);
    } else {
        let (what, cure) = judge_other(&answer);
        notes.fault(format!("{}: {what}", site.url), cure);
    }
    false
}

fn unreached(site: &PagesSite, broken: HttpError, facts: &FolderFacts, notes: &mut Notes<'_>) {
    let what = format!("{}: {broken}", site.url);
    match broken.stage() {
        HttpStage::Name => notes.fault(
            what,
            "create a DNS record (A or AAAA) that leads to this machine, or correct CODER_REG_PAGES_URL",
        ),
        HttpStage::Tls => notes.fault(
            what,
            "use a certificate of a public authority for the host of CODER_REG_PAGES_URL, with its full chain",
        ),
        HttpStage::Connection if !facts.running => notes.skip_until(
            "the join page",
            &format!("as the service does not run ({broken})"),
            START,
        ),
        HttpStage::Connection => notes.skip_until(
            "the join page",
            &format!("{broken} from here; this network may not lead back to its own public address (hairpin NAT)"),
            format!("open {} on a phone without Wi-Fi", site.url),
        ),
        HttpStage::Response => notes.fault(what, "see the logs of the proxy and of the service"),
    }
}

/// What another answer than our join page means, and the cure.
fn judge_other(answer: &HttpResponse) -> (String, &'static str) {
    let body = String::from_utf8_lossy(&answer.body);
    match answer.status {
        200 if body.contains(OURS) => (
            "a coder-sms-register answers, but with other settings or as another version"
                .to_owned(),
            RESTART,
        ),
        404 if body == "not found\n" => (
            "the service answers, but it has no pages".to_owned(),
            RESTART,
        ),
        300..=399 => (
            format!("the server redirects ({})", answer.status),
            "set CODER_REG_PAGES_URL to the redirect's target",
        ),
        401 | 403 | 407 => (
            format!("the server requires a login ({})", answer.status),
            "let the proxy forward all paths without a login",
        ),
        502..=504 => (
            format!(
                "a proxy answers ({}), but does not reach the service",
                answer.status
            ),
            "let the proxy forward to where the service listens (CODER_REG_LISTEN); its log says why it cannot",
        ),
        status => (
            format!(
                "another program than this service answers ({status}), or a proxy changes the page"
            ),
            FORWARD,
        ),
    }
}

/// Checks that the page's script reaches the screens: a proxy may forward the page and nothing else.
fn screens(site: &PagesSite, http: &Http, notes: &mut Notes<'_>) {
    let url = format!("{}/screen", site.url);
    // Without a secret there is no screen, and the answer says so.
    match http.call(Method::GET, &url, &[], Vec::new()) {
        Ok(answer) if answer.status == 404 && answer.body == br#"{"state":"gone"}"# => {
            notes.pass("its script reaches the service");
        }
        Ok(answer) => notes.fault(
            format!(
                "{url}: an answer that is not from this service ({})",
                answer.status
            ),
            FORWARD,
        ),
        Err(broken) => notes.fault(format!("{url}: {broken}"), FORWARD),
    }
}

/// Whether a browser takes two addresses for one site, so that a page of one may sign in at the other.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kinship {
    /// They are one host, or have this domain in common.
    Siblings(String),
    /// The same, except in Safari: their top level is in no public list.
    PrivateSiblings(String),
    /// One is https and the other is not.
    Schemes,
    /// They have no common domain.
    Strangers,
}

/// Says what the join page can do for laptops with these hosts.
fn hosts(pages: &str, coder: &str, notes: &mut Notes<'_>) {
    let by_hand = "shows address, e-mail and password with copy buttons";
    match kinship(pages, coder) {
        Kinship::Siblings(domain) => notes.pass(format!(
            "it can sign laptops in to Coder: both are below {domain}"
        )),
        Kinship::PrivateSiblings(domain) => notes.warn(
            format!("it can sign laptops in to Coder, as both are below {domain}, but not in Safari, where it {by_hand}"),
            "for Safari, use host names of a public domain",
        ),
        Kinship::Schemes => notes.warn(
            format!("it cannot sign laptops in to Coder, as one of {pages} and {coder} is https and the other is not; it {by_hand}"),
            SIBLINGS,
        ),
        Kinship::Strangers => notes.warn(
            format!("it cannot sign laptops in to Coder, as {pages} and {coder} have no common domain; it {by_hand}"),
            SIBLINGS,
        ),
    }
}

/// Top levels that are in no public list: reserved (RFC 2606, RFC 6762, RFC 8375, ICANN's `.internal`)
/// or in common use in private networks.
const PRIVATE: [&str; 13] = [
    "test",
    "example",
    "invalid",
    "localhost",
    "local",
    "internal",
    "lan",
    "home",
    "corp",
    "intranet",
    "private",
    "localdomain",
    "arpa",
];

/// Public suffixes below which anybody may have a host, so that browsers take those for strangers. The
/// full list is at publicsuffix.org; these are of tunnels, dynamic names and countries.
const SUFFIXES: [&str; 16] = [
    "trycloudflare.com",
    "ngrok.io",
    "ngrok.app",
    "ngrok-free.app",
    "ngrok-free.dev",
    "ngrok.dev",
    "duckdns.org",
    "dyndns.org",
    "github.io",
    "fly.dev",
    "onrender.com",
    "co.uk",
    "ac.uk",
    "com.au",
    "edu.au",
    "co.nz",
];

fn kinship(pages: &str, coder: &str) -> Kinship {
    let (Some((scheme, ours)), Some((other_scheme, theirs))) = (parts_of(pages), parts_of(coder))
    else {
        return Kinship::Strangers;
    };
    let labels = |host: &'_ str| -> Vec<String> { host.rsplit('.').map(str::to_owned).collect() };
    let (one, other) = (labels(ours), labels(theirs));
    let is_address = |host: &str| host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    let same = ours == theirs;
    let domain = if same {
        ours.to_owned()
    } else {
        let common = one.iter().zip(&other).take_while(|(a, b)| a == b);
        let common: Vec<&str> = common.map(|(label, _)| label.as_str()).collect();
        common.into_iter().rev().collect::<Vec<_>>().join(".")
    };
    let related = same
        || (domain.contains('.')
            && !SUFFIXES.contains(&domain.as_str())
            && !is_address(ours)
            && !is_address(theirs));
    let top = domain.rsplit('.').next().unwrap_or(&domain);
    if !related {
        Kinship::Strangers
    } else if scheme != other_scheme {
        Kinship::Schemes
    } else if !same && PRIVATE.contains(&top) {
        Kinship::PrivateSiblings(domain)
    } else {
        Kinship::Siblings(domain)
    }
}

/// Scheme and host of an address; a port does not make another site.
fn parts_of(address: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = address.split_once("://")?;
    let authority = rest.split('/').next().unwrap_or(rest);
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => host,
        _ => authority,
    };
    Some((scheme, host.trim_end_matches('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_siblings_below_a_domain_of_two_labels() {
        let below = |domain: &str| Kinship::Siblings(domain.to_owned());
        let private = |domain: &str| Kinship::PrivateSiblings(domain.to_owned());
        for (pages, coder, expected) in [
            (
                "https://sms.example.org",
                "https://coder.example.org",
                below("example.org"),
            ),
            (
                "https://sms.example.org:8443",
                "https://example.org",
                below("example.org"),
            ),
            (
                "https://a.cs.uni.edu",
                "https://b.cs.uni.edu/",
                below("cs.uni.edu"),
            ),
            ("https://one.org", "https://one.org:3000", below("one.org")),
            (
                "http://127.0.0.1:8000",
                "http://127.0.0.1:3000",
                below("127.0.0.1"),
            ),
            (
                "http://localhost:8000",
                "http://localhost:3000",
                below("localhost"),
            ),
            ("http://[::1]:8000", "http://[::1]:3000", below("[::1]")),
            (
                "https://sms.class.test",
                "https://coder.class.test",
                private("class.test"),
            ),
            (
                "https://sms.school.lan",
                "https://coder.school.lan",
                private("school.lan"),
            ),
            ("https://sms.lan", "https://coder.lan", Kinship::Strangers),
            ("https://sms.org", "https://coder.org", Kinship::Strangers),
            (
                "https://sms.example.org",
                "https://coder.example.com",
                Kinship::Strangers,
            ),
            (
                "https://badexample.org",
                "https://example.org",
                Kinship::Strangers,
            ),
            (
                "https://a.trycloudflare.com",
                "https://b.trycloudflare.com",
                Kinship::Strangers,
            ),
            ("https://a.co.uk", "https://b.co.uk", Kinship::Strangers),
            (
                "https://a.school.co.uk",
                "https://b.school.co.uk",
                below("school.co.uk"),
            ),
            ("http://10.0.0.1", "http://10.0.0.2", Kinship::Strangers),
            (
                "http://sms.example.org",
                "https://coder.example.org",
                Kinship::Schemes,
            ),
        ] {
            assert_eq!(kinship(pages, coder), expected, "{pages} {coder}");
        }
    }
}
