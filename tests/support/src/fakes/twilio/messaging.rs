//! The Messaging Services of the account, and what carriers know of its numbers, as the messaging host
//! tells of them.

use serde_json::{Value, json};

use super::super::server::{Reply, Request};
use super::account::{number_sid, owned};
use super::fault::TwilioFault;
use super::pages::{of_messaging, with_nulls};
use super::setup::Campaign;
use super::{Setup, TwilioAccount};

/// When everything was made.
const MADE: &str = "2026-10-05T08:00:00Z";
const HOST: &str = "https://messaging.twilio.com/v1";
const BRAND: &str = "BN2c6890da8086d771620e9b13fadeba0b";
const PROFILE: &str = "BU2c6890da8086d771620e9b13fadeba0b";

fn service_row(account: &TwilioAccount, setup: &Setup, sid: &str) -> Value {
    let url = format!("{HOST}/Services/{sid}");
    let is_ours = sid == account.service_sid;
    let verified = |one: &Campaign| one.status == "VERIFIED";
    let row = json!({
        "sid": sid,
        "account_sid": account.account_sid,
        "friendly_name": "classroom",
        "date_created": MADE,
        "date_updated": MADE,
        "inbound_request_url": setup.service_url.as_ref().filter(|_| is_ours),
        "inbound_method": setup.service_method,
        "fallback_url": null,
        "fallback_method": "POST",
        "status_callback": null,
        "sticky_sender": true,
        "mms_converter": true,
        "smart_encoding": false,
        "scan_message_content": "inherit",
        "fallback_to_long_code": true,
        "area_code_geomatch": true,
        "synchronous_validation": false,
        "validity_period": 36_000,
        "url": url,
        "links": { "phone_numbers": format!("{url}/PhoneNumbers") },
        "usecase": "notifications",
        "us_app_to_person_registered": is_ours && setup.campaigns.iter().any(verified),
        "use_inbound_webhook_on_number": setup.on_number,
    });
    with_nulls(row, &setup.nulls)
}

/// `GET /v1/Services`
pub fn services(
    account: &TwilioAccount,
    setup: &Setup,
    request: &Request,
) -> Result<Reply, TwilioFault> {
    let others = (0..setup.other_services).map(|number| format!("MG{number:032x}"));
    let all = others.chain([account.service_sid.clone()]);
    let rows = all.map(|sid| service_row(account, setup, &sid)).collect();
    of_messaging(request, "services", rows)
}

/// `GET /v1/Services/{sid}`
pub fn service(account: &TwilioAccount, setup: &Setup, sid: &str) -> Option<Reply> {
    let row = || service_row(account, setup, sid);
    (sid == account.service_sid).then(|| Reply::json(200, &row()))
}

fn member_row(account: &TwilioAccount, setup: &Setup, number: &str) -> Value {
    let able: &[&str] = if setup.sms {
        &["SMS", "MMS", "Voice"]
    } else {
        &["Voice"]
    };
    let (service, sid) = (&account.service_sid, number_sid(account, number));
    let row = json!({
        "sid": sid,
        "account_sid": account.account_sid,
        "service_sid": service,
        "date_created": MADE,
        "date_updated": MADE,
        "phone_number": number,
        "country_code": if number.starts_with("+1") { "US" } else { "DE" },
        "capabilities": able,
        "url": format!("{HOST}/Services/{service}/PhoneNumbers/{sid}"),
    });
    with_nulls(row, &setup.nulls)
}

/// The numbers in a Messaging Service; `None` = there is no such service.
fn within<'a>(
    account: &'a TwilioAccount,
    setup: &'a Setup,
    sid: &str,
) -> Option<impl Iterator<Item = &'a String>> {
    let is_other = (0..setup.other_services).any(|number| sid == format!("MG{number:032x}"));
    let is_ours = sid == account.service_sid;
    let kept = if is_ours && setup.in_service {
        usize::MAX
    } else {
        0
    };
    (is_ours || is_other).then(|| owned(account, setup).take(kept))
}

/// `GET /v1/Services/{sid}/PhoneNumbers`
pub fn members(
    account: &TwilioAccount,
    setup: &Setup,
    sid: &str,
    request: &Request,
) -> Option<Result<Reply, TwilioFault>> {
    let numbers = within(account, setup, sid)?;
    let rows = numbers.map(|number| member_row(account, setup, number));
    Some(of_messaging(request, "phone_numbers", rows.collect()))
}

/// `GET /v1/Services/{sid}/PhoneNumbers/{number's sid}`
pub fn member(account: &TwilioAccount, setup: &Setup, sid: &str, wanted: &str) -> Option<Reply> {
    let mut numbers = within(account, setup, sid)?;
    let number = numbers.find(|number| number_sid(account, number) == wanted)?;
    Some(Reply::json(200, &member_row(account, setup, number)))
}

/// `GET /v1/Services/{sid}/ChannelSenders`
pub fn channel_senders(
    account: &TwilioAccount,
    setup: &Setup,
    sid: &str,
    request: &Request,
) -> Option<Result<Reply, TwilioFault>> {
    let row = |(number, sender): (usize, &String)| {
        let (service, sid) = (&account.service_sid, format!("XE{number:032x}"));
        let row = json!({
            "sid": sid,
            "account_sid": account.account_sid,
            "messaging_service_sid": service,
            "sender": sender,
            "sender_type": sender.split(':').next(),
            "country_code": null,
            "date_created": MADE,
            "date_updated": MADE,
            "url": format!("{HOST}/Services/{service}/ChannelSenders/{sid}"),
        });
        with_nulls(row, &setup.nulls)
    };
    let rows = setup.channel_senders.iter().enumerate().map(row);
    (sid == account.service_sid).then(|| of_messaging(request, "senders", rows.collect()))
}

/// `GET /v1/Services/{sid}/Compliance/Usa2p`
pub fn campaigns(
    account: &TwilioAccount,
    setup: &Setup,
    sid: &str,
    request: &Request,
) -> Option<Result<Reply, TwilioFault>> {
    let rows = setup.campaigns.iter().enumerate();
    let rows = rows.map(|(number, one)| campaign_row(account, setup, number, one));
    let rows: Vec<Value> = rows.collect();
    (sid == account.service_sid).then(|| of_messaging(request, "compliance", rows))
}

fn campaign_row(
    account: &TwilioAccount,
    setup: &Setup,
    number: usize,
    campaign: &Campaign,
) -> Value {
    let (service, sid) = (&account.service_sid, format!("QE{number:032x}"));
    let url = format!("{HOST}/Services/{service}/Compliance/Usa2p/{sid}");
    let error = |(code, words): &(u32, String)| {
        json!({
            "error_code": code,
            "fields": ["MESSAGE_FLOW"],
            "url": format!("https://www.twilio.com/docs/api/errors/{code}"),
            "description": words,
        })
    };
    let row = json!({
        "sid": sid,
        "account_sid": account.account_sid,
        "brand_registration_sid": (!campaign.elsewhere).then_some(BRAND),
        "messaging_service_sid": service,
        "description": "Account credentials on request.",
        "message_samples": ["Your login is ...", "No account is free now."],
        "us_app_to_person_usecase": "LOW_VOLUME",
        "has_embedded_links": true,
        "has_embedded_phone": false,
        "subscriber_opt_in": false,
        "age_gated": false,
        "direct_lending": false,
        "campaign_status": campaign.status,
        "campaign_id": (campaign.status == "VERIFIED").then_some("CXXXXXX"),
        "is_externally_registered": campaign.elsewhere,
        "rate_limits": { "att": { "mps": 75, "msg_class": "T" }, "tmobile": { "brand_tier": "LOW" } },
        "message_flow": "A student texts a phrase that is shown in class.",
        "opt_in_message": null,
        "opt_out_message": null,
        "help_message": null,
        "opt_in_keywords": ["START"],
        "opt_out_keywords": ["STOP"],
        "help_keywords": ["HELP"],
        "date_created": MADE,
        "date_updated": MADE,
        "url": url,
        "mock": campaign.mock,
        "errors": campaign.error.iter().map(error).collect::<Vec<_>>(),
    });
    with_nulls(row, &setup.nulls)
}

/// `GET /v1/a2p/BrandRegistrations/{sid}`
pub fn brand(account: &TwilioAccount, setup: &Setup, sid: &str) -> Option<Reply> {
    let url = format!("{HOST}/a2p/BrandRegistrations/{sid}");
    let approved = setup.brand == "APPROVED";
    let row = json!({
        "sid": sid,
        "account_sid": account.account_sid,
        "customer_profile_bundle_sid": PROFILE,
        "a2p_profile_bundle_sid": PROFILE,
        "date_created": MADE,
        "date_updated": MADE,
        "brand_type": "STANDARD",
        "status": setup.brand,
        "tcr_id": approved.then_some("BXXXXXX"),
        "failure_reason": (setup.brand == "FAILED").then_some("Registration error"),
        "errors": [],
        "url": url,
        "brand_score": approved.then_some(42),
        "brand_feedback": [],
        "identity_status": if approved { "VERIFIED" } else { "UNVERIFIED" },
        "russell_3000": false,
        "government_entity": false,
        "tax_exempt_status": "501c3",
        "skip_automatic_sec_vet": false,
        "mock": setup.brand_mock,
        "links": { "brand_vettings": format!("{url}/Vettings") },
    });
    (sid == BRAND).then(|| Reply::json(200, &with_nulls(row, &setup.nulls)))
}

/// `GET /v1/Tollfree/Verifications`
pub fn toll_free(
    account: &TwilioAccount,
    setup: &Setup,
    request: &Request,
) -> Result<Reply, TwilioFault> {
    let wanted = request.query_value("TollfreePhoneNumberSid");
    let is_toll_free = |number: &&String| {
        let area = number.get(2..5).unwrap_or_default();
        ["800", "833", "844", "855", "866", "877", "888"].contains(&area)
    };
    let mut rows = Vec::new();
    for number in owned(account, setup).filter(is_toll_free) {
        let sid = number_sid(account, number);
        let is_wanted = wanted.as_ref().is_none_or(|wanted| *wanted == sid);
        if let Some(status) = setup.toll_free.as_ref().filter(|_| is_wanted) {
            let row = verification_row(account, number, &sid, status);
            rows.push(with_nulls(row, &setup.nulls));
        }
    }
    of_messaging(request, "verifications", rows)
}

fn verification_row(account: &TwilioAccount, number: &str, sid: &str, status: &str) -> Value {
    let name = "HH2c6890da8086d771620e9b13fadeba0b";
    let rejected = status == "TWILIO_REJECTED";
    let mut row = business();
    let fields = json!({
        "sid": name,
        "account_sid": account.account_sid,
        "customer_profile_sid": PROFILE,
        "trust_product_sid": PROFILE,
        "regulated_item_sid": null,
        "date_created": MADE,
        "date_updated": MADE,
        "use_case_categories": ["ACCOUNT_NOTIFICATIONS"],
        "use_case_summary": "Account credentials on request.",
        "production_message_sample": "Your login is ...",
        "opt_in_image_urls": ["https://school.example.org/opt-in.png"],
        "opt_in_type": "VIA_TEXT",
        "message_volume": "1,000",
        "additional_information": "",
        "tollfree_phone_number_sid": sid,
        "tollfree_phone_number": number,
        "status": status,
        "url": format!("{HOST}/Tollfree/Verifications/{name}"),
        "rejection_reason": rejected.then_some("Opt-in is not sufficient"),
        "error_code": rejected.then_some(30_475),
        "edit_expiration": null,
        "edit_allowed": rejected,
        "opt_in_confirmation_message": null,
        "help_message_sample": null,
        "privacy_policy_url": "https://school.example.org/privacy",
        "terms_and_conditions_url": "https://school.example.org/terms",
        "age_gated_content": false,
        "opt_in_keywords": ["START"],
        "rejection_reasons": null,
        "resource_links": null,
        "external_reference_id": null,
        "vetting_id": null,
        "vetting_provider": null,
        "vetting_id_expiration": null,
    });
    if let (Some(row), Some(fields)) = (row.as_object_mut(), fields.as_object()) {
        row.extend(fields.clone());
    }
    row
}

/// Who has handed a verification in.
fn business() -> Value {
    json!({
        "business_name": "School",
        "business_street_address": "1 Main Street",
        "business_street_address2": "",
        "business_city": "Anytown",
        "business_state_province_region": "AA",
        "business_postal_code": "11111",
        "business_country": "US",
        "business_website": "https://school.example.org",
        "business_contact_first_name": "Robin",
        "business_contact_last_name": "Doe",
        "business_contact_email": "robin@school.example.org",
        "business_contact_phone": "+12015550100",
        "notification_email": "robin@school.example.org",
        "business_registration_number": "123456789",
        "business_registration_authority": "EIN",
        "business_registration_country": "US",
        "business_type": "NON_PROFIT",
        "business_registration_phone_number": null,
        "doing_business_as": null,
    })
}
