//! `backup`: copies the database.

use std::io::IsTerminal;
use std::path::Path;
use std::process::Stdio;

use super::arguments::{Arguments, CommandError};
use super::folder_owner::FolderOwner;
use super::table::count;
use super::{Command, complain};
use crate::store::{self, BackupSummary};

pub(super) const COMMAND: Command = Command {
    name: "backup",
    operands: "FILE",
    summary: "copy the database to FILE, or with - to standard output; the service may be running",
    details: "\
The copy is a consistent snapshot in one file that only its owner can read. It contains the names of
accounts, but no phones and no passwords. It is checked before it gets its name. The only settings that it
needs are CODER_REG_DATA_DIR or CODER_REG_ENV. Root reads the database as the owner of the data folder.
",
    options: "      --force          overwrite FILE\n",
    run: save,
};

fn save(arguments: &mut Arguments) -> Result<(), CommandError> {
    let (to, given) = arguments.operand("FILE (or - for standard output)", &["force"])?;
    let force = given.contains(&"force");
    let to_stdout = to == "-";
    if to_stdout && std::io::stdout().is_terminal() {
        return Err(CommandError::Misused(
            "standard output is a terminal: redirect it, as in backup - > FILE".to_owned(),
        ));
    }
    let folder = arguments.data_dir()?;
    let owner = FolderOwner::other_than_root(&folder);
    let summary = match (owner, to_stdout) {
        (Some(owner), true) => {
            return owner.run(&["backup"], Stdio::null(), Stdio::inherit());
        }
        (Some(owner), false) => {
            return store::receive_backup(Path::new(&to), force, |file| {
                owner.run(&["backup"], Stdio::null(), file)
            });
        }
        (None, true) => store::backup_to(&folder, &mut std::io::stdout().lock())?,
        (None, false) => store::backup(&folder, Path::new(&to), force)?,
    };
    let BackupSummary {
        registrations,
        version,
        bytes,
        ..
    } = summary;
    complain(&format!(
        "{}, schema {version}, {} KB",
        count(registrations, "registration"),
        bytes.div_ceil(1024)
    ));
    Ok(())
}
