//! `renew`: gives an account another password.

use log::debug;

use super::arguments::{Arguments, CommandError};
use super::naming::{not_known, username};
use super::{Command, print};
use crate::clock::unix_now;
use crate::coder::{Coder, CoderError, CoderErrorKind, PasswordResult};
use crate::config::Config;
use crate::domain::PasswordKey;
use crate::domain::registration::Registration;
use crate::http::Http;
use crate::store::{Commands, RenewError, StoreError};
use crate::wake;

pub(super) const COMMAND: Command = Command {
    name: "renew",
    operands: "USER",
    summary: "give an account another password, for instance after others have seen it; the service may be running or stopped",
    details: "\
USER is an account's username or e-mail address, in any case. Its password is replaced in Coder at
once: the old one no longer works, and its sessions end. The new one is not shown; the student asks again and
gets it. The token (CODER_API_KEY) must be allowed to set passwords: an Owner's token, or after Coder 2.35.1
also a User Admin's. With another token nothing is changed. The command may be repeated, also after an
interruption.

Exit codes: 0 done, 1 failure, 2 wrong usage, 3 no such account
",
    options: "",
    run: renew,
};

fn renew(arguments: &mut Arguments) -> Result<(), CommandError> {
    let (name, _) = arguments.operand("USER", &[])?;
    let name = name
        .into_string()
        .map_err(|name| CommandError::unexpected(&name))?;
    let name = username(&name);
    let config = arguments.config()?;
    let mut database = Commands::open(&config.service.data_dir)?;
    let key = database.password_key(&config.service.data_dir)?;
    // The counter first: after any failure the next text of the student makes the service set the new password.
    let renewal = match database.renew_password(name)? {
        Ok(renewal) => renewal,
        Err(refusal) => return Err(not_renewed(name, refusal, &database)?),
    };
    let username = renewal.registration.username.as_str();
    let phrase = config.pages.reply.what_to_text();
    let result = set(&config, &key, &renewal.registration);
    let why = match result {
        Ok(Some(PasswordResult::Set | PasswordResult::Unchanged)) => {
            database.password_renewed(&renewal, unix_now())?;
            // A login with the old password may wait at a screen.
            if let Err(error) = wake::notify(&config.service.data_dir) {
                debug!("the service could not be notified: {error}");
            }
            print(&format!(
                "{username} has a new password: the old one no longer works, and its sessions have ended. The student texts {phrase} and gets it\n"
            ));
            return Ok(());
        }
        Err(NotSet::Uncertain(fault)) => {
            return Err(CommandError::Failed(format!(
                "{fault}; it is unknown whether {username} has a new password. Run renew again, or let the student text {phrase}, which sets it"
            )));
        }
        Ok(Some(PasswordResult::Forbidden)) => format!(
            "{username} keeps its password: the token (CODER_API_KEY) may not set passwords. An Owner's may, and with Coder after 2.35.1 a User Admin's. Otherwise end the account: coder-sms-register end {username}, and let the student text {phrase} for a new one"
        ),
        Ok(Some(PasswordResult::NoUser) | None) => format!(
            "Coder has no user {username} any more, so there is no password to replace; the student texts {phrase} and gets a new account"
        ),
        Err(NotSet::Invisible) => format!(
            "{username} keeps its password: the token (CODER_API_KEY) may not see users. Give its user the role User Admin"
        ),
        Err(NotSet::Certain(fault)) => {
            format!("{username} keeps its password: {fault}; {}", fault.cure())
        }
    };
    // Without this the service could never send the login again if its token may not set passwords.
    database.password_kept(&renewal)?;
    Err(CommandError::Failed(why))
}

/// Why a password was not confirmed as set.
enum NotSet {
    /// The token may not see users, so it is not known whether the account exists.
    Invisible,
    /// It is certainly not set.
    Certain(CoderError),
    /// It may be set or not.
    Uncertain(CoderError),
}

impl NotSet {
    /// Classifies a fault of the call that sets it.
    fn of(fault: CoderError) -> Self {
        match fault.kind {
            CoderErrorKind::Unreachable
            | CoderErrorKind::Busy(_)
            | CoderErrorKind::Denied
            | CoderErrorKind::Refused => Self::Certain(fault),
            CoderErrorKind::Unclear | CoderErrorKind::NotCoder => Self::Uncertain(fault),
        }
    }
}

/// Sets the account's new password. `None` = Coder has no such user; a password is set only for a user that exists.
fn set(
    config: &Config,
    key: &PasswordKey,
    registration: &Registration,
) -> Result<Option<PasswordResult>, NotSet> {
    let (Some(id), Some(counter)) = (&registration.coder_id, registration.password_counter) else {
        return Ok(None);
    };
    let coder = Coder::new(
        Http::new(config.service.call_limit),
        &config.coder.address.api,
        config.coder.key.clone(),
    );
    let username = &registration.username;
    let address = username.email(&config.coder.email_domain);
    let Some(user) = coder.locate(id, &address).map_err(NotSet::Certain)? else {
        // A token without the right to see users gets the same answer as for a deleted user.
        let rights = coder.rights().map_err(NotSet::Certain)?;
        return if rights.see_users {
            Ok(None)
        } else {
            Err(NotSet::Invisible)
        };
    };
    let password = key.password(username, &registration.marker, counter);
    let set = coder
        .set_password(&user.id, &password)
        .map_err(NotSet::of)?;
    // Coder sets the password of a deleted user without an error.
    let is_gone = set == PasswordResult::Set
        && !coder
            .is_listed(&user.id, &user.email)
            .map_err(NotSet::Uncertain)?;
    Ok((!is_gone).then_some(set))
}

/// The message for an account that gets no new password.
///
/// # Errors
/// The database cannot be read.
fn not_renewed(
    name: &str,
    refusal: RenewError,
    database: &Commands,
) -> Result<CommandError, StoreError> {
    let why = match refusal {
        RenewError::Unknown => {
            let roster = database.roster()?;
            let known = roster.iter().map(|one| one.username.as_str());
            let unknown = not_known(&[name], known);
            return Ok(CommandError::Unmatched(format!(
                "{unknown}; nothing is changed"
            )));
        }
        RenewError::NoLogin => "has no login yet, so there is no password to replace",
        RenewError::BeingSent => {
            "has a login that is being sent at this moment: try again in a minute"
        }
        RenewError::BeingRemoved => "is being removed",
        RenewError::Adopted => {
            "was adopted from Coder, and the phone of its student is not known: the new password could not be sent. Set one in Coder, or end the account"
        }
    };
    Ok(CommandError::Failed(format!(
        "{name} {why}; nothing is changed"
    )))
}
