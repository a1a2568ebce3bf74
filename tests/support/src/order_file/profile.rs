//! What callgrind writes down, as far as it says which functions were entered.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::bench::count::student::write_script;
use crate::classroom::folder::Folder;

/// The functions of this program that a play enters. The play gets a script that runs the program under callgrind.
///
/// # Errors
/// No profile was written, or it has none of the program's functions.
pub fn of_play(program: &Path, play: fn(PathBuf)) -> Result<BTreeSet<String>, String> {
    let folder = Folder::new();
    let script = folder.path().join("program");
    // A profile for each process.
    let options = format!(
        "--quiet --tool=callgrind --demangle=no --log-file=/dev/null --callgrind-out-file='{}/%p.callgrind'",
        folder.path().display()
    );
    write_script(&script, &options, program);
    play(script);
    let entries = std::fs::read_dir(folder.path()).map_err(|error| error.to_string())?;
    let mut used = BTreeSet::new();
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.extension().is_some_and(|end| end == "callgrind") {
            let profile = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
            used.extend(entered(&profile, &program.display().to_string()));
        }
    }
    if used.is_empty() {
        return Err("callgrind wrote down none of the program's functions".to_owned());
    }
    Ok(used)
}

/// The functions of an object that have costs of their own in a profile, by callgrind's format: `ob=` and `fn=` say whose
/// the lines that follow are, `cob=` and `cfn=` name whom they call, and a name comes with its number the first time only.
fn entered(profile: &str, object: &str) -> BTreeSet<String> {
    let (mut objects, mut functions) = (BTreeMap::new(), BTreeMap::new());
    let mut is_ours = false;
    let mut found = BTreeSet::new();
    for line in profile.lines() {
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        match key {
            "ob" => is_ours = named(&mut objects, value) == object,
            "cob" => {
                named(&mut objects, value);
            }
            "fn" => {
                let name = named(&mut functions, value);
                if is_ours {
                    found.insert(name);
                }
            }
            "cfn" => {
                named(&mut functions, value);
            }
            _ => {}
        }
    }
    found
}

/// What `(1) name` or a later `(1)` stands for; without the mark of a call from within itself (`name'2`).
fn named(known: &mut BTreeMap<String, String>, value: &str) -> String {
    let (number, name) = value.split_once(' ').unwrap_or((value, ""));
    if !name.is_empty() {
        let name = name.split('\'').next().unwrap_or(name);
        known.insert(number.to_owned(), name.to_owned());
    }
    known.get(number).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::entered;

    #[test]
    fn the_objects_own_functions_are_found_and_called_ones_of_others_are_not() {
        let profile = "events: Ir\n\nob=(1) /bin/program\nfl=(1) ???\nfn=(1) main\n0 10\ncob=(2) /lib/libc.so\n\
                       cfn=(2) malloc\ncalls=1 0\n0 5\ncfn=(3) helper\ncalls=1 0\n0 7\n\nob=(2)\nfn=(2)\n0 5\n\n\
                       ob=(1)\nfn=(3)\n0 7\nfn=(4) again'2\n0 1\n";
        let found: Vec<String> = entered(profile, "/bin/program").into_iter().collect();
        assert_eq!(found, ["again", "helper", "main"]);
    }
}
