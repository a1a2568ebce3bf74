//! The phrase in all the ways in which phones send it.

use crate::plan;

/// The texts of students who all mean the phrase, and get a login for it.
fn are_served(phrase: &str, bodies: &[&str]) {
    let class = plan().with("CODER_REG_PASS", phrase).open();
    let students = class.students(bodies.len());
    for (student, body) in students.iter().zip(bodies) {
        student.texts(body);
    }
    for (student, body) in students.iter().zip(bodies) {
        let text = student.next_text();
        assert!(student.can_log_in(), "{body:?} was answered by {text:?}");
    }
    class.all_served();
}

#[test]
fn spelling_case_and_signs_make_no_difference() {
    are_served(
        "iamreadytolearn",
        &[
            "i am ready to learn",
            "  IAMREADYTOLEARN!! ",
            "I\u{2019}am, ready to learn \u{1f600}",
        ],
    );
}

#[test]
fn accents_and_normal_forms_make_no_difference() {
    are_served(
        "prêt à apprendre 2026",
        &[
            "Pret a apprendre 2026",
            "pre\u{302}t a\u{300} apprendre 2026",
            "ＰＲＥＴ　Ａ　ＡＰＰＲＥＮＤＲＥ　２０２６",
            "prêt à apprendre ٢٠٢٦",
            "prêt à apprendre ۲۰۲۶",
            "prêt à apprendre २०२६",
            "\u{feff}“Prêt’ à apprendre 2026”\u{200b}",
        ],
    );
}

#[test]
fn letters_that_become_others_with_their_case_make_no_difference() {
    are_served(
        "Straße nach İzmir",
        &[
            "STRASSE NACH IZMIR",
            "strasse nach izmir",
            "Straße nach ızmir",
        ],
    );
}

#[test]
fn a_phone_that_has_no_greek_letters_sends_latin_ones() {
    are_served(
        "καλημέρα κόσμε",
        &["Καλημέρα κόσμε!", "ΚΑΛΗΜΕΡΑ ΚΟΣΜΕ", "KAΛHMEPA KOΣME"],
    );
}

#[test]
fn words_that_only_look_alike_are_not_the_phrase() {
    for (phrase, other) in [("ready to learn", "reаdy to lеarn"), ("तैयार की", "तैयार कि")]
    {
        let class = plan().with("CODER_REG_PASS", phrase).open();
        let ana = class.student();
        ana.texts(other);
        assert!(ana.next_text().starts_with("That is not the phrase"));
        assert!(class.coder().created_ever().is_empty());
    }
}

#[test]
fn what_the_phrase_is_compared_as_is_told() {
    let class = plan().with("CODER_REG_PASS", "Prêt à apprendre").prepare();
    let ended = class.try_service(&["config"]);
    let words = "********  = 14 letters and digits are compared, ê counts as e, à as a";
    assert!(ended.stdout.contains(words), "{ended:?}");
    assert!(!ended.stdout.contains("apprendre"), "{ended:?}");
    class.set("CODER_REG_PASS", "Opt-out");
    let ended = class.try_service(&["config"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("reserves for opt-outs"), "{ended:?}");
}
