//! Settings, data folder, Redis and phrase.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::{before_start, ready};
use support::classroom::PATIENCE;
use support::classroom::folder::Folder;
use support::faults::disk::{Ask, Disk, DiskAnswer};

#[test]
fn every_faulty_setting_is_named_and_the_rest_is_looked_at() {
    let ready = ready();
    ready.set("CODER_EMAIL_DOM", "localhost");
    ready.set("CODER_REMOVE_TIME", "soon");
    let report = ready.check();
    report.ends_with(1);
    report.has(
        "fault",
        "settings",
        "CODER_EMAIL_DOM: \"localhost\" is not a domain that Coder accepts",
        "write it as example.org",
    );
    report.has(
        "fault",
        "settings",
        "CODER_REMOVE_TIME",
        "it may end with a unit: 90s",
    );
    assert_eq!(report.all("fault").count(), 2);
    report.has("skipped", "coder", "as its settings have faults", "");
    report.is_well_elsewhere(&["settings", "coder", "clock", "phrase"]);
}

#[test]
fn a_misspelt_setting_is_a_fault() {
    let ready = ready();
    ready.set("CODER_REMOVETIME", "60");
    let report = ready.check();
    report.ends_with(1);
    report.has(
        "fault",
        "settings",
        "CODER_REMOVETIME is not a setting and has no effect",
        "did you mean CODER_REMOVE_TIME?",
    );
    assert_eq!(report.all("fault").count(), 1);
}

#[test]
fn without_any_setting_all_that_is_missing_is_named() {
    let ready = ready();
    for name in ready.settings().keys() {
        ready.set(name, "");
    }
    let report = ready.check();
    report.ends_with(1);
    let settings = report.all("fault").filter(|one| one.area == "settings");
    assert!(settings.count() >= 8, "{report:#?}");
    for area in ["coder", "twilio", "public url"] {
        report.has("skipped", area, "as its settings have faults", "");
    }
}

#[test]
fn a_database_that_is_slow_for_a_moment_is_no_fault() {
    let folder = Folder::new();
    let (asked, is_asked) = channel();
    let (release, held) = channel::<()>();
    let held = Mutex::new(held);
    let judge = move |ask: &Ask, deed: &mut dyn FnMut()| {
        if ask.thread == "health" && asked.send(()).is_ok() {
            // Until it is released; after that there is no other end.
            let _ = held.lock().unwrap().recv();
        }
        deed();
        DiskAnswer::Truth
    };
    let disk = Disk::start(folder.path().join("disk.sock"), Box::new(judge));
    let ready = before_start();
    for (name, value) in disk.settings() {
        ready.set(name, &value);
    }
    ready.starts();
    for name in disk.settings().map(|(name, _)| name) {
        ready.set(name, "");
    }
    let releaser = thread::spawn(move || {
        is_asked
            .recv_timeout(PATIENCE)
            .expect("its health is asked");
        // The service itself waits half a second.
        thread::sleep(Duration::from_millis(1_500));
        drop(release);
    });
    let report = ready.check();
    releaser.join().expect("released");
    report.ends_with(0);
    report.has("pass", "data folder", "runs and is healthy", "");
    ready.stops();
}

#[test]
fn an_easy_phrase_is_a_warning() {
    for (phrase, reason) in [
        ("Hello!", "is shorter than 6 letters"),
        ("Welcome 2026", "is a word that many people try first"),
    ] {
        let ready = before_start();
        ready.set("CODER_REG_PASS", phrase);
        ready.starts();
        let report = ready.check();
        report.ends_with(0);
        report.has("warning", "phrase", reason, "two or three words");
        report.has("pass", "phrase", "letters and digits are compared", "");
        report.is_well_elsewhere(&["phrase"]);
        assert!(!report.ended.stdout.contains(phrase.trim_end_matches('!')));
    }
}

#[test]
fn more_seats_than_texts_in_an_hour_are_a_warning() {
    let ready = ready();
    ready.set("CODER_REG_HOURLY_TEXTS", "59");
    let report = ready.check();
    report.ends_with(0);
    let words =
        "there are 60 seats (CODER_REG_MAX_USERS), but only 59 texts are sent within an hour";
    let cure = "raise CODER_REG_HOURLY_TEXTS";
    report.has("warning", "phrase", words, cure);
    report.is_well_elsewhere(&["phrase"]);
}

#[test]
fn a_login_of_two_texts_is_a_warning() {
    let ready = ready();
    let domain = format!("{}.{}.example.org", "long".repeat(15), "name".repeat(10));
    ready.set("CODER_EMAIL_DOM", &domain);
    let report = ready.check();
    report.has(
        "warning",
        "phrase",
        "charges as two texts",
        "shorten CODER_API_URL",
    );
    report.is_well_elsewhere(&["phrase"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_a_fault() {
    let ready = ready();
    let folder = ready.data_dir();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
    ready.finds(
        "data folder",
        "is not writable for its own user",
        "chmod 700",
    );
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();

    ready.set("CODER_REG_DATA_DIR", "/proc/nothing/here");
    let report = ready.check();
    report.has(
        "fault",
        "data folder",
        "this user cannot create it",
        "set CODER_REG_DATA_DIR",
    );
    ready.set("CODER_REG_DATA_DIR", &folder.display().to_string());
}

#[test]
fn a_damaged_database_is_a_fault() {
    let ready = ready();
    ready.stops();
    let file = ready.data_dir().join("registrations.db");
    let mut bytes = fs::read(&file).unwrap();
    // All but the first page, which says whose the file is and what is in it.
    bytes[4_096..].fill(7);
    fs::write(&file, bytes).unwrap();
    ready.finds_beside(
        "data folder",
        "damaged",
        "restore a backup",
        &["public url"],
    );
}

#[test]
fn a_database_of_another_key_is_a_fault() {
    let ready = ready();
    ready.student().gets_a_login();
    ready.all_served();
    ready.set("CODER_REG_PHONE_KEY", "another");
    ready.finds(
        "data folder",
        "1 account in the database: created with another phone key",
        "TWILIO_ACCOUNT_TOKEN=new,old",
    );
}

#[test]
fn somebody_else_on_our_port_is_a_fault() {
    let ready = ready();
    ready.end_service();
    let stranger = support::fakes::server::Server::start(|_| {
        let reply = support::fakes::server::Reply::text(200, "hello");
        support::fakes::server::Action::Reply(reply)
    });
    let address = stranger.address().to_string();
    ready.set("CODER_REG_LISTEN", &address);
    ready.finds_beside(
        "data folder",
        "another program listens on",
        "another port",
        &["public url"],
    );
}

#[test]
fn a_service_of_another_folder_is_a_fault() {
    let ready = ready();
    let other = ready.folder().join("other");
    fs::create_dir(&other).unwrap();
    ready.set("CODER_REG_DATA_DIR", &other.display().to_string());
    let report = ready.check();
    let words = "uses another data folder";
    report.has("fault", "data folder", words, "set CODER_REG_DATA_DIR");
    // The Redis database is the running service's, too.
    report.has(
        "fault",
        "redis",
        "another coder-sms-register",
        "another REDIS_DB",
    );
    report.is_well_elsewhere(&["data folder", "redis", "public url"]);
    assert_eq!(fs::read_dir(&other).unwrap().count(), 0, "nothing was made");
}

#[test]
fn a_wrong_password_of_redis_is_a_fault() {
    let ready = ready();
    ready.set("REDIS_PW", "wrong");
    ready.finds(
        "redis",
        "Redis refuses the password",
        "set REDIS_PW to the password",
    );
}

#[test]
fn a_redis_that_is_not_there_is_a_fault() {
    let ready = ready();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port().to_string();
    drop(nobody);
    ready.set("REDIS_HOST", "127.0.0.1");
    ready.set("REDIS_PORT", &port);
    ready.finds("redis", "connection refused", "start Redis; set REDIS_HOST");
}

#[test]
fn a_redis_that_forgets_or_drops_is_a_fault() {
    let ready = ready();
    let config = |name: &str, value: &str| {
        let mut connection = ready.redis().connection().unwrap();
        redis::cmd("CONFIG")
            .arg(&["SET", name, value])
            .exec(&mut connection)
            .unwrap();
    };
    config("appendonly", "no");
    ready.finds("redis", "its append-only file is off", "set appendonly yes");
    config("appendonly", "yes");
    config("maxmemory-policy", "allkeys-lru");
    ready.finds(
        "redis",
        "it deletes texts when its memory is full",
        "maxmemory-policy noeviction",
    );
}

#[test]
fn a_key_of_passwords_that_would_stop_the_start_is_a_fault_with_its_cure() {
    let ready = ready();
    let key = ready.data_dir().join("password.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let report = ready.check();
    report.ends_with(1);
    report.has(
        "fault",
        "data folder",
        "password.key cannot be used as the key of the passwords",
        "chmod 600",
    );
    assert_eq!(report.all("fault").count(), 1);
}
