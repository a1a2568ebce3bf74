//! The keys that open the door: sessions of a login and API tokens, and until when they are good.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::clock::rfc3339;
use super::super::random;
use super::super::server::{Reply, Request};
use super::auth::Caller;
use super::fault::Fault;
use super::fields::read_body;
use super::users;
use super::world::{Role, Version, World};

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

    /// Forgets a key.
    pub fn end_key(&mut self, id: &str) {
        self.keys.retain(|key| key.id != id);
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

/// All of a key but its secret.
fn to_json(key: &Key, version: Version) -> Value {
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
    if version >= Version::V2_29 {
        body["scopes"] = json!(["coder:all"]);
        body["allow_list"] = json!(["*:*"]);
    }
    body
}

/// `GET /users/{user}/keys/{id}`
pub fn read(world: &World, caller: &Caller, user: &str, id: &str) -> Result<Reply, Fault> {
    let key = find(world, caller, user, id)?;
    Ok(Reply::json(200, &to_json(key, world.version)))
}

fn find<'a>(world: &'a World, caller: &Caller, user: &str, id: &str) -> Result<&'a Key, Fault> {
    let user = &users::find(world, caller, user)?.id;
    let found = world
        .keys
        .iter()
        .find(|key| key.id == id && key.user == *user);
    found
        .filter(|_| caller.deletes_keys_of(user))
        .ok_or_else(Fault::not_found)
}

/// `DELETE /users/{user}/keys/{id}`
pub fn delete(world: &mut World, caller: &Caller, user: &str, id: &str) -> Result<Reply, Fault> {
    let id = find(world, caller, user, id)?.id.clone();
    world.keys.retain(|key| key.id != id);
    Ok(Reply::empty(204))
}

/// `GET /users/{user}/keys/tokens`: the user's tokens, or with `include_all` those of everybody whose keys the caller
/// may see.
pub fn list(world: &World, caller: &Caller, user: &str, request: &Request) -> Result<Reply, Fault> {
    let user = &users::find(world, caller, user)?.id;
    let all = request
        .query_value("include_all")
        .is_some_and(|value| value == "true");
    let is_wanted = |key: &&Key| {
        let meant = all || key.user == *user;
        key.login_type == "token" && meant && caller.deletes_keys_of(&key.user)
    };
    let rows = world.keys.iter().filter(is_wanted).map(|key| {
        let mut body = to_json(key, world.version);
        body["username"] = json!(world.username(&key.user));
        body
    });
    Ok(Reply::json(200, &json!(rows.collect::<Vec<Value>>())))
}

/// What a user's token may live for, in nanoseconds: owners have a narrower limit.
fn longest(world: &World, user: &str) -> u64 {
    let nanoseconds = 1_000_000_000;
    match world.by_id(user).is_some_and(|user| user.is(Role::Owner)) {
        true => OWNER_TOKEN.as_secs() * nanoseconds,
        false => 876_600 * HOUR * nanoseconds,
    }
}

/// `GET /users/{user}/keys/tokens/tokenconfig`
pub fn config(world: &World, caller: &Caller, user: &str) -> Result<Reply, Fault> {
    let user = &users::find(world, caller, user)?.id;
    let body = json!({ "max_token_lifetime": longest(world, user) });
    Ok(Reply::json(200, &body))
}

#[derive(Deserialize)]
struct TokenBody {
    /// In nanoseconds; 0 is 30 days.
    #[serde(default)]
    lifetime: u64,
    #[serde(default)]
    token_name: String,
}

/// `POST /users/{user}/keys/tokens`
pub fn create(
    world: &mut World,
    caller: &Caller,
    user: &str,
    request: &Request,
) -> Result<Reply, Fault> {
    let user = users::find(world, caller, user)?.id.clone();
    let body: TokenBody = read_body(request)?;
    if !caller.deletes_keys_of(&user) {
        return Err(Fault::not_found());
    }
    let longest = longest(world, &user);
    if body.lifetime > longest {
        let hours = longest / 1_000_000_000 / HOUR;
        let detail = format!("lifetime must be less than {hours}h0m0s");
        let message = "Failed to validate create API key request.";
        return Err(Fault::new(400, message).detail(detail));
    }
    let lives = match body.lifetime {
        0 => Duration::from_secs(30 * 24 * HOUR),
        lifetime => Duration::from_nanos(lifetime),
    };
    let taken = world
        .keys
        .iter()
        .any(|key| key.user == user && key.name == body.token_name);
    if taken && !body.token_name.is_empty() {
        let message = format!("A token with name {:?} already exists.", body.token_name);
        let detail = "This value is already in use and should be unique.";
        return Err(Fault::new(409, &message).field("name", detail));
    }
    let key = world.add_token(user, &body.token_name, lives);
    Ok(Reply::json(201, &json!({ "key": key })))
}
