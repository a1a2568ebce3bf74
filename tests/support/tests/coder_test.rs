//! `make coder-test` on a fake that it knows by address and token only.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::classroom::folder::Folder;
use support::classroom::{PATIENCE, within};
use support::coder_test::{Deployment, Trial};
use support::fakes::coder::{FakeCoder, Role, Version, ops};
use support::fakes::trouble::When;

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
        binary: support::program().unwrap(),
        deployment: Deployment::new(&format!("{}/api/v2/", coder.url()), &coder.token()),
        students: 4,
        workspace: Vec::new(),
        switch: None,
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
fn with_a_template_every_student_has_a_workspace_with_the_login() {
    let coder = FakeCoder::start();
    let (mut trial, told) = trial(&coder);
    trial.workspace = vec![("CODER_REG_TEMPLATE".to_owned(), "docker".to_owned())];
    assert_eq!(trial.play(), Vec::<String>::new());
    let told = told.lock().unwrap().join("\n");
    let with = "4 students have a workspace that came with the login";
    assert_eq!(told.matches(with).count(), 2, "{told}");
    let made = "7 workspaces were made, 0 are left";
    assert_eq!(told.matches(made).count(), 2, "{told}");
    for warm in [
        "4 spare accounts are made for 4, all of them dormant",
        "4 have an account that was ready, 4 a workspace that runs, 4 log in",
        "no account, no spare, 0 of 4 workspaces",
    ] {
        assert_eq!(told.matches(warm).count(), 2, "{warm:?} is not in {told}");
    }
    nothing_is_left(&coder);
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
    let (trial, told) = trial(&coder);
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
    let told = told.lock().unwrap().join("\n");
    assert!(told.contains("they are removed now"), "{told}");
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

/// Runs the command as an operator does, with all that it may write to in one folder.
fn run(coder: &FakeCoder, folder: &Path, settings: &[(&str, &str)]) -> Output {
    let path = std::env::var_os("PATH").unwrap_or_default();
    Command::new(env!("CARGO_BIN_EXE_coder-test"))
        .args(["--students", "4"])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .env("HOME", folder)
        .env("TMPDIR", folder)
        .env("CODER_API_URL", coder.url())
        .env("CODER_API_KEY", coder.token())
        .envs(settings.iter().copied())
        .output()
        .expect("the command runs")
}

/// Every file beneath a folder that holds these bytes, and how many files there are.
fn files_with(folder: &Path, wanted: &[u8]) -> (Vec<PathBuf>, usize) {
    let (mut found, mut count) = (Vec::new(), 0);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        // What is removed meanwhile holds nothing.
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                count += 1;
                if bytes.windows(wanted.len()).any(|part| part == wanted) {
                    found.push(path);
                }
            }
        }
    }
    (found, count)
}

/// Does as two commands say that leave a file each, and take it for done when the file is gone.
fn obeys(coder: &FakeCoder, folder: &Path, kills: &AtomicUsize, is_over: &AtomicBool) {
    while !is_over.load(Ordering::Relaxed) {
        if folder.join("stop").exists() {
            coder.goes_down();
            kills.fetch_add(1, Ordering::Relaxed);
            let _ = std::fs::remove_file(folder.join("stop"));
        }
        if folder.join("start").exists() {
            coder.comes_back();
            let _ = std::fs::remove_file(folder.join("start"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_command_plays_on_a_server_that_is_killed_and_stores_nothing() {
    let coder = Arc::new(FakeCoder::start_version(Version::Newest));
    // Somebody is left when the server is killed in the removal, also where this machine is slow.
    coder.suspended_workspaces_stop_after(Duration::from_secs(5));
    let (folder, orders) = (Folder::new(), Folder::new());
    let token = coder.token();
    // In the middle of the first removal everything that will ever be written is there.
    let seen = Arc::new(Mutex::new(None));
    let look = {
        let (seen, token) = (Arc::clone(&seen), token.clone());
        let place = folder.path().to_owned();
        move || *seen.lock().unwrap() = Some(files_with(&place, token.as_bytes()))
    };
    coder.on(ops::SUSPEND, When::Before, 1, Box::new(look));
    let command = |word: &str| {
        let file = orders.path().join(word).display().to_string();
        format!("touch {file} && while [ -e {file} ]; do sleep 0.02; done")
    };
    let (kills, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let output = std::thread::scope(|scope| {
        scope.spawn(|| obeys(&coder, orders.path(), &kills, &is_over));
        let (stop, start) = (command("stop"), command("start"));
        let settings = [("CODER_TEST_STOP", &*stop), ("CODER_TEST_START", &*start)];
        let output = run(&coder, folder.path(), &settings);
        is_over.store(true, Ordering::Relaxed);
        output
    });
    let told = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    println!("{told}");
    assert_eq!(output.status.code(), Some(0), "{told}{complained}");
    assert!(told.contains("all held"), "{told}");
    let in_class = told
        .matches("the service and the server were killed")
        .count();
    let in_removal = told.matches("and the server when").count();
    assert_eq!((in_class, in_removal), (2, 2), "{told}");
    assert!(!told.contains("when 0 were left"), "{told}");
    assert_eq!(kills.load(Ordering::Relaxed), 4);
    assert_eq!(
        told.matches("3 workspaces were made, 0 are left").count(),
        2
    );
    nothing_is_left(&coder);
    assert!(!told.contains(&token) && !complained.contains(&token));
    let (holders, files) = seen.lock().unwrap().take().expect("somebody is suspended");
    assert!(files > 3, "the database and what Redis keeps: {files}");
    assert_eq!(holders, Vec::<PathBuf>::new());
    assert_eq!(
        files_with(folder.path(), token.as_bytes()).1,
        0,
        "nothing is kept"
    );
}

#[test]
fn the_command_says_what_it_lacks() {
    let coder = FakeCoder::start();
    let folder = Folder::new();
    let halves = run(&coder, folder.path(), &[("CODER_TEST_STOP", "true")]);
    assert_eq!(halves.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&halves.stderr).contains("set both or none"));
    let commands = [("CODER_TEST_STOP", "true"), ("CODER_TEST_START", "true")];
    let unkilled = run(&coder, folder.path(), &commands);
    let told = String::from_utf8_lossy(&unkilled.stdout);
    assert_eq!(unkilled.status.code(), Some(1), "{told}");
    assert!(told.contains("but the server still answers"), "{told}");
    nothing_is_left(&coder);
}
