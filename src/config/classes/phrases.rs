//! Reads the phrases: which classes there are, and what a student texts for each of them.

use super::EASY_TO_GUESS;
use crate::config::SettingProblem;
use crate::config::reader::{Faulty, Reader};
use crate::config::settings::{CLASS, CLASS_SETTINGS};
use crate::domain::{ClassName, Passphrase, PhraseError, Secret};

/// A phrase, and the class that it leads to.
#[derive(Clone, Debug)]
pub struct ClassPhrase {
    /// The class; `None` = the one without a name.
    pub class: Option<ClassName>,
    /// How the names of its settings begin; empty for the class without a name.
    pub(super) prefix: String,
    /// The setting with the phrase.
    pub setting: String,
    /// The phrase.
    pub phrase: Passphrase,
    pub(super) written: Secret,
}

/// Reads the phrases of all classes.
pub(in crate::config) fn read_phrases(r: &mut Reader) -> Result<Vec<ClassPhrase>, Faulty> {
    let written: Vec<String> = r.classes().keys().cloned().collect();
    let Some(first) = written.first() else {
        let (phrase, text) = read_phrase(r, "CODER_REG_PASS")?;
        return Ok(vec![ClassPhrase {
            class: None,
            prefix: String::new(),
            setting: "CODER_REG_PASS".to_owned(),
            phrase,
            written: text,
        }]);
    };
    let mut faulty = false;
    if r.get("CODER_REG_PASS").is_some() {
        let first = prefix(first);
        let problem = SettingProblem::new(
            format!("is set, and so are settings of classes ({first}...)"),
            "remove it, as each class has its own phrase, or remove those",
        );
        r.fault("CODER_REG_PASS", problem);
        faulty = true;
    }
    let mut phrases: Vec<ClassPhrase> = Vec::new();
    let mut names: Vec<(ClassName, String)> = Vec::new();
    for written in written {
        match read_class_phrase(r, &written, &mut names) {
            Err(Faulty) => faulty = true,
            Ok(phrase) => phrases.push(phrase),
        }
    }
    if have_collisions(r, &phrases) || faulty {
        return Err(Faulty);
    }
    Ok(phrases)
}

/// Reads the phrase of one class. `names`: the classes before it, each with how the names of its settings begin.
fn read_class_phrase(
    r: &mut Reader,
    written: &str,
    names: &mut Vec<(ClassName, String)>,
) -> Result<ClassPhrase, Faulty> {
    let prefix = prefix(written);
    let setting = format!("{prefix}_PASS");
    let Some(class) = ClassName::of_setting(written) else {
        let longest = ClassName::LONGEST;
        let problem = SettingProblem::new(
            format!("{written:?} cannot be the name of a class"),
            format!(
                "use at most {longest} letters, digits and _, with a letter or digit at both ends"
            ),
        );
        r.fault(&setting, problem);
        return Err(Faulty);
    };
    if let Some((_, other)) = names.iter().find(|(other, _)| *other == class) {
        let problem = SettingProblem::new(
            format!("and {other}_PASS belong to two classes with the same name, {class}"),
            "rename one of them",
        );
        r.fault(&setting, problem);
        return Err(Faulty);
    }
    names.push((class.clone(), prefix.clone()));
    let (phrase, text) = read_phrase(r, &setting)?;
    Ok(ClassPhrase {
        class: Some(class),
        prefix,
        setting,
        phrase,
        written: text,
    })
}

/// Records each phrase that a text could mean together with an earlier one. Returns whether there is one.
fn have_collisions(r: &mut Reader, phrases: &[ClassPhrase]) -> bool {
    let mut faulty = false;
    for (index, one) in phrases.iter().enumerate() {
        let mut earlier = phrases[..index].iter();
        if let Some(other) = earlier.find(|other| one.phrase.collides(&other.phrase)) {
            let other = &other.setting;
            let problem = SettingProblem::new(
                format!(
                    "and {other} cannot be told apart: their letters and digits are equal, or one begins or ends with the other"
                ),
                "choose phrases that differ",
            );
            r.fault(&one.setting, problem);
            faulty = true;
        }
    }
    faulty
}

/// How the names of the settings of a class begin.
pub(super) fn prefix(written: &str) -> String {
    let before = CLASS_SETTINGS
        .first()
        .and_then(|one| one.name.split_once(CLASS));
    format!("{}{written}", before.map_or("", |(before, _)| before))
}

fn read_phrase(r: &mut Reader, setting: &str) -> Result<(Passphrase, Secret), Faulty> {
    let phrase = r.value(setting, |phrase| {
        Passphrase::parse(phrase).map_err(|error| match error {
            PhraseError::Empty => {
                SettingProblem::new("has no letter and no digit", "choose some words")
            }
            PhraseError::OptWord => SettingProblem::new(
                "is a word that Twilio reserves for opt-outs (STOP, YES, INFO ...)",
                "choose other words",
            ),
        })
    })?;
    if let Some(weakness) = phrase.weakness() {
        r.warn(
            format!("{setting} {}{EASY_TO_GUESS}", weakness.reason()),
            "choose two or three words that belong together only in your class",
        );
    }
    let written = Secret::new(r.get(setting).unwrap_or_default());
    Ok((phrase, written))
}
