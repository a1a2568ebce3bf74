//! A class with troubles, and then a search for everything secret in everything that is left.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::post::Post;
use super::table::Row;
use super::{Assault, FaultProof};
use crate::classroom::student::Login;
use crate::classroom::{Classroom, Plan};
use crate::fakes::trouble::{Op, Trouble};
use crate::fakes::twilio::ops as twilio;

/// Nothing secret is left anywhere.
pub const SECRETS: FaultProof = FaultProof {
    name: "secrets",
    about: "after a class in trouble no phone, password, token or word of a student is left in logs, files or Redis",
    run: |force| vec![secrets(force)],
};

/// Words that a student texts and nobody else says.
const CONFESSION: &str = "my grandmother's maiden name is Quetzalcoatl-Wurlitzer";

fn secrets(force: &Assault) -> Row {
    let mut row = Row::new("secrets left in logs, database, Redis, memory-mapped files");
    let class = Plan::new(&force.binary)
        .with_safe_redis()
        .with("CODER_REG_CATCH_UP", "30")
        .with("CODER_REG_CALL_LIMIT", "2s")
        .open();
    let students = class.students(force.pick(8, 60));
    let hopeless = class.student();
    class.twilio().refuse(hopeless.phone(), 400, 21_614);
    for trouble in [
        Trouble::bad_gateway(),
        Trouble::LoseReply,
        Trouble::CutBefore,
        Trouble::too_many_requests(1),
        Trouble::json(
            400,
            &serde_json::json!({ "code": 21_602, "message": "+12025550123" }),
        ),
    ] {
        class.coder().trouble(Op::ANY, 1, trouble.clone());
        class.twilio().trouble(twilio::SEND, 1, trouble);
    }
    let post = Post::to(&class);
    students.iter().for_each(|student| post.asks(student));
    post.asks(&hopeless);
    let chatty = class.student();
    post.texts(&chatty, CONFESSION);
    std::thread::sleep(Duration::from_millis(300));
    class.restart_service();
    post.follows(&class);
    row.lost += post.is_delivered();
    class.eventually_within(Duration::from_secs(90), "all texts served", || {
        class.redis().length("coder-sms-register:texts") == 0
    });
    row.students = students.len() + 2;
    let mut wanted = known(&class);
    wanted.extend([hopeless.phone(), chatty.phone()].map(|phone| phone[2..].to_owned()));
    wanted.extend(["Quetzalcoatl".to_owned(), "2025550123".to_owned()]);

    // In the running service: its log and the files it has mapped; then in what outlives it.
    let mut found = search(&class, &wanted, false);
    class.change("UPDATE registrations SET due_at = 1");
    class.all_gone();
    class.eventually("Redis forgets too", || {
        search(&class, &wanted, true).is_empty()
    });
    class.end_service();
    found.extend(search(&class, &wanted, true));
    row.note = format!("{} secrets looked for", wanted.len());
    row.lost += found.len();
    found.iter().for_each(|leak| force.says(leak));
    row
}

/// Phones, passwords and tokens that were handed out.
fn known(class: &Classroom) -> BTreeSet<String> {
    let account = class.twilio().account();
    let mut secrets = BTreeSet::from([
        account.account_token.clone(),
        account.auth_token.clone(),
        class.coder().token(),
    ]);
    for text in class.twilio().texts() {
        secrets.insert(text.to.trim_start_matches("+1").to_owned());
        secrets.extend(Login::read(&text.body).map(|login| login.password));
    }
    assert!(secrets.len() > 6, "there are passwords to look for");
    secrets
}

/// Where a secret is found: in the log, in the service's files, and with `redis` in those of Redis.
fn search(class: &Classroom, secrets: &BTreeSet<String>, redis: bool) -> Vec<String> {
    let mut places = vec![("the log".to_owned(), class.log().into_bytes())];
    let mut files = files_below(&class.data_dir());
    if redis {
        files.extend(files_below(&class.folder().join("appendonlydir")));
        for stream in ["coder-sms-register:texts", "coder-sms-register:dead"] {
            let entries = class.redis().entries(stream);
            places.push((stream.to_owned(), entries.into_bytes()));
        }
    }
    for file in files {
        let bytes = std::fs::read(&file).unwrap_or_default();
        places.push((file.display().to_string(), bytes));
    }
    let holds = |bytes: &[u8], secret: &str| {
        let mut windows = bytes.windows(secret.len());
        windows.any(|window| window == secret.as_bytes())
    };
    let mut found = Vec::new();
    for secret in secrets {
        for (place, bytes) in &places {
            if holds(bytes, secret) {
                found.push(format!(
                    "{} characters of a secret in {place}",
                    secret.len()
                ));
            }
        }
    }
    found
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| path.is_file()).collect()
}
