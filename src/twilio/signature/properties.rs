//! Properties of every signature, checked against a second, independent implementation.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::properties::drawn;

const URL: &str = "https://sms.example.org/inbound?class=7";
const TOKEN: &str = "the token of the account";

type Params = Vec<(String, String)>;

/// The signed text: the URL and every pair once, in order.
fn text(params: &Params) -> String {
    let pairs: BTreeSet<&(String, String)> = params.iter().collect();
    let pairs: Vec<String> = pairs.iter().map(|(n, v)| format!("{n}{v}")).collect();
    format!("{URL}{}", pairs.concat())
}

/// HMAC by its definition (RFC 2104): two hashes, for a key that is not longer than a block.
fn sign(params: &Params) -> String {
    use sha1::Digest;
    let pad = |with: u8| -> Vec<u8> {
        let key = TOKEN.bytes().chain(std::iter::repeat(0));
        key.take(64).map(|byte| byte ^ with).collect()
    };
    let inner = Sha1::digest([pad(0x36), text(params).into_bytes()].concat());
    STANDARD.encode(Sha1::digest([pad(0x5c), inner.to_vec()].concat()))
}

fn accepts(params: &Params, signature: &str) -> bool {
    let verifier = Verifier::new(&SignedUrl::parse(URL).unwrap(), &[Secret::new(TOKEN)], &[]);
    verifier
        .check(&Signer::AuthToken, params, signature)
        .is_ok()
}

fn params(least: usize) -> impl Strategy<Value = Params> {
    prop::collection::vec(
        (
            "[a-cA-C]{0,3}|\\PC{0,6}|FromCou[a-c\x00]{0,4}",
            "[ a-c0-2]{0,4}|.{0,8}",
        ),
        least..8,
    )
}

/// Parameters, and the same ones in another order, some of them twice.
fn reordered() -> impl Strategy<Value = (Params, Params)> {
    (params(0), any::<prop::sample::Index>()).prop_flat_map(|(params, twice)| {
        let mut more = params.clone();
        if !params.is_empty() {
            more.push(params[twice.index(params.len())].clone());
        }
        (Just(params), Just(more).prop_shuffle())
    })
}

proptest! {
    #![proptest_config(drawn())]

    #[test]
    fn order_and_repetition_never_count((params, others) in reordered()) {
        let signature = sign(&params);
        prop_assert!(accepts(&params, &signature));
        prop_assert!(accepts(&others, &signature));
    }

    #[test]
    fn other_parameters_need_another_signature(
        params in params(1), which in any::<prop::sample::Index>(), letter in "[a-cA-C0-2 é]", of_name in any::<bool>()
    ) {
        let mut others = params.clone();
        let (name, value) = &mut others[which.index(params.len())];
        if of_name { name.push_str(&letter) } else { value.push_str(&letter) }
        // Twilio signs no separators, so that a letter may move from a value to the next name.
        let same = text(&others) == text(&params);
        prop_assert_eq!(accepts(&others, &sign(&params)), same);
    }

    #[test]
    fn any_other_signature_is_refused(
        params in params(0), place in 0..28_usize, letter in "[A-Za-z0-9+/= ]"
    ) {
        let signature = sign(&params);
        let mut other = signature.clone();
        other.replace_range(place..=place, &letter);
        prop_assert_eq!(accepts(&params, &other), other == signature);
        prop_assert!(!accepts(&params, &signature[..27]));
        let longer = format!("{signature}{letter}");
        prop_assert!(!accepts(&params, &longer));
    }
}
