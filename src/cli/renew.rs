//! `renew`: an account gets another password.

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

pub(super) const COMMAND: Command = Command {
    name: "renew",
    operands: "USER",
    summary: "give an account another password, as when somebody else has seen it; the service may be running or not",
    details: "\
USER is an account's username or e-mail address, in any case. Its password is replaced at Coder at once: the old one no longer
works, and whoever is logged in with it is signed out. The new one is shown to nobody; its student texts the
phrase and gets it. The token (CODER_API_KEY) must be allowed to set passwords: an Owner's, or with Coder after
2.35.1 a User Admin's. With another one nothing is changed. It may be repeated, also after it was interrupted.

Exit codes: 0 done, 1 failed, 2 misused, 3 no such account
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
    let mut hand = Commands::open(&config.service.data_dir)?;
    let key = hand.password_key(&config.service.data_dir)?;
    // The counter first: whatever happens after it, the next text of the student asks Coder for the new one.
    let renewal = match hand.renew_password(name)? {
        Ok(renewal) => renewal,
        Err(refusal) => return Err(not_renewed(name, refusal, &hand)?),
    };
    let username = renewal.registration.username.as_str();
    match set(&config, &key, &renewal.registration) {
        Ok(Some(PasswordResult::Set | PasswordResult::Unchanged)) => {
            hand.password_renewed(&renewal, unix_now())?;
            print(&format!(
                "{username} has a new password: the old one no longer works, and its sessions have ended. Its student texts the phrase and gets the new one\n"
            ));
            Ok(())
        }
        Ok(Some(PasswordResult::Forbidden)) => {
            hand.password_kept(&renewal)?;
            Err(CommandError::Failed(format!(
                "{username} keeps its password: the token (CODER_API_KEY) may not set passwords. An Owner's may, and with Coder after 2.35.1 a User Admin's. Otherwise end the account: coder-sms-register end {username}, and its student texts the phrase for a new one"
            )))
        }
        Ok(Some(PasswordResult::NoUser) | None) => {
            hand.password_kept(&renewal)?;
            Err(CommandError::Failed(format!(
                "Coder has no user {username} any more, so there is no password to replace; its student texts the phrase and gets a new account"
            )))
        }
        Err(NotSet::Unseen) => {
            hand.password_kept(&renewal)?;
            Err(CommandError::Failed(format!(
                "{username} keeps its password: the token (CODER_API_KEY) may not see users. Give its user the role User Admin"
            )))
        }
        // A service whose token sets no passwords could never send a login again that Coder does not have.
        Err(NotSet::Surely(fault)) => {
            hand.password_kept(&renewal)?;
            Err(CommandError::Failed(format!(
                "{username} keeps its password: {fault}"
            )))
        }
        Err(NotSet::Perhaps(fault)) => Err(CommandError::Failed(format!(
            "{fault}; whether {username} has a new password is not known. Renew it again, or have its student text the phrase, which sets it"
        ))),
    }
}

/// A password that was not seen to be set.
enum NotSet {
    /// The token sees no users, so whether the account is there is not known.
    Unseen,
    /// The call that sets it was not made, or not carried out.
    Surely(CoderError),
    /// It may be set.
    Perhaps(CoderError),
}

impl NotSet {
    /// Sorts a fault of the call that sets it.
    fn of(fault: CoderError) -> Self {
        match fault.kind {
            CoderErrorKind::Unreachable
            | CoderErrorKind::Busy(_)
            | CoderErrorKind::Denied
            | CoderErrorKind::Refused => Self::Surely(fault),
            CoderErrorKind::Unclear | CoderErrorKind::NotCoder => Self::Perhaps(fault),
        }
    }
}

/// Sets the password that the account is to have. `None` = Coder has no such user: only of a living one is a
/// password ever set.
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
    let Some(user) = coder.locate(id, &address).map_err(NotSet::Surely)? else {
        // To a token without the right everybody looks gone.
        let rights = coder.rights().map_err(NotSet::Surely)?;
        return if rights.see_users {
            Ok(None)
        } else {
            Err(NotSet::Unseen)
        };
    };
    let password = key.password(username, &registration.marker, counter);
    let set = coder
        .set_password(&user.id, &password)
        .map_err(NotSet::of)?;
    // Deleted just before, it takes a password all the same.
    let is_gone = set == PasswordResult::Set
        && !coder
            .is_listed(&user.id, &user.email)
            .map_err(NotSet::Perhaps)?;
    Ok((!is_gone).then_some(set))
}

/// Why the account `name` got no other password.
///
/// # Errors
/// The database cannot be read.
fn not_renewed(
    name: &str,
    refusal: RenewError,
    hand: &Commands,
) -> Result<CommandError, StoreError> {
    let why = match refusal {
        RenewError::Unknown => {
            let roster = hand.roster()?;
            let known = roster.iter().map(|one| one.username.as_str());
            let unknown = not_known(&[name], known);
            return Ok(CommandError::Unmatched(format!(
                "{unknown}; nothing is changed"
            )));
        }
        RenewError::NoLogin => "has no login yet, so there is no password that anybody could know",
        RenewError::BeingSent => {
            "has a login that is being sent at this moment: try again in a minute"
        }
        RenewError::BeingRemoved => "is being removed",
        RenewError::Adopted => {
            "was found at Coder, and its student's phone is not known: nobody could get the new password. Set one at Coder, or end the account"
        }
    };
    Ok(CommandError::Failed(format!(
        "{name} {why}; nothing is changed"
    )))
}
