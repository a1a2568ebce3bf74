//! Whose an account is that the database does not know: a pure rule.
//!
//! What is hidden here: how little is taken for granted. Deletion follows an adoption, so "ours" wants
//! every proof at once; whatever lacks one is shown to a person, or is nobody's business.

use std::collections::HashSet;

use crate::coder::{LoginType, User};
use crate::domain::registration::Registration;
use crate::domain::{Drawer, InstanceId, Marker, PhoneKey, Username};

/// By what we know accounts of our own.
#[derive(Clone, Copy, Debug)]
pub struct Marks<'a> {
    /// Every key that may have drawn their markers.
    pub keys: &'a [PhoneKey],
    /// The instance id; `None` before the first start of a service on it.
    pub instance_id: Option<&'a InstanceId>,
    /// The domain of their addresses.
    pub domain: &'a str,
}

/// Whose an account is. All of them carry a display name that our key drew for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// This data folder's service made it, and it is as it was made.
    Ours,
    /// It was made in another data folder: one that was lost, or that of another service.
    OtherFolder,
    /// It was made by an older program, which does not say where.
    OlderProgram,
    /// Its name is ours, its address is not the one that belongs to this name.
    OtherAddress,
    /// It may do more than a student.
    HasRoles,
    /// It does not log in by password, as far as Coder tells.
    OtherLogin,
}

impl Ownership {
    /// Whether it may become ours when a person says so; one that was altered since it was made may not.
    pub fn may_be_ours(self) -> bool {
        matches!(self, Self::Ours | Self::OtherFolder | Self::OlderProgram)
    }

    /// In plain words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Ours => "made by this service",
            Self::OtherFolder => "made with our key in another data folder",
            Self::OlderProgram => "made with our key by an older program",
            Self::OtherAddress => "has our mark, but another address",
            Self::HasRoles => "has our mark, but also a role",
            Self::OtherLogin => "has our mark, but logs in without password",
        }
    }

    /// For scripts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::OtherFolder => "other-folder",
            Self::OlderProgram => "older-program",
            Self::OtherAddress => "other-address",
            Self::HasRoles => "has-roles",
            Self::OtherLogin => "other-login",
        }
    }
}

/// An account that carries our mark, and that the database does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownAccount {
    /// Its name, as it is now.
    pub username: Username,
    /// Whose it is.
    pub verdict: Ownership,
    /// What Coder tells of it.
    pub user: User,
}

/// Of `users` those that carry our mark and are not in `roster`, once each, in the order in which they
/// come. The roster has to be read before the list of users is asked for; see [`still_unknown`].
pub fn unknown(users: &[User], roster: &[Registration], marks: Marks<'_>) -> Vec<UnknownAccount> {
    let known = KnownAccounts::new(roster);
    let mut met = HashSet::new();
    let strange = users.iter().filter(|user| !known.has(user));
    let found = strange.filter_map(|user| {
        // A name that breaks Coder's own rule is not Coder's, and not fit to be shown.
        let username = Username::parse(&user.username)?;
        let verdict = verdict(user, marks)?;
        met.insert(user.id.as_str()).then(|| UnknownAccount {
            username,
            verdict,
            user: user.clone(),
        })
    });
    found.collect()
}

/// What of `found` is not in `roster` either, which is read after the users were listed.
///
/// Both readings are needed. A registration under way is written down before its user is made, so
/// whatever the list shows stands in the later one; but a removal in between forgets the row of a user
/// that the list still has.
pub fn still_unknown(
    mut found: Vec<UnknownAccount>,
    roster: &[Registration],
) -> Vec<UnknownAccount> {
    let known = KnownAccounts::new(roster);
    found.retain(|one| !known.has(&one.user));
    found
}

/// What the database knows accounts by.
struct KnownAccounts<'a> {
    ids: HashSet<&'a str>,
    names: HashSet<String>,
    markers: HashSet<&'a str>,
}

impl<'a> KnownAccounts<'a> {
    fn new(roster: &'a [Registration]) -> Self {
        let names = roster.iter().map(|one| one.username.as_str());
        Self {
            ids: roster
                .iter()
                .filter_map(|one| one.coder_id.as_deref())
                .collect(),
            names: names.map(str::to_ascii_lowercase).collect(),
            markers: roster.iter().map(|one| one.marker.as_str()).collect(),
        }
    }

    fn has(&self, user: &User) -> bool {
        self.ids.contains(user.id.as_str())
            || self.names.contains(&user.username.to_ascii_lowercase())
            || self.markers.contains(user.name.as_str())
    }
}

/// Whose an account is; `None` = a stranger's.
///
/// The proof has to be of the name in its address, which only an admin can change: who takes the name
/// and the display name of one of ours, both of which anybody may change, does not become ours.
fn verdict(user: &User, marks: Marks<'_>) -> Option<Ownership> {
    let drawn_for = |name: &str| {
        let name = name.to_ascii_lowercase();
        Marker::drawer(&user.name, &name, marks.keys, marks.instance_id)
    };
    let address = user.email.rsplit_once('@');
    let local = address.filter(|(_, domain)| domain.eq_ignore_ascii_case(marks.domain));
    let Some(drawer) = local.and_then(|(local, _)| drawn_for(local)) else {
        return drawn_for(&user.username).map(|_| Ownership::OtherAddress);
    };
    Some(if user.has_roles {
        Ownership::HasRoles
    } else if user.login_type != LoginType::Password {
        Ownership::OtherLogin
    } else {
        match drawer {
            Drawer::ThisFolder => Ownership::Ours,
            Drawer::OtherFolder => Ownership::OtherFolder,
            Drawer::OlderProgram => Ownership::OlderProgram,
        }
    })
}

#[cfg(test)]
mod tests;
