//! The workspace that is made with a login: its name, and what keeps it from being made.

use std::fmt;

use super::Username;

/// The name of the workspace that each student gets. Coder's rule is that of usernames
/// (`codersdk/name.go`), and `new` and `create` are paths of its own pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceName(String);

impl WorkspaceName {
    /// Parses a name; `None` if Coder would refuse it.
    pub fn parse(raw: &str) -> Option<Self> {
        let reserved = ["new", "create"].contains(&raw);
        let name = Username::parse(raw).filter(|_| !reserved)?;
        Some(Self(name.as_str().to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path of its page at Coder, for the workspace of `owner`: `/@happy-tuna/class`.
    pub fn path(&self, owner: &Username) -> String {
        format!("/@{owner}/{}", self.0)
    }
}

impl fmt::Display for WorkspaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why the workspace of an account is not made, or does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkspaceTrouble {
    /// The template was deleted or renamed, or never was.
    NoTemplate,
    /// The template is deprecated.
    Deprecated,
    /// The student would have to sign in to another service first.
    ExternalAuth,
    /// Our token lacks the right.
    Forbidden,
    /// Coder refuses it for another reason, such as a missing parameter.
    Refused,
    /// Coder cannot be reached, or does not work.
    CoderAway,
    /// It is made, but its build waits for a provisioner.
    NoProvisioner,
    /// It is made, but its build failed.
    BuildFailed,
}

impl WorkspaceTrouble {
    const ALL: [Self; 8] = [
        Self::NoTemplate,
        Self::Deprecated,
        Self::ExternalAuth,
        Self::Forbidden,
        Self::Refused,
        Self::CoderAway,
        Self::NoProvisioner,
        Self::BuildFailed,
    ];

    /// Its stored form, also for scripts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoTemplate => "no-template",
            Self::Deprecated => "template-deprecated",
            Self::ExternalAuth => "external-auth",
            Self::Forbidden => "forbidden",
            Self::Refused => "refused",
            Self::CoderAway => "coder-away",
            Self::NoProvisioner => "no-provisioner",
            Self::BuildFailed => "build-failed",
        }
    }

    /// Parses its stored form.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }

    /// Whether the workspace exists all the same.
    pub fn is_of_build(self) -> bool {
        matches!(self, Self::NoProvisioner | Self::BuildFailed)
    }

    /// What is wrong with `template`, in words.
    pub fn reason(self, template: &str) -> String {
        match self {
            Self::NoTemplate => {
                format!("there is no template {template} in the default organization")
            }
            Self::Deprecated => format!("the template {template} is deprecated"),
            Self::ExternalAuth => {
                format!(
                    "the template {template} needs a sign-in of each student at another service"
                )
            }
            Self::Forbidden => format!(
                "the token (CODER_API_KEY) may not make workspaces of the template {template} for others"
            ),
            Self::Refused => format!("Coder refuses to make any of the template {template}"),
            Self::CoderAway => "Coder does not answer".to_owned(),
            Self::NoProvisioner => {
                format!("builds of the template {template} wait for a provisioner")
            }
            Self::BuildFailed => format!("builds of the template {template} failed"),
        }
    }

    /// What to do about it; may be empty.
    pub fn cure(self) -> &'static str {
        match self {
            Self::NoTemplate => {
                "set CODER_REG_TEMPLATE, or the _TEMPLATE of its class, to the name of a template, and restart the service"
            }
            Self::Deprecated => {
                "remove the deprecation in the template's settings at Coder, or set CODER_REG_TEMPLATE, or the _TEMPLATE of its class, to another template and restart the service"
            }
            Self::ExternalAuth => {
                "make that sign-in optional in the template, or let the students make their workspaces themselves"
            }
            Self::Forbidden => {
                "give the token's user the role Organization Admin of the default organization, and let it use the template"
            }
            Self::Refused => "see what is missing: coder-sms-register check --write",
            Self::CoderAway => "",
            Self::NoProvisioner => "start a provisioner, or find out why it does not work",
            Self::BuildFailed => "see the log of the build at Coder, under Workspaces",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_as_coder_allows_it() {
        for name in ["class", "Dev2", "a", "a-b-c"] {
            assert_eq!(WorkspaceName::parse(name).expect(name).as_str(), name);
        }
        for name in [
            "",
            "new",
            "create",
            "a b",
            "-a",
            "a--b",
            "a_b",
            &"x".repeat(33),
        ] {
            assert_eq!(WorkspaceName::parse(name), None, "{name}");
        }
        let name = WorkspaceName::parse("class").unwrap();
        let owner = Username::parse("happy-tuna").unwrap();
        assert_eq!(name.path(&owner), "/@happy-tuna/class");
    }

    #[test]
    fn a_name_is_printed_as_it_is() {
        assert_eq!(WorkspaceName::parse("Dev2").unwrap().to_string(), "Dev2");
    }

    #[test]
    fn each_trouble_has_words_and_a_cure_of_its_own() {
        let reasons = WorkspaceTrouble::ALL.map(|trouble| trouble.reason("python"));
        let cures = WorkspaceTrouble::ALL.map(WorkspaceTrouble::cure);
        for (at, (reason, cure)) in reasons.iter().zip(cures).enumerate() {
            assert!(
                reason.len() > 10 && !reasons[..at].contains(reason),
                "{reason}"
            );
            assert!(!cures[..at].contains(&cure), "{cure}");
            // Nobody can do anything here about a Coder that does not answer.
            let is_away = WorkspaceTrouble::ALL[at] == WorkspaceTrouble::CoderAway;
            assert_eq!(cure.is_empty(), is_away, "{reason}");
            // All others may concern one of several templates.
            assert_eq!(!reason.contains("python"), is_away, "{reason}");
        }
    }

    #[test]
    fn a_workspace_whose_build_has_trouble_exists() {
        let exists = WorkspaceTrouble::ALL
            .into_iter()
            .filter(|one| one.is_of_build());
        let exists: Vec<WorkspaceTrouble> = exists.collect();
        assert_eq!(
            exists,
            [
                WorkspaceTrouble::NoProvisioner,
                WorkspaceTrouble::BuildFailed
            ]
        );
    }

    #[test]
    fn every_trouble_is_parsed_from_what_is_stored() {
        for trouble in WorkspaceTrouble::ALL {
            assert_eq!(WorkspaceTrouble::parse(trouble.as_str()), Some(trouble));
        }
        assert_eq!(WorkspaceTrouble::parse("later"), None);
    }
}
