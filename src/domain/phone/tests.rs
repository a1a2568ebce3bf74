use super::*;

#[test]
fn senders_are_parsed_by_the_table() {
    for (raw, expected) in [
        ("+14155550123", Ok(())),
        (" +491701234567 ", Ok(())),
        ("+4512345678", Ok(())),
        ("12345", Err(UnservedSender::ShortCode)),
        ("787878", Err(UnservedSender::ShortCode)),
        ("14155550123", Err(UnservedSender::NotANumber)),
        ("+04155550123", Err(UnservedSender::NotANumber)),
        ("+1415555", Err(UnservedSender::NotANumber)),
        ("+1234567890123456", Err(UnservedSender::NotANumber)),
        ("rcs:+14155550123", Ok(())),
        ("RCS:+491701234567", Ok(())),
        ("rcs:14155550123", Err(UnservedSender::NotANumber)),
        ("rcs:brand_agent", Err(UnservedSender::NotANumber)),
        ("rcs:", Err(UnservedSender::NotANumber)),
        ("rcs:rcs:+14155550123", Err(UnservedSender::NotANumber)),
        ("rcs:+18005550123", Err(UnservedSender::NotMobile)),
        ("rcs:12345", Err(UnservedSender::ShortCode)),
        ("whatsapp:+14155550123", Err(UnservedSender::WhatsApp)),
        ("WhatsApp:US.1349", Err(UnservedSender::WhatsApp)),
        ("whatsapp:", Err(UnservedSender::WhatsApp)),
        ("messenger:1234567890", Err(UnservedSender::Channel)),
        ("apple-messages:urn:mbid:AQAA", Err(UnservedSender::Channel)),
        ("+14155550123:rcs", Err(UnservedSender::NotANumber)),
        ("1415:+14155550123", Err(UnservedSender::NotANumber)),
        ("a b:+14155550123", Err(UnservedSender::NotANumber)),
        (":+14155550123", Err(UnservedSender::NotANumber)),
        ("TWILIO", Err(UnservedSender::NotANumber)),
        ("+٣٣٣٣٣٣٣٣٣", Err(UnservedSender::NotANumber)),
        ("+", Err(UnservedSender::NotANumber)),
        ("", Err(UnservedSender::NotANumber)),
        ("+18005550123", Err(UnservedSender::NotMobile)),
        ("+19005550123", Err(UnservedSender::NotMobile)),
    ] {
        assert_eq!(Phone::parse(raw).map(|_| ()), expected, "{raw}");
    }
}

#[test]
fn a_phone_is_the_same_by_sms_and_by_rcs() {
    let (sms, rcs) = (
        Phone::parse("+14155550123").unwrap(),
        Phone::parse(" rcs:+14155550123").unwrap(),
    );
    assert_eq!(rcs.reveal(), "+14155550123");
    let key = PhoneKey::derive("k");
    assert!(rcs == sms && rcs.hash(&key) == sms.hash(&key));
    // The service's own number, or one that an operator types, has no channel.
    assert!(Phone::parse_any("rcs:+14155550123").is_err());
}

#[test]
fn a_phone_prints_its_last_two_digits_at_most() {
    let phone = Phone::parse("+14155550123").unwrap();
    assert_eq!(format!("{phone:?}"), "Phone(..23)");
    let hash = phone.hash(&PhoneKey::derive("k"));
    assert_eq!(format!("{hash:?}"), "PhoneHash(..)");
}

#[test]
fn the_hash_depends_on_key_and_phone() {
    let (a, b) = (
        Phone::parse("+14155550123").unwrap(),
        Phone::parse("+14155550124").unwrap(),
    );
    let (k, l) = (PhoneKey::derive("k"), PhoneKey::derive("l"));
    assert_eq!(a.hash(&k), a.clone().hash(&k));
    assert_ne!(a.hash(&k), b.hash(&k));
    assert_ne!(a.hash(&k), a.hash(&l));
    assert_ne!(k.check(), l.check());
}

#[test]
fn countries_are_prefixes() {
    let us = Countries::parse("+1").unwrap();
    assert!(us.admit(&Phone::parse("+14155550123").unwrap()));
    assert!(!us.admit(&Phone::parse("+491701234567").unwrap()));
    let two = Countries::parse("49, +4179").unwrap();
    assert!(two.admit(&Phone::parse("+491701234567").unwrap()));
    assert!(two.admit(&Phone::parse("+41791234567").unwrap()));
    assert!(!two.admit(&Phone::parse("+41441234567").unwrap()));
    assert!(
        Countries::parse("*")
            .unwrap()
            .admit(&Phone::parse("+886912345678").unwrap())
    );
    assert_eq!(Countries::parse("+1, US"), Err("US".to_owned()));
    assert!(Countries::parse(" ").unwrap().is_empty());
}

#[test]
fn toll_free_numbers_of_north_america_are_known() {
    for (number, expected) in [
        ("+18005550123", true),
        ("+14155550123", false),
        ("+19005550123", false),
        ("+8005550123", false),
    ] {
        assert_eq!(Phone::is_toll_free(number), expected, "{number}");
    }
}

#[test]
fn a_renumbered_phone_is_found_by_both_of_its_hashes() {
    let key = PhoneKey::derive("a key");
    let phone = |number| Phone::parse_any(number).unwrap();
    let (old, new) = (phone("+5215512345678"), phone("+525512345678"));
    assert_eq!(old.hashes(&key), new.hashes(&key));
    let [own, former] = new.hashes(&key)[..] else {
        panic!("two hashes");
    };
    assert_eq!((new.hash(&key), new.former_hash(&key)), (own, Some(former)));
    assert_ne!(own, former);
    assert!(old == new && old != phone("+525512345679"));
    assert_eq!(format!("{key:?} {own:?}"), "PhoneKey(..) PhoneHash(..)");
    assert_eq!(own.as_bytes().len(), 20);
    assert_ne!(own.as_bytes(), former.as_bytes());
    let plain = phone("+14155550123");
    assert_eq!(plain.hashes(&key), [plain.hash(&key)]);
}

#[test]
fn each_sender_that_is_not_served_has_a_reason_of_its_own() {
    use UnservedSender::*;
    let all = [
        ShortCode, NotANumber, WhatsApp, Channel, Country, NotMobile, Ourselves,
    ];
    let reasons = all.map(UnservedSender::reason);
    for (place, reason) in reasons.iter().enumerate() {
        let is_new = !reasons[..place].contains(reason);
        assert!(is_new && reason.starts_with("the sender"), "{reason}");
    }
}

#[test]
fn a_list_without_a_prefix_is_empty() {
    assert!(Countries::parse(" , ").unwrap().is_empty());
    assert!(
        !Countries::parse("+1").unwrap().is_empty() && !Countries::parse("*").unwrap().is_empty()
    );
}
