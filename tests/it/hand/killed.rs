//! `end --all`, killed before and after every write and sync: all are ended, or none.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::{Pid, Signal, kill_process};

use coder_sms_register::domain::{Marker, Phone, PhoneKey, Username};

use crate::classroom::folder::Folder;
use crate::force::disk::{Answer, Ask, Disk};
use crate::opened;

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
        let marker = Marker::draw(&username, &key);
        let due = 4_000_000_000;
        store
            .reserve(&phone.hash(&key), &username, &marker, 10, due, 1_000)
            .unwrap();
    }
}

/// Runs `end --all` on `data`, killed before question `step / 2` to the disk, or after it if `step` is
/// odd. Returns whether it lived to its end.
fn killed_at(step: usize, data: &Path, socket: &Path) -> bool {
    let asked = Arc::new(AtomicUsize::new(0));
    let judge = move |ask: &Ask, deed: &mut dyn FnMut()| {
        let number = asked.fetch_add(2, Ordering::SeqCst);
        let kill = || {
            let process = Pid::from_raw(ask.process).expect("a process");
            let _ = kill_process(process, Signal::KILL);
            Answer::Silence
        };
        if number == step {
            return kill();
        }
        deed();
        if number + 1 == step {
            kill()
        } else {
            Answer::Truth
        }
    };
    let disk = Disk::start(socket.to_owned(), Box::new(judge));
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_coder-sms-register"));
    command
        .env_clear()
        .env("CODER_REG_DATA_DIR", data)
        .args(["end", "--all", "--yes"])
        .stdin(std::process::Stdio::null())
        .envs(disk.settings());
    let status = command.output().unwrap().status;
    assert!(status.success() || status.code().is_none(), "{status}");
    status.success()
}

#[test]
fn all_are_ended_or_none_wherever_it_is_killed() {
    let folder = Folder::new();
    let mut found = Vec::new();
    for step in 0..STEPS {
        let data = folder.path().join(format!("data-{step}"));
        fill(&data);
        let done = killed_at(step, &data, &folder.path().join(format!("{step}.sock")));
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
