//! The projector and the screens: what a page is told, and to whom.

use super::*;

#[test]
fn only_the_token_of_the_present_link_opens_the_projector() {
    let mut stage = TestPages::new(Reply::Both);
    let tokens: Vec<String> = (0..2)
        .map(|link| stage.key.projector_token(None, link).reveal().to_owned())
        .collect();
    let figures = |stage: &mut TestPages, token: &str| {
        stage.ask(&PageRequest {
            class: Some(token.to_owned()),
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
        workspace: "/@happy-tuna/class".to_owned(),
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
    let path = serde_json::json!({"path": "/@happy-tuna/class"});
    assert_eq!((arrived.status, value(&arrived)), (200, path));
    let again = stage.post("/screen/arrived", &secret, "");
    assert_eq!((again.status, again.body.len()), (204, 0));
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
        headers in prop::array::uniform3(prop::option::of("[ -~]{0,30}")),
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
