//! The account, its numbers and its short codes.

use serde_json::{Value, json};

use super::super::server::{Reply, Request};
use super::fault::TwilioFault;
use super::pages::{of_2010, with_nulls};
use super::{Setup, TwilioAccount};

/// When everything was made.
const MADE: &str = "Mon, 05 Oct 2026 08:00:00 +0000";

/// Twilio's name for a number.
pub fn number_sid(account: &TwilioAccount, number: &str) -> String {
    let digits = number.trim_start_matches('+');
    format!("PN{}{digits:0>12}", &account.account_sid[2..22])
}

/// The numbers of the account.
pub fn owned<'a>(account: &'a TwilioAccount, setup: &'a Setup) -> impl Iterator<Item = &'a String> {
    let kept = if setup.owns_numbers { usize::MAX } else { 0 };
    let all = account.from_numbers.iter().chain(&setup.more_numbers);
    all.take(kept)
}

/// `GET /2010-04-01/Accounts/{sid}.json`
pub fn record(account: &TwilioAccount, setup: &Setup) -> Reply {
    let uri = format!("/2010-04-01/Accounts/{}", account.account_sid);
    let row = json!({
        "auth_token": account.account_token,
        "date_created": MADE,
        "date_updated": MADE,
        "friendly_name": "classroom",
        "owner_account_sid": account.account_sid,
        "sid": account.account_sid,
        "status": setup.status,
        "subresource_uris": { "messages": format!("{uri}/Messages.json") },
        "type": setup.kind,
        "uri": format!("{uri}.json"),
    });
    Reply::json(200, &with_nulls(row, &setup.nulls))
}

/// `GET .../IncomingPhoneNumbers.json`
pub fn numbers(
    account: &TwilioAccount,
    setup: &Setup,
    request: &Request,
) -> Result<Reply, TwilioFault> {
    let wanted = request.query_value("PhoneNumber").unwrap_or_default();
    let rows = owned(account, setup)
        .filter(|number| number.contains(&wanted))
        .map(|number| with_nulls(number_row(account, setup, number), &setup.nulls));
    of_2010(request, "incoming_phone_numbers", rows.collect())
}

fn number_row(account: &TwilioAccount, setup: &Setup, number: &str) -> Value {
    let sid = number_sid(account, number);
    let able = setup.sms;
    json!({
        "account_sid": account.account_sid,
        "address_sid": null,
        "address_requirements": "none",
        "api_version": "2010-04-01",
        "beta": false,
        "capabilities": { "voice": true, "sms": able, "mms": able, "fax": false },
        "date_created": MADE,
        "date_updated": MADE,
        "friendly_name": number,
        "identity_sid": null,
        "phone_number": number,
        "origin": "twilio",
        "sid": sid,
        "sms_application_sid": setup.sms_application_sid,
        "sms_fallback_method": "POST",
        "sms_fallback_url": "",
        "sms_method": setup.sms_method,
        "sms_url": setup.sms_url,
        "status_callback": "",
        "status_callback_method": "POST",
        "trunk_sid": null,
        "uri": format!("/2010-04-01/Accounts/{}/IncomingPhoneNumbers/{sid}.json", account.account_sid),
        "voice_receive_mode": "voice",
        "voice_application_sid": "",
        "voice_caller_id_lookup": false,
        "voice_fallback_method": "POST",
        "voice_fallback_url": null,
        "voice_method": "POST",
        "voice_url": null,
        "emergency_status": "Inactive",
        "emergency_address_sid": null,
        "emergency_address_status": "unregistered",
        "bundle_sid": null,
        "status": "in-use",
        "type": "local",
    })
}

/// `GET .../SMS/ShortCodes.json`
pub fn short_codes(
    account: &TwilioAccount,
    setup: &Setup,
    request: &Request,
) -> Result<Reply, TwilioFault> {
    let wanted = request.query_value("ShortCode").unwrap_or_default();
    let row = |code: &String| {
        let sid = format!("SC{code:0>32}");
        let row = json!({
            "account_sid": account.account_sid,
            "api_version": "2010-04-01",
            "date_created": MADE,
            "date_updated": MADE,
            "friendly_name": code,
            "short_code": code,
            "sid": sid,
            "sms_fallback_method": "POST",
            "sms_fallback_url": null,
            "sms_method": setup.sms_method,
            "sms_url": setup.sms_url,
            "uri": format!("/2010-04-01/Accounts/{}/SMS/ShortCodes/{sid}.json", account.account_sid),
        });
        with_nulls(row, &setup.nulls)
    };
    let found = setup
        .short_codes
        .iter()
        .filter(|code| code.contains(&wanted));
    of_2010(request, "short_codes", found.map(row).collect())
}
