//! Integration tests: the real binary and a real Redis in a [`support::classroom::Classroom`], with strict
//! fakes of Coder and Twilio. A file a topic:
//!
//! - `whole_class`: a class as it should be, from the first text to the last removal
//! - `limits`: what a class, a phone or an attacker can cost
//! - `phones`: phones that were renumbered
//! - `phrases`: the phrase in all the ways in which phones send it
//! - `opting_out`: who wants no more texts, and who wants them again
//! - `channels`: texts by RCS, WhatsApp and others
//! - `politeness`: who thanks us, or reacts to a text of ours
//! - `missed`: texts that never reached us
//! - `receipts`: what becomes of logins that were sent
//! - `recordings`: the fake Coder answers as real servers did
//! - `redact`: logins are blanked in Twilio's log
//! - `webhook`: what gets in and what does not
//! - `shared_key`: what is signed with a shared key in place of the Auth Token
//! - `hostile`: what strangers send, and what it does to others
//! - `trouble`: Coder, Twilio and Redis misbehave
//! - `refusals`: Twilio refuses texts: whose fault it is, and who waits
//! - `unclear`: nobody knows whether Twilio took a text
//! - `kills`: the service dies in the middle of everything
//! - `removal`: accounts whose time is up
//! - `renamed`: accounts that do not have the name any more that we gave them
//! - `held`: accounts that do not go, and what becomes of their phones
//! - `bench`: a short cut of every benchmark, so that none of them rots
//! - `faults`: a short cut of every proof by force
//! - `obstructed`: removals that meet every obstacle at Coder
//! - `clock`: the service's clock is set
//! - `costs`: what a text costs Coder, Twilio, Redis and the disk
//! - `operator`: the commands beside the service: health, backup, restore, settings from files
//! - `orders`: the instructor's commands: status, extend, end, forget, retry, drop
//! - `reconcile`: accounts at Coder that the database does not know
//! - `metrics`: what Prometheus gets to see
//! - `check`: is everything ready for class?
//! - `process`: starting, stopping, command line
//! - `deploy`: what is shipped for systemd
//! - `papers`: the pages for people name what there is
//! - `repository`: the papers agree with the code

mod again;
mod bench;
mod channels;
mod check;
mod clock;
mod costs;
mod deploy;
mod failing;
mod faults;
mod held;
mod hostile;
mod kills;
mod limits;
mod metrics;
mod missed;
mod obstructed;
mod operator;
mod opting_out;
mod orders;
mod papers;
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
mod renamed;
mod repository;
mod shared_key;
mod trouble;
mod unclear;
mod webhook;
mod whole_class;

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use coder_sms_register::store::{Store, StoreError};

use support::classroom::{Classroom, Plan};
use support::faults::disk::{Answer, Ask, Disk};

/// A class with the binary under test.
fn plan() -> Plan {
    Plan::new(env!("CARGO_BIN_EXE_coder-sms-register"))
}

/// A usual class.
fn class() -> Classroom {
    plan().open()
}

/// Opens a database as the service would. A process that another test is starting holds the lock of one
/// that was just closed, for the moment before it becomes another program.
fn opened(data: &std::path::Path, key: &coder_sms_register::domain::PhoneKey) -> Store {
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
    let disk = Disk::start(socket, Box::new(judge));
    let status = command.envs(disk.settings()).output().unwrap().status;
    assert!(status.success() || status.code().is_none(), "{status}");
    status.success()
}
