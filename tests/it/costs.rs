//! What a text costs Coder, Twilio, Redis and the disk: every call has its reason, and none comes in
//! unnoticed. These are numbers of calls, never times, so they are the same on every machine.

use std::collections::BTreeMap;

use crate::plan;
use support::classroom::Classroom;
use support::fakes::coder::ops;
use support::fakes::desk::Call;
use support::fakes::trouble::Op;
use support::fakes::twilio::ops as twilio_ops;

/// A class whose loops are quiet, so that every call is some text's.
fn quiet() -> Classroom {
    let class = plan()
        .with("CODER_REG_CATCH_UP", "0")
        .with("CODER_REG_RESEND_INTERVAL", "1s")
        .with("CODER_REG_HINTS", "1h")
        .open();
    // Connections are made and statements prepared by the first text.
    class.login_of(&class.student());
    class
}

/// How often each thing was done.
type Counts = BTreeMap<String, u64>;

/// All that was asked of the others so far.
struct Bill {
    coder: Vec<String>,
    twilio: Vec<String>,
    redis: Counts,
    commits: usize,
}

impl Bill {
    fn of(class: &Classroom) -> Self {
        let ops = |calls: Vec<Call>| calls.into_iter().map(|c| c.op).collect();
        Self {
            coder: ops(class.coder().calls()),
            twilio: ops(class.twilio().calls()),
            redis: redis_commands(class),
            commits: commits(class),
        }
    }

    /// What came to it since `earlier`.
    fn since(mut self, earlier: &Self) -> Self {
        self.coder.drain(..earlier.coder.len());
        self.twilio.drain(..earlier.twilio.len());
        for (command, count) in &earlier.redis {
            if let Some(now) = self.redis.get_mut(command) {
                *now -= count;
            }
        }
        self.redis.retain(|_, count| *count > 0);
        self.commits -= earlier.commits;
        self
    }
}

/// Commands that the service has had Redis carry out, without those of its clock (whose the database
/// is) and of this test.
fn redis_commands(class: &Classroom) -> Counts {
    let mut connection = class.redis().connection().expect("Redis answers");
    let info: String = redis::cmd("INFO")
        .arg("commandstats")
        .query(&mut connection)
        .expect("its counters");
    let of_texts = [
        "xadd",
        "xreadgroup",
        "xdel",
        "xack",
        "xautoclaim",
        "xrange",
        "multi",
        "exec",
    ];
    info.lines()
        .filter_map(|line| {
            let (command, stats) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            let calls = stats.split(',').next()?.parse().ok()?;
            of_texts
                .contains(&command)
                .then(|| (command.to_owned(), calls))
        })
        .collect()
}

/// Transactions in the write-ahead log: frames that say how large the database is after them. Each one is
/// synced to the disk.
/// Source: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
fn commits(class: &Classroom) -> usize {
    let log = std::fs::read(class.data_dir().join("registrations.db-wal")).expect("the log");
    let word = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().expect("four bytes"));
    let (page, salt) = (word(8) as usize, (word(16), word(20)));
    let whole = |at: &usize| at + 24 + page <= log.len();
    (32..)
        .step_by(24 + page)
        .take_while(whole)
        // A frame with other salts is of a log that was begun anew.
        .take_while(|at| (word(at + 8), word(at + 12)) == salt)
        .filter(|at| word(at + 4) > 0)
        .count()
}

/// The bill of `deed`, once all texts are served.
fn bill(class: &Classroom, deed: impl FnOnce()) -> Bill {
    let before = Bill::of(class);
    deed();
    class.all_served();
    Bill::of(class).since(&before)
}

/// One text in Redis: appended by the webhook; read, which is also what waits for the next; deleted and
/// acknowledged, in one round trip.
fn one_text() -> Counts {
    ["xadd", "xreadgroup", "xdel", "xack"]
        .map(|command| (command.to_owned(), 1))
        .into()
}

#[test]
fn a_first_login_costs_one_call_to_coder_one_to_twilio_and_three_commits() {
    let class = quiet();
    for _ in 0..3 {
        let student = class.student();
        let bill = bill(&class, || drop(student.gets_a_login()));

        // The answer to a create holds all that has to be known of the user.
        assert_eq!(bill.coder, ["create user"]);
        // Twilio's log is read only where what became of a send is not known.
        assert_eq!(bill.twilio, ["send text"]);
        assert_eq!(bill.redis, one_text());
        // Before the create: its name. After it, which is before the send: its id, and what is sent.
        // After the send: that the student has it, and that this text is served.
        assert_eq!(bill.commits, 3);
    }
}

#[test]
fn a_login_of_a_spare_account_costs_coder_nothing_and_two_commits() {
    let class = plan()
        .with("CODER_REG_CATCH_UP", "0")
        .with("CODER_REG_MAX_USERS", "4")
        .with("CODER_REG_WARM", "4")
        .open();
    class.eventually("four spare accounts", || {
        class.query("SELECT count(*) FROM registrations WHERE unused_at IS NOT NULL") == "4"
    });
    class.login_of(&class.student());
    let commits = (0..3).map(|_| {
        let student = class.student();
        let bill = bill(&class, || drop(student.gets_a_login()));
        // The service looks at its spares and at its rights meanwhile.
        for call in ["create user", "set password"] {
            assert!(
                !bill.coder.iter().any(|one| one == call),
                "{:?}",
                bill.coder
            );
        }
        assert_eq!(bill.twilio, ["send text"]);
        assert_eq!(bill.redis, one_text());
        bill.commits
    });
    // Before the send: whose it is, and what is sent. After it: that the student has it. A look at the spares may fall
    // into the same moment, and is recorded too.
    assert_eq!(commits.min(), Some(2));
}

#[test]
fn the_same_login_again_costs_a_look_and_the_question_whether_it_holds() {
    let class = quiet();
    let ana = class.student();
    class.login_of(&ana);
    // The limit is one second of the text's own time of arrival.
    let bill = loop {
        let bill = bill(&class, || drop(ana.asks()));
        if !bill.twilio.is_empty() {
            break bill;
        }
        // A text that came too early: only that it is served.
        assert_eq!((bill.coder.len(), bill.commits), (0, 1));
    };

    // Coder sets the password of a deleted user as well, so the user is looked for in a list first, which
    // holds no deleted ones. To set the password that is set already is the question whether it holds.
    assert_eq!(bill.coder, ["list users", "set password"]);
    assert_eq!(bill.twilio, ["send text"]);
    assert_eq!(bill.redis, one_text());
    // Before the send: what is sent. After it: that it was.
    assert_eq!(bill.commits, 2);
}

#[test]
fn what_is_no_phrase_costs_coder_nothing() {
    let class = quiet();
    let bob = class.student();
    let hint = bill(&class, || {
        bob.texts("hello");
        bob.next_text();
    });
    assert!(hint.coder.is_empty());
    assert_eq!(hint.twilio, ["send text"]);
    // Before the send, as a hint is not repeated after a crash.
    assert_eq!((hint.redis, hint.commits), (one_text(), 1));

    let silence = bill(&class, || drop(bob.texts("hello")));
    assert!(silence.coder.is_empty() && silence.twilio.is_empty());
    // That it is served: a search for missed texts must not serve it later.
    assert_eq!((silence.redis, silence.commits), (one_text(), 1));
}

#[test]
fn a_repeated_webhook_costs_a_look_into_the_database() {
    let class = quiet();
    let ana = class.student();
    let webhook = ana.phrase_webhook();
    assert_eq!(ana.posts(&webhook), 200);
    class.all_served();

    let bill = bill(&class, || assert_eq!(ana.posts(&webhook), 200));
    assert!(bill.coder.is_empty() && bill.twilio.is_empty());
    assert_eq!((bill.redis, bill.commits), (one_text(), 0));
}

#[test]
fn a_forged_text_costs_nobody_anything() {
    let class = quiet();
    let ana = class.student();
    let mut webhook = ana.phrase_webhook();
    webhook.body.push_str("&Forged=1");

    let bill = bill(&class, || assert_eq!(ana.posts(&webhook), 403));
    assert!(bill.coder.is_empty() && bill.twilio.is_empty());
    assert_eq!((bill.redis, bill.commits), (Counts::new(), 0));
}

#[test]
fn a_removal_costs_two_calls_for_each_account_and_four_for_all() {
    let class = plan()
        .with("CODER_REG_CATCH_UP", "0")
        .with("CODER_CHECK_INTERVAL", "1h")
        .open();
    let students = class.students(3);
    class.all_get_logins(&students);
    class.all_served();
    let before = class.coder().calls().len();
    class.try_service(&["end", "--all", "--yes"]);
    class.all_gone();
    // The last one is the sweep's own.
    class.eventually("the rights are looked at again", || {
        let calls = class.coder().calls();
        calls
            .iter()
            .filter(|call| call.path.ends_with("/authcheck"))
            .count()
            == 3
    });

    let calls = &class.coder().calls()[before..];
    let count = |op: Op| calls.iter().filter(|call| call.op == op.0).count();
    // What the token may do, before anything is believed and before anything is forgotten.
    assert_eq!(count(ops::AUTH_CHECK), 2);
    assert_eq!(count(ops::READ_USER), 0);
    // Who is there? After the deletes: who is in no list any more?
    assert_eq!(count(ops::LIST_USERS), 2);
    // Has it any workspace now, just before its delete?
    assert_eq!(count(ops::LIST_WORKSPACES), 3);
    assert_eq!(count(ops::DELETE_USER), 3);
    assert_eq!(calls.len(), 4 + 2 * 3);
    assert_eq!(class.twilio().count(twilio_ops::SEND), 3);
}

#[test]
fn the_daily_look_costs_one_call_for_two_hundred_accounts_and_three_for_all() {
    let class = plan().with("CODER_REG_CATCH_UP", "0").prepare();
    for number in 0..450 {
        let name = format!("guest-{number}");
        let email = format!("{name}@class.example.org");
        class.coder().add_stranger(&name, &email);
    }
    class.start_service();
    class.logs("Coder: reached");

    let calls = class.coder().calls();
    let mut others: Vec<&str> = calls.iter().map(|call| call.op.as_str()).collect();
    others.retain(|op| *op != ops::LIST_USERS.0);
    assert_eq!(calls.len() - others.len(), 3, "pages of 200 for 450");
    // The organization once a start, what the token may do, and when it ends.
    assert_eq!(others.len(), 3, "{others:?}");
}
