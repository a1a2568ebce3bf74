//! Who wants no more texts, and who wants them again.

use crate::class;

#[test]
fn every_usual_wording_opts_out_in_silence() {
    let class = class();
    let bodies = [
        "opt out",
        "Opt-out",
        "Stop.",
        "STOP!",
        "“Stop”",
        "Stop🛑",
        "stop all",
        "please stop",
        "stop texting me",
        "STOP\u{200b}",
        "Revoke",
        "ARRÊT",
    ];
    let students = class.students(bodies.len());
    for (student, body) in students.iter().zip(bodies) {
        student.texts(body);
    }
    class.all_served();
    students.iter().for_each(|student| drop(student.asks()));
    class.all_served();
    assert!(class.twilio().texts().is_empty());
    assert!(class.coder().created_ever().is_empty());
    for student in &students {
        student.texts("Start!");
    }
    class.all_served();
    students[0].gets_a_login();
    students[students.len() - 1].gets_a_login();
}

#[test]
fn a_sentence_with_such_a_word_in_it_opts_nobody_out() {
    let class = class();
    let bodies = [
        "I can't stop learning",
        "when does the class end",
        "quit asking!",
    ];
    for body in bodies {
        let student = class.student();
        student.texts(body);
        student.next_text();
        student.gets_a_login();
    }
}
