//! Integration tests: the real binary and a real Redis in a [`support::classroom::Classroom`], with strict
//! fakes of Coder and Twilio. One file for each topic.
//!
//! Start with:
//! - `whole_class`: a class as it should be, from the first text to the last removal
//!
//! Texts and logins:
//! - `phrases`: all the ways in which phones send the phrase
//! - `login_again`: a student texts the phrase again
//! - `opting_out`: students who want no more texts, and who want them again
//! - `politeness`: thanks and reactions to our texts get no answer
//! - `phones`: phone numbers that were renumbered
//! - `channels`: texts by RCS, WhatsApp and other channels
//! - `screens`: logins that appear on laptops
//! - `catch_up`: texts that did not reach the service
//! - `receipts`: delivery receipts of logins
//! - `redact`: logins are redacted in Twilio's log
//! - `limits`: what a class, a phone or an attacker can cost
//! - `costs`: the calls and commits that one text costs
//!
//! The public port:
//! - `webhook`: which requests are accepted
//! - `shared_key`: webhooks that are signed with a shared key instead of the Auth Token
//! - `hostile`: requests of attackers, and their effect on others
//! - `pages`: what browsers are shown
//!
//! Faults:
//! - `trouble`: Coder, Twilio and Redis fail
//! - `odd_answers`: valid but unusual answers and requests
//! - `operator_errors`: mistakes of operators during a class
//! - `create_errors`: Coder fails to create any user
//! - `refusals`: Twilio refuses texts: whose fault it is, and which texts wait
//! - `unknown_outcome`: it is not known whether Twilio accepted a text
//! - `kills`: the service is killed in the middle of its work
//! - `clock`: the service's clock is changed
//!
//! Workspaces:
//! - `workspaces`: a workspace with each login
//! - `spares`: accounts that are made before a student asks
//!
//! Removals:
//! - `removal`: accounts whose time is up
//! - `removal_obstacles`: removals that are held up at Coder
//! - `stuck_accounts`: accounts that cannot be removed, and what happens to their phones
//! - `renamed`: accounts that were renamed at Coder
//! - `reconcile`: accounts at Coder that the database does not contain
//!
//! The operator and the instructor:
//! - `check`: the command `check`
//! - `operator`: health, backup, restore, settings from files
//! - `orders`: the instructor's commands: status, extend, end, forget, retry, drop
//! - `metrics`: the metrics for Prometheus
//! - `process`: start, stop, command line
//!
//! The repository:
//! - `deploy`: the files for systemd
//! - `documents`: the documents agree with the program
//! - `repository`: the documents agree with the code
//! - `recordings`: the fake Coder answers as real servers did
//! - `bench`, `faults`: a short run of every benchmark, and of every proof in `support::faults`

mod bench;
mod catch_up;
mod channels;
mod check;
mod classes;
mod clock;
mod costs;
mod create_errors;
mod deploy;
mod documents;
mod faults;
mod hostile;
mod kills;
mod limits;
mod login_again;
mod metrics;
mod odd_answers;
mod operator;
mod operator_errors;
mod opting_out;
mod orders;
mod pages;
mod phones;
mod phrases;
mod politeness;
mod process;
mod receipts;
mod reconcile;
mod recordings;
mod redact;
mod refusals;
mod removal;
mod removal_obstacles;
mod renamed;
mod repository;
mod screens;
mod shared_key;
mod spares;
mod stuck_accounts;
mod trouble;
mod unknown_outcome;
mod webhook;
mod whole_class;
mod workspaces;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use coder_sms_register::store::{Store, StoreError};

use support::classroom::{Classroom, Plan};
use support::faults::disk::{Ask, Disk, DiskAnswer};

/// A class with the binary under test.
fn plan() -> Plan {
    Plan::new(env!("CARGO_BIN_EXE_coder-sms-register"))
}

/// A usual class.
fn class() -> Classroom {
    plan().open()
}

/// The text of a file of this repository.
fn repository_file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Opens a database as the service would. A process that another test is starting holds the lock of one
/// that was just closed, for the moment before it becomes another program.
fn opened(data: &Path, key: &coder_sms_register::domain::PhoneKey) -> Store {
    let deadline = Instant::now() + support::classroom::PATIENCE;
    loop {
        match Store::open(data, std::slice::from_ref(key)) {
            Err(StoreError::Taken { .. }) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            opened => return opened.expect("the database opens").0,
        }
    }
}

/// Runs a command of the binary, killed before its question `step / 2` to the disk, or after it if `step` is
/// odd. Returns whether it lived to its end.
fn lives(step: usize, mut command: Command, socket: PathBuf) -> bool {
    let asked = AtomicUsize::new(0);
    let judge = move |ask: &Ask, deed: &mut dyn FnMut()| {
        let number = asked.fetch_add(2, Ordering::SeqCst);
        let kill = || {
            let process = Pid::from_raw(ask.process).expect("a process");
            let _ = kill_process(process, Signal::KILL);
            DiskAnswer::Silence
        };
        if number == step {
            return kill();
        }
        deed();
        if number + 1 == step {
            kill()
        } else {
            DiskAnswer::Truth
        }
    };
    let disk = Disk::start(socket, Box::new(judge));
    let status = command.envs(disk.settings()).output().unwrap().status;
    assert!(status.success() || status.code().is_none(), "{status}");
    status.success()
}
