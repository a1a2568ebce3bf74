//! `reconcile`, killed before and after every write and sync: all are adopted, or none.

use std::fs;
use std::process::{Command, Stdio};

use rusqlite::Connection;

use crate::{class, lives};

/// Accounts that the database lost.
const LOST: i64 = 3;

/// More questions than the command asks.
const STEPS: usize = 200;

#[test]
fn all_are_adopted_or_none_wherever_it_is_killed() {
    let class = class();
    for _ in 0..LOST {
        class.login_of(&class.student());
    }
    class.loses_its_rows();
    let template = fs::read(class.data_dir().join("registrations.db")).expect("the database");
    let mut found = Vec::new();
    for step in 0..STEPS {
        let data = class.folder().join(format!("data-{step}"));
        fs::create_dir(&data).unwrap();
        let file = data.join("registrations.db");
        fs::write(&file, &template).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_coder-sms-register"));
        command
            .env_clear()
            .envs(class.settings())
            .env("CODER_REG_DATA_DIR", &data)
            .arg("reconcile")
            .stdin(Stdio::null());
        let done = lives(step, command, class.folder().join(format!("{step}.sock")));
        let connection = Connection::open(&file).unwrap();
        let sql = "SELECT count(*) FROM registrations WHERE adopted_at IS NOT NULL";
        let adopted: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
        drop(connection);
        assert!(adopted == 0 || adopted == LOST, "step {step}: {adopted}");
        assert!(!done || adopted == LOST, "step {step}");
        found.push(adopted);
        fs::remove_dir_all(&data).unwrap();
        if done {
            break;
        }
    }
    let none = found.iter().take_while(|adopted| **adopted == 0).count();
    assert!(
        none > 2 && none < found.len() && found.len() < STEPS,
        "{found:?}"
    );
    assert!(
        found[none..].iter().all(|adopted| *adopted == LOST),
        "{found:?}"
    );
}
