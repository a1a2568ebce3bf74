//! The instance id: which data folder something belongs to.

use std::fmt;

/// The random id of a data folder: 8 bytes as hex digits, drawn by the first service that works on the folder. It
/// tells two services apart at Coder, in Redis and at the public URL. It is no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct InstanceId(String);

impl InstanceId {
    /// Reads an id back that was drawn by the database.
    pub fn from_stored(raw: impl Into<String>) -> Self {
        Self(raw.into())
    }

    /// The id as it is compared and signed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
