//! The last line of a text: who sends it, and how to end that.
//!
//! Carriers of the United States ask for both (<https://www.twilio.com/docs/api/errors/30893>). A text never becomes two
//! for it. In one segment the login comes first, then the link that saves typing it, and this line takes what room
//! is left: of the texts of a phone the notices always have some, and one sample has to show it.

use super::reply::{is_one_segment, with_line};

fn line(organization: &str) -> String {
    format!("{organization}. Reply STOP to opt out")
}

/// A login that says who sends it, if one segment has room for it.
pub fn login_from(organization: Option<&str>, login: String) -> String {
    let with_sender = organization.and_then(|name| with_line(&login, &line(name)));
    with_sender.unwrap_or(login)
}

/// A notice that says who sends it, if one segment has room for it.
pub fn notice_from(organization: Option<&str>, notice: &str) -> String {
    let with_sender = organization.map(|name| format!("{notice}\n{}", line(name)));
    let fitting = with_sender.filter(|text| is_one_segment(text));
    fitting.unwrap_or_else(|| notice.to_owned())
}

/// Whether a text says who sends it.
pub fn names_sender(organization: &str, text: &str) -> bool {
    text.ends_with(&line(organization))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::reply;
    use super::*;
    use crate::domain::{OptWord, Password};

    const NAME: &str = "Example University";

    fn login(site: &str, link: Option<&str>) -> String {
        let email = "happy-tuna@example.org";
        let left = Some(Duration::from_secs(43_200));
        reply::login(site, email, &Password::draw(), left, link)
    }

    #[test]
    fn a_login_says_who_sends_it_where_one_text_has_room() {
        let plain = login("https://coder.example.org", None);
        let with = login_from(Some(NAME), plain.clone());
        assert_eq!(
            with,
            format!("{plain}\nExample University. Reply STOP to opt out")
        );
        assert!(names_sender(NAME, &with) && !names_sender(NAME, &plain));
        assert!(is_one_segment(&with));
        assert_eq!(login_from(None, plain.clone()), plain);
        // Labels give way to it.
        let plain = login("https://coder.informatik.uni-irgendwo.example", None);
        let with = login_from(Some(NAME), plain.clone());
        assert!(plain.contains("Your Coder login") && plain.contains("E-mail: "));
        assert!(!with.contains("Your Coder login") && !with.contains("E-mail: "));
        assert!(names_sender(NAME, &with) && is_one_segment(&with));
    }

    #[test]
    fn neither_the_login_nor_its_link_gives_way_and_no_text_becomes_two() {
        let link = "https://sms.example.org/#happy-tuna:mfkt8-r3tnz-vk2pd";
        let linked = login("https://coder.example.org", Some(link));
        assert!(linked.ends_with(link));
        let plain = login("https://coder.example.org", None);
        for (login, name) in [
            (linked, NAME),
            (
                plain.clone(),
                "A rather long name of an organization and of its faculty",
            ),
            (plain, "Uniwersytet Łódzki"),
        ] {
            assert_eq!(login_from(Some(name), login.clone()), login, "{name}");
        }
        let long = reply::no_password(&format!("https://{}.org", "x".repeat(40)), "a@example.org");
        assert_eq!(notice_from(Some(NAME), &long), long);
    }

    #[test]
    fn notices_say_who_sends_them_and_a_reaction_to_one_is_still_known() {
        for notice in [
            reply::hint(),
            reply::full(),
            reply::no_more(),
            reply::not_yet(60),
        ] {
            for name in [NAME, "Universität für Bodenkultur Wien"] {
                let text = notice_from(Some(name), &notice);
                assert!(names_sender(name, &text) && is_one_segment(&text), "{text}");
                let reaction = format!("Liked “{text}”");
                assert!(reply::repeats_notice(&reaction), "{reaction}");
                assert_eq!(OptWord::in_body(&reaction), None);
            }
            assert_eq!(notice_from(None, &notice), notice);
        }
    }

    #[test]
    fn the_answer_that_is_asked_for_is_an_opt_out() {
        assert_eq!(OptWord::in_body("STOP"), Some(OptWord::Stop));
        assert!(line(NAME).contains("Reply STOP"));
    }
}
