//! The pages as a browser asks for them, without a network.

mod screens;

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::config::{ClassSettings, Reply};
use crate::domain::{
    ClassName, MessageSid, Password, PasswordKey, Phone, PhoneKey, ScreenCode, Username,
};
use crate::screen::{NewClaim, ScreenLogin};

const PHRASE: &str = "purple kettle";

/// All pages, with the class and the screens behind them.
struct TestPages {
    pages: Pages,
    screens: Arc<Screens>,
    key: PasswordKey,
    /// The number of the projector's link and of the accounts; `None` = the database does not answer.
    class: Arc<Mutex<Option<(u32, u32)>>>,
}

impl TestPages {
    fn new(reply: Reply) -> Self {
        let site = PagesSite {
            url: "https://sms.example.org".to_owned(),
            number: "+13125550100".to_owned(),
            organization: "Example <b>University</b>".to_owned(),
            contact: Some("class@example.org".to_owned()),
        };
        let config = PagesConfig {
            reply,
            site: Some(site.clone()),
            organization: None,
        };
        let key = PasswordKey::draw();
        let class = Arc::new(Mutex::new(Some((0, 23))));
        let intro = ClassName::in_command("intro");
        let screens = Arc::new(Screens::new(Box::new(|_| {})));
        let source: ClassSource = Box::new({
            let (class, key) = (Arc::clone(&class), key.clone());
            move || {
                let (link, accounts) = (*class.lock().unwrap())?;
                let of = |class, accounts| ClassFigures {
                    token: key.projector_token(class, link),
                    accounts,
                };
                Some(vec![of(None, accounts), of(Some(&intro), 7)])
            }
        });
        let coder = SignInPlace {
            site: "https://coder.example.org",
            mail: "class.example.org",
            workspace: Some("class"),
        };
        let pages = Pages {
            site: Site::new(&config, &site, &coder),
            projector: Projector::new(
                reply,
                &site,
                &[
                    ClassSettings::for_tests(None, PHRASE, 40),
                    ClassSettings::for_tests(Some("intro"), "another phrase", 9),
                ],
                source,
            ),
            screens: reply
                .on_screens()
                .then(|| ScreenApi::new(&site, Arc::clone(&screens))),
        };
        Self {
            pages,
            screens,
            key,
            class,
        }
    }

    fn ask(&mut self, request: &PageRequest) -> PageResponse {
        self.pages.answer(request).expect("a page")
    }

    fn get(&mut self, path: &str) -> PageResponse {
        self.ask(&request(PageMethod::Get, path))
    }

    fn post(&mut self, path: &str, screen: &str, form: &str) -> PageResponse {
        self.ask(&PageRequest {
            screen: Some(screen.to_owned()),
            form: Some(form.as_bytes().to_vec()),
            ..request(PageMethod::Post, path)
        })
    }

    fn state(&mut self, screen: &str) -> Value {
        value(&self.ask(&PageRequest {
            screen: Some(screen.to_owned()),
            ..request(PageMethod::Get, "/screen")
        }))
    }
}

fn request(method: PageMethod, path: &str) -> PageRequest {
    PageRequest {
        method,
        path: path.to_owned(),
        screen: None,
        class: None,
        known: None,
        form: Some(Vec::new()),
        site: None,
        client: IpAddr::from([203, 0, 113, 9]),
    }
}

fn header<'a>(answer: &'a PageResponse, name: &str) -> &'a str {
    let found: Vec<&str> = answer
        .headers
        .iter()
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value.as_str())
        .collect();
    assert!(found.len() < 2, "{name} occurs twice");
    found.first().copied().unwrap_or("")
}

fn text(answer: &PageResponse) -> &str {
    std::str::from_utf8(&answer.body).unwrap()
}

fn value(answer: &PageResponse) -> Value {
    assert_eq!(header(answer, "Content-Type"), "application/json");
    assert_eq!(header(answer, "Cache-Control"), "no-store");
    serde_json::from_slice(&answer.body).unwrap()
}

const DOCUMENTS: [&str; 5] = ["/", "/privacy", "/terms", "/page.css", "/page.js"];

#[test]
fn documents_are_kept_by_browsers_and_asked_for_again() {
    for reply in Reply::EVERY {
        let mut stage = TestPages::new(reply);
        for path in DOCUMENTS {
            let first = stage.get(path);
            assert_eq!(first.status, 200, "{path}");
            assert_eq!(header(&first, "Cache-Control"), "no-cache", "{path}");
            let again = stage.ask(&PageRequest {
                known: Some(header(&first, "ETag").to_owned()),
                ..request(PageMethod::Get, path)
            });
            assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
            let head = stage.ask(&request(PageMethod::Head, path));
            assert_eq!(head, first, "{path}: the server leaves out the body");
            for method in [PageMethod::Post, PageMethod::Other] {
                let refused = stage.ask(&request(method, path));
                assert_eq!(refused.status, 405, "{path}");
                assert_eq!(header(&refused, "Allow"), "GET, HEAD", "{path}");
            }
        }
    }
}

#[test]
fn every_placeholder_is_filled_and_no_setting_becomes_markup() {
    for reply in Reply::EVERY {
        let mut stage = TestPages::new(reply);
        for path in ["/", "/privacy", "/terms"] {
            let answer = stage.get(path);
            let page = text(&answer);
            assert!(
                page.contains("Example &lt;b&gt;University&lt;/b&gt;"),
                "{path}"
            );
            assert!(!page.contains("<b>University"), "{path}");
            assert!(!page.contains("{{") && !page.contains("}}"), "{path}");
            for empty in ["<p></p>", "<h1></h1>", "<h2></h2>", "href=\"\"", "> </"] {
                assert!(!page.contains(empty), "{path}: {empty}");
            }
            assert!(!page.contains(PHRASE), "{path}: the phrase");
        }
    }
}

#[test]
fn the_pages_say_what_a_reviewer_of_a_carrier_looks_for() {
    let mut stage = TestPages::new(Reply::Both);
    let page = |answer: PageResponse| text(&answer).to_ascii_lowercase();
    let (join, privacy, terms) = (
        page(stage.get("/")),
        page(stage.get("/privacy")),
        page(stage.get("/terms")),
    );
    for words in [
        "message and data rates may apply",
        // Many texts get no answer: beyond a limit, to a code that a laptop showed, or a second mistyped phrase.
        "at most one text",
        "stop",
        "help",
        "university",
        "/privacy",
        "/terms",
    ] {
        assert!(join.contains(words), "/: {words}");
    }
    for words in [
        "third parties",
        "marketing",
        "class@example.org",
        "phone number",
    ] {
        assert!(privacy.contains(words), "/privacy: {words}");
    }
    for words in [
        "message and data rates may apply",
        "stop",
        "help",
        "class@example.org",
        "+1 312 555 0100",
        "how often",
        "at most one text",
    ] {
        assert!(terms.contains(words), "/terms: {words}");
    }
}

#[test]
fn a_page_may_do_no_more_than_it_needs() {
    let mut stage = TestPages::new(Reply::Both);
    let token = stage.key.projector_token(None, 0).reveal().to_owned();
    let projector = format!("/class/{token}");
    for path in ["/", "/privacy", "/terms", &projector] {
        let answer = stage.get(path);
        let policy = header(&answer, "Content-Security-Policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"),
            "{path}: {policy}"
        );
        assert!(
            !policy.contains("unsafe") && !policy.contains('*'),
            "{path}: {policy}"
        );
        assert_eq!(
            policy.contains("coder.example.org"),
            path == "/",
            "{path}: {policy}"
        );
        // What the policy forbids is not there either.
        let page = text(&answer);
        for inline in ["style=", "onclick", "<style", "javascript:"] {
            assert!(!page.contains(inline), "{path}: {inline}");
        }
    }
    let missing = "/class/no-token";
    for path in DOCUMENTS
        .into_iter()
        .chain([projector.as_str(), missing, "/favicon.ico"])
    {
        let answer = stage.get(path);
        for (name, value) in [
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Access-Control-Allow-Origin", ""),
        ] {
            assert_eq!(header(&answer, name), value, "{path}: {name}");
        }
    }
}

/// The most bytes of all pages with their style and their script, without the words: a promise of the
/// architecture. Nothing is compressed or squeezed; what does not fit is written shorter.
const BUDGET: usize = 12_600;

#[test]
fn all_pages_together_are_smaller_than_their_budget() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pages/assets");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    let sizes: Vec<(String, u64)> = files
        .map(|file| (file.file_name(), file.metadata().unwrap().len()))
        .map(|(name, size)| (name.into_string().unwrap(), size))
        .filter(|(name, _)| name != "words.txt")
        .collect();
    let all: u64 = sizes.iter().map(|(_, size)| size).sum();
    assert!(all < BUDGET as u64, "{all} bytes: {sizes:?}");
}

#[test]
fn what_a_browser_loads_is_smaller_than_the_budget() {
    for reply in Reply::EVERY {
        let mut stage = TestPages::new(reply);
        let token = stage.key.projector_token(None, 0).reveal().to_owned();
        for path in ["/", "/privacy", "/terms", &format!("/class/{token}")] {
            let loaded = [path, "/page.css", "/page.js"].map(|path| stage.get(path).body.len());
            assert!(loaded.iter().sum::<usize>() < BUDGET, "{path}: {loaded:?}");
        }
    }
}
