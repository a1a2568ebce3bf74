//! Five classes side by side: each gives exactly its seats, whatever races for them.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use coder_sms_register::config::Config;
use coder_sms_register::domain::{Text, UnixSeconds};
use coder_sms_register::provision::{Completion, Outcome, Provisioner, ProvisionerParts};
use coder_sms_register::screen::Screens;
use coder_sms_register::twilio::sms::Sms;

use super::inside::{DOMAIN, Inside, for_each_seed, home, sid};
use super::seats::{RacingClass, race};
use super::table::Row;
use super::{Assault, FaultProof};
use crate::classroom::WEBHOOK_URL;
use crate::fakes::coder::FakeCoder;
use crate::fakes::random::Dice;
use crate::fakes::twilio::FakeTwilio;

pub const PROOF: FaultProof = FaultProof {
    name: "class_seats",
    about: "5 classes of 60 students text at once: the seats of each class, in 1,000 seeded races",
    run,
};

const CLASSES: usize = 5;
const STUDENTS: usize = 60;
/// Threads that serve texts.
const WORKERS: usize = 8;

fn run(force: &Assault) -> Vec<Row> {
    vec![in_process(force), with_the_binary(force)]
}

/// All with the real program.
fn with_the_binary(force: &Assault) -> Row {
    let rounds = force.pick(1, 10);
    let mut row = Row::new(format!("the real program, {rounds} seeds"));
    for seed in 0..rounds {
        let mut dice = Dice::new(seed);
        let classes = (0..CLASSES).map(|class| RacingClass {
            settings: vec![
                (setting(class, "_PASS"), phrase(class)),
                (setting(class, "_SEATS"), seats(&mut dice).to_string()),
            ],
            phrase: phrase(class),
            students: STUDENTS,
        });
        row.add(&race(force, seed, &classes.collect::<Vec<_>>()));
    }
    row
}

fn in_process(force: &Assault) -> Row {
    let rounds = force.pick(3, 1_000);
    let progress = |done: u64| {
        if done.is_multiple_of(100) {
            force.says(&format!("{done} races for the seats of classes"));
        }
    };
    let mut row = Row::new(format!("{CLASSES} classes of {STUDENTS}, {rounds} seeds"));
    let rows = for_each_seed(rounds, &progress, |inside, seed| {
        Race::begin(inside, seed).run(&mut Dice::new(seed))
    });
    rows.iter().for_each(|one| row.add(one));
    row
}

fn phrase(class: usize) -> String {
    let words = ["purple", "brown", "green", "yellow", "orange"];
    format!("{} kettle", words[class % words.len()])
}

fn name(class: usize) -> String {
    format!("class-{class}")
}

fn setting(class: usize, ending: &str) -> String {
    format!("CODER_CLASS_CLASS_{class}{ending}")
}

/// Sometimes more than all who ask, mostly fewer.
fn seats(dice: &mut Dice) -> usize {
    1 + usize::try_from(dice.below(STUDENTS as u64 + 10)).expect("a small number")
}

/// What one phone texts, in this order.
struct SeatCaller {
    phone: String,
    classes: Vec<usize>,
}

/// What the texts of one phone came to.
#[derive(Default)]
struct Answers {
    logins: usize,
    full: Vec<usize>,
    others: usize,
}

/// One race on the real store, with the real provisioner, a fake Coder and a fake Twilio.
struct Race<'a> {
    inside: &'a mut Inside,
    coder: FakeCoder,
    twilio: FakeTwilio,
    seats: Vec<usize>,
    now: UnixSeconds,
    texts: u64,
}

impl<'a> Race<'a> {
    fn begin(inside: &'a mut Inside, seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x5ea7);
        let coder = FakeCoder::start();
        coder.rate_limits(false);
        inside.clear();
        inside.watch_seats();
        let day = UnixSeconds::try_from(seed).expect("a small number") * 86_400;
        Self {
            inside,
            coder,
            twilio: FakeTwilio::start_default(),
            seats: (0..CLASSES).map(|_| seats(&mut dice)).collect(),
            now: 1_800_000_000 + day,
            texts: seed << 16,
        }
    }

    fn run(mut self, dice: &mut Dice) -> Row {
        let provisioner = self.provisioner();
        // In every second race, some phones have an account whose time is up, and other phones text two phrases.
        let moves = dice.below(2) == 1;
        if moves {
            let early: Vec<SeatCaller> =
                (0..CLASSES).flat_map(|one| self.callers(one, 4)).collect();
            self.serve(&provisioner, &early);
            self.inside.time_is_up(self.now);
            self.now += 7_200;
            let mut all = self.all_callers();
            for (number, mut caller) in early.into_iter().enumerate() {
                caller.classes = vec![(caller.classes[0] + number) % CLASSES];
                all.push(caller);
            }
            for caller in &mut all {
                if dice.below(8) == 0 {
                    let second = usize::try_from(dice.below(CLASSES as u64)).expect("small");
                    caller.classes.push(second);
                }
            }
            dice.shuffle(&mut all);
            let answers = self.serve(&provisioner, &all);
            return self.judge(&answers, false);
        }
        let mut all = self.all_callers();
        dice.shuffle(&mut all);
        let answers = self.serve(&provisioner, &all);
        self.judge(&answers, true)
    }

    fn all_callers(&mut self) -> Vec<SeatCaller> {
        let all = (0..CLASSES).flat_map(|one| self.callers(one, STUDENTS));
        all.collect()
    }

    fn callers(&mut self, class: usize, count: usize) -> Vec<SeatCaller> {
        let caller = |phone| SeatCaller {
            phone,
            classes: vec![class],
        };
        let phones = (0..count).map(|_| caller(self.inside.new_phone()));
        phones.collect()
    }

    /// All callers text at once; each phone's texts are served one after the other, as the service does it.
    fn serve(&mut self, provisioner: &Provisioner, callers: &[SeatCaller]) -> Vec<Answers> {
        let first = self.texts;
        self.texts += 8 * u64::try_from(callers.len()).expect("a small number");
        let next = AtomicUsize::new(0);
        let answers = Mutex::new(Vec::new());
        let (start, began) = (self.now, Instant::now());
        let ours = &self.twilio.account().from_numbers[0];
        let work = || {
            while let Some((index, caller)) = {
                let index = next.fetch_add(1, Ordering::Relaxed);
                callers.get(index).map(|caller| (index, caller))
            } {
                let mut answer = Answers::default();
                for (number, class) in caller.classes.iter().enumerate() {
                    // Time passes: a login must not lie in the future of the next text of its phone.
                    let passed = UnixSeconds::try_from(began.elapsed().as_secs());
                    let now = start + passed.expect("a short time");
                    let text = Text {
                        sid: sid(first + u64::try_from(8 * index + number).expect("small")),
                        from: caller.phone.clone(),
                        to: ours.clone(),
                        body: phrase(*class),
                        opt_out: None,
                        received: now,
                        heard: None,
                    };
                    match provisioner.provision(&text, now) {
                        Outcome::Done(Completion::LoginSent { .. }) => answer.logins += 1,
                        Outcome::Done(Completion::ToldFull) => answer.full.push(*class),
                        Outcome::Done(_) => answer.others += 1,
                        other => panic!("a text is not served: {other:?}"),
                    }
                }
                answers.lock().expect("nobody panicked").push(answer);
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(work);
            }
        });
        answers.into_inner().expect("nobody panicked")
    }

    /// `exact`: whether each phone texted one phrase, and no account moved from one class to another.
    fn judge(&self, answers: &[Answers], exact: bool) -> Row {
        let mut row = Row::new("");
        row.students = answers.len();
        let (most, now) = (
            self.inside.most_at_once(),
            self.inside.accounts_of_classes(),
        );
        let of = |counts: &BTreeMap<String, usize>, class| {
            counts.get(&name(class)).copied().unwrap_or_default()
        };
        for (class, seats) in self.seats.iter().enumerate() {
            // Never more than its seats, not for a moment.
            row.doubled += of(&most, class).saturating_sub(*seats);
            row.doubled += of(&now, class).saturating_sub(*seats);
            if exact {
                row.lost += (*seats).min(STUDENTS).saturating_sub(of(&now, class));
            }
        }
        for answer in answers {
            row.doubled += answer.logins.saturating_sub(1);
            // Who has no login was told that the class is full.
            row.lost += usize::from(answer.logins == 0 && answer.full.is_empty());
            if exact {
                row.doubled += answer.others;
            }
        }
        let rows = self.inside.rows().len();
        row.orphaned += self.coder.students().len().abs_diff(rows);
        row.orphaned += now.values().sum::<usize>().abs_diff(rows);
        row.orphaned += self.coder.touched_foreign().len();
        row
    }

    fn provisioner(&self) -> Provisioner {
        let config = Config::from_vars(self.settings(), &|_| {
            Err(std::io::ErrorKind::NotFound.into())
        });
        let config = config.unwrap_or_else(|faults| panic!("the settings are in order: {faults}"));
        let parts = ProvisionerParts {
            store: self.inside.store().clone(),
            coder: self.inside.client(&self.coder),
            sms: Sms::new(self.inside.http().clone(), &config.twilio),
            undelivered: std::sync::Arc::default(),
            key: self.inside.key().clone(),
            passwords: self.inside.passwords(),
            instance_id: home(),
            screens: std::sync::Arc::new(Screens::new(Box::new(|_| {}))),
            failing_templates: std::sync::Arc::default(),
        };
        Provisioner::new(&config, parts)
    }

    fn settings(&self) -> Vec<(String, String)> {
        let account = self.twilio.account();
        let general = [
            ("TWILIO_ACCOUNT_SID", account.account_sid.clone()),
            ("TWILIO_ACCOUNT_TOKEN", account.account_token.clone()),
            ("TWILIO_AUTH_SID", account.auth_sid.clone()),
            ("TWILIO_AUTH_TOKEN", account.auth_token.clone()),
            ("FROM_NUM", account.from_numbers[0].clone()),
            ("TWILIO_WEBHOOK_URL", WEBHOOK_URL.to_owned()),
            ("TWILIO_API_URL", self.twilio.url()),
            ("CODER_REG_ENV", "dev".to_owned()),
            ("CODER_EMAIL_DOM", DOMAIN.to_owned()),
            ("CODER_API_URL", format!("{}/api/v2", self.coder.url())),
            ("CODER_API_KEY", self.coder.token()),
            ("CODER_REG_HOURLY_TEXTS", "100000".to_owned()),
            ("REDIS_PW", "not used here".to_owned()),
        ];
        let general = general.map(|(name, value)| (name.to_owned(), value));
        let classes = self.seats.iter().enumerate().flat_map(|(class, seats)| {
            [
                (setting(class, "_PASS"), phrase(class)),
                (setting(class, "_SEATS"), seats.to_string()),
            ]
        });
        general.into_iter().chain(classes).collect()
    }
}
