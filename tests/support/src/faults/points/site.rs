//! Which Coder an act is played at, and as whom.

use crate::fakes::coder::{Role, Version};

/// A release of Coder with the roles of the service's user there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PointSite {
    /// 2.24.4; the service's user manages users and the organization, and may not set passwords.
    OldAdmin,
    /// 2.24.4; the service's user is an owner.
    OldOwner,
    /// The newest; the service's user manages users and the organization, and may set passwords.
    NewAdmin,
}

impl PointSite {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::OldAdmin, Self::OldOwner, Self::NewAdmin];

    /// Its name in plans and in the table.
    pub fn word(self) -> &'static str {
        match self {
            Self::OldAdmin => "2.24.4-admin",
            Self::OldOwner => "2.24.4-owner",
            Self::NewAdmin => "newest-admin",
        }
    }

    /// The release.
    pub fn version(self) -> Version {
        match self {
            Self::OldAdmin | Self::OldOwner => Version::V2_24,
            Self::NewAdmin => Version::Newest,
        }
    }

    /// What the service's user may do.
    pub fn roles(self) -> &'static [Role] {
        match self {
            Self::OldAdmin | Self::NewAdmin => &[Role::UserAdmin, Role::OrganizationAdmin],
            Self::OldOwner => &[Role::Owner],
        }
    }

    /// Whether the service's user may set passwords.
    pub fn sets_passwords(self) -> bool {
        self != Self::OldAdmin
    }
}
