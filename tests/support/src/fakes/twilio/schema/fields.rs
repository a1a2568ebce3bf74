//! The tables.

use super::Field;
use super::Kind::{self, Flag, List, Object, Rfc2822, Rfc3339, Sid, Text, Whole, Word};

/// A field that may be null.
const fn may(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        nullable: true,
    }
}

/// A field that is never null.
const fn is(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        nullable: false,
    }
}

const METHOD: Kind = Word(&["GET", "POST"]);

/// An error in Twilio's own form. The description is silent about it; this is the form of its documents.
pub const FAULT: &[Field] = &[
    is("code", Whole),
    is("message", Text),
    is("more_info", Text),
    is("status", Whole),
];

pub const PAGE: &[Field] = &[
    is("end", Whole),
    is("first_page_uri", Text),
    may("next_page_uri", Text),
    is("page", Whole),
    is("page_size", Whole),
    may("previous_page_uri", Text),
    is("start", Whole),
    is("uri", Text),
];

pub const META: &[Field] = &[
    is("first_page_url", Text),
    is("key", Text),
    may("next_page_url", Text),
    is("page", Whole),
    is("page_size", Whole),
    may("previous_page_url", Text),
    is("url", Text),
];

pub const TOKENS: &[Field] = &[
    is("key", Text),
    is("pageSize", Whole),
    may("nextToken", Text),
    may("previousToken", Text),
];

pub const HOOK_RULE: &[Field] = &[
    is("id", Text),
    is("friendlyName", Text),
    is("description", Text),
    is(
        "matchType",
        Word(&["EXACT_MATCH", "PREFIX_MATCH", "DEFAULT"]),
    ),
    may("value", Text),
    may("prefix", Text),
    is("settings", List),
    is("createdAt", Text),
    is("updatedAt", Text),
];

pub const HOOK_SETTING: &[Field] = &[
    is("id", Text),
    is("type", Word(&["SYSTEM", "CUSTOMER"])),
    is("friendlyName", Text),
    is("description", Text),
    is("auth", Object),
    may("signature", Object),
    may("connection", Object),
    may("edgeZones", Object),
    is("createdAt", Text),
    is("updatedAt", Text),
];

pub const MESSAGE: &[Field] = &[
    may("body", Text),
    may("num_segments", Text),
    is(
        "direction",
        Word(&["inbound", "outbound-api", "outbound-call", "outbound-reply"]),
    ),
    may("from", Text),
    may("to", Text),
    may("date_updated", Rfc2822),
    may("price", Text),
    may("error_message", Text),
    may("uri", Text),
    may("account_sid", Sid("AC")),
    may("num_media", Text),
    is(
        "status",
        Word(&[
            "queued",
            "sending",
            "sent",
            "failed",
            "delivered",
            "undelivered",
            "receiving",
            "received",
            "accepted",
            "scheduled",
            "read",
            "partially_delivered",
            "canceled",
        ]),
    ),
    may("messaging_service_sid", Sid("MG")),
    may("sid", Sid("SM|MM")),
    may("date_sent", Rfc2822),
    may("date_created", Rfc2822),
    may("error_code", Whole),
    may("price_unit", Text),
    may("api_version", Text),
    may("subresource_uris", Object),
];

pub const ACCOUNT: &[Field] = &[
    may("auth_token", Text),
    may("date_created", Rfc2822),
    may("date_updated", Rfc2822),
    may("friendly_name", Text),
    may("owner_account_sid", Sid("AC")),
    may("sid", Sid("AC")),
    is("status", Word(&["active", "suspended", "closed"])),
    may("subresource_uris", Object),
    is("type", Word(&["Trial", "Full"])),
    may("uri", Text),
];

pub const NUMBER: &[Field] = &[
    may("account_sid", Sid("AC")),
    may("address_sid", Sid("AD")),
    is(
        "address_requirements",
        Word(&["none", "any", "local", "foreign"]),
    ),
    may("api_version", Text),
    may("beta", Flag),
    may("capabilities", Object),
    may("date_created", Rfc2822),
    may("date_updated", Rfc2822),
    may("friendly_name", Text),
    may("identity_sid", Sid("RI")),
    may("phone_number", Text),
    may("origin", Text),
    may("sid", Sid("PN")),
    may("sms_application_sid", Sid("AP")),
    may("sms_fallback_method", METHOD),
    may("sms_fallback_url", Text),
    may("sms_method", METHOD),
    may("sms_url", Text),
    may("status_callback", Text),
    may("status_callback_method", METHOD),
    may("trunk_sid", Sid("TK")),
    may("uri", Text),
    is("voice_receive_mode", Word(&["voice", "fax"])),
    may("voice_application_sid", Sid("AP")),
    may("voice_caller_id_lookup", Flag),
    may("voice_fallback_method", METHOD),
    may("voice_fallback_url", Text),
    may("voice_method", METHOD),
    may("voice_url", Text),
    is("emergency_status", Word(&["Active", "Inactive"])),
    may("emergency_address_sid", Sid("AD")),
    is(
        "emergency_address_status",
        Word(&[
            "registered",
            "unregistered",
            "pending-registration",
            "registration-failure",
            "pending-unregistration",
            "unregistration-failure",
        ]),
    ),
    may("bundle_sid", Sid("BU")),
    may("status", Text),
    may("type", Text),
];

pub const SHORT_CODE: &[Field] = &[
    may("account_sid", Sid("AC")),
    may("api_version", Text),
    may("date_created", Rfc2822),
    may("date_updated", Rfc2822),
    may("friendly_name", Text),
    may("short_code", Text),
    may("sid", Sid("SC")),
    may("sms_fallback_method", METHOD),
    may("sms_fallback_url", Text),
    may("sms_method", METHOD),
    may("sms_url", Text),
    may("uri", Text),
];

pub const SERVICE: &[Field] = &[
    may("sid", Sid("MG")),
    may("account_sid", Sid("AC")),
    may("friendly_name", Text),
    may("date_created", Rfc3339),
    may("date_updated", Rfc3339),
    may("inbound_request_url", Text),
    may("inbound_method", METHOD),
    may("fallback_url", Text),
    may("fallback_method", METHOD),
    may("status_callback", Text),
    may("sticky_sender", Flag),
    may("mms_converter", Flag),
    may("smart_encoding", Flag),
    is(
        "scan_message_content",
        Word(&["inherit", "enable", "disable"]),
    ),
    may("fallback_to_long_code", Flag),
    may("area_code_geomatch", Flag),
    may("synchronous_validation", Flag),
    is("validity_period", Whole),
    may("url", Text),
    may("links", Object),
    may("usecase", Text),
    may("us_app_to_person_registered", Flag),
    may("use_inbound_webhook_on_number", Flag),
];

pub const MEMBER: &[Field] = &[
    may("sid", Sid("PN")),
    may("account_sid", Sid("AC")),
    may("service_sid", Sid("MG")),
    may("date_created", Rfc3339),
    may("date_updated", Rfc3339),
    may("phone_number", Text),
    may("country_code", Text),
    may("capabilities", List),
    may("url", Text),
];

pub const CHANNEL_SENDER: &[Field] = &[
    may("sid", Sid("XE")),
    may("account_sid", Sid("AC")),
    may("messaging_service_sid", Sid("MG")),
    may("sender", Text),
    may("sender_type", Text),
    may("country_code", Text),
    may("date_created", Rfc3339),
    may("date_updated", Rfc3339),
    may("url", Text),
];

pub const CAMPAIGN: &[Field] = &[
    may("sid", Sid("QE")),
    may("account_sid", Sid("AC")),
    may("brand_registration_sid", Sid("BN")),
    may("messaging_service_sid", Sid("MG")),
    may("description", Text),
    may("message_samples", List),
    may("us_app_to_person_usecase", Text),
    may("has_embedded_links", Flag),
    may("has_embedded_phone", Flag),
    may("subscriber_opt_in", Flag),
    may("age_gated", Flag),
    may("direct_lending", Flag),
    may("campaign_status", Text),
    may("campaign_id", Text),
    may("is_externally_registered", Flag),
    may("rate_limits", Object),
    may("message_flow", Text),
    may("opt_in_message", Text),
    may("opt_out_message", Text),
    may("help_message", Text),
    may("opt_in_keywords", List),
    may("opt_out_keywords", List),
    may("help_keywords", List),
    may("date_created", Rfc3339),
    may("date_updated", Rfc3339),
    may("url", Text),
    may("mock", Flag),
    may("errors", List),
];

pub const BRAND: &[Field] = &[
    may("sid", Sid("BN")),
    may("account_sid", Sid("AC")),
    may("customer_profile_bundle_sid", Sid("BU")),
    may("a2p_profile_bundle_sid", Sid("BU")),
    may("date_created", Rfc3339),
    may("date_updated", Rfc3339),
    may("brand_type", Text),
    is(
        "status",
        Word(&[
            "PENDING",
            "APPROVED",
            "FAILED",
            "IN_REVIEW",
            "DELETION_PENDING",
            "DELETION_FAILED",
            "SUSPENDED",
        ]),
    ),
    may("tcr_id", Text),
    may("failure_reason", Text),
    may("errors", List),
    may("url", Text),
    may("brand_score", Whole),
    may("brand_feedback", List),
    // Null in the description's own example of a new brand.
    may(
        "identity_status",
        Word(&["SELF_DECLARED", "UNVERIFIED", "VERIFIED", "VETTED_VERIFIED"]),
    ),
    may("russell_3000", Flag),
    may("government_entity", Flag),
    may("tax_exempt_status", Text),
    may("skip_automatic_sec_vet", Flag),
    may("mock", Flag),
    may("links", Object),
];

pub const VERIFICATION: &[Field] = &[
    may("sid", Sid("HH")),
    may("account_sid", Sid("AC")),
    may("customer_profile_sid", Sid("BU")),
    may("trust_product_sid", Sid("BU")),
    may("date_created", Rfc3339),
    may("date_updated", Rfc3339),
    may("regulated_item_sid", Sid("RA")),
    may("business_name", Text),
    may("business_street_address", Text),
    may("business_street_address2", Text),
    may("business_city", Text),
    may("business_state_province_region", Text),
    may("business_postal_code", Text),
    may("business_country", Text),
    may("business_website", Text),
    may("business_contact_first_name", Text),
    may("business_contact_last_name", Text),
    may("business_contact_email", Text),
    may("business_contact_phone", Text),
    may("notification_email", Text),
    may("use_case_categories", List),
    may("use_case_summary", Text),
    may("production_message_sample", Text),
    may("opt_in_image_urls", List),
    is(
        "opt_in_type",
        Word(&[
            "VERBAL",
            "WEB_FORM",
            "PAPER_FORM",
            "VIA_TEXT",
            "MOBILE_QR_CODE",
            "IMPORT",
            "IMPORT_PLEASE_REPLACE",
        ]),
    ),
    may("message_volume", Text),
    may("additional_information", Text),
    may("tollfree_phone_number_sid", Sid("PN")),
    may("tollfree_phone_number", Text),
    is(
        "status",
        Word(&[
            "PENDING_REVIEW",
            "IN_REVIEW",
            "TWILIO_APPROVED",
            "TWILIO_REJECTED",
        ]),
    ),
    may("url", Text),
    may("rejection_reason", Text),
    may("error_code", Whole),
    may("edit_expiration", Rfc3339),
    may("edit_allowed", Flag),
    may("business_registration_number", Text),
    is(
        "business_registration_authority",
        Word(&[
            "EIN",
            "CBN",
            "CRN",
            "PROVINCIAL_NUMBER",
            "VAT",
            "ACN",
            "ABN",
            "BRN",
            "SIREN",
            "SIRET",
            "NZBN",
            "USt-IdNr",
            "CIF",
            "NIF",
            "CNPJ",
            "UID",
            "NEQ",
            "OTHER",
        ]),
    ),
    may("business_registration_country", Text),
    is(
        "business_type",
        Word(&[
            "PRIVATE_PROFIT",
            "PUBLIC_PROFIT",
            "SOLE_PROPRIETOR",
            "NON_PROFIT",
            "GOVERNMENT",
        ]),
    ),
    may("business_registration_phone_number", Text),
    may("doing_business_as", Text),
    may("opt_in_confirmation_message", Text),
    may("help_message_sample", Text),
    may("privacy_policy_url", Text),
    may("terms_and_conditions_url", Text),
    may("age_gated_content", Flag),
    may("opt_in_keywords", List),
    may("rejection_reasons", List),
    may("resource_links", Object),
    may("external_reference_id", Text),
    may("vetting_id", Text),
    // Null in the description's own example of a verification.
    may("vetting_provider", Word(&["CAMPAIGN_VERIFY"])),
    may("vetting_id_expiration", Rfc3339),
];
