//! Which password is meant, and the file of the key.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::domain::PasswordKey;

fn key_file(dir: &TempDir) -> PathBuf {
    dir.data().join("password.key")
}

impl TempDir {
    fn password_key(&self) -> (PasswordKey, usize) {
        self.open().password_key(&self.data()).unwrap()
    }

    fn key_refusal(&self) -> String {
        let refusal = self.open().password_key(&self.data());
        refusal.map(drop).unwrap_err().to_string()
    }
}

fn password_of(store: &Store, number: u32) -> (Option<u32>, bool) {
    let row = store.find(&phone(number)).unwrap().unwrap();
    (row.password_counter, row.password_known)
}

#[test]
fn the_key_is_made_once_and_only_its_owner_may_read_it() {
    let dir = TempDir::new();
    let (key, unknown) = dir.password_key();
    assert_eq!(unknown, 0);
    let mode = fs::metadata(key_file(&dir)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let written = fs::read_to_string(key_file(&dir)).unwrap();
    assert_eq!(written, format!("{}\n", key.reveal()));
    assert_eq!(dir.password_key(), (key, 0));
}

#[test]
fn a_draft_that_a_kill_has_left_is_no_key() {
    let dir = TempDir::new();
    drop(dir.open());
    let draft = dir.data().join("password.key.new");
    fs::write(&draft, "0123").unwrap();
    dir.password_key();
    assert!(!draft.exists());
    assert!(key_file(&dir).exists());
}

#[test]
fn a_key_that_others_may_read_or_that_is_damaged_is_refused_with_its_cure() {
    let dir = TempDir::new();
    let (key, _) = dir.password_key();
    let file = key_file(&dir);
    for mode in [0o640, 0o604, 0o660, 0o644] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        let refusal = dir.key_refusal();
        assert!(
            refusal.contains(&format!("chmod 600 {}", file.display())),
            "{refusal}"
        );
    }
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let whole = key.reveal();
    for damaged in ["", "\n", &whole[1..], &format!("{whole} {whole}"), "\u{0}"] {
        fs::write(&file, damaged).unwrap();
        let refusal = dir.key_refusal();
        assert!(refusal.contains("empty or damaged"), "{refusal}");
        assert!(!refusal.contains(&whole[1..]), "{refusal}");
        // It is left for a person to look at.
        assert_eq!(fs::read_to_string(&file).unwrap(), damaged);
    }
    // However it ends: some editors add a line, others take one away.
    for spelling in [
        whole.clone(),
        format!("{whole}\r\n\n"),
        whole.to_uppercase(),
    ] {
        fs::write(&file, spelling).unwrap();
        assert_eq!(dir.password_key(), (key.clone(), 0));
    }
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(dir.key_refusal().contains("it is no file"));
}

#[test]
fn a_lost_key_makes_all_passwords_unknown_once() {
    let dir = TempDir::new();
    let (old, _) = dir.password_key();
    let store = dir.open();
    store.at_stage(1, Stage::Announced);
    store.at_stage(2, Stage::Reserved);
    store.at_stage(3, Stage::Announced);
    forget_counter(&store, 3);
    assert_eq!(password_of(&store, 1), (Some(1), true));
    drop(store);

    fs::remove_file(key_file(&dir)).unwrap();
    let (new, unknown) = dir.password_key();
    assert_ne!(old, new);
    assert_eq!(unknown, 2);
    let store = dir.open();
    assert_eq!(password_of(&store, 1), (Some(2), false));
    assert_eq!(password_of(&store, 2), (Some(2), false));
    assert_eq!(password_of(&store, 3), (None, false));
    drop(store);
    assert_eq!(dir.password_key(), (new, 0), "once, not at every start");
}

/// As an account is whose password nobody knows.
fn forget_counter(store: &Store, number: u32) {
    let sql =
        "UPDATE registrations SET password_counter = NULL, password_marker = NULL WHERE phone = ?1";
    let phone = phone(number);
    store.lock().execute(sql, [phone.as_bytes()]).unwrap();
}

#[test]
fn an_account_without_a_counter_gets_one_once() {
    let dir = TempDir::new();
    let store = dir.open();
    let id = store.at_stage(1, Stage::Announced);
    forget_counter(&store, 1);
    assert!(store.count_password(id).unwrap());
    assert_eq!(password_of(&store, 1), (Some(1), false));
    assert!(!store.count_password(id).unwrap());
    assert!(store.begin_send(id, sending(30), 1, Some(100)).unwrap());
    assert_eq!(password_of(&store, 1), (Some(1), true));
}

#[test]
fn a_renamed_account_has_no_password_known_of_the_one_before() {
    let dir = TempDir::new();
    let store = dir.open();
    let id = store.at_stage(1, Stage::Announced);
    let sql = "UPDATE registrations SET marker = 'another' WHERE id = ?1";
    store.lock().execute(sql, [id]).unwrap();
    assert_eq!(password_of(&store, 1), (Some(1), false));
}

#[test]
fn a_send_begins_only_with_the_password_that_is_meant() {
    let dir = TempDir::new();
    let store = dir.open();
    let id = store.at_stage(1, Stage::Announced);
    let mut commands = Commands::open(&dir.data()).unwrap();
    let renewed = commands.renew_password("HAPPY-tuna-1").unwrap().unwrap();
    assert_eq!(renewed.registration.password_counter, Some(2));
    assert_eq!(password_of(&store, 1), (Some(2), false));
    let before = store.dump();
    assert!(!store.begin_send(id, sending(30), 1, Some(100)).unwrap());
    assert_eq!(store.dump(), before);
    commands.password_renewed(&renewed, 25).unwrap();
    let row = store.find(&phone(1)).unwrap().unwrap();
    assert_eq!((row.renewed_at, row.password_known), (Some(25), true));
    assert!(store.begin_send(id, sending(30), 2, Some(100)).unwrap());
}

#[test]
fn a_renewal_that_coder_refused_is_taken_back_unless_another_followed() {
    let dir = TempDir::new();
    let store = dir.open();
    store.at_stage(1, Stage::Announced);
    let mut commands = Commands::open(&dir.data()).unwrap();
    let renewed = commands.renew_password("happy-tuna-1").unwrap().unwrap();
    commands.password_kept(&renewed).unwrap();
    assert_eq!(password_of(&store, 1), (Some(1), true));
    let first = commands.renew_password("happy-tuna-1").unwrap().unwrap();
    let second = commands.renew_password("happy-tuna-1").unwrap().unwrap();
    commands.password_kept(&first).unwrap();
    commands.password_renewed(&first, 99).unwrap();
    assert_eq!(password_of(&store, 1), (Some(3), false));
    commands.password_kept(&second).unwrap();
    assert_eq!(password_of(&store, 1), (Some(2), false));
    forget_counter(&store, 1);
    let renewed = commands.renew_password("happy-tuna-1").unwrap().unwrap();
    commands.password_kept(&renewed).unwrap();
    assert_eq!(password_of(&store, 1), (None, false));
}

#[test]
fn only_an_account_with_a_login_is_renewed() {
    let dir = TempDir::new();
    let store = dir.open();
    for (number, stage, refusal) in [
        (1, Stage::Reserved, RenewError::NoLogin),
        (2, Stage::Created, RenewError::NoLogin),
        (3, Stage::Reaping, RenewError::BeingRemoved),
    ] {
        store.at_stage(number, stage);
        let mut commands = Commands::open(&dir.data()).unwrap();
        let refused = commands
            .renew_password(&format!("happy-tuna-{number}"))
            .unwrap();
        assert_eq!(refused.unwrap_err(), refusal);
    }
    let mut commands = Commands::open(&dir.data()).unwrap();
    assert_eq!(
        commands.renew_password("nobody").unwrap().unwrap_err(),
        RenewError::Unknown
    );
    let id = store.at_stage(4, Stage::Announced);
    store.begin_send(id, sending(30), 1, Some(100)).unwrap();
    let refused = commands
        .renew_password("happy-tuna-4")
        .unwrap()
        .unwrap_err();
    assert_eq!(refused, RenewError::BeingSent);
}

#[test]
fn a_withheld_login_counts_until_the_next_login_is_sent() {
    let dir = TempDir::new();
    let store = dir.open();
    let id = store.at_stage(1, Stage::Announced);
    let withheld = WithheldLogin {
        text: &sid(7),
        at: 50,
        window_start: 40,
        sent_in_window: 2,
    };
    store.withhold(id, withheld).unwrap();
    let row = store.find(&phone(1)).unwrap().unwrap();
    assert_eq!((row.withheld_at, row.sent_in_window), (Some(50), 2));
    assert_eq!(store.seen(&sid(7)).unwrap(), TextHistory::Served);
    store.begin_send(id, sending(60), 1, Some(100)).unwrap();
    store.login_sent(id, &sid(8), sent(60, Some(999))).unwrap();
    assert_eq!(store.find(&phone(1)).unwrap().unwrap().withheld_at, None);
}
