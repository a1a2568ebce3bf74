//! What a browser sees of the fake: cookies, the rule against forged requests, and who is signed in.

use serde_json::json;

use super::super::client::{Client, ClientAnswer};
use super::tests::{STRONG, admin, create};
use super::{FakeCoder, Version};

const BROWSER: &str = "Mozilla/5.0";

/// A browser's login from a page of another host: the body is JSON, its type is not.
fn log_in(coder: &FakeCoder, name: &str, cookies: &str) -> ClientAnswer {
    let body = json!({ "email": format!("{name}@temp.example.com"), "password": STRONG });
    let mut client = Client::new(&coder.url());
    if !cookies.is_empty() {
        client = client.with("Cookie", cookies);
    }
    client
        .send(
            "POST",
            "/api/v2/users/login",
            "text/plain;charset=UTF-8",
            &body.to_string(),
        )
        .expect("an answer")
}

/// A login beside a session's cookie was refused, as it did not bring the token of Coder's own page.
#[track_caller]
fn lacks_the_token_of_the_page(refused: &ClientAnswer) {
    assert_eq!(refused.status, 400);
    assert!(
        refused
            .body
            .starts_with("Something is wrong with your CSRF token."),
        "{}",
        refused.body
    );
}

/// The cookies that an answer sets, as a browser sends them back.
fn cookies(answer: &ClientAnswer) -> String {
    let lines = answer.head.lines();
    let set = lines.filter_map(|line| line.strip_prefix("Set-Cookie: "));
    let pairs: Vec<&str> = set.filter_map(|line| line.split(';').next()).collect();
    pairs.join("; ")
}

fn browser(coder: &FakeCoder, cookies: &str) -> Client {
    Client::new(&coder.url())
        .with("User-Agent", BROWSER)
        .with("Cookie", cookies)
}

fn with_two_users(version: Version) -> FakeCoder {
    let coder = FakeCoder::start_version(version);
    let mut api = admin(&coder);
    create(&mut api, "happy-tuna");
    create(&mut api, "brave-otter");
    coder
}

#[test]
fn a_login_by_a_browser_sets_both_cookies_and_they_open_the_door() {
    let coder = with_two_users(Version::V2_31);
    let answer = log_in(&coder, "happy-tuna", "");
    assert_eq!(answer.status, 201);
    let set: Vec<&str> = answer
        .head
        .lines()
        .filter(|line| line.starts_with("Set-Cookie: "))
        .collect();
    assert_eq!(set.len(), 2, "{set:?}");
    assert!(
        set.iter()
            .all(|line| line.ends_with("; Path=/; HttpOnly; SameSite=Lax")),
        "{set:?}"
    );
    let kept = cookies(&answer);
    assert!(kept.starts_with("coder_session_token=") && kept.contains("; csrf_token="));
    let mut browser = browser(&coder, &kept);
    assert_eq!(
        browser.get("/api/v2/users/me").json()["username"],
        "happy-tuna"
    );
    assert!(browser.get("/").body.contains(">happy-tuna<"));
    assert!(coder.unexpected().is_empty());
}

#[test]
fn the_login_type_is_told_to_that_very_user_alone() {
    for (version, of_another) in [(Version::V2_24, 400), (Version::V2_31, 404)] {
        let coder = with_two_users(version);
        let mut browser = browser(&coder, &cookies(&log_in(&coder, "happy-tuna", "")));
        let mut ask = |name: &str| {
            browser
                .get(&format!("/api/v2/users/{name}/login-type"))
                .status
        };
        assert_eq!(ask("happy-tuna"), 200);
        assert_eq!(ask("brave-otter"), of_another);
        let path = "/api/v2/users/happy-tuna/login-type";
        assert_eq!(admin(&coder).get(path).status, 403);
        assert_eq!(Client::new(&coder.url()).get(path).status, 401);
    }
}

#[test]
fn who_holds_a_session_of_somebody_else_is_not_logged_in_and_stays_that_other_one() {
    let coder = with_two_users(Version::V2_31);
    let kept = cookies(&log_in(&coder, "brave-otter", ""));
    let refused = log_in(&coder, "happy-tuna", &kept);
    lacks_the_token_of_the_page(&refused);
    assert!(cookies(&refused).is_empty());
    let mut browser = browser(&coder, &kept);
    assert_eq!(
        browser.get("/api/v2/users/me").json()["username"],
        "brave-otter"
    );
}

#[test]
fn who_holds_a_dead_session_is_not_logged_in_without_the_token_of_the_page() {
    let coder = with_two_users(Version::V2_31);
    let kept = cookies(&log_in(&coder, "brave-otter", ""));
    coder.delete_user("brave-otter");
    let asked = browser(&coder, &kept).get("/api/v2/users/me");
    assert_eq!(asked.status, 401);
    assert!(cookies(&asked).is_empty(), "the cookie stays");
    let refused = log_in(&coder, "happy-tuna", &kept);
    lacks_the_token_of_the_page(&refused);
    let (_, csrf) = kept.split_once("csrf_token=").expect("the cookie");
    let body = json!({ "email": "happy-tuna@temp.example.com", "password": STRONG });
    let mut by_hand = browser(&coder, &kept).with("X-CSRF-TOKEN", csrf);
    let answer = by_hand.json("POST", "/api/v2/users/login", &body);
    assert_eq!(answer.status, 201);
}

#[test]
fn a_sign_out_wants_the_token_of_the_page_and_ends_the_session() {
    let coder = with_two_users(Version::V2_31);
    let kept = cookies(&log_in(&coder, "happy-tuna", ""));
    let (_, csrf) = kept.split_once("csrf_token=").expect("the cookie");
    let mut browser = browser(&coder, &kept);
    let mut with_token = browser.twin().with("X-CSRF-TOKEN", csrf);
    let out = |client: &mut Client| {
        let answer = client.send("POST", "/api/v2/users/logout", "text/plain", "");
        answer.expect("an answer")
    };
    assert_eq!(out(&mut browser).status, 400);
    assert_eq!(browser.get("/api/v2/users/me").status, 200);
    let answer = out(&mut with_token);
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("coder_session_token=; "));
    assert_eq!(browser.get("/api/v2/users/me").status, 401);
}

#[test]
fn a_page_that_no_browser_asks_for_is_noted() {
    let coder = FakeCoder::start();
    assert_eq!(Client::new(&coder.url()).get("/workspaces").status, 200);
    assert_eq!(coder.unexpected().len(), 1);
}
