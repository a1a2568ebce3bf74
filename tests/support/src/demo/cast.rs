//! Who texts what.

use crate::classroom::student::Webhook;
use crate::classroom::{Classroom, SIGNED_URL};
use crate::fakes::twilio;

/// Ways to write the phrase.
const SPELLINGS: [&str; 8] = [
    "I am ready to learn!",
    "iamreadytolearn",
    "I AM READY, TO LEARN ...",
    "i am ready to learn",
    "Iam ready to Learn.",
    "\u{201c}I am ready to learn\u{201d}",
    "I am ready - to learn",
    "  i AM ready to learn ?",
];
const WRONG: &str = "I am reddy to lern";

/// What a student does beside texting the phrase.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum CastRole {
    /// Nothing.
    Plain,
    /// Texts something else first.
    Hesitant,
    /// Texts twice at once.
    Hasty,
    /// Loses the login and asks again.
    Forgetful,
}

impl CastRole {
    /// Texts that are to arrive, logins among them.
    pub fn answers(self) -> (usize, usize) {
        match self {
            Self::Plain | Self::Hasty => (1, 1),
            Self::Hesitant => (2, 1),
            Self::Forgetful => (2, 2),
        }
    }
}

/// One student.
pub struct CastPart {
    /// A neutral name.
    pub name: String,
    pub phone: String,
    pub role: CastRole,
    /// What they will text, in this order.
    pub texts: Vec<(String, Webhook)>,
}

impl CastPart {
    /// The part of the phone that is shown.
    pub fn ending(&self) -> String {
        format!("...{}", &self.phone[self.phone.len().saturating_sub(2)..])
    }

    /// The student's name in a report of faults.
    pub fn label(&self) -> String {
        format!("{} (phone {})", self.name, self.ending())
    }
}

/// All who text.
pub struct Cast {
    pub students: Vec<CastPart>,
    /// A text that Twilio never signed.
    pub forged: Webhook,
    pub forger: String,
}

impl Cast {
    /// Texts that are to arrive, logins among them.
    pub fn answers(&self) -> (usize, usize) {
        let each = self.students.iter().map(|part| part.role.answers());
        each.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    /// How many students have that role.
    pub fn count(&self, role: CastRole) -> usize {
        self.students
            .iter()
            .filter(|part| part.role == role)
            .count()
    }
}

/// Makes `count` students. No log may contain their texts and phones.
pub fn gather(class: &Classroom, count: usize) -> Cast {
    class.keeps_secret("iamreadytolearn");
    let students: Vec<CastPart> = (0..count).map(|index| part(class, index, count)).collect();
    let forger = class.student();
    class.keeps_secret(local(forger.phone()));
    Cast {
        students,
        forged: forge(class, forger.phone()),
        forger: forger.phone().to_owned(),
    }
}

fn role(index: usize, count: usize) -> CastRole {
    match (index, count) {
        (0, ..=3) | (3, _) => CastRole::Forgetful,
        (1, _) => CastRole::Hesitant,
        (2, _) => CastRole::Hasty,
        _ => CastRole::Plain,
    }
}

fn part(class: &Classroom, index: usize, count: usize) -> CastPart {
    let student = class.student();
    class.keeps_secret(local(student.phone()));
    let role = role(index, count);
    let phrase = SPELLINGS[index % SPELLINGS.len()];
    let bodies: &[&str] = match role {
        CastRole::Plain => &[phrase],
        CastRole::Hesitant => &[WRONG, phrase],
        CastRole::Hasty | CastRole::Forgetful => &[phrase, phrase],
    };
    let text = |body: &&str| {
        class.keeps_secret(body.trim());
        ((*body).to_owned(), student.webhook(body, &[]))
    };
    CastPart {
        name: format!("Student {:02}", index + 1),
        phone: student.phone().to_owned(),
        role,
        texts: bodies.iter().map(text).collect(),
    }
}

/// A text that is valid but for its signature.
fn forge(class: &Classroom, phone: &str) -> Webhook {
    let account = class.twilio().account();
    let (sid, to) = (twilio::new_sid(), &account.from_numbers[0]);
    let params = twilio::webhook_params(&sid, phone, to, SPELLINGS[0], &account.account_sid, &[]);
    let signature = twilio::sign("a token that is not the account's", SIGNED_URL, &params);
    Webhook {
        headers: twilio::webhook_headers(&signature),
        body: twilio::form_encode(&params),
        sid,
    }
}

/// The phone without its country code: a log must not contain it in either form.
fn local(phone: &str) -> &str {
    phone.trim_start_matches("+1")
}
