use proptest::prelude::*;

use super::*;
use crate::properties::drawn;

#[test]
fn the_login_contains_all_that_is_needed() {
    let password = Password::draw();
    let text = login(
        "https://coder.example.org",
        "happy-tuna@example.org",
        &password,
        Some(Duration::from_secs(43_200)),
        None,
    );
    assert_eq!(
        text,
        format!(
            "Your Coder login\nhttps://coder.example.org\nE-mail: happy-tuna@example.org\nPassword: {}\nTime left: 12 h",
            password.reveal()
        )
    );
}

#[test]
fn who_comes_too_early_is_told_a_time_that_is_not_too_short() {
    for (left, words) in [
        (0, "1 min"),
        (1, "1 min"),
        (60, "1 min"),
        (61, "2 min"),
        (3_541, "1 h"),
        (86_399, "1 d"),
        (86_400, "1 d"),
        (86_401, "1 d 1 h"),
    ] {
        let text = not_yet(left);
        let span = text.split("opens in ").nth(1);
        let told = span.and_then(|rest| rest.split('.').next());
        assert_eq!(told, Some(words), "{left} s: {text}");
    }
}

#[test]
fn each_notice_says_what_it_is_about() {
    for (notice, words) in [
        (hint(), "not the phrase"),
        (full(), "class is full"),
        (no_more(), "does not give logins any more"),
    ] {
        assert!(notice.contains(words), "{notice}");
    }
}

#[test]
fn a_login_of_another_class_is_named_with_its_time() {
    let email = "happy-tuna@example.org";
    let text = other_class("rust", email, Some(3_600));
    for words in ["(rust)", email, "Time left: 1 h", "again after that"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // A login without an end has no "after that", nor one that would need a second text for it.
    for text in [
        other_class("rust", email, None),
        other_class(&"r".repeat(70), email, Some(3_600)),
    ] {
        assert!(!text.contains("after that"), "{text}");
    }
    assert!(no_login("the class is over").contains("the class is over"));
}

#[test]
fn a_login_leads_to_the_workspace_where_one_text_has_room_for_it() {
    let password = Password::draw();
    let text = |site: &str, email: &str| {
        let left = Some(Duration::from_secs(43_200));
        let plain = login(site, email, &password, left, None);
        (
            to_workspace(plain.clone(), site, "/@happy-tuna/class"),
            plain,
        )
    };
    let (with, plain) = text("https://coder.example.org", "happy-tuna@example.org");
    let lines: Vec<&str> = with.lines().collect();
    assert_eq!(lines[1], "https://coder.example.org/@happy-tuna/class");
    assert_eq!(with.lines().count(), plain.lines().count());
    assert!(septets(&with).unwrap() <= SEGMENT);
    let domain = "informatik.uni-irgendwo.example";
    let (with, plain) = text(
        &format!("https://coder.{domain}"),
        &format!("happy-tuna@{domain}"),
    );
    assert_eq!(with, plain);
}

#[test]
fn a_link_is_added_where_one_text_has_room_for_it() {
    let password = Password::draw();
    let name = Username::parse("happy-tuna").unwrap();
    let email = name.email("example.org");
    let text = |site: &str, pages: &str| {
        let link = link(pages, &name, &password);
        let left = Some(Duration::from_secs(43_200));
        let with = login(site, &email, &password, left, Some(&link));
        (with, login(site, &email, &password, left, None), link)
    };
    let (with, without, link) = text("https://c.example.org", "https://s.example.org");
    let fragment = link.split_once("/#").unwrap().1;
    assert_eq!(fragment, format!("{}:{}", name.as_str(), password.reveal()));
    assert_eq!(
        with,
        format!("{}\n{link}", without.strip_prefix(HEADING).unwrap())
    );
    assert!(holds_login(&link, "elsewhere.example") && holds_login(&with, "elsewhere.example"));
    let (with, without, link) = text("https://c.org", "https://s.org");
    assert_eq!(with, format!("{without}\n{link}"));
    let (with, _, link) = text(
        "https://coder.cs.some-school.edu",
        "https://sms.cs.some-school.edu",
    );
    assert_eq!(
        with,
        format!(
            "https://coder.cs.some-school.edu\n{email}\nPassword: {}\n12 h\n{link}",
            password.reveal()
        )
    );
    for (site, pages) in [
        (
            "https://coder.informatik.uni-irgendwo.example",
            "https://sms.informatik.uni-irgendwo.example",
        ),
        (
            "https://c.example.org",
            "https://sms.a-rather-long-school-district-name.k12.ca.us:8443",
        ),
    ] {
        let (with, without, _) = text(site, pages);
        assert_eq!(with, without, "the labels stay, the link does not");
    }
    for (site, pages) in [
        ("https://c.org", "https://s.org"),
        ("https://coder.example.org", "https://sms.example.org"),
    ] {
        assert!(septets(&text(site, pages).0).unwrap() <= SEGMENT);
    }
}

#[test]
fn a_repeated_login_is_recognised_in_any_language() {
    let password = Password::draw();
    let login = login(
        "https://coder.example.org",
        "happy-tuna@class.example.org",
        &password,
        None,
        None,
    );
    let cut: String = login.chars().take(110).collect();
    for body in [
        format!("Liked “{login}”"),
        format!("Loved \"{login}\""),
        format!("Laughed at “{login}”"),
        format!("Emphasized “{login}”"),
        format!("Questioned “{login}”"),
        format!("Disliked “{login}”"),
        format!("Removed a heart from “{login}”"),
        format!("Reacted 👍 to “{login}”"),
        format!("👍 to “{cut}…”"),
        format!("Hat „{login}“ mit „Gefällt mir“ markiert"),
        format!("Le gustó “{login}”"),
        format!("A aimé « {login} »"),
        format!("\u{200a}👍\u{200b} to “{login}”"),
        format!("it says {} is wrong", password.reveal()),
        "HAPPY-TUNA@CLASS.EXAMPLE.ORG does not work".to_owned(),
    ] {
        assert!(holds_login(&body, "class.example.org"), "{body}");
    }
    for body in [
        "Ok, thanks!",
        "Thanks for the class!",
        "write to me @class.example.org",
        "me@example.org",
        "a-b-c and 12345-67890",
        "well-known-words in-a-row",
        "",
    ] {
        assert!(!holds_login(body, "class.example.org"), "{body}");
    }
}

#[test]
fn a_repeated_notice_is_recognised_in_any_language() {
    let site = "https://coder.example.org";
    for notice in [
        hint(),
        full(),
        own_password(site, "happy-tuna@example.org"),
        no_password(site, "happy-tuna@example.org"),
    ] {
        let cut: String = notice.chars().take(40).collect();
        for body in [
            format!("Liked “{notice}”"),
            format!("👍 to “{cut}…”"),
            format!("Hat „{notice}“ mit „Gefällt mir“ markiert"),
            notice,
        ] {
            assert!(repeats_notice(&body), "{body}");
        }
    }
    for body in ["That is not fair", "this class is full of fun", "👍", ""] {
        assert!(!repeats_notice(body), "{body}");
    }
}

#[test]
fn the_longest_login_of_usual_names_is_one_segment() {
    let day = Some(Duration::from_secs(86_399));
    for (site, domain) in [
        ("https://coder.example.org", "example.org"),
        (
            "https://coder.cs.some-university.edu",
            "some-university.edu",
        ),
        (
            "https://coder.informatik.uni-irgendwo.example",
            "informatik.uni-irgendwo.example",
        ),
        (
            "https://code.a-rather-long-school-district-name.k12.ca.us:8443",
            "school-district-name.k12.ca.us",
        ),
    ] {
        assert!(
            longest_login(site, domain, day) <= SEGMENT,
            "{site} {domain}"
        );
        let email = Username::draw(0).email(domain);
        for text in [own_password(site, &email), no_password(site, &email)] {
            assert!(
                septets(&text).is_some_and(|length| length <= SEGMENT + 40),
                "{text}"
            );
        }
    }
    assert!(septets(&hint()).unwrap() <= SEGMENT);
    assert!(septets(&full()).unwrap() <= SEGMENT);
    assert!(
        longest_login(
            &format!("https://{}.org", "x".repeat(100)),
            "example.org",
            day
        ) > SEGMENT
    );
}

#[test]
fn a_login_that_cannot_be_sent_is_explained_without_a_password() {
    let (site, email) = ("https://coder.example.org", "happy-tuna@example.org");
    assert_eq!(
        own_password(site, email),
        "You changed your password. Use your own, or ask your instructor.\nhttps://coder.example.org\nhappy-tuna@example.org"
    );
    let long = format!("https://{}.org", "x".repeat(100));
    assert_eq!(
        no_password(&long, email),
        "Your login cannot be sent again. Use the one you have, or ask your instructor.\nhappy-tuna@example.org"
    );
}

#[test]
fn septets_count_as_the_network_does() {
    assert_eq!(septets("ab_@"), Some(4));
    assert_eq!(septets("a~b"), Some(4));
    assert_eq!(septets("Universität"), Some(11));
    assert_eq!(septets("Université"), Some(10));
    assert_eq!(septets("Università"), Some(10));
    assert_eq!(septets("Uniwersytet Łódzki"), None);
    assert_eq!(septets("\u{201c}"), None);
    assert_eq!(septets("`"), None);
}

proptest! {
    #![proptest_config(drawn())]

    #[test]
    fn septets_add_up(one in "[ -_a-~\\n]{0,40}", other in "[ -_a-~\\n]{0,40}", outside in "[^ -~\\n\\rÄÅÆÇÉÑÖØÜßàäåæèéìñòöøùü]") {
        let both = septets(&format!("{one}{other}"));
        prop_assert_eq!(both, Some(septets(&one).unwrap() + septets(&other).unwrap()));
        prop_assert!((one.len()..=2 * one.len()).contains(&septets(&one).unwrap()));
        let spoiled = format!("{one}{outside}{other}");
        prop_assert_eq!(septets(&spoiled), None);
    }

    #[test]
    fn a_login_is_never_longer_than_announced(
        site in "https://[a-z0-9.:-]{1,70}",
        domain in "[a-z0-9.-]{3,40}",
        clashes in 0..4_u32,
        left in prop::option::of(0..10_000_000_u64),
        pages in prop::option::of("https://[a-z0-9.:-]{1,70}"),
    ) {
        let left = left.map(Duration::from_secs);
        let username = Username::draw(clashes);
        let email = username.email(&domain);
        let password = Password::draw();
        let link = pages.map(|pages| link(&pages, &username, &password));
        let text = login(&site, &email, &password, left, link.as_deref());
        let length = septets(&text).unwrap();
        prop_assert!(length <= longest_login(&site, &domain, left).max(SEGMENT), "{text}");
        let lines: Vec<&str> = text.lines().collect();
        for part in [&site, &email, password.reveal()] {
            prop_assert!(lines.iter().any(|line| line.ends_with(part)), "no {part} in {text}");
        }
    }
}
