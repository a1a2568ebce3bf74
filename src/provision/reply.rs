//! The texts that students get, and their length as the network measures it.

use std::time::Duration;

use crate::domain::{Password, UnixSeconds, Username, letters_of, span};

/// The capacity of one SMS in septets of GSM 03.38. A longer text is split and billed as several.
pub const SEGMENT: usize = 160;

/// The first line of a login.
const HEADING: &str = "Your Coder login\n";

/// Number of letters of a notice that a text must repeat: more than can happen by chance.
const REPEATED: usize = 20;

/// The login; one segment at the lengths that occur. `link` is added if there is room for it in one
/// segment.
pub fn login(
    site: &str,
    email: &str,
    password: &Password,
    left: Option<Duration>,
    link: Option<&str>,
) -> String {
    let plain = compose(site, email, password.reveal(), left);
    let Some(link) = link else {
        return plain;
    };
    // The link explains itself better than the heading does, and an e-mail address is known as one.
    let headless = plain.strip_prefix(HEADING).unwrap_or(&plain);
    let terse = headless.replacen("\nE-mail: ", "\n", 1);
    let terse = terse.replacen("\nTime left: ", "\n", 1);
    for text in [&plain, headless, &terse] {
        let text = format!("{text}\n{link}");
        if septets(&text).is_some_and(|length| length <= SEGMENT) {
            return text;
        }
    }
    plain
}

/// A login that leads to the student's workspace at `path` in place of Coder's first page, if one segment has
/// room for it. `login` is a login with the address `site`.
pub fn to_workspace(login: String, site: &str, path: &str) -> String {
    let longer = login.replacen(site, &format!("{site}{path}"), 1);
    match septets(&longer) {
        Some(length) if length <= SEGMENT => longer,
        _ => login,
    }
}

/// A link to `pages` that signs in the browser that opens it. What follows `#` reaches no server.
pub fn link(pages: &str, username: &Username, password: &Password) -> String {
    format!("{pages}/#{}:{}", username.as_str(), password.reveal())
}

/// The reply to a text that is not the phrase.
pub fn hint() -> String {
    "That is not the phrase for a Coder login. Please check it and text it once more.".to_owned()
}

/// The reply to the phrase if the student has changed the password.
pub fn own_password(site: &str, email: &str) -> String {
    let words = "You changed your password. Use your own, or ask your instructor.";
    without_password(words, site, email)
}

/// The reply to the phrase if the password is not known and cannot be set.
pub fn no_password(site: &str, email: &str) -> String {
    let words = "Your login cannot be sent again. Use the one you have, or ask your instructor.";
    without_password(words, site, email)
}

fn without_password(words: &str, site: &str, email: &str) -> String {
    let full = format!("{words}\n{site}\n{email}");
    if septets(&full).is_some_and(|length| length <= SEGMENT) {
        return full;
    }
    // The student knows the address of the site from the first login.
    format!("{words}\n{email}")
}

/// The reply to the phrase when all seats are taken.
pub fn full() -> String {
    "This class is full: all Coder logins are taken for now. Please ask your instructor.".to_owned()
}

/// The reply to the phrase of a class that opens in `left` seconds. Rounded up, so that nobody comes too early.
pub fn not_yet(left: UnixSeconds) -> String {
    let step = if left < 86_400 { 60 } else { 3_600 };
    let whole = (left.max(1) + step - 1) / step * step;
    format!(
        "The class of this phrase opens in {}. Please text it again then.",
        span(whole)
    )
}

/// The reply to the phrase of a class that gives no accounts any more.
pub fn no_more() -> String {
    "This class does not give logins any more. Please ask your instructor.".to_owned()
}

/// The reply to the phrase of a class while the phone has the login `email` of the class `name` for another
/// `left` seconds; `None` = without end.
pub fn other_class(name: &str, email: &str, left: Option<UnixSeconds>) -> String {
    let time = left.map_or_else(String::new, |left| format!("\nTime left: {}", span(left)));
    let plain = format!("You have a Coder login of another class ({name}):\n{email}{time}");
    let full = format!("{plain}\nText this phrase again after that.");
    let fits = left.is_some() && septets(&full).is_some_and(|length| length <= SEGMENT);
    if fits { full } else { plain }
}

/// What a screen shows in place of a login.
pub fn no_login(reason: &str) -> String {
    format!("No login: {reason}. Please ask your instructor.")
}

/// Whether a text contains a login of ours: an address of our e-mail domain, or a password. To report a
/// reaction, phones repeat the text, each in words of its own language (`Liked "..."`, `👍 to "..."`).
/// So the repeated part decides.
pub fn holds_login(body: &str, domain: &str) -> bool {
    let domain = domain.to_ascii_lowercase();
    let body = body.to_ascii_lowercase();
    let is_address = |at: usize| {
        let before = body[..at].chars().next_back();
        before.is_some_and(|c| c.is_ascii_alphanumeric()) && body[at + 1..].starts_with(&domain)
    };
    body.match_indices('@').any(|(at, _)| is_address(at)) || Password::is_in(&body)
}

/// Whether a text repeats a notice of ours or its beginning: phones shorten long texts.
pub fn repeats_notice(body: &str) -> bool {
    let letters = letters_of(body);
    let begins =
        |notice: String| -> String { letters_of(&notice).chars().take(REPEATED).collect() };
    // The addresses at the end of a notice are not among the letters compared.
    let notices = [
        hint(),
        full(),
        not_yet(0),
        no_more(),
        other_class("", "", None),
        own_password("", ""),
        no_password("", ""),
    ];
    notices
        .map(begins)
        .iter()
        .any(|beginning| letters.contains(beginning))
}

/// The length in septets of the longest login that can be sent with this address and e-mail domain.
pub fn longest_login(site: &str, domain: &str, left: Option<Duration>) -> usize {
    let email = format!("{}@{domain}", "x".repeat(Username::LONGEST));
    let text = compose(site, &email, &"x".repeat(Password::LENGTH), left);
    septets(&text).unwrap_or(usize::MAX)
}

fn compose(site: &str, email: &str, password: &str, left: Option<Duration>) -> String {
    // Rounded down, so that no student is told more time than there is.
    let time = left.map(|left| span(i64::try_from(left.as_secs()).unwrap_or(i64::MAX)));
    let last = time
        .as_ref()
        .map_or_else(String::new, |time| format!("\nTime left: {time}"));
    let full = format!("{HEADING}{site}\nE-mail: {email}\nPassword: {password}{last}");
    if septets(&full).is_some_and(|length| length <= SEGMENT) {
        return full;
    }
    // With a long host or domain name, the labels are left out first: a student can guess them.
    let last = time.map_or_else(String::new, |time| format!("\n{time}"));
    format!("{site}\n{email}\n{password}{last}")
}

/// The length in septets; `None` if a character is not in the basic set or its extension
/// (3GPP TS 23.038, section 6.2.1). Such a character would halve the capacity.
pub fn septets(text: &str) -> Option<usize> {
    const SIGNS: &str = " \n\r!\"#$%&'()*+,-./:;<=>?@_";
    text.chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' => Some(1),
            c if SIGNS.contains(c) => Some(1),
            '^' | '{' | '}' | '\\' | '[' | ']' | '~' | '|' => Some(2),
            _ => None,
        })
        .sum()
}

#[cfg(test)]
mod tests {
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
        assert!(full().contains("class is full"));
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
        assert_eq!(septets("\u{201c}"), None);
        assert_eq!(septets("`"), None);
    }

    proptest! {
        #![proptest_config(drawn())]

        #[test]
        fn septets_add_up(one in "[ -_a-~\\n]{0,40}", other in "[ -_a-~\\n]{0,40}", outside in "[^ -~\\n\\r]") {
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
}
