//! Which effects belong to which steps of the model.

/// Calls that look for users: worker and reaper make them both.
const USERS: [&str; 2] = ["coder list users", "coder read user"];

/// Whether a text leaves the stream by that. The worker uses a connection that the reaper may have opened, whose name it
/// then has.
pub fn settles(label: &str) -> bool {
    let commands = ["redis XADD dead", "redis XDEL", "redis XACK"];
    commands.iter().any(|command| label.ends_with(command))
}

/// Whether a step of several calls may end with that one: it only reads, or sets the password that is set.
pub fn is_a_rest(label: &str) -> bool {
    USERS.contains(&label) || ["coder set password", "coder list workspaces"].contains(&label)
}

/// Whether an effect is one of a step.
pub fn is_effect_of(step: &str, label: &str) -> bool {
    let users = USERS.contains(&label);
    match step {
        "create" => label == "coder create user",
        "ours" | "user" | "list" => users,
        "again" => users || label == "coder set password",
        "trace" => label == "twilio list texts",
        "send" => label == "twilio send text",
        "workspaces" => label == "coder list workspaces",
        "delete" => label == "coder delete user",
        "acknowledge" => label.ends_with("redis XDEL"),
        "deadletter" => label.ends_with("redis XADD dead"),
        // The same second as before is written: then SQLite writes nothing.
        "begincreate" if label == "coder create user" => true,
        _ => label.ends_with("disk write log"),
    }
}
