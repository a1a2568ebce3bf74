//! What keeps students from being served is shown by `/healthz`, `healthcheck`, `status` and the metrics while it
//! lasts, and not afterwards. The log has one ERROR when it begins and one INFO when it is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::plan;
use support::classroom::folder::Folder;
use support::classroom::{Classroom, Plan, http};
use support::fakes::coder::Role;
use support::faults::disk::{Ask, Disk, DiskAnswer};

/// A class whose metrics are shown.
fn observed() -> Plan {
    plan().with("CODER_REG_METRICS", "127.0.0.1:0")
}

/// The status of `/healthz` and its lines.
fn healthz(class: &Classroom) -> (u16, Vec<String>) {
    let address = class.service().address();
    let answer = http::request(address, "GET", "/healthz", &[], b"").expect("an answer");
    let lines = answer.body().lines().map(str::to_owned).collect();
    (answer.status, lines)
}

/// What the metrics say about this kind.
fn gauge(class: &Classroom, kind: &str) -> String {
    let log = class.log();
    let after = "metrics are at http://";
    let address = log.rsplit_once(after).expect("metrics").1;
    let address = address.split('/').next().expect("an address");
    let page = http::request(address.parse().expect("it"), "GET", "/metrics", &[], b"");
    let page = page.expect("a page").body().to_owned();
    let name = format!("coder_sms_register_obstacle{{kind=\"{kind}\"}} ");
    let line = page.lines().find_map(|line| line.strip_prefix(&name));
    line.expect("each kind has a sample").to_owned()
}

/// A command, asked of the service that listens.
fn command(class: &Classroom, arguments: &[&str]) -> (Option<i32>, String) {
    class.set("CODER_REG_LISTEN", &class.service().address().to_string());
    let ended = class.try_service(arguments);
    (ended.code, ended.stdout + &ended.stderr)
}

/// Waits until all places show the obstacle, texts being taken or not.
fn shows(class: &Classroom, kind: &str, can_take_texts: bool) {
    // On a busy machine the database may be slow for a moment, which is an obstacle as well.
    let answered = std::cell::RefCell::default();
    class.eventually(kind, || {
        let (status, lines) = healthz(class);
        let takes_texts = (status == 200, lines[0] == "ok");
        let is_shown = lines.iter().any(|line| line == kind);
        answered.replace(lines);
        is_shown && takes_texts == (can_take_texts, can_take_texts)
    });
    let lines = answered.into_inner();
    let is_name = |c: char| c.is_ascii_lowercase() || c == '-';
    assert!(
        lines.iter().all(|line| line.chars().all(is_name)),
        "{lines:?}"
    );
    assert_eq!(gauge(class, kind), "1");
    let (code, words) = command(class, &["healthcheck"]);
    assert_eq!(code, Some(i32::from(!can_take_texts)), "{words}");
    assert!(words.contains(&format!("{kind}: ")), "{words}");
    let (_, json) = command(class, &["status", "--json", "--offline"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    if can_take_texts {
        assert_eq!(json["service_well"], true, "{json}");
        let obstacles = json["obstacles"].as_array().expect("a list");
        assert!(obstacles.iter().any(|one| one == kind), "{json}");
        let (_, screen) = command(class, &["status", "--offline"]);
        assert!(screen.contains("FAULT"), "{screen}");
    } else {
        assert_eq!(json["service_well"], false, "{json}");
    }
}

/// Waits until no place shows the obstacle.
fn is_over(class: &Classroom, kind: &str) {
    class.eventually(&format!("{kind} is over"), || {
        healthz(class) == (200, vec!["ok".to_owned()])
    });
    assert_eq!(gauge(class, kind), "0");
    let (code, words) = command(class, &["healthcheck"]);
    assert_eq!((code, words.as_str()), (Some(0), "ok\n"));
    let (_, json) = command(class, &["status", "--json", "--offline"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["obstacles"], serde_json::json!([]));
}

/// The lines of the log of this level with these words.
fn lines(class: &Classroom, level: &str, words: &str) -> Vec<String> {
    let log = class.log();
    let level = format!(" {level} ");
    let lines = log.lines().filter(|line| line.contains(&level));
    let lines = lines.filter(|line| line.contains(words));
    lines.map(str::to_owned).collect()
}

/// The log has this one ERROR and no other, and this one INFO.
fn logged_once(class: &Classroom, error: &str, info: &str) {
    let errors = lines(class, "ERROR", "");
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(errors[0].contains(error), "{errors:?}");
    class.eventually(info, || lines(class, "INFO", info).len() == 1);
}

#[test]
fn given_coder_goes_away_in_class_then_it_is_shown_until_it_is_back() {
    let class = observed().open();
    let students = class.students(4);
    students[0].gets_a_login();
    class.coder().goes_down();
    students[1..].iter().for_each(|one| drop(one.asks()));
    shows(&class, "coder-away", true);
    class.coder().comes_back();
    students[1..].iter().for_each(|one| drop(one.next_login()));
    is_over(&class, "coder-away");
    logged_once(&class, "Coder: no answer: ", "Coder: it answers again");
}

#[test]
fn given_coder_is_away_at_the_start_then_it_is_asked_until_it_is_back() {
    let class = observed().prepare();
    class.coder().goes_down();
    class.start_service();
    shows(&class, "coder-away", true);
    class.coder().comes_back();
    // No student texts.
    is_over(&class, "coder-away");
    logged_once(&class, "Coder: no answer: ", "Coder: it answers again");
}

#[test]
fn a_token_that_coder_refuses_is_shown_until_it_is_good_again() {
    let class = observed().open();
    class.student().gets_a_login();
    class.coder().token_owner_suspended(true);
    class.student().asks();
    shows(&class, "coder-refuses", true);
    class.coder().token_owner_suspended(false);
    // Coder is asked although no other text comes.
    is_over(&class, "coder-refuses");
    logged_once(
        &class,
        "CODER_API_KEY",
        "Coder: the token is accepted again",
    );
}

#[test]
fn a_token_that_is_good_again_is_no_obstacle_though_texts_are_still_paused() {
    let class = observed().open();
    class.coder().token_owner_suspended(true);
    let students = class.students(2);
    class.all_ask(&students);
    class.logs("all texts are paused");
    shows(&class, "coder-refuses", true);
    let (code, status) = command(&class, &["status"]);
    assert_eq!(code, Some(1), "{status}");
    // The command sees the same, and says it once.
    assert_eq!(status.matches("FAULT").count(), 1, "{status}");
    assert!(
        status.contains(
            "FAULT  Coder refuses the token, and users and workspaces at Coder are unknown"
        ) && status.contains("restart the service"),
        "{status}"
    );
    class.coder().token_owner_suspended(false);
    is_over(&class, "coder-refuses");
    class.all_log_in(&students);
    class.logs("texts are served again");
    let log = class.log();
    let told = log.find("the token is accepted again").expect("it is told");
    assert!(told < log.find("texts are served again").expect("the end"));
}

#[test]
fn given_all_texts_are_paused_then_there_is_one_error() {
    let class = observed().open();
    class.coder().token_owner_suspended(true);
    for student in class.students(3) {
        student.asks();
    }
    assert!(class.service().logs("all texts are paused"));
    shows(&class, "coder-refuses", true);
    let errors = lines(&class, "ERROR", "");
    assert_eq!(errors.len(), 1, "{errors:#?}");
}

#[test]
fn a_right_that_the_token_lacks_is_shown_until_it_has_it() {
    let class = observed().prepare();
    class.coder().token_roles(&[Role::UserAdmin]);
    class.start_service();
    shows(&class, "token-lacks-rights", true);
    class.coder().token_roles(&[Role::Owner]);
    is_over(&class, "token-lacks-rights");
    logged_once(&class, "CODER_API_KEY", "the token may make and remove");
}

#[test]
fn given_twilio_is_away_then_it_is_shown_until_it_is_back() {
    let class = observed().open();
    let students = class.students(3);
    class.twilio().goes_down();
    students.iter().for_each(|one| drop(one.asks()));
    shows(&class, "twilio-away", true);
    class.twilio().comes_back();
    students.iter().for_each(|one| drop(one.next_login()));
    is_over(&class, "twilio-away");
    logged_once(&class, "Twilio does not answer", "Twilio answers again");
}

#[test]
fn given_twilio_refuses_the_key_at_the_start_then_it_is_one_error_until_a_text_gets_through() {
    let class = observed().with("CODER_REG_CATCH_UP", "30").prepare();
    class.twilio().auth_fails(true);
    class.start_service();
    shows(&class, "twilio-refuses", true);
    let ana = class.student();
    ana.asks();
    assert!(class.service().logs("attempt 1 failed"));
    class.twilio().auth_fails(false);
    class.student().gets_a_login();
    is_over(&class, "twilio-refuses");
    logged_once(
        &class,
        "Twilio refuses our key or account",
        "Twilio accepts our key again",
    );
}

#[test]
fn a_sender_that_is_blocked_is_shown_until_texts_get_through() {
    let class = observed().open();
    let students = class.students(2);
    class.twilio().refuse_all(400, 21606);
    students.iter().for_each(|one| drop(one.asks()));
    shows(&class, "sender-blocked", true);
    class.twilio().refuse_none();
    class.student().gets_a_login();
    students.iter().for_each(|one| drop(one.next_login()));
    is_over(&class, "sender-blocked");
}

#[test]
fn phones_that_the_account_may_not_text_are_shown_until_it_may() {
    let class = observed().open();
    let ana = class.student();
    class.twilio().refuse(ana.phone(), 400, 21408);
    ana.asks();
    shows(&class, "phones-blocked", true);
    class.twilio().refuse_none();
    class.student().gets_a_login();
    ana.next_login();
    is_over(&class, "phones-blocked");
}

#[test]
fn an_hour_whose_texts_are_used_up_is_shown_until_no_login_waits_for_it() {
    let class = observed()
        .with("CODER_REG_HOURLY_TEXTS", "1")
        .with("CODER_REG_PARALLEL", "1")
        .open();
    let (ana, ben) = (class.student(), class.student());
    ana.gets_a_login();
    ben.asks();
    shows(&class, "hourly-limit", true);
    let (code, checked) = command(&class, &["check"]);
    assert_eq!(code, Some(1), "{checked}");
    assert!(
        checked.contains("cannot serve all students: as many texts were sent within an hour"),
        "{checked}"
    );
    let status = class.does(&["status", "--offline"]);
    assert!(
        status.contains("FAULT  as many texts were sent within an hour as CODER_REG_HOURLY_TEXTS"),
        "{status}"
    );
    assert!(
        status.contains("1 waiting for the hourly limit") && !status.contains("for Coder"),
        "{status}"
    );
    // An hour passes.
    class.change("UPDATE sends SET slot = slot - 12");
    ben.next_login();
    is_over(&class, "hourly-limit");
    logged_once(
        &class,
        "CODER_REG_HOURLY_TEXTS allows 1 an hour",
        "no login waits for the limit",
    );
}

#[test]
fn another_service_on_this_redis_database_is_shown_until_it_is_gone() {
    let class = plan().open();
    class.student().gets_a_login();
    class.all_served();
    let other = observed()
        .with("REDIS_HOST", class.redis().socket())
        .with("REDIS_PW", class.redis().password())
        .open();
    shows(&other, "redis-shared", true);
    class.end_service();
    // What the first one has left in Redis would last for two minutes.
    let mut connection = class.redis().connection().expect("the server answers");
    redis::cmd("DEL")
        .arg("coder-sms-register:owner")
        .exec(&mut connection)
        .expect("it is deleted");
    is_over(&other, "redis-shared");
    other.student().gets_a_login();
}

#[test]
fn a_wrong_redis_password_is_shown_until_redis_accepts_it() {
    let set = "not-the-one-of-redis";
    let class = observed().with("REDIS_PW", set).open();
    let ana = class.student();
    assert_eq!(ana.posts(&ana.phrase_webhook()), 503);
    shows(&class, "redis-password", false);
    let mut connection = class.redis().connection().expect("the server answers");
    redis::cmd("ACL")
        .arg(&["SETUSER", "default", &format!(">{set}")])
        .exec(&mut connection)
        .expect("a second password");
    // The service was not restarted.
    is_over(&class, "redis-password");
    ana.asks();
    ana.logs_in();
    let refused = lines(&class, "ERROR", "Redis refuses the password: set REDIS_PW");
    let read = refused.iter().filter(|line| line.contains("texts wait: "));
    assert_eq!(read.count(), 1, "{refused:#?}");
    let over = lines(&class, "INFO", "texts are read from Redis again");
    assert_eq!(over.len(), 1, "{over:#?}");
}

#[test]
fn a_redis_that_is_away_is_shown_until_it_is_back_although_no_text_comes() {
    let class = observed().open();
    class.redis().kill();
    class.eventually("the reader of texts notices", || {
        gauge(&class, "redis-away") == "1"
    });
    shows(&class, "redis-away", false);
    class.redis().start_again();
    class.eventually("the reader of texts is back", || {
        gauge(&class, "redis-away") == "0"
    });
    is_over(&class, "redis-away");
}

/// Changes a setting of the running Redis, on a connection of its administrator.
fn set_redis(admin: &mut redis::Connection, setting: &str, value: &str) {
    let mut command = redis::cmd("CONFIG");
    let command = command.arg(&["SET", setting, value]);
    command.exec(admin).expect("it is set");
}

/// Shown while this setting of Redis has the first value, and over with the second one. The service goes on by itself.
fn lasts_while_redis_is_set(kind: &str, setting: &str, during: &str, afterwards: &str) {
    let class = observed().open();
    class.student().gets_a_login();
    let mut admin = class.redis().connection().expect("the server answers");
    set_redis(&mut admin, setting, during);
    shows(&class, kind, false);
    assert_eq!(healthz(&class).1[0], kind);
    set_redis(&mut admin, setting, afterwards);
    is_over(&class, kind);
    class.student().gets_a_login();
}

#[test]
fn a_redis_without_memory_is_shown_until_it_has_some() {
    lasts_while_redis_is_set("redis-full", "maxmemory", "1", "0");
}

#[test]
fn a_redis_that_refuses_to_write_is_shown_until_it_writes() {
    lasts_while_redis_is_set("redis-refuses", "min-replicas-to-write", "1", "0");
}

#[test]
fn a_redis_with_another_password_is_shown_until_it_has_ours() {
    let class = observed().open();
    class.student().gets_a_login();
    let mut admin = class.redis().connection().expect("the server answers");
    // Connections that are open stay so after a change of the password.
    let change = |admin: &mut redis::Connection, password: &str| {
        set_redis(admin, "requirepass", password);
        let mut others = redis::cmd("CLIENT");
        let others = others.arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"]);
        others.exec(admin).expect("they are closed");
    };
    change(&mut admin, "another");
    shows(&class, "redis-password", false);
    let (_, words) = command(&class, &["healthcheck"]);
    assert!(words.contains("set REDIS_PW"), "{words}");
    // The reader of texts saw its connection end at first.
    class.eventually("all see the password", || {
        healthz(&class) == (503, vec!["redis-password".to_owned()])
    });
    change(&mut admin, class.redis().password());
    is_over(&class, "redis-password");
    class.student().gets_a_login();
}

#[test]
fn a_full_disk_is_one_error_with_the_folder_until_there_is_room() {
    let folder = Folder::new();
    let full = Arc::new(AtomicBool::new(false));
    let is_full = Arc::clone(&full);
    let judge = move |ask: &Ask, deed: &mut dyn FnMut()| {
        let writes = matches!(ask.verb.as_str(), "write" | "sync" | "truncate" | "make");
        if writes && ask.path.contains("registrations.db") && is_full.load(Ordering::SeqCst) {
            return DiskAnswer::Full;
        }
        deed();
        DiskAnswer::Truth
    };
    let disk = Disk::start(folder.path().join("disk.sock"), Box::new(judge));
    let mut plan = observed();
    for (name, value) in disk.settings() {
        plan = plan.with(name, &value);
    }
    let class = plan.open();
    let students = class.students(3);
    students[0].gets_a_login();
    class.all_served();
    full.store(true, Ordering::SeqCst);
    students[1..].iter().for_each(|one| drop(one.asks()));
    class.eventually("the full disk", || gauge(&class, "disk-full") == "1");
    shows(&class, "disk-full", false);
    // On a busy machine the answer may come before that of the disk.
    class.eventually("the fault of the database beside it", || {
        healthz(&class).1 == ["database-not-writable", "disk-full"]
    });
    full.store(false, Ordering::SeqCst);
    students[1..].iter().for_each(|one| drop(one.next_login()));
    is_over(&class, "disk-full");
    let error = format!(
        "the disk of {} (CODER_REG_DATA_DIR) is full: free some space there",
        class.data_dir().display()
    );
    logged_once(&class, &error, "the database can be written again");
    class.end_service();
}
