//! The fake's own rules for logins, sessions, passwords and limits.

use serde_json::{Value, json};

use super::super::client::Client;
use super::tests::{STRONG, admin, create, fields, wish};
use super::{FakeCoder, Role, Version};

#[test]
fn a_new_password_ends_sessions_and_cannot_be_the_old_one() {
    let coder = FakeCoder::start();
    let mut api = admin(&coder);
    create(&mut api, "happy-tuna");
    let login = json!({ "email": "happy-tuna@temp.example.com", "password": STRONG });
    let session = Client::new(&coder.url()).json("POST", "/api/v2/users/login", &login);
    assert!(session.status == 201 && session.header("Set-Cookie").is_some());
    let mut student =
        Client::new(&coder.url()).token(session.json()["session_token"].as_str().expect("a token"));
    assert_eq!(
        student.get("/api/v2/users/me").json()["username"],
        "happy-tuna"
    );
    let path = "/api/v2/users/happy-tuna/password";
    let mut set = |password: &str| api.json("PUT", path, &json!({ "password": password }));
    assert_eq!(
        set(STRONG).message(),
        "New password cannot match old password."
    );
    assert_eq!(fields(&set("x")), ["password"]);
    assert_eq!(set("kx7mq2vr9tz").status, 204);
    assert_eq!(student.get("/api/v2/users/me").status, 401);
    assert!(coder.password_works("happy-tuna@temp.example.com", "kx7mq2vr9tz"));
    assert_eq!(
        api.json(
            "PUT",
            "/api/v2/users/me/password",
            &json!({ "password": "kx7mq2vr9tz" })
        )
        .message(),
        "Old password is required."
    );
}

#[test]
fn a_login_wakes_a_dormant_user_and_refuses_a_suspended_one() {
    let coder = FakeCoder::start();
    let mut api = admin(&coder);
    let mut body = wish("happy-tuna");
    body["user_status"] = Value::Null;
    assert_eq!(
        api.json("POST", "/api/v2/users", &body).json()["last_seen_at"],
        "0001-01-01T00:00:00Z"
    );
    let status = || coder.user("happy-tuna").expect("the user").status;
    assert_eq!(status(), "dormant");
    let mut anybody = Client::new(&coder.url());
    let mut log_in = |password: &str| {
        let body = json!({ "email": "happy-tuna@temp.example.com", "password": password });
        anybody.json("POST", "/api/v2/users/login", &body)
    };
    assert_eq!(log_in("wrong").message(), "Incorrect email or password.");
    let token = log_in(STRONG).json()["session_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    assert_eq!(status(), "active");
    assert_eq!(
        api.send("PUT", "/api/v2/users/happy-tuna/status/suspend", "", "")
            .expect("an answer")
            .status,
        200
    );
    assert!(
        log_in(STRONG)
            .message()
            .starts_with("Your account is suspended.")
    );
    assert!(
        Client::new(&coder.url())
            .token(&token)
            .get("/api/v2/users/me")
            .message()
            .contains("suspended")
    );
    assert_eq!(
        api.send("PUT", "/api/v2/users/me/status/suspend", "", "")
            .expect("an answer")
            .status,
        400
    );
}

#[test]
fn sessions_are_looked_up_in_cookie_then_query_then_header() {
    let coder = FakeCoder::start();
    let url = coder.url();
    let good = coder.token();
    let detail = |mut client: Client, target: &str| {
        client.get(target).json()["detail"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert!(detail(Client::new(&url), "/api/v2/users/me").contains("must be provided"));
    assert!(
        detail(Client::new(&url).token("x"), "/api/v2/users/me")
            .starts_with("Invalid API key format")
    );
    let other = format!("{}-{}", "a".repeat(10), "b".repeat(22));
    assert_eq!(
        detail(Client::new(&url).token(&other), "/api/v2/users/me"),
        "API key is invalid."
    );
    let wrong_secret = format!("{}-{}", &good[..10], "b".repeat(22));
    assert_eq!(
        detail(Client::new(&url).token(&wrong_secret), "/api/v2/users/me"),
        "API key secret is invalid."
    );
    let in_query = format!("/api/v2/users/me?coder_session_token={other}");
    assert_eq!(
        detail(Client::new(&url).token(&good), &in_query),
        "API key is invalid."
    );
    coder.expire_token();
    assert!(
        detail(Client::new(&url).token(&good), "/api/v2/users/me").starts_with("API key expired")
    );
    assert_eq!(
        Client::new(&url)
            .token(&coder.rotate_token())
            .get("/api/v2/users/me")
            .status,
        200
    );
}

#[test]
fn a_cookie_beats_the_header_and_writes_with_both_must_agree() {
    let coder = FakeCoder::start_version(Version::Newest);
    let url = coder.url();
    let good = coder.token();
    let other = format!("{}-{}", "a".repeat(10), "b".repeat(22));
    let cookie = format!("a=b; coder_session_token={other}");
    let mut confused = Client::new(&url).token(&good).with("Cookie", &cookie);
    assert_eq!(confused.get("/api/v2/users/me").status, 401);
    let refused = create(&mut confused, "happy-tuna");
    assert!(refused.status == 400 && refused.body.starts_with("CSRF error encountered"));
    assert_eq!(
        Client::new(&url)
            .with("Authorization", &format!("Bearer {good}"))
            .get("/api/v2/users/me")
            .status,
        200
    );
}

#[test]
fn the_61st_new_password_within_a_minute_is_refused() {
    let coder = FakeCoder::start_version(Version::Newest);
    let mut api = admin(&coder);
    create(&mut api, "happy-tuna");
    let mut last = None;
    for number in 0..130 {
        let body = json!({ "password": format!("{STRONG}-{number}") });
        let answer = api.json("PUT", "/api/v2/users/happy-tuna/password", &body);
        let refused = answer.status == 429;
        last = Some(answer);
        if refused {
            break;
        }
    }
    let refusal = last.expect("an answer");
    assert_eq!(
        refusal.message(),
        "You've been rate limited for sending more than 60 requests in 1m0s."
    );
    assert_eq!(
        (
            refusal.header("Retry-After"),
            refusal.header("X-RateLimit-Limit")
        ),
        (Some("60"), Some("60"))
    );
    assert_eq!(
        api.get("/api/v2/users/happy-tuna")
            .header("X-RateLimit-Limit"),
        Some("512")
    );
    let mut bypass = admin(&coder).with("X-Coder-Bypass-Ratelimit", "true");
    let body = json!({ "password": "kx7mq2vr9tz" });
    assert_eq!(
        bypass
            .json("PUT", "/api/v2/users/happy-tuna/password", &body)
            .status,
        204
    );
    coder.token_roles(&[Role::UserAdmin]);
    assert_eq!(bypass.get("/api/v2/users/me").status, 428);
}
