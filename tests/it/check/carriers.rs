//! What carriers require of the numbers: campaigns, brands, toll-free verifications.

use super::{Ready, ready};
use support::fakes::twilio::Campaign;

const TOLL_FREE: &str = "+18885550123";

/// A class that texts through its Messaging Service.
fn with_service() -> Ready {
    let ready = ready();
    let service = ready.twilio().account().service_sid.clone();
    ready.set("FROM_NUM", &service);
    ready
}

#[test]
fn a_campaign_that_is_not_verified_is_told_of() {
    let ready = ready();
    let twilio = ready.twilio();
    let rejected = Campaign {
        error: Some((30897, "Rejected due to Disallowed Content.".to_owned())),
        ..Campaign::of("FAILED")
    };
    let mock = Campaign {
        mock: true,
        ..Campaign::of("VERIFIED")
    };
    let sole_proprietor = Campaign {
        error: Some((30_915, "Sole Proprietor is not for you".to_owned())),
        ..Campaign::of("FAILED")
    };
    for (campaigns, words, cure) in [
        (
            vec![Campaign::of("IN_PROGRESS")],
            "not verified yet",
            "wait for it",
        ),
        (
            vec![Campaign::of("PENDING")],
            "not verified yet",
            "wait for it",
        ),
        (
            vec![rejected],
            "is FAILED: US carriers block its texts (30034) (Twilio says: 30897 Rejected due",
            "submit it again",
        ),
        (
            vec![sole_proprietor],
            "(Twilio says: 30915 Sole Proprietor is not for you)",
            "with its tax number (EIN)",
        ),
        (
            vec![Campaign::of("SUSPENDED")],
            "is SUSPENDED: its texts are blocked (30033)",
            "support",
        ),
        (vec![mock.clone()], "is a mock one", "register a brand"),
        (
            vec![mock, Campaign::of("FAILED")],
            "is FAILED",
            "submit it again",
        ),
        (Vec::new(), "no A2P campaign", "register a brand"),
    ] {
        twilio.set_up(|setup| setup.campaigns = campaigns);
        ready.finds("twilio", words, cure);
    }
    // One that is in order is enough, wherever it stands in the list.
    let others = (0..120).map(|_| Campaign::of("FAILED"));
    let campaigns = others.chain([Campaign::of("VERIFIED")]).collect();
    twilio.set_up(|setup| setup.campaigns = campaigns);
    ready.check().is_well_elsewhere(&[]);
}

#[test]
fn a_brand_that_is_not_approved_is_told_of() {
    let ready = ready();
    let twilio = ready.twilio();
    for (brand, words, cure) in [
        ("PENDING", "its brand is not approved yet", "wait for it"),
        ("IN_REVIEW", "its brand is not approved yet", "wait for it"),
        ("SUSPENDED", "its brand is SUSPENDED", "support"),
        (
            "FAILED",
            "its brand is FAILED: US carriers block its texts (30034) (Twilio says: Registration error)",
            "submit it again",
        ),
    ] {
        twilio.set_up(|setup| setup.brand = brand.to_owned());
        ready.finds("twilio", words, cure);
    }
    twilio.set_up(|setup| {
        setup.brand = "APPROVED".to_owned();
        setup.brand_mock = true;
    });
    ready.finds("twilio", "its brand is a mock one", "register a brand");
    let elsewhere = Campaign {
        elsewhere: true,
        ..Campaign::of("VERIFIED")
    };
    twilio.set_up(|setup| setup.campaigns = vec![elsewhere]);
    let report = ready.check();
    report.has(
        "pass",
        "twilio",
        "its brand is registered outside Twilio",
        "",
    );
    report.is_well_elsewhere(&[]);
}

#[test]
fn a_number_in_no_service_is_not_called_ready() {
    let ready = ready();
    ready.twilio().set_up(|setup| setup.in_service = false);
    let report = ready.check();
    report.is_not_ready();
    report.has(
        "skipped",
        "twilio",
        "as it is in no Messaging Service",
        "30034",
    );
    report.is_well_elsewhere(&["twilio"]);
}

#[test]
fn a_toll_free_number_in_a_service_is_looked_at() {
    let ready = with_service();
    let twilio = ready.twilio();
    twilio.set_up(|setup| setup.more_numbers = vec![TOLL_FREE.to_owned()]);
    for (state, words, cure) in [
        (
            None,
            "+18885550123 is toll-free and not verified",
            "submit the verification",
        ),
        (
            Some("PENDING_REVIEW"),
            "is PENDING_REVIEW: its texts are blocked until then (30460)",
            "wait for it",
        ),
        (Some("IN_REVIEW"), "is IN_REVIEW", "wait for it"),
        (
            Some("TWILIO_REJECTED"),
            "is TWILIO_REJECTED: its texts are blocked (30032) (Twilio says: 30475 Opt-in is not sufficient)",
            "submit it again",
        ),
    ] {
        twilio.set_up(|setup| setup.toll_free = state.map(str::to_owned));
        ready.finds("twilio", words, cure);
    }
    twilio.set_up(|setup| setup.toll_free = Some("TWILIO_APPROVED".to_owned()));
    let report = ready.check();
    report.has("pass", "twilio", "+18885550123 is verified", "");
    report.is_well_elsewhere(&[]);
}

#[test]
fn a_toll_free_number_alone_is_looked_at() {
    let ready = ready();
    let twilio = ready.twilio();
    twilio.set_up(|setup| setup.more_numbers = vec![TOLL_FREE.to_owned()]);
    ready.set("FROM_NUM", TOLL_FREE);
    ready.finds(
        "twilio",
        "is toll-free and not verified",
        "submit the verification",
    );
    twilio.set_up(|setup| setup.toll_free = Some("TWILIO_APPROVED".to_owned()));
    ready.check().is_well_elsewhere(&[]);
}

#[test]
fn what_stands_on_a_later_page_counts() {
    let ready = with_service();
    let twilio = ready.twilio();
    // 250 numbers make three pages; the last one is toll-free and not verified.
    let others = (0..248).map(|number| format!("+1201444{number:04}"));
    let all: Vec<String> = others.chain([TOLL_FREE.to_owned()]).collect();
    twilio.set_up(|setup| setup.more_numbers = all);
    ready.finds(
        "twilio",
        "+18885550123 is toll-free and not verified",
        "submit the verification",
    );
    let report = ready.check();
    report.has("pass", "twilio", "with 250 number(s) for texts", "");

    // The number's service stands behind 110 others.
    let number = twilio.account().from_numbers[0].clone();
    ready.set("FROM_NUM", &number);
    twilio.set_up(|setup| {
        setup.more_numbers.clear();
        setup.other_services = 110;
        setup.campaigns.clear();
    });
    ready.finds("twilio", "no A2P campaign", "register a brand");
    // Behind more than can be asked it is not inspected, so nothing is called ready.
    twilio.set_up(|setup| setup.other_services = 200);
    let report = ready.check();
    report.is_not_ready();
    report.has(
        "skipped",
        "twilio",
        "as the account has too many",
        "set FROM_NUM to the Messaging Service",
    );
}

#[test]
fn what_twilio_does_not_tell_is_not_called_ready() {
    let ready = with_service();
    let twilio = ready.twilio();
    for (field, words) in [
        ("capabilities", "whether some of its numbers can text"),
        ("phone_number", "some of its Messaging Service's numbers"),
        ("campaign_status", "its A2P campaign"),
        ("brand_registration_sid", "its brand"),
    ] {
        twilio.set_up(|setup| setup.nulls = vec![field]);
        let report = ready.check();
        report.is_not_ready();
        report.has("skipped", "twilio", words, "");
        assert_eq!(
            report.all("fault").count(),
            usize::from(field == "phone_number"),
            "{report:#?}"
        );
        report.is_well_elsewhere(&["twilio"]);
    }
    // A US number may hide behind a country that is not told.
    twilio.set_up(|setup| {
        setup.nulls = vec!["country_code"];
        setup.campaigns.clear();
    });
    let report = ready.check();
    report.is_not_ready();
    report.has(
        "skipped",
        "twilio",
        "does not report the country of its number",
        "register a brand",
    );
    twilio.set_up(|setup| setup.campaigns = vec![Campaign::of("VERIFIED")]);
    ready.check().is_well_elsewhere(&[]);
    // Fields that are not needed may be missing.
    twilio.set_up(|setup| {
        setup.nulls = vec![
            "friendly_name",
            "inbound_method",
            "sms_method",
            "use_inbound_webhook_on_number",
            "date_created",
            "errors",
            "mock",
            "failure_reason",
        ];
        setup.service_url = Some(format!("{}/inbound#rc=3&rp=all", ready.front.url()));
    });
    ready.check().is_well_elsewhere(&[]);
}
