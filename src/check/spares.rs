//! Checks the spare accounts of a class: from when on it has some, and how many are ready.

use std::path::Path;

use super::Notes;
use super::folder::FolderFacts;
use crate::clock::unix_now;
use crate::config::ClassSettings;
use crate::domain::{count, span};
use crate::store::{Seats, inspect_spares};

pub(super) fn inspect(
    class: &ClassSettings,
    data_dir: &Path,
    folder: &FolderFacts,
    notes: &mut Notes<'_>,
) {
    if class.warm == 0 {
        return;
    }
    let (now, setting) = (unix_now(), class.setting("_WARM"));
    let starts = class.opens.map(|opens| opens - ClassSettings::WARMS_UP);
    match starts.filter(|at| *at > now) {
        _ if class.gives_until().is_some_and(|at| at <= now) => notes.warn(
            format!("no spare accounts are made ({setting}): the class has closed"),
            "correct its times if the class is still to come",
        ),
        Some(at) => notes.pass(format!(
            "{} will be made in {} ({setting})",
            in_words(class.spares_wanted(at)),
            span(at - now)
        )),
        None => ready(class, class.spares_wanted(now), data_dir, folder, notes),
    }
    if class.workspace.is_none() {
        notes.warn(
            format!(
                "spare accounts have no running workspace ({setting}), as there is no template"
            ),
            format!(
                "set {}, unless that is what you want",
                class.setting("_TEMPLATE")
            ),
        );
    }
}

fn in_words(number: u32) -> String {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    count(number, "spare account")
}

/// Says how many of the number that is `wanted` now are ready.
fn ready(
    class: &ClassSettings,
    wanted: u32,
    data_dir: &Path,
    folder: &FolderFacts,
    notes: &mut Notes<'_>,
) {
    let setting = class.setting("_WARM");
    let seats = Seats {
        class: class.name.as_ref(),
        limit: class.seats,
    };
    let (figures, allowed) = match inspect_spares(data_dir, seats, wanted) {
        Ok(Some(found)) => found,
        Ok(None) => {
            notes.pass(format!(
                "{} will be made when the service runs ({setting})",
                in_words(wanted)
            ));
            return;
        }
        // What is wrong with the database is said where the data folder is checked.
        Err(_) => {
            notes.skip(
                "how many spare accounts are ready",
                "as the database cannot be read",
            );
            return;
        }
    };
    let words = format!("{} ({setting})", figures.in_words(allowed));
    if allowed == 0 {
        notes.pass(format!(
            "no spare accounts are made ({setting}), as all seats are taken"
        ));
    } else if figures.ready >= allowed {
        notes.pass(words);
    } else if folder.running {
        notes.warn(
            words,
            "wait if the service has just started, or if students have just got some: others are made within minutes; if the number stays, coder-sms-register status says what is wrong",
        );
    } else {
        notes.pass(format!(
            "{words}; the others are made when the service runs"
        ));
    }
}
