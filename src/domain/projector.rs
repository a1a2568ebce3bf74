//! The token in the link of the projector.

use std::fmt;

use super::random::token_of;

/// The token that opens the projector's page. Anyone who has it can read the phrase.
#[derive(Clone, PartialEq, Eq)]
pub struct ProjectorToken(String);

impl ProjectorToken {
    pub(super) fn new(bits: [u8; 16]) -> Self {
        Self(token_of(bits))
    }

    /// The token itself, only for the link.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether `given` is this token. How long that takes tells nothing about the token.
    pub fn is(&self, given: &str) -> bool {
        let pairs = self.0.bytes().zip(given.bytes());
        let differences = pairs.fold(0, |all, (ours, theirs)| {
            std::hint::black_box(all | (ours ^ theirs))
        });
        given.len() == self.0.len() && differences == 0
    }
}

impl fmt::Debug for ProjectorToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProjectorToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::{ClassName, PasswordKey, TOKEN_LENGTH};

    #[test]
    fn a_token_depends_on_the_key_the_class_and_the_number_of_the_link() {
        let key = PasswordKey::draw();
        let token = key.projector_token(None, 0);
        assert_eq!(token.reveal().len(), TOKEN_LENGTH);
        assert!(token.is(key.projector_token(None, 0).reveal()));
        for other in [
            key.projector_token(None, 1),
            key.projector_token(Some(&ClassName::in_command("intro")), 0),
            PasswordKey::draw().projector_token(None, 0),
        ] {
            assert!(!token.is(other.reveal()));
        }
        for other in ["", &token.reveal()[1..], &format!("{}A", token.reveal())] {
            assert!(!token.is(other), "{other}");
        }
        // Two differences that are alike do not cancel each other.
        let mut bytes = token.reveal().as_bytes().to_vec();
        bytes[..2].iter_mut().for_each(|byte| *byte ^= 1);
        assert!(!token.is(&String::from_utf8(bytes).unwrap()));
        assert_eq!(format!("{token:?}"), "ProjectorToken(..)");
    }
}
