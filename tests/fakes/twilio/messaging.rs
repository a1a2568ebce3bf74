//! The Messaging Service of the account, as the messaging host tells of it, and what carriers know of
//! its numbers.

use serde_json::{Value, json};

use super::super::server::{Reply, Request};
use super::list::number_sid;
use super::{Setup, TwilioAccount};

fn page(key: &str, rows: Vec<Value>) -> Reply {
    let meta = json!({
        "page": 0,
        "page_size": 50,
        "next_page_url": Value::Null,
        "previous_page_url": Value::Null,
        "key": key,
    });
    let mut body = json!({ "meta": meta });
    body[key] = Value::Array(rows);
    Reply::json(200, &body)
}

fn row(account: &TwilioAccount, setup: &Setup) -> Value {
    json!({
        "sid": account.service_sid,
        "account_sid": account.account_sid,
        "friendly_name": "classroom",
        "inbound_request_url": setup.service_url,
        "inbound_method": setup.service_method,
        "fallback_url": Value::Null,
        "use_inbound_webhook_on_number": setup.on_number,
        "us_app_to_person_registered": setup.campaign.as_deref() == Some("VERIFIED"),
    })
}

/// `GET /v1/Services`
pub fn services(account: &TwilioAccount, setup: &Setup) -> Reply {
    page("services", vec![row(account, setup)])
}

/// `GET /v1/Services/{sid}`
pub fn service(account: &TwilioAccount, setup: &Setup, sid: &str) -> Option<Reply> {
    (sid == account.service_sid).then(|| Reply::json(200, &row(account, setup)))
}

fn member_row(account: &TwilioAccount, setup: &Setup, number: &str) -> Value {
    let able: &[&str] = if setup.sms {
        &["SMS", "MMS", "Voice"]
    } else {
        &["Voice"]
    };
    json!({
        "sid": number_sid(account, number),
        "service_sid": account.service_sid,
        "phone_number": number,
        "country_code": if number.starts_with("+1") { "US" } else { "DE" },
        "capabilities": able,
    })
}

fn within<'a>(
    account: &'a TwilioAccount,
    setup: &Setup,
    sid: &str,
) -> Option<impl Iterator<Item = &'a String>> {
    let kept = if setup.in_service { usize::MAX } else { 0 };
    (sid == account.service_sid).then(|| account.from_numbers.iter().take(kept))
}

/// `GET /v1/Services/{sid}/PhoneNumbers`
pub fn members(account: &TwilioAccount, setup: &Setup, sid: &str) -> Option<Reply> {
    let numbers = within(account, setup, sid)?;
    let rows = numbers.map(|number| member_row(account, setup, number));
    Some(page("phone_numbers", rows.collect()))
}

/// `GET /v1/Services/{sid}/PhoneNumbers/{number's sid}`
pub fn member(account: &TwilioAccount, setup: &Setup, sid: &str, wanted: &str) -> Option<Reply> {
    let mut numbers = within(account, setup, sid)?;
    let number = numbers.find(|number| number_sid(account, number) == wanted)?;
    Some(Reply::json(200, &member_row(account, setup, number)))
}

/// `GET /v1/Services/{sid}/Compliance/Usa2p`
pub fn campaigns(account: &TwilioAccount, setup: &Setup, sid: &str) -> Option<Reply> {
    let row = |status: &String| {
        json!({
            "sid": "QE2c6890da8086d771620e9b13fadeba0b",
            "messaging_service_sid": account.service_sid,
            "campaign_status": status,
        })
    };
    let rows = setup.campaign.iter().map(row).collect();
    (sid == account.service_sid).then(|| page("compliance", rows))
}

/// `GET /v1/Tollfree/Verifications`
pub fn toll_free(account: &TwilioAccount, setup: &Setup, request: &Request) -> Reply {
    let wanted = request.query_value("TollfreePhoneNumberSid");
    let row = |status: &String| {
        json!({
            "sid": "HH2c6890da8086d771620e9b13fadeba0b",
            "account_sid": account.account_sid,
            "tollfree_phone_number_sid": wanted,
            "status": status,
        })
    };
    page("verifications", setup.toll_free.iter().map(row).collect())
}
