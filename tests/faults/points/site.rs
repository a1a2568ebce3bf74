//! Which Coder an act is played at, and as whom.

use crate::fakes::coder::{Role, Version};

/// A release of Coder with the roles of the service's user there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Site {
    /// 2.24.4; the service's user manages users and the organization, and may not set passwords.
    Admin,
    /// 2.31.14; the service's user is an owner.
    Owner,
}

impl Site {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Admin, Self::Owner];

    /// Its name in plans and in the table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Admin => "2.24.4",
            Self::Owner => "2.31.14",
        }
    }

    /// The release.
    pub fn version(self) -> Version {
        match self {
            Self::Admin => Version::V2_24,
            Self::Owner => Version::V2_31,
        }
    }

    /// What the service's user may do.
    pub fn roles(self) -> &'static [Role] {
        match self {
            Self::Admin => &[Role::UserAdmin, Role::OrganizationAdmin],
            Self::Owner => &[Role::Owner],
        }
    }
}
