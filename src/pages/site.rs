//! The pages that are the same for everybody: the join page, the legal pages, style and scripts.

use super::words::Words;
use super::{common, link, not_allowed, not_found, reads};
use crate::config::{ClassConfig, CoderConfig, PagesConfig, PagesSite, readable_number};
use crate::domain::{PageRequest, PageResponse, Secret, page_path, prove};

/// A page: what all of them begin with, and its own part.
macro_rules! page {
    ($name:literal) => {
        concat!(
            include_str!("assets/head.html"),
            include_str!(concat!("assets/", $name, ".html"))
        )
    };
}

const JOIN: &str = page!("join");
const PRIVACY: &str = page!("privacy");
const TERMS: &str = page!("terms");
const PROJECTOR: &str = page!("projector");
const STYLE: &str = include_str!("assets/page.css");
const SCRIPT: &str = include_str!("assets/page.js");

/// The media type of pages.
pub(super) const HTML: &str = "text/html; charset=utf-8";

/// What every page may do; the join page may also speak with Coder.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// One thing that is served as it is.
struct Document {
    path: &'static str,
    media_type: &'static str,
    policy: Option<String>,
    /// Its entity tag, quotes included.
    tag: String,
    body: Vec<u8>,
}

impl Document {
    fn new(
        path: &'static str,
        media_type: &'static str,
        policy: Option<String>,
        body: &str,
    ) -> Self {
        // A hash of the contents; the key is no secret.
        let hash = prove(&Secret::new("entity tag"), &[body]);
        Self {
            path,
            media_type,
            policy,
            tag: format!("\"{}\"", &hash[..16]),
            body: body.as_bytes().to_vec(),
        }
    }

    fn answer(&self, request: &PageRequest) -> PageResponse {
        if !reads(request) {
            return not_allowed("GET, HEAD");
        }
        let is_known = request
            .known
            .as_deref()
            .is_some_and(|versions| knows(versions, &self.tag));
        let mut headers = common();
        headers.push(("Content-Type", self.media_type.to_owned()));
        // It may be kept, and is asked for again each time: a new program serves new pages at once.
        headers.push(("Cache-Control", "no-cache".to_owned()));
        headers.push(("ETag", self.tag.clone()));
        if let Some(policy) = &self.policy {
            headers.push(("Content-Security-Policy", policy.clone()));
        }
        PageResponse {
            status: if is_known { 304 } else { 200 },
            headers,
            body: if is_known {
                Vec::new()
            } else {
                self.body.clone()
            },
        }
    }
}

/// What the join page knows of Coder.
pub struct SignInPlace<'a> {
    /// The address of its login page.
    pub site: &'a str,
    /// The domain of the students' addresses.
    pub mail: &'a str,
    /// The name of their workspaces; `None` = they get none.
    pub workspace: Option<&'a str>,
}

impl<'a> SignInPlace<'a> {
    /// The Coder of these settings.
    pub fn new(coder: &'a CoderConfig, class: &'a ClassConfig) -> Self {
        Self {
            site: &coder.address.site,
            mail: &coder.email_domain,
            // All workspaces have the same name.
            workspace: class.workspaces().first().map(|one| one.name.as_str()),
        }
    }
}

/// The documents.
pub(super) struct Site {
    documents: Vec<Document>,
}

impl Site {
    /// The site of these settings, whose join page signs in at `coder`.
    pub(super) fn new(pages: &PagesConfig, site: &PagesSite, coder: &SignInPlace<'_>) -> Self {
        let more = [
            ("coder", coder.site),
            ("mail", coder.mail),
            ("workspace", coder.workspace.unwrap_or_default()),
        ];
        let words = words(pages.reply, site, &more);
        let page =
            |path, policy, template| Document::new(path, HTML, Some(policy), &words.fill(template));
        let plain = |path, media_type, body| Document::new(path, media_type, None, body);
        Self {
            documents: vec![
                page(page_path::JOIN, join_policy(coder.site), JOIN),
                page(page_path::PRIVACY, POLICY.to_owned(), PRIVACY),
                page(page_path::TERMS, POLICY.to_owned(), TERMS),
                plain(page_path::STYLE, "text/css; charset=utf-8", STYLE),
                plain(page_path::SCRIPT, "text/javascript; charset=utf-8", SCRIPT),
            ],
        }
    }

    /// The answer, if a document has this path.
    pub(super) fn answer(&self, request: &PageRequest) -> Option<PageResponse> {
        // Browsers ask for it unasked; there is none, and that is nothing to report.
        if request.path == page_path::ICON {
            return Some(not_found());
        }
        let mut documents = self.documents.iter();
        let found = documents.find(|document| document.path == request.path)?;
        Some(found.answer(request))
    }

    /// The join page.
    pub(super) fn join_page(&self) -> &[u8] {
        let mut documents = self.documents.iter();
        let join = documents.find(|document| document.path == page_path::JOIN);
        join.map_or(&[], |document| &document.body)
    }
}

/// The projector's page, which contains neither phrase nor token, and what it may do.
pub(super) fn projector_page(
    reply: crate::config::Reply,
    site: &PagesSite,
) -> (String, &'static str) {
    (words(reply, site, &[]).fill(PROJECTOR), POLICY)
}

fn words(reply: crate::config::Reply, site: &PagesSite, more: &[(&'static str, &str)]) -> Words {
    let number = readable_number(&site.number);
    let sms = link::sms(&site.number, None);
    let mut settings = vec![
        ("org", site.organization.as_str()),
        ("number", &number),
        ("sms", &sms),
        ("host", site.host()),
        ("reply", reply.as_str()),
    ];
    settings.extend(site.contact.as_deref().map(|contact| ("contact", contact)));
    settings.extend(more);
    Words::new(reply, &settings)
}

/// What the join page may do: ask Coder who is signed in, and sign in there.
fn join_policy(coder: &str) -> String {
    match origin(coder) {
        None => POLICY.to_owned(),
        Some(coder) => POLICY.replace(
            "connect-src 'self'",
            // An object that shows JSON is a frame as well.
            &format!("connect-src 'self' {coder}; object-src {coder}; frame-src {coder}"),
        ),
    }
}

/// The origin of an address, if it has nothing in it that ends a part of a policy.
fn origin(address: &str) -> Option<&str> {
    let host = address.find("://")? + 3;
    let end = address[host..]
        .find('/')
        .map_or(address.len(), |at| host + at);
    let origin = &address[..end];
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
    address[host..end].bytes().all(fits).then_some(origin)
}

/// Whether the versions in a value of `If-None-Match` include `tag`. A proxy that compresses marks the
/// tag as weak.
fn knows(versions: &str, tag: &str) -> bool {
    let mut versions = versions.split(',').map(str::trim);
    versions.any(|version| version == "*" || version.strip_prefix("W/").unwrap_or(version) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_the_browser_has_is_known() {
        for (versions, known) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
        ] {
            assert_eq!(knows(versions, "\"a\""), known, "{versions}");
        }
    }

    #[test]
    fn coder_is_named_in_the_policy_only_if_nothing_else_comes_with_it() {
        let named = join_policy("https://coder.example.org:8443/base");
        assert!(named.contains("connect-src 'self' https://coder.example.org:8443; object-src https://coder.example.org:8443; frame-src https://coder.example.org:8443; base-uri"), "{named}");
        for odd in [
            "https://a;script-src",
            "https://a,b",
            "https://'x'",
            "coder.example.org",
        ] {
            assert_eq!(join_policy(odd), POLICY, "{odd}");
        }
    }
}
