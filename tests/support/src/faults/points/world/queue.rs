//! What stands in the service's database of Redis.

use redis::Value;

/// All keys. How often and how long ago an entry was delivered is left out: the service does not ask for it.
pub fn lines(queue: &mut redis::Connection) -> Vec<String> {
    let keys = redis::cmd("KEYS").arg("*").query(queue);
    let keys: Vec<String> = keys.expect("Redis answers");
    let mut lines = Vec::new();
    for key in keys {
        let mut ask = |words: &[&str]| {
            let mut command = redis::cmd(words[0]);
            let answer = command.arg(&words[1..]).query(queue);
            answer.unwrap_or_else(|error| Value::SimpleString(error.to_string()))
        };
        let stays = ask(&["PTTL", &key]) == Value::Int(-1);
        if flat(&ask(&["TYPE", &key])) == "stream" {
            lines.push(format!("stream {key} stays {stays}"));
            lines.extend(entries(&key, ask));
        } else {
            // Numbers are those of a process, which is dead.
            let value = flat(&ask(&["GET", &key]));
            let words = value.split(' ').filter(|word| word.parse::<u64>().is_err());
            let value: Vec<&str> = words.collect();
            lines.push(format!("key {key} {} stays {stays}", value.join(" ")));
        }
    }
    lines
}

/// The groups of a stream, and its entries with who has taken each of them.
fn entries(key: &str, mut ask: impl FnMut(&[&str]) -> Value) -> Vec<String> {
    let groups = ask(&["XINFO", "GROUPS", key]);
    let groups: Vec<(String, String)> = members(&groups)
        .iter()
        .map(|group| (named(group, "name"), named(group, "last-delivered-id")))
        .collect();
    let mut lines: Vec<String> = groups
        .iter()
        .map(|(group, _)| format!("stream {key} group {group}"))
        .collect();
    let mut taken = Vec::new();
    for (group, _) in &groups {
        let pending = ask(&["XPENDING", key, group, "-", "+", "1000"]);
        taken.extend(members(&pending).iter().map(|entry| {
            let entry = members(entry);
            (flat(&entry[0]), format!("taken by {}", flat(&entry[1])))
        }));
    }
    for entry in members(&ask(&["XRANGE", key, "-", "+"])) {
        let [id, fields] = members(entry) else {
            panic!("an entry of a stream is a pair: {entry:?}");
        };
        let id = flat(id);
        let state = taken.iter().find(|(other, _)| *other == id);
        let is_new = groups.iter().any(|(_, last)| moment(last) < moment(&id));
        let state = match state {
            Some((_, state)) => state,
            None if is_new => "new",
            None => "left",
        };
        // When it was heard is a moment by the machine's uptime, which "received" has by the clock.
        let fields = members(fields)
            .chunks_exact(2)
            .map(|pair| (flat(&pair[0]), flat(&pair[1])));
        let fields = fields.map(|(name, value)| match name.as_str() {
            "heard" => name,
            _ => format!("{name} {value}"),
        });
        let fields: Vec<String> = fields.collect();
        lines.push(format!("stream {key} entry {} {state}", fields.join(" ")));
    }
    lines
}

/// An id of a stream, as what orders it.
fn moment(id: &str) -> Option<(u64, u64)> {
    let (time, number) = id.split_once('-')?;
    Some((time.parse().ok()?, number.parse().ok()?))
}

fn members(value: &Value) -> &[Value] {
    match value {
        Value::Array(members) => members,
        _ => &[],
    }
}

/// The value of a name in a list of names and values.
fn named(list: &Value, name: &str) -> String {
    let pairs = members(list).chunks_exact(2);
    let found = pairs.filter(|pair| flat(&pair[0]) == name);
    found.map(|pair| flat(&pair[1])).next().unwrap_or_default()
}

/// A value in one line.
fn flat(value: &Value) -> String {
    match value {
        Value::Nil => "null".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::SimpleString(text) => text.clone(),
        Value::Array(members) => {
            let members: Vec<String> = members.iter().map(flat).collect();
            members.join(" ")
        }
        other => format!("{other:?}"),
    }
}
