//! Variables whose names look like settings but are not.

use super::error::SettingWarning;
use super::settings::{CLASS, CLASS_SETTINGS, SETTINGS, setting};
use crate::similar::closest;

/// A variable that was probably meant as a setting. Its value has no effect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Misspelling {
    /// The name as written.
    pub name: String,
    /// What to do about it.
    pub cure: String,
}

/// The prefix of names that only this program uses.
const OURS: &str = "CODER_REG_";

/// The prefix of settings of a class, which nobody else uses.
const OF_A_CLASS: &str = "CODER_CLASS_";

/// Prefixes that other programs use too: such a name counts only if it is close to a setting.
const SHARED: [&str; 4] = ["CODER_", "TWILIO_", "REDIS_", "FROM_"];

impl Misspelling {
    /// The warning about it.
    pub fn warning(&self) -> SettingWarning {
        SettingWarning {
            what: format!("{} is not a setting and has no effect", self.name),
            cure: self.cure.clone(),
        }
    }

    /// `None` if the variable is a setting, or does not concern this program.
    pub(super) fn of(name: &str) -> Option<Self> {
        if setting(name).is_some() {
            return None;
        }
        let says = |cure: String| {
            let name = name.to_owned();
            Some(Self { name, cure })
        };
        if let Some(of_file) = name.strip_suffix("_FILE").and_then(setting) {
            if of_file.secret {
                return None;
            }
            return says(format!(
                "only secrets are read from files; set {} instead",
                name.strip_suffix("_FILE").unwrap_or(of_file.name)
            ));
        }
        let upper = name.to_ascii_uppercase();
        if let Some(rest) = upper.strip_prefix(OF_A_CLASS) {
            return says(of_a_class(rest));
        }
        let meant = closest(&upper, SETTINGS.iter().map(|setting| setting.name));
        match meant {
            Some(meant) if SHARED.iter().any(|one| upper.starts_with(one)) => {
                says(format!("did you mean {meant}?"))
            }
            None if upper.starts_with(OURS) => says("correct its name, or remove it".to_owned()),
            _ => None,
        }
    }
}

/// What to do about a name that continues a prefix of a class's settings by `rest`, but is none.
fn of_a_class(rest: &str) -> String {
    let endings = || {
        let all = CLASS_SETTINGS.iter();
        all.filter_map(|setting| setting.name.split_once(CLASS))
            .map(|(_, ending)| ending)
    };
    let unnamed = |ending: &&str| rest.trim_start_matches('_') == ending.trim_start_matches('_');
    if let Some(ending) = endings().find(unnamed) {
        return format!("write the name of the class into it, as {OF_A_CLASS}{CLASS}{ending}");
    }
    // The last words of the name against the endings that there are.
    let cuts = rest.rmatch_indices('_').map(|(at, _)| rest.split_at(at));
    let mut meant = cuts.filter(|(class, _)| !class.is_empty());
    if let Some(name) = meant.find_map(|(class, ending)| {
        Some(format!(
            "{OF_A_CLASS}{class}{}",
            closest(ending, endings())?
        ))
    }) {
        return format!("did you mean {name}?");
    }
    let endings: Vec<&str> = endings().collect();
    format!(
        "the name of a class is followed by one of {}; correct it, or remove it",
        endings.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_like_ours_are_found_and_those_of_other_programs_are_not() {
        for (name, cure) in [
            ("CODER_REMOVETIME", "did you mean CODER_REMOVE_TIME?"),
            ("CODER_REMOVE_TIMEOUT", "did you mean CODER_REMOVE_TIME?"),
            ("coder_remove_time", "did you mean CODER_REMOVE_TIME?"),
            ("CODER_APIKEY", "did you mean CODER_API_KEY?"),
            ("TWILIO_ACOUNT_SID", "did you mean TWILIO_ACCOUNT_SID?"),
            ("REDIS_PWD", "did you mean REDIS_PW?"),
            ("FROM_NUMBER", "did you mean FROM_NUM?"),
            ("CODER_REG_COLOUR", "correct its name, or remove it"),
            (
                "CODER_CLASS__PASS",
                "write the name of the class into it, as CODER_CLASS_<NAME>_PASS",
            ),
            (
                "CODER_CLASS_END_AT",
                "write the name of the class into it, as CODER_CLASS_<NAME>_END_AT",
            ),
            ("CODER_CLASS_A_SEAT", "did you mean CODER_CLASS_A_SEATS?"),
            (
                "CODER_CLASS_A_B_ENDAT",
                "did you mean CODER_CLASS_A_B_END_AT?",
            ),
            ("coder_class_a_opens", "did you mean CODER_CLASS_A_OPENS?"),
            (
                "CODER_CLASS_A_COUNTRIES",
                "the name of a class is followed by one of _PASS, _SEATS, _REMOVE_TIME, _TEMPLATE, _WARM, _OPENS, _CLOSES, _END_AT; correct it, or remove it",
            ),
            (
                "CODER_CLASS_A_SEATS_FILE",
                "only secrets are read from files; set CODER_CLASS_A_SEATS instead",
            ),
            ("CODER_REG_MAX_USER_FILE", "correct its name, or remove it"),
            (
                "CODER_API_URL_FILE",
                "only secrets are read from files; set CODER_API_URL instead",
            ),
        ] {
            let found = Misspelling::of(name).map(|one| one.cure);
            assert_eq!(found.as_deref(), Some(cure), "{name}");
        }
        // Set by Coder in its workspaces, by Docker for linked containers, by others for
        // themselves.
        for name in [
            "CODER_URL",
            "CODER_AGENT_URL",
            "CODER_AGENT_TOKEN",
            "CODER_SESSION_TOKEN",
            "CODER_WORKSPACE_NAME",
            "CODER_CONFIG_DIR",
            "REDIS_PORT_6379_TCP",
            "REDIS_URL",
            "RODER_REMOVE_TIME",
            "TWILIO_PHONE_NUMBER",
            "TWILIO_API_KEY",
            "PATH",
            "CODER_API_KEY_FILE",
            "CODER_REMOVE_TIME",
            "CODER_CLASS_A_PASS",
            "CODER_CLASS_A_PASS_FILE",
        ] {
            assert_eq!(Misspelling::of(name), None, "{name}");
        }
    }
}
