//! Checks the roles that every member of the default organization has, and so every student (since
//! Coder 2.35).

use super::Notes;
use super::coder::{CoderFacts, skip_unless_general};
use crate::coder::{AGENTS_ACCESS, Coder, CoderError, MemberRoles, WORKSPACE_ACCESS};
use crate::config::PartialConfig;

/// Roles that let members create workspaces.
const WORKSPACE_ROLES: [&str; 2] = [WORKSPACE_ACCESS, "organization-admin"];
/// A role that forbids members to create workspaces.
const BAN_ROLE: &str = "organization-workspace-creation-ban";

pub(super) fn inspect(
    coder: &Coder,
    _: &PartialConfig,
    _: &mut CoderFacts,
    notes: &mut Notes<'_>,
) -> Result<(), CoderError> {
    match coder.member_roles() {
        Ok(Some(members)) => judge(&members, notes),
        // Earlier releases have no such roles: all members may create workspaces.
        Ok(None) => {}
        Err(error) => return skip_unless_general(error, "the roles of members", notes),
    }
    Ok(())
}

fn judge(members: &MemberRoles, notes: &mut Notes<'_>) {
    let has = |name: &str| members.roles.iter().any(|role| role == name);
    if !WORKSPACE_ROLES.iter().any(|role| has(role)) || has(BAN_ROLE) {
        notes.fault(
            "students can log in but cannot create workspaces: the members of the default organization lack the role for it",
            format!("let members create workspaces: {}", command(&[WORKSPACE_ACCESS])),
        );
    } else {
        notes.pass("members of the default organization may create workspaces");
    }
    if has(AGENTS_ACCESS) {
        let kept: Vec<&str> = members.roles.iter().map(String::as_str).collect();
        let kept: Vec<&str> = kept
            .into_iter()
            .filter(|role| *role != AGENTS_ACCESS)
            .collect();
        notes.warn(
            format!("every student may use the AI models of this deployment at your cost ({AGENTS_ACCESS}, a role of all members)"),
            format!("if you do not want that, type: {}", command(&kept)),
        );
    }
    match &members.unassignable {
        Some(roles) if !roles.is_empty() => notes.fault(
            format!("the token may not assign {}, a role of all members, so no user can be created (500)", list(roles)),
            "give the token's user the role Organization Admin of the default organization, or remove that role from the members' roles",
        ),
        Some(_) => notes.pass("the token may assign all roles of members"),
        None => notes.warn(
            "this version of Coder cannot tell whether the token may assign the roles of members",
            "test it with coder-sms-register check --write",
        ),
    }
}

/// The command that replaces the members' roles with these.
fn command(roles: &[&str]) -> String {
    let roles: Vec<String> = roles.iter().map(|role| harmless(role)).collect();
    format!(
        "coder organizations edit --default-org-member-roles \"{}\"",
        roles.join(",")
    )
}

fn list(roles: &[String]) -> String {
    let roles: Vec<String> = roles.iter().map(|role| harmless(role)).collect();
    roles.join(", ")
}

/// A role's name without characters that are unsafe in a command.
fn harmless(role: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || "-_".contains(*c);
    role.chars().filter(plain).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Area, CheckStatus, Finding};

    fn found(roles: &[&str], unassignable: Option<&[&str]>) -> Vec<Finding> {
        let own = |roles: &[&str]| roles.iter().map(|role| (*role).to_owned()).collect();
        let members = MemberRoles {
            roles: own(roles),
            unassignable: unassignable.map(own),
        };
        let mut all = Vec::new();
        judge(&members, &mut Notes::of(Area::Coder, &mut all));
        all
    }

    #[test]
    fn the_members_rights_are_judged_by_their_roles() {
        use CheckStatus::{Fault, Pass, Warning};
        for (roles, unassignable, verdicts) in [
            (&[WORKSPACE_ACCESS][..], Some(&[][..]), &[Pass, Pass][..]),
            (&[], Some(&[]), &[Fault, Pass]),
            (
                &["organization-auditor"],
                Some(&["organization-auditor"]),
                &[Fault, Fault],
            ),
            (
                &[WORKSPACE_ACCESS, AGENTS_ACCESS],
                Some(&[]),
                &[Pass, Warning, Pass],
            ),
            (&[AGENTS_ACCESS], Some(&[]), &[Fault, Warning, Pass]),
            (&[WORKSPACE_ACCESS, BAN_ROLE], None, &[Fault, Warning]),
            (&["organization-admin"], None, &[Pass, Warning]),
        ] {
            let found = found(roles, unassignable);
            let told: Vec<CheckStatus> = found.iter().map(|one| one.verdict).collect();
            assert_eq!(told, verdicts, "{roles:?}");
        }
    }

    #[test]
    fn the_command_keeps_all_other_roles() {
        let roles = [
            WORKSPACE_ACCESS,
            AGENTS_ACCESS,
            "organization-auditor\"; rm",
        ];
        let found = found(&roles, Some(&[]));
        let cure = found.iter().find(|one| one.verdict == CheckStatus::Warning);
        assert_eq!(
            cure.and_then(|one| one.cure.as_deref()),
            Some(
                "if you do not want that, type: coder organizations edit --default-org-member-roles \"organization-workspace-access,organization-auditorrm\""
            )
        );
    }
}
