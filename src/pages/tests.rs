//! The pages as a browser asks for them, without a network.

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
        let coder = "https://coder.example.org";
        let pages = Pages {
            site: Site::new(&config, &site, coder, "class.example.org"),
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
            screen: screen.to_owned(),
            form: Some(form.as_bytes().to_vec()),
            ..request(PageMethod::Post, path)
        })
    }

    fn state(&mut self, screen: &str) -> Value {
        value(&self.ask(&PageRequest {
            screen: screen.to_owned(),
            ..request(PageMethod::Get, "/screen")
        }))
    }
}

fn request(method: PageMethod, path: &str) -> PageRequest {
    PageRequest {
        method,
        path: path.to_owned(),
        screen: String::new(),
        class: String::new(),
        known: String::new(),
        form: Some(Vec::new()),
        site: String::new(),
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
    assert!(found.len() < 2, "{name} stands there twice");
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
                known: header(&first, "ETag").to_owned(),
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
const BUDGET: usize = 12_000;

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

#[test]
fn only_the_token_of_the_present_link_opens_the_projector() {
    let mut stage = TestPages::new(Reply::Both);
    let tokens: Vec<String> = (0..2)
        .map(|link| stage.key.projector_token(None, link).reveal().to_owned())
        .collect();
    let figures = |stage: &mut TestPages, token: &str| {
        stage.ask(&PageRequest {
            class: token.to_owned(),
            ..request(PageMethod::Get, "/class")
        })
    };
    let page = stage.get(&format!("/class/{}", tokens[0]));
    assert_eq!(
        (page.status, header(&page, "Cache-Control")),
        (200, "no-store")
    );
    assert!(!text(&page).contains(PHRASE) && !text(&page).contains(&tokens[0]));
    assert!(!text(&page).contains("{{"), "{}", text(&page));
    let shown = value(&figures(&mut stage, &tokens[0]));
    assert_eq!(shown["number"], "+1 312 555 0100");
    assert_eq!(
        (&shown["phrase"], &shown["in"], &shown["seats"]),
        (&PHRASE.into(), &23.into(), &40.into())
    );
    assert_eq!(shown["sms"], "sms:+13125550100?&body=purple%20kettle");
    assert_eq!(shown["join"], "https://sms.example.org");
    assert!(
        shown["qr"].as_str().unwrap().starts_with('M') && shown["size"].as_i64().unwrap() >= 21
    );
    // The next link replaces it.
    *stage.class.lock().unwrap() = Some((1, 24));
    assert_eq!(value(&figures(&mut stage, &tokens[1]))["in"], 24);
    for token in [tokens[0].as_str(), "", "x"] {
        let refused = figures(&mut stage, token);
        assert_eq!((refused.status, text(&refused)), (404, "not found\n"));
        assert_eq!(stage.get(&format!("/class/{token}")).status, 404, "{token}");
    }
    *stage.class.lock().unwrap() = None;
    let busy = figures(&mut stage, &tokens[1]);
    assert_eq!(busy.status, 503);
    assert!(busy.headers.contains(&("Refresh", "1".to_owned())));
    assert_eq!(stage.ask(&request(PageMethod::Post, "/class")).status, 405);
    assert!(
        stage
            .pages
            .answer(&request(PageMethod::Get, "/classes"))
            .is_none()
    );
}

#[test]
fn a_screen_is_opened_asked_about_and_shown_its_login() {
    let mut stage = TestPages::new(Reply::Both);
    let opened = stage.post("/screen", "", "");
    assert_eq!(opened.status, 201);
    let opened = value(&opened);
    let secret = opened["secret"].as_str().unwrap().to_owned();
    let code = opened["code"].as_str().unwrap().to_owned();
    assert_eq!((secret.len(), code.len()), (22, 5));
    assert_eq!(opened["sms"], format!("sms:+13125550100?&body={code}%20"));
    assert_eq!(
        (&opened["lives"], &opened["phrase"]),
        (&600.into(), &Value::Null)
    );
    assert_eq!(stage.state(&secret)["state"], "open");
    let sid = MessageSid::parse("SM00000000000000000000000000000001").unwrap();
    let phone = Phone::parse_any("+13125550123")
        .unwrap()
        .hash(&PhoneKey::derive("key"));
    let now = Instant::now();
    let code = ScreenCode::parse(&code).unwrap();
    stage.screens.claim(
        NewClaim {
            code,
            sid: &sid,
            phone: &phone,
            ends: "23",
            heard: Some(now),
        },
        now,
    );
    let asked = stage.state(&secret);
    assert_eq!(
        (&asked["state"], &asked["ends"]),
        (&"question".into(), &"23".into())
    );
    let claim = asked["claim"].as_u64().unwrap();
    let login = ScreenLogin {
        username: Username::draw(0),
        email: "happy-tuna@class.example.org".to_owned(),
        password: Password::draw(),
    };
    stage.screens.offer(&sid, login.clone(), now);
    // Nothing but a clear yes to this claim releases it.
    for form in [
        String::new(),
        "yes=1".to_owned(),
        format!("claim={claim}"),
        format!("claim={claim}&yes=true"),
        format!("claim={}&yes=1", claim + 1),
        format!("claim=x{claim}&yes=1"),
    ] {
        let answer = value(&stage.post("/screen/answer", &secret, &form));
        assert_eq!(answer["state"], "question", "{form}");
    }
    assert_eq!(stage.post("/screen/arrived", &secret, "").status, 404);
    let form = format!("claim={claim}&yes=1");
    let shown = value(&stage.post("/screen/answer", &secret, &form));
    assert_eq!(shown["state"], "login");
    assert_eq!(shown["password"], login.password.reveal());
    assert_eq!(shown["username"], login.username.as_str());
    assert!(shown["wait"].is_u64());
    assert_eq!(stage.state(&secret), shown, "a lost answer is repeated");
    let arrived = stage.post("/screen/arrived", &secret, "");
    assert_eq!((arrived.status, arrived.body.len()), (204, 0));
    assert!(
        !stage
            .state(&secret)
            .to_string()
            .contains(login.password.reveal())
    );
}

#[test]
fn the_phrase_is_told_to_the_projectors_link_only() {
    let mut stage = TestPages::new(Reply::Screen);
    let token = stage.key.projector_token(None, 0).reveal().to_owned();
    let told = value(&stage.post("/screen", "", &format!("class={token}")));
    assert_eq!(told["phrase"], PHRASE);
    let code = told["code"].as_str().unwrap();
    assert_eq!(
        told["sms"],
        format!("sms:+13125550100?&body=purple%20kettle%20{code}")
    );
    for form in ["class=", "class=x", &format!("class={token}x"), "phrase=1"] {
        let told = value(&stage.post("/screen", "", form)).to_string();
        assert!(
            !told.contains("phrase") && !told.contains("kettle"),
            "{form}"
        );
    }
}

#[test]
fn a_wrong_secret_a_wrong_method_and_a_long_body_do_nothing() {
    let mut stage = TestPages::new(Reply::Both);
    let gone = serde_json::json!({"state": "gone"});
    for secret in ["", "x", "AAAAAAAAAAAAAAAAAAAAAA", &"A".repeat(5_000)] {
        assert_eq!(stage.state(secret), gone);
        for path in ["/screen/answer", "/screen/arrived"] {
            let answer = stage.post(path, secret, "claim=1&yes=1");
            assert_eq!(
                (answer.status, value(&answer)),
                (404, gone.clone()),
                "{path}"
            );
        }
    }
    for (path, method, allow) in [
        ("/screen", PageMethod::Head, "GET, POST"),
        ("/screen", PageMethod::Other, "GET, POST"),
        ("/screen/answer", PageMethod::Get, "POST"),
        ("/screen/arrived", PageMethod::Get, "POST"),
    ] {
        let answer = stage.ask(&request(method, path));
        assert_eq!(
            (answer.status, header(&answer, "Allow")),
            (405, allow),
            "{path}"
        );
    }
    for path in ["/screen", "/screen/answer"] {
        let too_long = PageRequest {
            form: None,
            ..request(PageMethod::Post, path)
        };
        assert_eq!(stage.ask(&too_long).status, 413, "{path}");
    }
    assert_eq!(stage.screens.counts().opened.get(), 0);
}

#[test]
fn without_screens_there_is_no_path_for_them() {
    let mut stage = TestPages::new(Reply::Text);
    for path in [
        "/screen",
        "/screen/answer",
        "/screen/arrived",
        "/x",
        "/class2",
        "",
    ] {
        for method in [PageMethod::Get, PageMethod::Post] {
            assert!(
                stage.pages.answer(&request(method, path)).is_none(),
                "{path}"
            );
        }
    }
}

#[test]
fn more_screens_than_one_client_may_open_are_refused() {
    let mut stage = TestPages::new(Reply::Both);
    for _ in 0..600 {
        assert_eq!(stage.post("/screen", "", "").status, 201);
    }
    let refused = stage.post("/screen", "", "");
    assert_eq!(
        (refused.status, &value(&refused)["error"]),
        (503, &"full".into())
    );
    let other = PageRequest {
        client: IpAddr::from([203, 0, 113, 10]),
        ..request(PageMethod::Post, "/screen")
    };
    assert_eq!(stage.ask(&other).status, 201);
}

proptest! {
    #![proptest_config(crate::properties::drawn())]

    #[test]
    fn whatever_comes_is_answered_or_left_alone(
        path in "(/screen|/class|/screen/answer|/screen/arrived|/|/class/)?[ -~]{0,30}",
        method in prop::sample::select(vec![PageMethod::Get, PageMethod::Head, PageMethod::Post, PageMethod::Other]),
        headers in prop::array::uniform3("[ -~]{0,30}"),
        form in prop::option::of(prop::collection::vec(any::<u8>(), 0..80)),
    ) {
        let [screen, class, known] = headers;
        let asked = PageRequest { screen, class, known, form, ..request(method, &path) };
        if let Some(answer) = TestPages::new(Reply::Both).pages.answer(&asked) {
            prop_assert!([200, 201, 304, 404, 405, 413].contains(&answer.status));
            prop_assert!(!String::from_utf8_lossy(&answer.body).contains(PHRASE));
        }
    }
}
