//! The keys that open the door: sessions of a login and API tokens, and until when they are good.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::super::clock::rfc3339;
use super::super::random;
use super::super::server::Reply;
use super::auth::Caller;
use super::fault::Fault;
use super::users;
use super::world::{Version, World};

/// What an owner's token lives for at most.
pub const OWNER_TOKEN: Duration = Duration::from_secs(168 * HOUR);
/// What the session of a login lives for.
pub const SESSION: Duration = Duration::from_secs(24 * HOUR);
const HOUR: u64 = 3_600;

/// A session or an API token: `id-secret`. Its times are by the server's clock.
pub struct Key {
    pub id: String,
    pub secret: String,
    /// The id of the user that it opens the door for.
    pub user: String,
    /// `token` or `password`.
    pub login_type: &'static str,
    /// The name that its owner gave it; a session has none.
    pub name: String,
    pub created: SystemTime,
    pub used: SystemTime,
    pub expires: SystemTime,
    /// How long it is good from its creation, or from the use that prolongs it.
    pub lives: Duration,
}

impl Key {
    /// Notes a use, at most once an hour. A session is prolonged by it; a token in some releases only.
    fn use_at(&mut self, now: SystemTime, version: Version) {
        let hour = Duration::from_secs(HOUR);
        if now > self.used + hour {
            self.used = now;
        }
        let is_prolonged = self.login_type != "token" || version.prolongs_tokens();
        if is_prolonged && self.lives > hour && self.expires <= now + (self.lives - hour) {
            self.expires = now + self.lives;
        }
    }
}

impl World {
    /// A new API token for a user, as `id-secret`.
    pub fn add_token(&mut self, user: String, name: &str, lives: Duration) -> String {
        self.add_key(user, "token", name, lives)
    }

    /// A new session for a user, as `id-secret`.
    pub fn add_session(&mut self, user: String) -> String {
        self.add_key(user, "password", "", SESSION)
    }

    fn add_key(
        &mut self,
        user: String,
        login_type: &'static str,
        name: &str,
        lives: Duration,
    ) -> String {
        let (id, secret) = (
            random::letters_and_digits(10),
            random::letters_and_digits(22),
        );
        let token = format!("{id}-{secret}");
        let now = self.now();
        self.keys.push(Key {
            id,
            secret,
            user,
            login_type,
            name: name.to_owned(),
            created: now,
            used: now,
            expires: now + lives,
            lives,
        });
        token
    }

    /// The token that the fake hands out.
    pub fn token(&self) -> String {
        let key = self.keys.iter().rev().find(|key| key.user == self.admin);
        key.map_or_else(String::new, |key| format!("{}-{}", key.id, key.secret))
    }

    /// The user whose key this is. The use is noted.
    pub fn use_key(&mut self, id: &str, secret: &str) -> Result<String, String> {
        let (now, version) = (self.now(), self.version);
        let key = self.keys.iter_mut().find(|key| key.id == id);
        let key = key.ok_or("API key is invalid.")?;
        if key.secret != secret {
            return Err("API key secret is invalid.".to_owned());
        }
        if key.expires <= now {
            return Err(format!("API key expired at {:?}.", rfc3339(key.expires)));
        }
        key.use_at(now, version);
        Ok(key.user.clone())
    }
}

/// `GET /users/{user}/keys/{id}`: all of a key but its secret.
pub fn read(world: &World, caller: &Caller, user: &str, id: &str) -> Result<Reply, Fault> {
    let user = users::find(world, caller, user)?.id.clone();
    let key = world
        .keys
        .iter()
        .find(|key| key.id == id && key.user == user)
        .ok_or_else(Fault::not_found)?;
    let mut body: Value = json!({
        "id": key.id,
        "user_id": key.user,
        "last_used": rfc3339(key.used),
        "expires_at": rfc3339(key.expires),
        "created_at": rfc3339(key.created),
        "updated_at": rfc3339(key.used),
        "login_type": key.login_type,
        "scope": "all",
        "token_name": key.name,
        "lifetime_seconds": key.lives.as_secs(),
    });
    if world.version >= Version::V2_29 {
        body["scopes"] = json!(["coder:all"]);
        body["allow_list"] = json!(["*:*"]);
    }
    Ok(Reply::json(200, &body))
}
