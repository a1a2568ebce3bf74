//! Decides who owns an account that the database does not contain: a pure rule.
//!
//! An adopted account is deleted later. So "ours" requires every proof at once. An account that
//! lacks one is shown to a person, or ignored if it does not carry our mark at all.

use std::collections::HashSet;

use crate::coder::{LoginType, User};
use crate::domain::registration::Registration;
use crate::domain::{InstanceId, Marker, MarkerOrigin, PhoneKey, Username};

/// What identifies our own accounts.
#[derive(Clone, Copy, Debug)]
pub struct Marks<'a> {
    /// Every key that their markers may have been drawn with.
    pub keys: &'a [PhoneKey],
    /// The instance id; `None` before the first start of a service in the data folder.
    pub instance_id: Option<&'a InstanceId>,
    /// The domain of their addresses.
    pub domain: &'a str,
}

/// The owner of an account with a display name that one of our keys has drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// The service of this data folder made it, and it was not altered since.
    Ours,
    /// It was made in another data folder: one that was lost, or one of another service.
    OtherFolder,
    /// The display name is ours, but the address does not belong to it.
    OtherAddress,
    /// It has more rights than a student.
    HasRoles,
    /// It does not log in by password, or Coder does not say so.
    OtherLogin,
}

impl Ownership {
    /// Whether a person may declare it ours. An account that was altered since may not become ours.
    pub fn may_be_ours(self) -> bool {
        matches!(self, Self::Ours | Self::OtherFolder)
    }

    /// A description for people.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Ours => "made by this service",
            Self::OtherFolder => "made with our key in another data folder",
            Self::OtherAddress => "has our mark, but another address",
            Self::HasRoles => "has our mark, but also a role",
            Self::OtherLogin => "has our mark, but logs in without password",
        }
    }

    /// A fixed word for scripts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::OtherFolder => "other-folder",
            Self::OtherAddress => "other-address",
            Self::HasRoles => "has-roles",
            Self::OtherLogin => "other-login",
        }
    }
}

/// An account that carries our mark and that the database does not contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownAccount {
    /// Its current name.
    pub username: Username,
    /// Its owner.
    pub ownership: Ownership,
    /// Coder's record of it.
    pub user: User,
}

/// The accounts of `users` that carry our mark and are not in `roster`: once each, in the given
/// order. The roster must be read before the list of users; see [`still_unknown`].
pub fn unknown(users: &[User], roster: &[Registration], marks: Marks<'_>) -> Vec<UnknownAccount> {
    let known = KnownAccounts::new(roster);
    let mut met = HashSet::new();
    let others = users.iter().filter(|user| !known.has(user));
    let found = others.filter_map(|user| {
        // A name that breaks Coder's own rule is not Coder's, and is not safe to show.
        let username = Username::parse(&user.username)?;
        let ownership = ownership(user, marks)?;
        met.insert(user.id.as_str()).then(|| UnknownAccount {
            username,
            ownership,
            user: user.clone(),
        })
    });
    found.collect()
}

/// The accounts of `found` that are not in `roster` either, which is read after the users were listed.
///
/// Both readings of the roster are needed. A registration is recorded before its user is made, so
/// the later reading contains every user of ours in the list. But a removal in between deletes the
/// row of a user that is still in the list, so the earlier reading is needed too.
pub fn still_unknown(
    mut found: Vec<UnknownAccount>,
    roster: &[Registration],
) -> Vec<UnknownAccount> {
    let known = KnownAccounts::new(roster);
    found.retain(|one| !known.has(&one.user));
    found
}

/// Ids, names and markers of the accounts in the database.
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

/// The owner of an account; `None` if nothing says that it is ours.
///
/// The proof must fit the name in the address, which only an admin can change. Anybody may change
/// the name and the display name, so copying those of our accounts does not make an account ours.
fn ownership(user: &User, marks: Marks<'_>) -> Option<Ownership> {
    let origin_of = |name: &str| {
        let name = name.to_ascii_lowercase();
        Marker::origin(&user.name, &name, marks.keys, marks.instance_id)
    };
    let address = user.email.rsplit_once('@');
    let local = address.filter(|(_, domain)| domain.eq_ignore_ascii_case(marks.domain));
    let Some(origin) = local.and_then(|(local, _)| origin_of(local)) else {
        return origin_of(&user.username).map(|_| Ownership::OtherAddress);
    };
    Some(if user.has_roles {
        Ownership::HasRoles
    } else if user.login_type != LoginType::Password {
        Ownership::OtherLogin
    } else {
        match origin {
            MarkerOrigin::ThisFolder => Ownership::Ours,
            MarkerOrigin::OtherFolder => Ownership::OtherFolder,
        }
    })
}

#[cfg(test)]
mod tests;
