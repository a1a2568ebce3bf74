//! Checks the settings: reports every fault and every warning.

use super::Notes;
use crate::config::{EASY_TO_GUESS, PartialConfig, SettingWarning};

pub(super) fn inspect(parts: &PartialConfig, notes: &mut Notes<'_>) {
    for error in &parts.faults {
        let (name, (what, cure)) = (&error.name, (error.problem.what(), error.problem.cure()));
        let cure = cure.map_or_else(
            || format!("correct {name}; coder-sms-register config shows how it is read"),
            str::to_owned,
        );
        notes.fault(format!("{name}: {what}"), cure);
    }
    for misspelt in &parts.misspelt {
        let SettingWarning { what, cure } = misspelt.warning();
        notes.fault(what, cure);
    }
    if parts.faults.is_empty() && parts.misspelt.is_empty() {
        notes.pass(format!("{} settings are understood", parts.settings));
    }
    // The area "phrase" reports the warnings about the phrase.
    let is_of_phrase = |one: &&SettingWarning| one.what.ends_with(EASY_TO_GUESS);
    for SettingWarning { what, cure } in parts.warnings.iter().filter(|one| !is_of_phrase(one)) {
        notes.warn(what, cure);
    }
}
