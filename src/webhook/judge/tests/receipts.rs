//! Receipts: what they say, and who signs them.

use super::*;

#[test]
fn a_receipt_says_which_text_came_how_far() {
    for (state, code, expected) in [
        ("delivered", "", Some((Delivery::Delivered, None))),
        (
            "undelivered",
            "30003",
            Some((Delivery::Undelivered, Some(30003))),
        ),
        ("failed", "no number", Some((Delivery::Failed, None))),
        ("accepted", "", Some((Delivery::Queued, None))),
        ("a state of next year", "", None),
    ] {
        let receipt = match RequestDraft::receipt(state, code).judged() {
            Judgement::Receipt(receipt) => receipt,
            other => panic!("{state}: {other:?}"),
        };
        let read = receipt.map(|receipt| {
            assert_eq!(receipt.sid.as_str(), SID);
            (receipt.delivery, receipt.code)
        });
        assert_eq!(read, expected, "{state}");
    }
    // Of old accounts, which know no MessageStatus.
    let old = RequestDraft::receipt("sent", "").without("MessageStatus");
    let old = old.with("SmsStatus", "sent").signed_for(STATUS_URL);
    assert!(matches!(old.judged(), Judgement::Receipt(Some(_))));
}

#[test]
fn a_receipt_is_signed_for_its_own_address_and_by_nobody_else() {
    let get = RequestDraft {
        method: Method::Get,
        ..RequestDraft::receipt("sent", "")
    };
    for (name, draft, status) in [
        (
            "for the webhook",
            RequestDraft::receipt("sent", "").signed_for("https://sms.example.org/twilio?class=7"),
            403,
        ),
        (
            "unsigned",
            RequestDraft {
                signature: Some(String::new()),
                ..RequestDraft::receipt("sent", "")
            },
            403,
        ),
        (
            "changed",
            RequestDraft::receipt("sent", "").with("MessageStatus", "delivered"),
            403,
        ),
        (
            "of another account",
            RequestDraft::receipt("sent", "")
                .with("AccountSid", "AC1")
                .signed_for(STATUS_URL),
            403,
        ),
        (
            "of no text",
            RequestDraft::receipt("sent", "")
                .without("MessageSid")
                .signed_for(STATUS_URL),
            400,
        ),
        (
            "of no state",
            RequestDraft::receipt("sent", "")
                .without("MessageStatus")
                .signed_for(STATUS_URL),
            400,
        ),
        ("read", get, 405),
        (
            "to another path",
            RequestDraft {
                path: "/status/",
                ..RequestDraft::receipt("sent", "")
            },
            404,
        ),
    ] {
        assert_eq!(draft.refusal().status, status, "{name}");
    }
}
