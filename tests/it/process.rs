//! Starting, stopping, command line.

use std::fs::Permissions;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::{class, plan};
use support::classroom::Classroom;
use support::classroom::student::Student;
use support::fakes::coder::{Role, ops as coder};
use support::fakes::trouble::{Op, Trouble};

#[test]
fn a_stop_is_quick_and_what_was_in_hand_goes_on_after_the_next_start() {
    let class = class();
    class.coder().latency(Op::ANY, Duration::from_millis(300));
    let students = class.students(12);
    class.all_ask(&students);
    let service = class.service();
    let began = Instant::now();
    service.signal(Signal::TERM);
    let status = service
        .wait(Duration::from_secs(6))
        .expect("it stops within 5 seconds");
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(status.code(), Some(0));

    class.restart_service();
    class.all_log_in(&students);
    students.iter().for_each(Student::has_read_all);
}

#[test]
fn an_idle_service_stops_at_once_and_an_interrupt_is_as_good() {
    for signal in [Signal::TERM, Signal::INT] {
        let class = class();
        let service = class.service();
        let began = Instant::now();
        service.signal(signal);
        let status = service.wait(Duration::from_secs(5)).expect("it stops");
        assert_eq!(status.code(), Some(0));
        assert!(
            began.elapsed() < Duration::from_secs(2),
            "{:?}",
            began.elapsed()
        );
    }
}

/// A class whose service waits for an answer of Coder that does not come.
fn class_with_a_hanging_call() -> Classroom {
    let class = class();
    let hang = Trouble::Hang(Duration::from_secs(60));
    class.trouble_at_coder(Op::ANY, usize::MAX, hang);
    class.student().asks();
    class.eventually("a call that hangs", || {
        class.coder().count(coder::CREATE_USER) == 1
    });
    class
}

#[test]
fn a_hanging_call_is_cut_within_the_time_that_a_stop_may_take() {
    let class = class_with_a_hanging_call();
    let service = class.service();
    service.signal(Signal::TERM);
    assert!(service.wait(Duration::from_secs(5)).is_some());
}

#[test]
fn a_redis_that_hangs_does_not_hold_a_stop_up() {
    let class = class();
    class.student().texts("hello there");
    class.all_served();
    class.redis().pause();
    let service = class.service();
    service.signal(Signal::TERM);
    let stopped = service.wait(Duration::from_secs(5)).is_some();
    class.redis().resume();
    assert!(stopped);
}

#[test]
fn a_second_signal_leaves_at_once() {
    let class = class_with_a_hanging_call();
    let service = class.service();
    service.signal(Signal::TERM);
    assert!(
        service.wait(Duration::from_millis(300)).is_none(),
        "the first one waits for the call"
    );
    let began = Instant::now();
    service.signal(Signal::TERM);
    assert!(service.wait(Duration::from_secs(3)).is_some());
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "it waited for the call"
    );
}

#[test]
fn a_folder_of_somebody_else_is_refused_with_the_cure() {
    let class = plan().prepare();
    let folder = class.data_dir();
    std::fs::create_dir(&folder).unwrap();
    let mode = |bits| std::fs::set_permissions(&folder, Permissions::from_mode(bits)).unwrap();
    mode(0o500);
    // Root may write anywhere, so the command runs as another user, who needs a binary within reach.
    let binary = class.folder().join("service");
    std::fs::copy(env!("CARGO_BIN_EXE_coder-sms-register"), &binary).unwrap();
    std::fs::set_permissions(class.folder(), Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(&binary);
    command.env_clear().envs(class.settings());
    if rustix::process::geteuid().is_root() {
        command.uid(65_534).gid(65_534);
    }
    let mut ended = command.output();
    // A child that another test has just forked still holds the file that we have written.
    while ended
        .as_ref()
        .is_err_and(|error| error.kind() == ErrorKind::ExecutableFileBusy)
    {
        std::thread::yield_now();
        ended = command.output();
    }
    let ended = ended.unwrap();
    mode(0o700);
    let words = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success());
    assert!(words.contains(&folder.display().to_string()), "{words}");
    assert!(
        words.contains("CODER_REG_DATA_DIR must be a folder that this user may write to"),
        "{words}"
    );
}

#[test]
fn a_second_instance_on_the_same_folder_is_refused() {
    let class = class();
    let second = class.try_service(&[]);
    assert_eq!(second.code, Some(1));
    assert!(
        second
            .stderr
            .contains("another coder-sms-register is running on"),
        "{}",
        second.stderr
    );
}

#[test]
fn a_token_that_cannot_do_its_work_is_told_at_the_start() {
    let class = class();
    for (roles, words) in [
        (
            &[][..],
            "nor see, stop or delete workspaces of others: no accounts are created or removed",
        ),
        (
            &[Role::UserAdmin],
            "may not see, stop or delete workspaces of others: no accounts are removed; give",
        ),
        (
            &[Role::UserAdmin, Role::OrganizationAdmin],
            "the token may make and remove accounts",
        ),
        (&[Role::Owner], "the token may make and remove accounts"),
    ] {
        class.coder().token_roles(roles);
        class.restart_service();
        assert!(class.service().log().contains(words), "{roles:?}");
    }
    class.coder().expire_token();
    class.restart_service();
    assert!(class.service().log().contains("is invalid or expired"));
}

#[test]
fn a_wrong_configuration_is_told_whole_and_without_secrets() {
    let class = plan().prepare();
    class.set("CODER_REMOVE_TIME", "soon");
    class.set("REDIS_PORT", "70000");
    class.set("TWILIO_ACCOUNT_TOKEN", "");
    class.set("CODER_API_KEY", "top secret");
    for arguments in [&[][..], &["run"], &["config"]] {
        let ended = class.try_service(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}");
        for words in [
            "4 faults",
            "CODER_REMOVE_TIME",
            "REDIS_PORT",
            "TWILIO_ACCOUNT_TOKEN",
            "CODER_API_KEY",
        ] {
            assert!(ended.stderr.contains(words), "{words} in {}", ended.stderr);
        }
        assert!(!ended.stderr.contains("top secret"));
    }
}

#[test]
fn config_shows_what_was_understood_and_masks_secrets() {
    let class = plan().prepare();
    let ended = class.try_service(&["config"]);
    assert_eq!(ended.code, Some(0));
    assert!(ended.stdout.contains("CODER_REMOVE_TIME"));
    for (name, value) in class.settings() {
        let secret = [
            "TWILIO_ACCOUNT_TOKEN",
            "TWILIO_AUTH_TOKEN",
            "CODER_API_KEY",
            "REDIS_PW",
            "CODER_REG_PASS",
        ]
        .contains(&name.as_str());
        assert_eq!(ended.stdout.contains(&value), !secret, "{name}");
    }
}

#[test]
fn help_and_version_answer_and_unknown_words_are_refused() {
    let class = plan().prepare();
    let help = class.try_service(&["--help"]);
    assert_eq!(help.code, Some(0));
    assert!(help.stdout.contains("Usage: coder-sms-register"));
    assert!(help.stdout.contains("config --help") && !help.stdout.contains("CODER_REG_PASS"));
    let version = class.try_service(&["--version"]);
    assert_eq!(
        version.stdout,
        format!("coder-sms-register {}\n", env!("CARGO_PKG_VERSION"))
    );
    let unknown = class.try_service(&["strat"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("\"strat\"") && unknown.stderr.contains("--help"));
}

#[test]
fn a_taken_port_is_named() {
    let class = class();
    let other = plan()
        .with("CODER_REG_LISTEN", &class.service().address().to_string())
        .prepare();
    let ended = other.try_service(&[]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("CODER_REG_LISTEN"),
        "{}",
        ended.stderr
    );
    let finds = format!(
        "sudo ss -ltnp 'sport = :{}' shows which",
        class.service().address().port()
    );
    assert!(ended.stderr.contains(&finds), "{}", ended.stderr);
}

#[test]
fn a_service_whose_log_nobody_reads_goes_on() {
    use std::process::{Command, Stdio};
    let class = plan().prepare();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    class.set("CODER_REG_LISTEN", &port.to_string());
    let mut child = Command::new(env!("CARGO_BIN_EXE_coder-sms-register"))
        .env_clear()
        .envs(class.settings())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    let health = || {
        support::classroom::http::request(port, "GET", "/healthz", &[], b"")
            .is_ok_and(|answer| answer.status == 200)
    };
    assert!(support::classroom::within(Duration::from_secs(10), health));
    // A refused request is logged; the log line goes nowhere, and so does the panic in it.
    let _ = support::classroom::http::request(port, "GET", "/nowhere", &[], b"");
    assert!(health());
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_line_of_the_log_names_its_thread_and_has_a_time_unless_the_journal_adds_one() {
    use std::os::unix::fs::MetadataExt;
    let class = plan().prepare();
    let path = class.folder().join("log");
    // What the variable says of the journal: another file than the log goes to, and the log's own.
    for (is_journal, beside) in [(false, 1), (true, 0)] {
        let log = std::fs::File::create(&path).unwrap();
        let file = log.metadata().unwrap();
        let stream = format!("{}:{}", file.dev(), file.ino() + beside);
        let mut child = Command::new(env!("CARGO_BIN_EXE_coder-sms-register"))
            .env_clear()
            .envs(class.settings())
            .env("JOURNAL_STREAM", stream)
            .stderr(log)
            .spawn()
            .unwrap();
        let read = || std::fs::read_to_string(&path).unwrap_or_default();
        let started = support::classroom::within(Duration::from_secs(30), || {
            let log = read();
            log.contains("INFO  [main] ") && log.contains("INFO  [reaper] ")
        });
        child.kill().unwrap();
        child.wait().unwrap();
        let log = read();
        assert!(started, "{log}");
        for line in log.lines() {
            let levels = ["ERROR [", "WARN  [", "INFO  [", "DEBUG ["];
            let bare = levels.iter().any(|level| line.starts_with(level));
            assert_eq!(bare, is_journal, "{line}");
            assert!(!line.contains("coder_sms_register"), "{line}");
        }
    }
}
