//! What holds of every form.

use proptest::prelude::*;

use super::draft::{ACCOUNT, SID, judge, sign};
use crate::properties::drawn;

const URL: &str = "https://sms.example.org/twilio?class=7";
const TOKEN: &str = "the token of the account";

/// Escapes every byte: another spelling of what the serializer writes.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn form(from: &str, words: &str, spell: impl Fn(&str) -> String) -> Vec<String> {
    [
        ("AccountSid", ACCOUNT),
        ("MessageSid", SID),
        ("From", from),
        ("Body", words),
    ]
    .map(|(name, value)| format!("{}={}", spell(name), spell(value)))
    .into()
}

proptest! {
    #![proptest_config(drawn())]

    #[test]
    fn a_text_arrives_as_it_was_written(
        from in ".{0,20}", words in "(?s).{0,60}", order in Just([0_usize, 1, 2, 3]).prop_shuffle()
    ) {
        let plain = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect();
        for fields in [form(&from, &words, plain), form(&from, &words, escaped)] {
            let signature = sign(&fields.join("&"));
            let body = order.map(|at| fields[at].as_str()).join("&");
            let text = judge(URL, TOKEN, ACCOUNT).judge_form(&signature, body.as_bytes()).unwrap();
            prop_assert_eq!((text.sid.as_str(), &text.from, &text.body), (SID, &from, &words));
        }
    }

    #[test]
    fn a_text_changed_on_its_way_is_refused(
        words in "[a-z +%0-9]{1,40}", place in any::<prop::sample::Index>(), sign_of_it in "[!-~]"
    ) {
        let plain = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let body = form("+14155550123", &words, plain).join("&");
        let mut other = body.clone();
        let at = place.index(body.len());
        other.replace_range(at..=at, &sign_of_it);
        let read = |body: &str| -> Vec<(String, String)> {
            let mut pairs: Vec<_> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
            pairs.sort();
            pairs
        };
        let text = |body: &str| -> String {
            read(body).into_iter().map(|(name, value)| name + &value).collect()
        };
        let judged = judge(URL, TOKEN, ACCOUNT).judge_form(&sign(&body), other.as_bytes());
        // Twilio signs no separators: an `=` may move within its pair, and then a field has another name.
        if text(&other) != text(&body) {
            prop_assert_eq!(judged.unwrap_err().status, 403);
        } else if let Ok(judged) = judged {
            prop_assert!(judged.body == words || read(&other) != read(&body));
        }
    }
}
