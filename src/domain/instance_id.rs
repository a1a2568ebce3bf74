//! The instance id, which identifies a data folder, and the owner of a Redis database.

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

/// The service that may use a Redis database: its data folder, at the place where it lies. A copy of the folder
/// has the same instance id but another place, so a service on the copy is another owner.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisOwner(String);

impl RedisOwner {
    /// The service of the data folder `instance_id`, which lies at `place`.
    pub fn new(instance_id: &InstanceId, place: &str) -> Self {
        Self(format!("{} {place}", instance_id.as_str()))
    }

    /// Restores an owner from its stored form.
    pub fn from_stored(raw: impl Into<String>) -> Self {
        Self(raw.into())
    }

    /// The stored form: the instance id, a space, the place.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RedisOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_an_instance_at_its_place() {
        let id = InstanceId::from_stored("0123");
        let owner = RedisOwner::new(&id, "host 1 2");
        assert_eq!(owner.as_str(), "0123 host 1 2");
        assert_eq!(RedisOwner::from_stored(owner.as_str()), owner);
        assert_ne!(RedisOwner::new(&id, "host 1 3"), owner);
        assert_eq!(format!("{id:?}, {owner:?}"), "0123, 0123 host 1 2");
    }
}
