//! The acts, in the order in which they are played.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::class_run::{self, Entrance, all_are_served};
use super::docker::{crash, docker, field, stopped};
use super::proxies::{self, Nginx, base_image};
use super::site::{Site, commit, git};
use super::{images, inspect, packages};
use crate::classroom::within;

/// One act.
pub struct ContainerAct {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    run: fn(&Teller),
}

/// All acts.
pub const ACTS: &[ContainerAct] = &[
    ContainerAct {
        name: "images",
        about: "builds every target of the Dockerfile and inspects what came out",
        run: images::play,
    },
    ContainerAct {
        name: "class",
        about: "brings the compose file up: classes, kills, TLS, backup, restore, upgrade, downgrade, removal",
        run: class,
    },
    ContainerAct {
        name: "packages",
        about: "builds the Debian package and the archive, installs them under systemd, upgrades and removes them",
        run: |_| packages::play(),
    },
];

/// Prints what is done and what was seen, with the time.
pub struct Teller {
    began: Instant,
}

impl Teller {
    /// Prints a line; panics after a signal.
    pub fn says(&self, words: &str) {
        assert!(!stopped(), "stopped by a signal");
        println!("{:>6.1} s  {words}", self.began.elapsed().as_secs_f64());
    }
}

/// Plays the acts of these names; all, if there is none.
pub fn play(names: &[&str]) {
    let teller = Teller {
        began: Instant::now(),
    };
    for act in ACTS {
        if names.is_empty() || names.contains(&act.name) {
            teller.says(&format!("--- {}: {}", act.name, act.about));
            (act.run)(&teller);
        }
    }
}

fn project() -> &'static Path {
    crate::project()
}

/// A site, and the phones that have asked there so far.
struct Class<'a> {
    site: Site,
    teller: &'a Teller,
    phones: Vec<String>,
    /// How often a phone has asked, at most.
    requests: usize,
}

fn class(teller: &Teller) {
    let site = Site::prepare();
    teller.says("the fakes of Coder and Twilio run, .env is filled in; building the images, which takes minutes");
    site.compose(&["config", "--quiet"]);
    site.compose(&["up", "-d", "--build"]);
    site.is_healthy("sms");
    teller.says("up: Redis healthy, then the service healthy");
    let mut class = Class {
        site,
        teller,
        phones: Vec::new(),
        requests: 1,
    };
    class.is_confined();
    class.survives_kills();
    class.serves_through_caddy();
    class.serves_through_nginx();
    class.is_upgraded_and_downgraded();
    class.is_restored();
    class.stops_cleanly();
    class.leaves_nothing_behind();
    class.logs_are_clean();
    class_run::nothing_odd(&class.site);
    teller.says("no phone, password or token in any log; no odd call at Coder or Twilio");
}

impl Class<'_> {
    fn says(&self, words: &str) {
        self.teller.says(words);
    }

    fn is_confined(&self) {
        inspect::is_confined(&self.site, "sms", Some("10001"));
        inspect::is_confined(&self.site, "redis", Some("10002"));
        inspect::redis_is_private(&self.site);
        inspect::listens_on(&self.site, "sms", &[8000]);
        inspect::listens_on(&self.site, "redis", &[6379]);
        self.says("own users, no capability, read-only, one port each; Redis is reached by the service alone");
    }

    /// Ends a container from outside; the engine has to bring it back.
    fn crashes(&self, service: &str) {
        let shell = field(&self.site.container("redis"), "{{.Image}}");
        crash(&self.site.container(service), &shell);
        self.says(&format!("{service} is killed"));
    }

    /// `count` new students text through a door while harm is done. Returns the seconds that it took.
    fn registers(
        &mut self,
        count: usize,
        door: &Entrance,
        span: u64,
        harm: impl FnOnce(&Self),
    ) -> f64 {
        let first = self.phones.len();
        let phones: Vec<String> = (first..first + count)
            .map(|number| format!("+1202{:07}", 3_000_017 + number * 7_919))
            .collect();
        let took = class_run::play(&self.site, door, &phones, Duration::from_secs(span), || {
            harm(self);
        });
        self.phones.extend(phones);
        self.checks();
        took
    }

    /// The first `count` phones ask again, and get a login for the same account.
    fn asks_again(&mut self, count: usize) {
        self.requests += 1;
        let before = self.checks();
        let door = Entrance::Plain(self.site.plain());
        class_run::play(
            &self.site,
            &door,
            &self.phones[..count],
            Duration::ZERO,
            || (),
        );
        assert_eq!(
            self.checks(),
            before,
            "all students have kept their accounts"
        );
    }

    fn checks(&self) -> BTreeMap<String, String> {
        all_are_served(&self.site, &self.phones, self.requests)
    }

    /// Service and Redis crash in the middle of a class, each alone and both at once.
    fn survives_kills(&mut self) {
        let door = Entrance::Plain(self.site.plain());
        let took = self.registers(40, &door, 12, |class| {
            for services in [&["sms"][..], &["redis"], &["sms", "redis"], &["sms"]] {
                thread::sleep(Duration::from_secs(2));
                services.iter().for_each(|service| class.crashes(service));
            }
        });
        let restarts = field(&self.site.container("sms"), "{{.RestartCount}}");
        self.says(&format!(
            "40 students served through the published port in {took:.1} s; the engine has restarted the service {restarts} times"
        ));
    }

    fn serves_through_caddy(&mut self) {
        self.site.write_env(&[("COMPOSE_PROFILES", "tls")]);
        self.site.compose(&["up", "-d"]);
        let door = proxies::caddy(&self.site);
        inspect::is_confined(&self.site, "tls", None);
        let took = self.registers(20, &door, 8, |class| {
            for service in ["tls", "sms"] {
                thread::sleep(Duration::from_secs(3));
                class.crashes(service);
            }
        });
        let form = [(
            "Content-Type".to_owned(),
            "application/x-www-form-urlencoded".to_owned(),
        )];
        // Older versions of Caddy answer 502, newer ones 413. None forwards the whole body.
        let refused = door.post(&form, &"x".repeat(70_000));
        assert!(
            matches!(refused, 413 | 502),
            "a body that no text has: {refused}"
        );
        assert_eq!(
            door.post(&form, "From=%2B12025550123&Body=hello"),
            403,
            "an unsigned text"
        );
        self.says(&format!(
            "20 students served through TLS by Caddy in {took:.1} s"
        ));
    }

    fn serves_through_nginx(&mut self) {
        let nginx = Nginx::start(&self.site, &base_image(project(), "DEBIAN_IMAGE"));
        let took = self.registers(10, &nginx.door(), 2, |_| ());
        let log = nginx.log();
        let shown = self
            .phones
            .iter()
            .filter(|phone| log.contains(phone.trim_start_matches('+')));
        assert_eq!(shown.count(), 0, "no phone in the log of nginx");
        self.logs_are_clean();
        self.says(&format!(
            "10 students served through the nginx example in {took:.1} s"
        ));
    }

    /// A new version appears at the origin. One command installs it while students text, another goes back.
    fn is_upgraded_and_downgraded(&mut self) {
        let words = self.publishes_a_version();
        let before = git(&self.site.folder(), &["rev-parse", "HEAD"]);

        self.says("make upgrade: building the new version while students text");
        let door = Entrance::Plain(self.site.plain());
        let took = self.registers(10, &door, 60, |class| {
            let said = class.site.make(&["upgrade"]);
            assert!(
                said.contains("coder-sms-register v"),
                "it is built anew: {said}"
            );
            assert!(
                !said.contains(" serde v"),
                "its dependencies are not: {said}"
            );
        });
        assert!(self.help().contains(&words), "the new program runs");
        self.asks_again(10);
        self.logs_are_clean();
        self.says(&format!("make upgrade: the new program runs, dependencies not built again, 10 students served meanwhile ({took:.0} s)"));

        let to = format!("TO={before}");
        self.site.make(&["downgrade", &to]);
        self.site.is_healthy("sms");
        assert!(!self.help().contains(&words), "the old program runs");
        self.asks_again(10);
        self.says("make downgrade: the old program runs, all accounts are known");

        self.site.make(&["upgrade", "FILE=once-more.db"]);
        self.site.is_healthy("sms");
        assert!(self.help().contains(&words), "the new program runs again");
        self.asks_again(10);
        self.logs_are_clean();
        self.says("make upgrade once more: the new program runs, all accounts are known");
    }

    /// Commits a new version at the origin. Returns the words by which its help is known.
    fn publishes_a_version(&self) -> String {
        let origin = self.site.origin();
        let change = |name: &str, from: &str, to: &str| {
            let path = origin.join(name);
            let text = fs::read_to_string(&path).expect("a file");
            assert!(text.contains(from), "{name} has {from:?}");
            fs::write(&path, text.replace(from, to)).expect("the disk has room");
        };
        // Other words in each run, or the builder would have the image in its cache.
        let words = format!("Version {} of this test.", std::process::id());
        change(
            "src/cli/help.rs",
            "Students text a phrase and get a temporary Coder account.",
            &words,
        );
        change(
            "deploy/redis/redis.conf",
            "tcp-keepalive 60",
            "tcp-keepalive 61",
        );
        commit(&origin, "Change something");
        words
    }

    /// The help of the program in the running container.
    fn help(&self) -> String {
        self.site
            .compose(&["exec", "-T", "sms", "coder-sms-register", "--help"])
    }

    /// Checks all logs. Containers that are replaced lose theirs, so this comes first.
    fn logs_are_clean(&self) {
        inspect::logs_are_clean(&self.site, &["sms", "redis", "tls"]);
    }

    /// The machine is lost. The clone with its .env and a backup are left.
    fn is_restored(&mut self) {
        self.site.make(&["backup", "FILE=class.db"]);
        let file = self.site.folder().join("class.db");
        let bytes = fs::read(&file).expect("the backup");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let shown = class_run::secrets(&self.site)
            .into_iter()
            .filter(|secret| text.contains(secret));
        assert_eq!(shown.count(), 0, "no phone and no password in the backup");
        self.logs_are_clean();
        self.site
            .compose(&["rm", "--stop", "--force", "sms", "redis"]);
        for volume in ["sms-data", "redis-data"] {
            docker(["volume", "rm", &self.site.full_name(volume)]);
        }
        self.site.make(&["restore", "FILE=class.db"]);
        self.site.is_healthy("sms");
        self.asks_again(20);
        self.says(&format!(
            "make backup ({} KB), volumes lost, make restore: all accounts are known",
            bytes.len() / 1024
        ));
    }

    fn stops_cleanly(&mut self) {
        for service in ["sms", "redis"] {
            let took = inspect::stops_cleanly(&self.site, service);
            self.says(&format!(
                "{service} stops in {:.1} s, exit code 0",
                took.as_secs_f64()
            ));
        }
        self.site.is_healthy("sms");
    }

    /// A short class: its accounts and their workspaces are removed, and no others.
    fn leaves_nothing_behind(&mut self) {
        let (long, before) = (self.phones.clone(), self.checks());
        self.site
            .write_env(&[("COMPOSE_PROFILES", "tls"), ("CODER_REMOVE_TIME", "20s")]);
        self.site.compose(&["up", "-d"]);
        self.site.is_healthy("sms");
        self.registers(20, &Entrance::Plain(self.site.plain()), 1, |_| ());
        let names = self.checks();
        let short = names.iter().filter(|(phone, _)| !long.contains(phone));
        for (_, owner) in short.step_by(3) {
            let target = format!("/rest-a-workspace?owner={owner}");
            assert_eq!(self.site.coder().see(&target), true, "a workspace");
        }
        let gone = within(Duration::from_secs(120), || {
            thread::sleep(Duration::from_millis(300));
            self.site.coder().words("/students").len() <= long.len()
        });
        assert!(gone, "accounts are left");
        let left = self.site.coder().words("/workspaces");
        assert!(left.is_empty(), "workspaces are left: {left:?}");
        let ever = self.site.coder().words("/created-ever").len();
        assert_eq!(ever, self.phones.len(), "one account for each phone, ever");
        self.phones = long;
        assert_eq!(self.checks(), before, "the others have kept their accounts");
        self.says(&format!(
            "20 accounts and their workspaces were removed, {} stay; {ever} were ever made",
            self.phones.len()
        ));
        let program = ["exec", "-T", "sms", "coder-sms-register"];
        let roster = self
            .site
            .compose(&[&program[..], &["status", "--offline"]].concat());
        let shown = before.values().filter(|name| roster.contains(*name));
        assert_eq!(
            shown.count(),
            before.len(),
            "all students are in the roster"
        );
        self.site
            .compose(&[&program[..], &["end", "--all", "--yes"]].concat());
        let gone = within(Duration::from_secs(120), || {
            thread::sleep(Duration::from_millis(300));
            self.site.coder().words("/students").is_empty()
        });
        assert!(gone, "accounts are left after end --all");
        self.says("status shows all students, end --all removes them");
    }
}
