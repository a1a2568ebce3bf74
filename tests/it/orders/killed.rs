//! `end --all`, killed before and after every write and sync: all are ended, or none.

use std::path::Path;
use std::process::{Command, Stdio};

use coder_sms_register::domain::{InstanceId, Marker, MessageSid, Phone, PhoneKey, Username};
use coder_sms_register::store::{Reservation, Seats};

use crate::{lives, opened};
use support::classroom::folder::Folder;

/// Accounts of the class.
const CLASS: i64 = 40;

/// More questions than the command asks.
const STEPS: usize = 200;

fn key() -> PhoneKey {
    PhoneKey::derive("a key of our own")
}

fn fill(data: &Path) {
    let (key, store) = (key(), opened(data, &key()));
    for number in 0..CLASS {
        let phone = Phone::parse(&format!("+1415555{number:04}")).unwrap();
        let username = Username::parse(&format!("happy-tuna-{number}")).unwrap();
        let marker = Marker::draw(&username, &key, &InstanceId::from_stored("home"));
        let due = 4_000_000_000;
        store
            .reserve(
                Reservation {
                    phone: &phone.hash(&key),
                    text: &MessageSid::parse(&format!("SM{number:032x}")).unwrap(),
                    received: 10,
                    username: &username,
                    marker: &marker,
                    now: 10,
                    due_at: due,
                },
                Seats {
                    class: None,
                    limit: 1_000,
                },
            )
            .unwrap();
    }
}

/// `end --all` on `data`.
fn end_all(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coder-sms-register"));
    command
        .env_clear()
        .env("CODER_REG_DATA_DIR", data)
        .args(["end", "--all", "--yes"])
        .stdin(Stdio::null());
    command
}

#[test]
fn all_are_ended_or_none_wherever_it_is_killed() {
    let folder = Folder::new();
    let mut found = Vec::new();
    for step in 0..STEPS {
        let data = folder.path().join(format!("data-{step}"));
        fill(&data);
        let done = lives(
            step,
            end_all(&data),
            folder.path().join(format!("{step}.sock")),
        );
        // With its checks and the log that was left.
        let store = opened(&data, &key());
        let ended = i64::try_from(store.due(3_999_999_999, 900).unwrap().len()).unwrap();
        assert!(ended == 0 || ended == CLASS, "step {step}: {ended}");
        assert!(!done || ended == CLASS, "step {step}");
        found.push(ended);
        drop(store);
        std::fs::remove_dir_all(&data).unwrap();
        if done {
            break;
        }
    }
    let none = found.iter().take_while(|ended| **ended == 0).count();
    assert!(
        none > 2 && none < found.len() && found.len() < STEPS,
        "{found:?}"
    );
    assert!(
        found[none..].iter().all(|ended| *ended == CLASS),
        "{found:?}"
    );
}
