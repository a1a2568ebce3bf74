//! What is served where, with which headers, and what is refused.

use super::{ask, class_with_pages, get, json};
use crate::{class, plan};
use support::classroom::ORIGIN;
use support::classroom::wire::Wire;

const PATHS: [&str; 12] = [
    "/",
    "/privacy",
    "/terms",
    "/page.css",
    "/page.js",
    "/favicon.ico",
    "/screen",
    "/screen/answer",
    "/screen/arrived",
    "/class",
    "/class/AAAAAAAAAAAAAAAAAAAAAA",
    "/index.html",
];

#[test]
fn without_pages_their_paths_are_as_unknown_as_any_other() {
    let class = class();
    for method in ["GET", "POST", "PUT", "OPTIONS"] {
        let unknown = ask(&class, method, "/nothing-is-here", &[], b"");
        assert_eq!((unknown.status, unknown.body()), (404, "not found\n"));
        for path in PATHS {
            let answer = ask(&class, method, path, &[], b"");
            assert_eq!(answer.status, 404, "{method} {path}");
            assert_eq!(answer.body(), unknown.body(), "{method} {path}");
            for header in ["Content-Security-Policy", "Cache-Control", "ETag", "Allow"] {
                assert_eq!(answer.header(header), None, "{method} {path}");
            }
        }
    }
}

#[test]
fn pages_have_the_headers_that_protect_them() {
    let class = class_with_pages("both");
    let coder = class.coder().url();
    for (path, media_type, policy) in [
        ("/", "text/html; charset=utf-8", true),
        ("/privacy", "text/html; charset=utf-8", true),
        ("/terms", "text/html; charset=utf-8", true),
        ("/page.css", "text/css; charset=utf-8", false),
        ("/page.js", "text/javascript; charset=utf-8", false),
    ] {
        let answer = get(&class, path);
        assert_eq!(answer.status, 200, "{path}");
        for (name, value) in [
            ("Content-Type", media_type),
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cache-Control", "no-cache"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
        assert_eq!(answer.header("Access-Control-Allow-Origin"), None);
        assert_eq!(answer.header("Set-Cookie"), None);
        let found = answer.header("Content-Security-Policy").unwrap_or("");
        assert_eq!(
            found.starts_with("default-src 'none'; "),
            policy,
            "{path}: {found}"
        );
        assert_eq!(found.contains(&coder), path == "/", "{path}: {found}");
        assert!(!found.contains("unsafe"), "{path}: {found}");
        // A query is nothing to the path.
        assert_eq!(
            get(&class, &format!("{path}?from=text")).body(),
            answer.body()
        );
    }
}

#[test]
fn a_browser_that_has_a_page_gets_it_no_second_time() {
    let class = class_with_pages("text");
    for path in ["/", "/page.css", "/page.js"] {
        let tag = get(&class, path).header("ETag").expect("a tag").to_owned();
        let weak = format!("\"x\", W/{tag}");
        for known in [tag.as_str(), weak.as_str()] {
            let again = ask(&class, "GET", path, &[("If-None-Match", known)], b"");
            assert_eq!((again.status, again.body()), (304, ""), "{path}");
            assert_eq!(again.header("ETag"), Some(tag.as_str()), "{path}");
        }
        let other = ask(&class, "GET", path, &[("If-None-Match", "\"x\"")], b"");
        assert_eq!(other.status, 200, "{path}");
    }
}

#[test]
fn head_is_answered_without_a_body_and_other_methods_with_what_would_do() {
    let class = class_with_pages("both");
    let address = class.service().address();
    let (pages, post) = (Some("GET, HEAD"), Some("POST"));
    for (path, allow) in [
        ("/", pages),
        ("/privacy", pages),
        ("/page.js", pages),
        ("/class", pages),
        ("/class/AAAAAAAAAAAAAAAAAAAAAA", pages),
        ("/screen", Some("GET, POST")),
        ("/screen/answer", post),
        ("/screen/arrived", post),
    ] {
        for method in ["PUT", "DELETE", "OPTIONS", "PATCH"] {
            let answer = ask(&class, method, path, &[], b"");
            assert_eq!(
                (answer.status, answer.header("Allow")),
                (405, allow),
                "{method} {path}"
            );
        }
    }
    // The next answer on the same connection is not taken for a body.
    let head = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\nHEAD /screen HTTP/1.1\r\nHost: a\r\n\r\nGET /privacy HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut wire = Wire::saying(address, head);
    let page = wire.answer_to_head().expect("an answer");
    let length = get(&class, "/").body().len().to_string();
    assert_eq!(
        (page.status, page.header("Content-Length")),
        (200, Some(&*length))
    );
    // To ask for a screen's state takes its login, and HEAD would not show it.
    assert_eq!(wire.answer_to_head().expect("an answer").status, 405);
    assert_eq!(wire.status(), 200);
}

#[test]
fn texts_receipts_and_health_keep_their_paths() {
    let class = plan()
        .with("CODER_REG_PAGES_URL", ORIGIN)
        .with("CODER_REG_REPLY", "both")
        .with_receipts()
        .open();
    assert_eq!(get(&class, "/healthz").body(), "ok\n");
    for path in ["/inbound", "/status"] {
        let answer = get(&class, path);
        assert_eq!(
            (answer.status, answer.header("Allow")),
            (405, Some("POST")),
            "{path}"
        );
        let forged = ask(&class, "POST", path, &[], b"a=b");
        assert_eq!(forged.status, 400, "{path}");
    }
    let ana = class.student();
    ana.asks();
    ana.gets_a_login();
    let unknown = get(&class, "/index.html");
    assert_eq!((unknown.status, unknown.body()), (404, "not found\n"));
}

#[test]
fn what_the_operator_writes_is_text_and_never_markup() {
    let script = "<script>alert(1)</script>";
    let class = plan()
        .with("CODER_REG_PAGES_URL", ORIGIN)
        .with("CODER_REG_REPLY", "both")
        .with("CODER_REG_ORG", &format!("{script} & \"Co\""))
        .with("CODER_REG_CONTACT", &format!("'{script}'@example.org"))
        .open();
    for path in ["/", "/privacy", "/terms"] {
        let page = get(&class, path);
        assert!(!page.body().contains(script), "{path}");
        let shown = "&lt;script&gt;alert(1)&lt;/script&gt;";
        assert!(
            page.body()
                .contains(&format!("{shown} &amp; &quot;Co&quot;")),
            "{path}"
        );
        assert!(!page.body().contains("{{"), "{path}");
    }
}

#[test]
fn a_number_is_shown_as_people_read_it_and_linked_as_phones_do() {
    for (number, shown, linked) in [
        ("(+1) 312-555-0100", "+1 312 555 0100", "sms:+13125550100"),
        ("+49 1511 2345678", "+4915112345678", "sms:+4915112345678"),
        ("12345", "12345", "sms:12345"),
    ] {
        let class = plan()
            .with("CODER_REG_PAGES_URL", ORIGIN)
            .with("CODER_REG_REPLY", "both")
            .with("CODER_REG_NUMBER", number)
            .open();
        let page = get(&class, "/");
        assert!(page.body().contains(&format!(">{shown}<")), "{number}");
        assert!(
            page.body().contains(&format!("href=\"{linked}\"")),
            "{number}"
        );
        let opened = json(&ask(&class, "POST", "/screen", &[], b""));
        assert_eq!(opened["number"], shown);
        let link = opened["sms"].as_str().expect("a link");
        assert!(link.starts_with(&format!("{linked}?&body=")), "{link}");
        class.keeps_secret(opened["secret"].as_str().expect("a secret"));
    }
}

#[test]
fn a_long_body_is_refused_and_costs_nobody_anything() {
    let class = class_with_pages("both");
    let long = "a".repeat(5_000);
    for path in ["/screen", "/screen/answer"] {
        let refused = ask(&class, "POST", path, &[], long.as_bytes());
        assert_eq!(
            (refused.status, &json(&refused)["error"]),
            (413, &"too large".into())
        );
    }
    assert_eq!(
        ask(&class, "POST", "/screen", &[], &[b'a'; 70_000]).status,
        413
    );
    // The same connection goes on behind it.
    let request = format!(
        "POST /screen HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{long}GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        long.len()
    );
    let mut wire = Wire::saying(class.service().address(), request.as_bytes());
    assert_eq!((wire.status(), wire.status()), (413, 200));
}
