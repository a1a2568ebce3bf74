//! The instance id, which identifies a data folder.

use std::fmt;

/// The random id of a data folder: 8 bytes as hex digits, drawn by the first service that uses the
/// folder. It distinguishes services at Coder, in Redis and at the public URL. It is not secret.
#[derive(Clone, PartialEq, Eq)]
pub struct InstanceId(String);

impl InstanceId {
    /// Restores an id from its stored form.
    pub fn from_stored(raw: impl Into<String>) -> Self {
        Self(raw.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
