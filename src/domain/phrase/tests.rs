use super::*;

#[test]
fn spellings_of_one_phrase_match() {
    let phrase = Passphrase::parse("iamreadytolearn").unwrap();
    for body in [
        "I am ready to learn!",
        "  i AM ready, to learn  ",
        "\u{201c}I am ready to learn\u{201d}",
        "I\u{a0}am ready to learn \u{1f600}",
        "iamreadytolearn",
    ] {
        assert!(phrase.matches(body), "{body}");
    }
    for body in ["", "I am ready to lear", "I am not ready to learn", "ready"] {
        assert!(!phrase.matches(body), "{body}");
    }
    assert!(Passphrase::parse("Grüße 7").unwrap().matches("GRÜßE7!"));
}

#[test]
fn a_phrase_matches_what_phones_send_in_the_7_bit_alphabet() {
    for (phrase, body) in [
        ("prêt à apprendre", "Pret a apprendre"),
        ("Grüße 7", "grusse ٧"),
        ("καλημέρα κόσμε", "KAΛHMEPA KOΣME"),
        ("καλημέρα κόσμε", "ΚΑΛΗΜΕΡΑ ΚΟΣΜΕ"),
        ("cœur ouvert", "cour ouvert"),
        ("cœur ouvert", "coeur ouvert"),
        ("ĳsbeer", "jsbeer"),
        ("ĳsbeer", "IJsbeer"),
        ("żółta łódka", "zolta lodka"),
        ("hazır mısın", "HAZIR MISIN"),
        ("तैयार हूँ २०२६", "तैयार हूँ 2026"),
    ] {
        assert!(
            Passphrase::parse(phrase).unwrap().matches(body),
            "{phrase}: {body}"
        );
    }
    for (phrase, body) in [
        // One letter of another script, not the whole text.
        ("καλημέρα κόσμε", "καλημέρa κόσμε"),
        ("ready to learn", "reаdy to learn"),
        ("तैयार हूँ", "तयर ह"),
    ] {
        assert!(
            !Passphrase::parse(phrase).unwrap().matches(body),
            "{phrase}: {body}"
        );
    }
}

#[test]
fn accents_are_significant_if_phrases_differ_only_in_them() {
    let several = |phrases: &[&str]| -> Vec<Passphrase> {
        let all = Passphrase::parse_several(phrases);
        all.into_iter().map(Result::unwrap).collect()
    };
    let [year, anus, learn] = &several(&["otro año", "otro ano", "prêt à apprendre"])[..] else {
        panic!("three phrases");
    };
    assert!(year.matches("Otro an\u{303}o!") && !year.matches("otro ano"));
    assert!(anus.matches("OTRO ANO") && !anus.matches("otro año"));
    assert!(learn.matches("pret a apprendre"));
    // A phone without Greek letters would make one phrase of these two.
    let [greek, latin] = &several(&["τάξη ενα", "tαξh ena"])[..] else {
        panic!("two phrases");
    };
    assert!(!greek.matches("tαξh ena") && !latin.matches("τάξη ενα"));
    let twice = several(&["otro año", "OTRO AÑO"]);
    assert!(twice[0] == twice[1] && twice[0].matches("otro ano"));
    assert_eq!(
        Passphrase::parse_several(&["?!", "kettle"])[0],
        Err(PhraseError::Empty)
    );
}

#[test]
fn the_comparison_is_described_without_the_phrase() {
    for (phrase, words) in [
        ("I am ready", "8 letters and digits are compared"),
        (
            "Prêt à être",
            "9 letters and digits are compared, ê counts as e, à as a",
        ),
        (
            "Straße ٧",
            "8 letters and digits are compared, ß counts as ss, ٧ as 7",
        ),
        ("a", "1 letter or digit is compared"),
        ("7", "1 letter or digit is compared"),
        ("가나", "2 letters and digits are compared"),
    ] {
        assert_eq!(Passphrase::parse(phrase).unwrap().comparison(), words);
    }
}

#[test]
fn weak_phrases_are_recognised() {
    for (phrase, weakness) in [
        ("Hello", Weakness::Short),
        ("42 42", Weakness::Short),
        ("20262026", Weakness::Digits),
        ("aaaaaaaaaa", Weakness::Run),
        ("123 456 789", Weakness::Run),
        ("7654321", Weakness::Run),
        ("Qwertyuiop!", Weakness::Run),
        ("Welcome 2026", Weakness::Common),
        ("hello, world", Weakness::Common),
    ] {
        let found = Passphrase::parse(phrase).unwrap().weakness();
        assert_eq!(found, Some(weakness), "{phrase}");
    }
    for phrase in [
        "I am ready to learn",
        "purple kettle",
        "4711 2398 1155",
        "kettle",
    ] {
        assert_eq!(
            Passphrase::parse(phrase).unwrap().weakness(),
            None,
            "{phrase}"
        );
    }
    assert!(
        COMMON
            .iter()
            .all(|word| fold(word, Accents::Ignored) == *word)
    );
}

#[test]
fn unusable_phrases_are_refused() {
    assert_eq!(Passphrase::parse(" ?! "), Err(PhraseError::Empty));
    assert_eq!(Passphrase::parse("Stop!"), Err(PhraseError::OptWord));
    for word in [
        "yes",
        "Opt-out",
        "“Stop” 🛑",
        "ｓｔｏｐ",
        "arrêt",
        "help!",
        "stop texting me",
    ] {
        assert_eq!(Passphrase::parse(word), Err(PhraseError::OptWord), "{word}");
    }
    assert!(Passphrase::parse("start learning").is_ok());
}

#[test]
fn a_code_is_read_beside_the_phrase() {
    let phrase = Passphrase::parse("I am ready to learn!").unwrap();
    let code = PhraseMatch::WithCode(ScreenCode::parse("05724").unwrap());
    for body in [
        "I am ready to learn 05724",
        "iamreadytolearn05724",
        "I am ready to learn! 0 5 7 2 4",
        "I am ready to learn, my code is 05-724.",
        "05724 I am ready to learn",
        "05724 I am ready to learn please",
        "05724 I am ready to learn 05724",
        "05724 I am ready to learn, code 05724!",
        "I am ready to learn 05724 05724",
        "\u{660}\u{665}\u{667}\u{662}\u{664} I am ready to learn 05724",
        "I am ready to learn \u{660}\u{665}\u{667}\u{662}\u{664}",
        "I am ready to learn \u{ff10}\u{ff15}\u{ff17}\u{ff12}\u{ff14}",
    ] {
        assert_eq!(phrase.read(body), code, "{body}");
    }
    assert_eq!(phrase.read("I am ready to learn"), PhraseMatch::Phrase);
    for body in [
        "I am ready to learn 05725",
        "I am ready to learn 0572",
        "I am ready to learn 057240",
        "I am ready to learn 5",
    ] {
        assert_eq!(phrase.read(body), PhraseMatch::WrongCode, "{body}");
    }
    for body in [
        "05724",
        "",
        "I am not ready to learn 05724",
        "I am ready to learn Rust",
        "I am ready to learn 057240572",
        "I am ready to learn 05724 05724 05724",
        "05724 I am ready to learn 48217",
        "my code is 05724 I am ready to learn 05724",
        "05724 I am 05724 ready to learn",
        "I am ready to learn, and all of the following words are far too many for a code 05724",
    ] {
        assert_eq!(phrase.read(body), PhraseMatch::Other, "{body}");
    }
}

#[test]
fn a_phrase_with_a_digit_at_its_edge_cannot_be_told_from_a_code() {
    for (phrase, outer) in [
        ("class of 2027", true),
        ("2027 class", true),
        ("the 2027 class", false),
        ("iamreadytolearn", false),
        ("learn \u{663}", true),
    ] {
        let phrase = Passphrase::parse(phrase).unwrap();
        assert_eq!(phrase.has_outer_digit(), outer);
    }
}

#[test]
fn only_so_much_beside_the_phrase_is_a_mistyped_code() {
    let phrase = Passphrase::parse("iamreadytolearn").unwrap();
    let beside = |words: usize, digits: usize| {
        let text = format!(
            "I am ready to learn {}{}",
            "x".repeat(words),
            "1".repeat(digits)
        );
        phrase.read(&text)
    };
    assert_eq!(beside(0, 8), PhraseMatch::WrongCode);
    assert_eq!(beside(0, 9), PhraseMatch::Other);
    assert_eq!(beside(40, 8), PhraseMatch::WrongCode);
    assert_eq!(beside(41, 8), PhraseMatch::Other);
    assert_eq!(beside(3, 0), PhraseMatch::Other);
}

#[test]
fn phrases_collide_if_one_begins_or_ends_with_the_other() {
    let collide = |one: &str, other: &str| {
        let (one, other) = (
            Passphrase::parse(one).unwrap(),
            Passphrase::parse(other).unwrap(),
        );
        assert_eq!(one.collides(&other), other.collides(&one), "either way");
        one.collides(&other)
    };
    for (one, other) in [
        ("ready to learn", "Ready to learn!"),
        ("ready to learn", "ready to learn rust"),
        ("ready to learn", "I am ready to learn"),
        // As phones send it in the 7-bit alphabet.
        ("prêt à apprendre", "pret a apprendre rust"),
    ] {
        assert!(collide(one, other), "{one}, {other}");
    }
    for (one, other) in [
        ("ready to learn", "ready for rust"),
        ("to learn", "ready to learn rust"),
        ("morning class", "evening class"),
    ] {
        assert!(!collide(one, other), "{one}, {other}");
    }
}

#[test]
fn each_weakness_says_what_is_wrong() {
    let reasons = [
        Weakness::Short,
        Weakness::Digits,
        Weakness::Run,
        Weakness::Common,
    ]
    .map(Weakness::reason);
    for (reason, word) in reasons
        .into_iter()
        .zip(["shorter", "digits", "sequence", "many"])
    {
        assert!(reason.contains(word), "{reason}");
    }
    let weakness = |digits: &str| Passphrase::parse(digits).unwrap().weakness();
    assert_eq!(weakness("204816397"), Some(Weakness::Digits));
    assert_eq!(weakness("2048163974"), None);
}

#[test]
fn phrases_are_equal_if_they_are_compared_alike() {
    let phrase = |text| Passphrase::parse(text).unwrap();
    assert_eq!(phrase("Purple otters"), phrase("purple, OTTERS!"));
    assert_ne!(phrase("Purple otters"), phrase("purple otter"));
    assert_eq!(format!("{:?}", phrase("Purple otters")), "Passphrase(..)");
}
