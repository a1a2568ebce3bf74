use super::*;
use serde_json::Value;

fn vectors() -> Vec<Value> {
    listed("vectors")
}

fn listed(name: &str) -> Vec<Value> {
    let file: Value =
        serde_json::from_str(include_str!("../../../tests/data/twilio-signatures.json")).unwrap();
    file[name].as_array().unwrap().clone()
}

fn verifier(url: &SignedUrl, tokens: &[&str]) -> Verifier {
    let tokens: Vec<Secret> = tokens.iter().copied().map(Secret::new).collect();
    Verifier::new(url, &tokens, &[])
}

fn accepts(verifier: &Verifier, params: &[(String, String)], signature: &str) -> bool {
    verifier
        .check(&Signer::AuthToken, params, signature)
        .is_ok()
}

fn decoded(body: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("")
}

#[test]
fn every_form_vector_of_the_official_library_agrees() {
    let mut seen = 0;
    for vector in vectors() {
        if text(&vector, "content_type") == "application/json" {
            continue;
        }
        let url = SignedUrl::parse(text(&vector, "url")).unwrap();
        let verifier = verifier(&url, &[text(&vector, "auth_token")]);
        let params = decoded(text(&vector, "raw_body"));
        let accepted = accepts(&verifier, &params, text(&vector, "signature"));
        assert_eq!(Value::Bool(accepted), vector["valid"], "{}", vector["name"]);
        seen += 1;
    }
    assert_eq!(seen, 23);
}

#[test]
fn json_vectors_sign_the_url_alone() {
    // The body of a JSON request is covered by a hash in the URL. We accept no JSON at all (400
    // before any signature), so only the part of these two vectors about the URL applies.
    let json: Vec<Value> = vectors()
        .into_iter()
        .filter(|v| text(v, "content_type") == "application/json")
        .collect();
    assert_eq!(json.len(), 2);
    for vector in json {
        let url = SignedUrl::parse(text(&vector, "url")).unwrap();
        let verifier = verifier(&url, &[text(&vector, "auth_token")]);
        assert!(accepts(&verifier, &[], text(&vector, "signature")));
    }
}

#[test]
fn our_own_signature_is_accepted() {
    let url = SignedUrl::parse("https://sms.example.org/inbound").unwrap();
    let params = decoded("B=2&A=1");
    let signature = sign(&url, &Secret::new("token"), &params);
    assert!(accepts(&verifier(&url, &["token"]), &params, &signature));
    let key = shared(Some(KEY), "secret");
    let keyed = Verifier::new(&url, &[], std::slice::from_ref(&key));
    let signer = Signer::read(&settings_of(&key));
    let signature = sign_with_key(&url, &key, &params);
    assert_eq!(keyed.check(&signer, &params, &signature), Ok(()));
}

#[test]
fn old_and_new_token_count_during_a_rotation() {
    let url = SignedUrl::parse("https://sms.example.org/inbound").unwrap();
    let params = decoded("Body=hi");
    let sign = |token: &str| sign(&url, &Secret::new(token), &params);
    let both = verifier(&url, &["old", "new"]);
    assert!(accepts(&both, &params, &sign("old")));
    assert!(accepts(&both, &params, &sign("new")));
    assert!(!accepts(&both, &params, &sign("older")));
    assert!(!accepts(&both, &params, ""));
    assert!(!accepts(&both, &decoded("Body=ho"), &sign("new")));
}

const KEY: &str = "webhooks_sharedkey_01kzm8v9x2f7q4t6w8y0a1b2c3";
const OTHER: &str = "webhooks_sharedkey_01kzm8v9x2f7q4t6w8y0a1b2c4";

fn shared(id: Option<&str>, secret: &str) -> SharedKey {
    SharedKey {
        id: id.map(|id| KeyId::parse(id).unwrap()),
        secret: Secret::new(secret),
    }
}

#[test]
fn each_key_signs_under_its_own_name_and_an_unnamed_one_under_any() {
    let url = SignedUrl::parse("https://sms.example.org/inbound").unwrap();
    let params = decoded("Body=hi");
    let id = |id| KeyId::parse(id);
    let signed = |secret: &str| sign_with_key(&url, &shared(None, secret), &params);
    let says = |key: &str| Signer::read(&format!("key={key},algorithm=HMAC_SHA256"));
    let named = [shared(Some(KEY), "one"), shared(Some(OTHER), "two")];
    let mixed = [shared(None, "one"), shared(Some(OTHER), "two")];
    let third = "webhooks_sharedkey_01kzm8v9x2f7q4t6w8y0a1b2c5";
    for (keys, name, secret, verdict) in [
        (&named[..], KEY, "one", Ok(())),
        (&named, OTHER, "two", Ok(())),
        (&named, "", "two", Ok(())),
        (&named, KEY, "two", Err(SignatureError::Key(id(KEY)))),
        (&named, KEY, "three", Err(SignatureError::Key(id(KEY)))),
        (&named, "", "three", Err(SignatureError::Key(None))),
        (&named, third, "one", Err(SignatureError::NoKey(id(third)))),
        (&mixed, third, "one", Ok(())),
        (&mixed, third, "two", Err(SignatureError::Key(id(third)))),
        (&mixed, OTHER, "two", Ok(())),
        (&[], KEY, "one", Err(SignatureError::NoKey(id(KEY)))),
        (&[], "", "one", Err(SignatureError::NoKey(None))),
    ] {
        let verifier = Verifier::new(&url, &[Secret::new("token")], keys);
        let checked = verifier.check(&says(name), &params, &signed(secret));
        assert_eq!(checked, verdict, "{name} {secret} of {keys:?}");
    }
}

#[test]
fn a_secret_counts_only_for_its_own_kind_of_signature() {
    let url = SignedUrl::parse("https://sms.example.org/inbound").unwrap();
    let params = decoded("Body=hi");
    let verifier = Verifier::new(&url, &[Secret::new("token")], &[shared(Some(KEY), "key")]);
    let check =
        |signer: &str, signature: &str| verifier.check(&Signer::read(signer), &params, signature);
    let by_key = format!("key={KEY},algorithm=HMAC_SHA256");
    let by_key_sha1 = format!("key={KEY},algorithm=HMAC_SHA1");
    let token = Secret::new("token");
    let (sha1, sha256) = (
        sign(&url, &Secret::new("key"), &params),
        sign_with_key(&url, &shared(None, "key"), &params),
    );
    assert_eq!(check(&by_key, &sha256), Ok(()));
    assert_eq!(check(&by_key_sha1, &sha1), Ok(()));
    assert_eq!(check("", &sign(&url, &token, &params)), Ok(()));
    // The token does not count as a key, the key not as a token, and one algorithm not as the
    // other.
    let token_as_key = sign_with_key(&url, &shared(None, "token"), &params);
    for (signer, signature) in [
        (by_key.as_str(), token_as_key.as_str()),
        ("", &sha1),
        ("", &sha256),
        (&by_key, &sha1),
        (&by_key_sha1, &sha256),
        (&by_key, ""),
        (&by_key, &sha256[1..]),
        (&format!("key={KEY},algorithm=HMAC_MD5"), &sha256),
    ] {
        assert!(check(signer, signature).is_err(), "{signer} {signature}");
    }
    let keys_only = Verifier::new(&url, &[], &[shared(Some(KEY), "key")]);
    let checked = keys_only.check(&Signer::AuthToken, &params, &sign(&url, &token, &params));
    assert_eq!(checked, Err(SignatureError::NoToken));
}

#[test]
fn every_shared_key_vector_of_the_official_library_agrees() {
    let vectors = listed("shared_key_vectors");
    assert_eq!(vectors.len(), 4);
    for vector in vectors {
        let url = SignedUrl::parse(text(&vector, "url")).unwrap();
        let signer = Signer::read(text(&vector, "settings"));
        let params = decoded(text(&vector, "raw_body"));
        let check = |secret: &str| {
            Verifier::new(&url, &[], &[shared(Some(KEY), secret)]).check(
                &signer,
                &params,
                text(&vector, "signature"),
            )
        };
        assert_eq!(check(text(&vector, "secret")), Ok(()), "{}", vector["name"]);
        assert!(check("another secret").is_err(), "{}", vector["name"]);
    }
}

#[test]
fn a_signature_is_accepted_for_every_spelling_that_a_library_makes_of_the_url() {
    let vectors = listed("spelling_vectors");
    assert_eq!(vectors.len(), 28);
    for vector in vectors {
        let url = SignedUrl::parse(text(&vector, "configured")).unwrap();
        let params = decoded(text(&vector, "raw_body"));
        let token = text(&vector, "auth_token");
        let signature = text(&vector, "signature");
        assert!(
            accepts(&verifier(&url, &[token]), &params, signature),
            "{vector}"
        );
        let elsewhere = SignedUrl::parse("https://else.example.org/in").unwrap();
        assert!(
            !accepts(&verifier(&elsewhere, &[token]), &params, signature),
            "{vector}"
        );
    }
}
