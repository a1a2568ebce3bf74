//! Checks the settings: reports every fault and every warning.

use super::Notes;
use crate::config::{PartialConfig, SETTINGS};

pub(super) fn inspect(parts: &PartialConfig, notes: &mut Notes<'_>) {
    for error in &parts.faults {
        let (name, (what, cure)) = (&error.name, error.what_and_cure());
        let cure = cure.map_or_else(
            || format!("correct {name}; coder-sms-register config shows how it is read"),
            str::to_owned,
        );
        notes.fault(format!("{name}: {what}"), cure);
    }
    for misspelt in &parts.misspelt {
        let what = format!("{} is not a setting and has no effect", misspelt.name);
        notes.fault(what, misspelt.cure.clone());
    }
    if parts.faults.is_empty() && parts.misspelt.is_empty() {
        notes.pass(format!("{} settings are understood", SETTINGS.len()));
    }
    // Warnings about the phrase are reported in an area of their own.
    for warning in parts
        .warnings
        .iter()
        .filter(|one| !one.starts_with("CODER_REG_PASS"))
    {
        let (what, cure) = warning.split_once(": ").unwrap_or((warning, ""));
        let cure = match cure {
            "" => "see docs/settings.md".to_owned(),
            reason => reason.to_owned(),
        };
        notes.warn(what, cure);
    }
}
