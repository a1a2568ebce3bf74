//! `make coder-test` on a fake that it knows by address and token only.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::classroom::{PATIENCE, within};
use crate::coder_trial::{Deployment, Trial};
use crate::fakes::coder::{FakeCoder, Role, Version};

type Told = Arc<Mutex<Vec<String>>>;

/// A trial against this server, and what it tells.
fn trial(coder: &FakeCoder) -> (Trial, Told) {
    let told = Told::default();
    let say = {
        let told = Arc::clone(&told);
        move |line: &str| {
            println!("{line}");
            told.lock().unwrap().push(line.to_owned());
        }
    };
    let trial = Trial {
        binary: env!("CARGO_BIN_EXE_coder-sms-register").into(),
        deployment: Deployment::new(&format!("{}/api/v2/", coder.url()), &coder.token()),
        students: 4,
        interrupted: Arc::new(AtomicBool::new(false)),
        say: Box::new(say),
    };
    (trial, told)
}

/// Nobody but those who were there before.
fn nothing_is_left(coder: &FakeCoder) {
    assert!(coder.users().is_empty(), "{}", coder.describe());
    assert!(
        coder
            .all_workspaces()
            .iter()
            .all(|workspace| workspace.deleted)
    );
}

#[test]
fn every_role_takes_a_class_to_its_end_and_nothing_is_left() {
    for version in [Version::V2_24, Version::V2_31] {
        let coder = FakeCoder::start_version(version);
        let (trial, told) = trial(&coder);
        assert_eq!(trial.play(), Vec::<String>::new(), "{version:?}");
        let told = told.lock().unwrap().join("\n");
        assert_eq!(
            told.matches("3 workspaces were made, 0 are left").count(),
            2,
            "{told}"
        );
        assert_eq!(told.matches("is found by reconcile").count(), 2, "{told}");
        assert!(!told.contains(&coder.token()), "{told}");
        nothing_is_left(&coder);
    }
}

#[test]
fn where_students_may_make_no_workspace_that_is_said() {
    let without_template = FakeCoder::start();
    without_template.remove_template("docker");
    let without_right = FakeCoder::start_version(Version::Newest);
    without_right.default_org_member_roles(&["agents-access"]);
    for (coder, why) in [
        (without_template, "students see no template"),
        (
            without_right,
            "answers 403 \"Unauthorized to create workspace.\"",
        ),
    ] {
        let (trial, told) = trial(&coder);
        assert_eq!(trial.play(), Vec::<String>::new());
        let told = told.lock().unwrap().join("\n");
        assert_eq!(told.matches(why).count(), 2, "{told}");
        nothing_is_left(&coder);
    }
}

#[test]
fn a_trial_that_is_stopped_clears_away_what_it_made() {
    let coder = FakeCoder::start();
    let (trial, _) = trial(&coder);
    let interrupted = Arc::clone(&trial.interrupted);
    let faults = std::thread::scope(|scope| {
        scope.spawn(|| {
            let is_made = || coder.all_workspaces().len() == 3;
            assert!(within(PATIENCE, is_made), "workspaces are made");
            interrupted.store(true, Ordering::Relaxed);
        });
        trial.play()
    });
    assert!(
        faults.iter().any(|fault| fault == "stopped by a signal"),
        "{faults:?}"
    );
    nothing_is_left(&coder);
}

#[test]
fn a_token_of_no_owner_is_refused_at_once() {
    let coder = FakeCoder::start();
    coder.token_roles(&[Role::UserAdmin, Role::OrganizationAdmin]);
    let (trial, _told) = trial(&coder);
    let faults = trial.play();
    assert!(faults[0].contains("no Owner"), "{faults:?}");
    assert!(coder.created_ever().is_empty());
}
