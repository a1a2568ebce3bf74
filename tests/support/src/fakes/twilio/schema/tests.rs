//! Every answer of the fake is held against the description, and a wrong one is found.

use serde_json::{Value, json};

use super::super::super::client::{Client, ClientAnswer};
use super::super::{Campaign, FakeTwilio, Fate};
use super::fields::{
    ACCOUNT, BRAND, CAMPAIGN, CHANNEL_SENDER, MEMBER, MESSAGE, NUMBER, SERVICE, SHORT_CODE,
    VERIFICATION,
};
use super::{Field, Kind, Shape, TwilioRoute, differences, object};

const PHONE: &str = "+14155550123";
const GONE: &str = "+14155550124";
const TOLL_FREE: &str = "+18885550123";

/// An account with something of everything, as every state shows it.
fn account(campaign: &str, brand: &str, toll_free: &str) -> FakeTwilio {
    let twilio = FakeTwilio::start_default();
    twilio.set_up(|setup| {
        let error = Some((30_897, "Disallowed Content".to_owned()));
        let elsewhere = Campaign {
            elsewhere: true,
            error,
            ..Campaign::of(campaign)
        };
        setup.campaigns = vec![Campaign::of(campaign), elsewhere];
        setup.brand = brand.to_owned();
        setup.toll_free = Some(toll_free.to_owned());
        setup.more_numbers = vec![TOLL_FREE.to_owned()];
        setup.short_codes = vec!["12345".to_owned()];
        setup.other_services = 2;
        setup.is_default = true;
    });
    twilio.fate_of(GONE, Fate::undelivered(30003));
    twilio
}

struct TestApi {
    client: Client,
    account: String,
}

impl TestApi {
    fn of(twilio: &FakeTwilio) -> Self {
        let account = twilio.account();
        Self {
            client: Client::new(&twilio.url()).basic(&account.account_sid, &account.account_token),
            account: format!("/2010-04-01/Accounts/{}", account.account_sid),
        }
    }

    fn reads(&mut self, target: &str) -> Value {
        let answer = self.client.get(target);
        assert_eq!(answer.status, 200, "{target}: {}", answer.body);
        answer.json()
    }

    fn sends(&mut self, params: &[(&str, &str)]) -> ClientAnswer {
        let target = format!("{}/Messages.json", self.account);
        self.client.form(&target, params)
    }
}

/// Asks for everything that there is, page by page.
fn plays(twilio: &FakeTwilio) {
    let mut api = TestApi::of(twilio);
    let (from, service) = (
        twilio.account().from_numbers[0].clone(),
        twilio.account().service_sid.clone(),
    );
    for sender in [("From", from.as_str()), ("MessagingServiceSid", &service)] {
        let sent = api.sends(&[("To", PHONE), sender, ("Body", "welcome")]);
        assert_eq!(sent.status, 201);
        let sid = sent.json()["sid"].as_str().expect("a name").to_owned();
        let target = format!("{}/Messages/{sid}.json", api.account);
        assert_eq!(api.client.form(&target, &[("Body", "")]).status, 200);
        api.reads(&target);
        assert_eq!(
            api.sends(&[("To", GONE), sender, ("Body", "x")]).status,
            201
        );
    }
    let account = api.account.clone();
    api.reads(&format!("{account}.json"));
    for list in [
        "Messages.json",
        "IncomingPhoneNumbers.json",
        "SMS/ShortCodes.json",
    ] {
        for page in 0..3 {
            api.reads(&format!("{account}/{list}?PageSize=1&Page={page}"));
        }
    }
    let base = format!("/v1/Services/{service}");
    for list in [
        "/v1/Services",
        &format!("{base}/PhoneNumbers"),
        &format!("{base}/ChannelSenders"),
        &format!("{base}/Compliance/Usa2p"),
        "/v1/Tollfree/Verifications",
    ] {
        for page in 0..3 {
            api.reads(&format!("{list}?PageSize=1&Page={page}"));
        }
    }
    api.reads(&base);
    let members = api.reads(&format!("{base}/PhoneNumbers"));
    let member = members["phone_numbers"][0]["sid"].as_str().expect("a name");
    api.reads(&format!("{base}/PhoneNumbers/{member}"));
    let campaigns = api.reads(&format!("{base}/Compliance/Usa2p"));
    let brand = campaigns["compliance"][0]["brand_registration_sid"].as_str();
    api.reads(&format!(
        "/v1/a2p/BrandRegistrations/{}",
        brand.expect("a name")
    ));
    // Refusals.
    assert_eq!(api.sends(&[("To", PHONE)]).status, 400);
    assert_eq!(
        api.client
            .get(&format!("/v1/Services/MG{}", "0".repeat(31)))
            .status,
        404
    );
    assert_eq!(
        Client::new(&twilio.url())
            .get(&format!("{account}.json"))
            .status,
        401
    );
}

#[test]
fn every_answer_is_as_twilio_describes_it() {
    for (campaign, brand, toll_free) in [
        ("VERIFIED", "APPROVED", "TWILIO_APPROVED"),
        ("FAILED", "FAILED", "TWILIO_REJECTED"),
        ("IN_PROGRESS", "IN_REVIEW", "PENDING_REVIEW"),
    ] {
        let twilio = account(campaign, brand, toll_free);
        plays(&twilio);
        assert_eq!(twilio.unexpected(), [""; 0]);
        twilio.set_up(|setup| setup.nulls = nullable_everywhere());
        plays(&twilio);
        assert_eq!(twilio.unexpected(), [""; 0]);
    }
}

/// Names that may be null in whatever row they stand; without those by which the test finds its way.
fn nullable_everywhere() -> Vec<&'static str> {
    let fields = || all().flat_map(|(_, fields)| fields);
    let never = |name: &str| fields().any(|field| field.name == name && !field.nullable);
    let way = ["sid", "brand_registration_sid"];
    let names = fields().map(|field| field.name);
    names
        .filter(|name| !never(name) && !way.contains(name))
        .collect()
}

fn all() -> impl Iterator<Item = (&'static str, &'static [Field])> {
    [
        ("message", MESSAGE),
        ("account", ACCOUNT),
        ("number", NUMBER),
        ("short code", SHORT_CODE),
        ("service", SERVICE),
        ("member", MEMBER),
        ("channel sender", CHANNEL_SENDER),
        ("campaign", CAMPAIGN),
        ("brand", BRAND),
        ("verification", VERIFICATION),
    ]
    .into_iter()
}

/// A value of that kind.
fn example(kind: Kind) -> Value {
    match kind {
        Kind::Text => json!("words"),
        Kind::Whole => json!(7),
        Kind::Flag => json!(true),
        Kind::Object => json!({}),
        Kind::List => json!([]),
        Kind::Word(words) => json!(words[0]),
        Kind::Sid(kinds) => json!(format!("{}{}", &kinds[..2], "0".repeat(32))),
        Kind::Rfc2822 => json!("Mon, 05 Oct 2026 08:00:00 +0000"),
        Kind::Rfc3339 => json!("2026-10-05T08:00:00Z"),
    }
}

#[test]
fn a_field_that_is_missing_new_or_of_another_type_is_found() {
    for (what, fields) in all() {
        let whole: Value = fields
            .iter()
            .map(|field| (field.name.to_owned(), example(field.kind)))
            .collect();
        assert_eq!(object(what, fields, &whole), [""; 0]);
        for field in fields {
            let changed = |value: Option<Value>| {
                let mut row = whole.as_object().cloned().expect("an object");
                match value {
                    Some(value) => row.insert(field.name.to_owned(), value),
                    None => row.remove(field.name),
                };
                object(what, fields, &Value::Object(row)).len()
            };
            assert_eq!(changed(None), 1, "{what} {}", field.name);
            assert_eq!(changed(Some(json!(1.5))), 1, "{what} {}", field.name);
            let null = usize::from(!field.nullable);
            assert_eq!(changed(Some(Value::Null)), null, "{what} {}", field.name);
        }
        let mut more = whole.clone();
        more["new_field"] = json!(1);
        assert_eq!(object(what, fields, &more).len(), 1, "{what}");
    }
}

#[test]
fn what_is_not_described_is_found() {
    let page = json!({"services": []}).to_string();
    assert_eq!(
        differences(&TwilioRoute::Services, 200, page.as_bytes()).len(),
        1
    );
    assert_eq!(differences(&TwilioRoute::Unknown, 200, b"{}").len(), 1);
    assert_eq!(differences(&TwilioRoute::TollFree, 302, b"").len(), 1);
    assert_eq!(differences(&TwilioRoute::TollFree, 403, b"<html>").len(), 1);
    assert!(Shape::of(&TwilioRoute::Unknown).is_none());
}
