//! One round of a soak: people come and text, those of the round before leave, and meanwhile things are killed. Then
//! all comes to rest, and everybody is counted.

mod reckoning;

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

use super::Victims;
use super::person::{AtScreen, Farewell, Person};
use crate::classroom::service::Service;
use crate::classroom::student::Login;
use crate::classroom::{Classroom, a_later_second, within};
use crate::fakes::random::Dice;
use crate::fakes::twilio::Fate;
use crate::faults::post::Post;
use crate::faults::table::Row;

/// How long the service may take to come to rest.
const REST: Duration = Duration::from_secs(300);

/// What a round is like.
#[derive(Clone, Copy)]
pub struct Habits {
    /// What is killed.
    pub victims: Victims,
    /// How long people come and go.
    pub span: Duration,
    /// The longest pause between two events, in milliseconds.
    pub pause: u64,
    /// People who come.
    pub comers: usize,
    /// Whether some of them leave their laptop.
    pub leaves: bool,
}

/// What was done so far.
#[derive(Default)]
pub struct Deeds {
    people: Cell<usize>,
    texts: Cell<usize>,
    shown: Cell<usize>,
    wrong: Cell<usize>,
    ended: Cell<usize>,
    returned: Cell<usize>,
    kills: [Cell<usize>; 3],
}

impl Deeds {
    /// In words.
    pub fn words(&self) -> String {
        let [service, redis, both] = &self.kills;
        format!(
            "{} people, {} texts, {} logins on screens ({} on a wrong one), {} ends, {} came back; killed {} times the service, {} Redis, {} both",
            self.people.get(),
            self.texts.get(),
            self.shown.get(),
            self.wrong.get(),
            self.ended.get(),
            self.returned.get(),
            service.get(),
            redis.get(),
            both.get()
        )
    }
}

fn add(count: &Cell<usize>, more: usize) {
    count.set(count.get() + more);
}

/// One round.
pub struct Round<'a, 'b> {
    class: &'a Classroom,
    binary: &'b Path,
    deeds: &'b Deeds,
    habits: Habits,
    dice: &'b mut Dice,
    row: &'b mut Row,
    post: Post,
    next_kill: Instant,
    /// Who came in this round.
    comers: Vec<Person<'a>>,
    /// Who was there before, and goes.
    leaving: Vec<Person<'a>>,
    /// Who was to go, and has texted again.
    returned: Vec<Person<'a>>,
    /// Who texts something else than the phrase.
    strangers: Vec<Person<'a>>,
}

impl<'a, 'b> Round<'a, 'b> {
    /// A round that is about to begin, in which `leaving` go.
    pub fn new(
        class: &'a Classroom,
        binary: &'b Path,
        deeds: &'b Deeds,
        habits: Habits,
        dice: &'b mut Dice,
        row: &'b mut Row,
        leaving: Vec<Person<'a>>,
    ) -> Self {
        Self {
            class,
            binary,
            deeds,
            habits,
            dice,
            row,
            post: Post::to(class),
            next_kill: Instant::now(),
            comers: Vec::new(),
            leaving,
            returned: Vec::new(),
            strangers: Vec::new(),
        }
    }

    /// Plays it. Returns who is there at its end, each with a login by text. `tells` is called again and again while
    /// the service runs.
    pub fn play(mut self, tells: &dyn Fn()) -> Vec<Person<'a>> {
        // Texts are dated in seconds; those of this round are newer than the logins of the one before.
        a_later_second();
        let made = self.class.coder().created_ever().len();
        let end = Instant::now() + self.habits.span;
        self.plans_a_kill();
        while Instant::now() < end {
            if Instant::now() >= self.next_kill {
                self.kills();
                self.plans_a_kill();
            }
            self.something_happens();
            self.look_at_laptops();
            let pause = self.dice.below(self.habits.pause);
            std::thread::sleep(Duration::from_millis(pause));
            tells();
        }
        while self.somebody_comes() {}
        self.everybody_goes();
        self.comes_to_rest(tells);
        self.counts(made)
    }

    /// The last act: everybody goes.
    pub fn ends_all(mut self) {
        self.everybody_goes();
        let class = self.class;
        within(REST, || class.nobody_is_left());
        self.row.count_left(class);
        self.row.lost += class.dead_letters();
    }

    fn something_happens(&mut self) {
        match self.dice.below(12) {
            0..=2 => drop(self.somebody_comes()),
            3 | 4 => self.somebody_asks_again(),
            5 => self.somebody_texts_another_code(),
            6 | 7 => self.somebody_goes(),
            8 => self.somebody_returns(),
            9 if self.dice.below(8) == 0 => {
                let mut stranger = Person::new(self.class, None);
                stranger.texts(&self.post, "is this the number?");
                self.strangers.push(stranger);
            }
            _ => {}
        }
    }

    /// The next one comes: texts the phrase, or opens the page. Returns whether there was somebody to come.
    fn somebody_comes(&mut self) -> bool {
        if self.comers.len() >= self.habits.comers {
            return false;
        }
        let at_screen = match self.dice.below(16) {
            0..=6 => None,
            7 => Some(AtScreen::Declines),
            8 if self.habits.leaves => Some(AtScreen::Leaves),
            _ => Some(AtScreen::Confirms),
        };
        let mut comer = Person::new(self.class, at_screen);
        if self.dice.below(8) == 0 {
            let fate = Fate::undelivered(30_003);
            self.class.twilio().fate_of(comer.student.phone(), fate);
        }
        if at_screen.is_none() {
            comer.asks(&self.post);
        }
        self.comers.push(comer);
        true
    }

    fn place(&mut self, count: usize) -> Option<usize> {
        (count > 0).then(|| usize::try_from(self.dice.below(count as u64)).unwrap_or(0))
    }

    /// The place of one of those who have come and texted.
    fn comer(&mut self) -> Option<usize> {
        let place = self.place(self.comers.len())?;
        (self.comers[place].texts > 0).then_some(place)
    }

    fn somebody_asks_again(&mut self) {
        let twice = self.dice.below(3) == 0;
        if let Some(place) = self.comer() {
            let comer = &mut self.comers[place];
            if twice {
                comer.asks_twice(&self.post);
            } else {
                comer.asks(&self.post);
            }
        }
    }

    fn somebody_texts_another_code(&mut self) {
        let (Some(place), Some(other)) = (self.comer(), self.comer()) else {
            return;
        };
        if let Some(words) = self.comers[other].code_words() {
            self.comers[place].texts(&self.post, &words);
        }
    }

    /// One of those who were there before goes: ended by the command, or because the time is up.
    fn somebody_goes(&mut self) {
        let Some(place) = self.place(self.leaving.len()) else {
            return;
        };
        let (by_hand, works) = (self.dice.below(2) == 0, self.dice.below(3) == 0);
        let class = self.class;
        let person = &mut self.leaving[place];
        let Farewell::None = person.farewell else {
            return;
        };
        let Some(login) = person.student.last_login() else {
            return;
        };
        let name = login.username().to_owned();
        if works {
            class.coder().running_workspace(&name, "dev");
        }
        if by_hand {
            let (binary, settings) = (self.binary.to_owned(), class.settings());
            let command = move || Service::run(&binary, &["end", &name], &settings).code == Some(0);
            person.farewell = Farewell::Command(std::thread::spawn(command));
        } else {
            class.coder().stop_workspace(&name, "dev");
            time_is_up(class, &name);
            person.farewell = Farewell::Over;
        }
        add(&self.deeds.ended, 1);
    }

    /// One of those whose time has been ended texts again.
    fn somebody_returns(&mut self) {
        let Some(place) = self.place(self.leaving.len()) else {
            return;
        };
        let is_over = match &self.leaving[place].farewell {
            Farewell::None => false,
            Farewell::Command(command) => command.is_finished(),
            Farewell::Over => true,
        };
        if !is_over {
            return;
        }
        let mut person = self.leaving.swap_remove(place);
        self.ends(&mut person);
        person.asks(&self.post);
        add(&self.deeds.returned, 1);
        self.returned.push(person);
    }

    /// Everybody who was there before goes. Who does so by the command has it ended.
    fn everybody_goes(&mut self) {
        let mut leaving = std::mem::take(&mut self.leaving);
        leaving.iter_mut().for_each(|person| self.ends(person));
    }

    /// The time of this person is over, whatever became of the command.
    fn ends(&self, person: &mut Person<'a>) {
        let name = person.student.last_login();
        let name = name.as_ref().map(Login::username);
        let ended = match std::mem::replace(&mut person.farewell, Farewell::None) {
            Farewell::None => false,
            Farewell::Command(command) => command.join().unwrap_or(false),
            Farewell::Over => true,
        };
        if let (false, Some(name)) = (ended, name) {
            self.class.coder().stop_workspace(name, "dev");
            time_is_up(self.class, name);
        }
    }

    fn look_at_laptops(&mut self) {
        let post = &self.post;
        self.comers.iter_mut().for_each(|comer| comer.looks(post));
    }

    fn plans_a_kill(&mut self) {
        let pause = self.habits.pause * (10 + self.dice.below(40));
        self.next_kill = Instant::now() + Duration::from_millis(pause);
    }

    /// The service, Redis or both at once die, stay away for a moment, and come back.
    fn kills(&mut self) {
        let class = self.class;
        if class.is_dead() {
            self.row.lost += 1;
            self.row.note.push_str("the service ended by itself; ");
            class.restart_service();
            self.post.follows(class);
        }
        let victim = match self.habits.victims {
            Victims::Redis => 1,
            Victims::All => self.place(3).unwrap_or(0),
        };
        let redis_first = self.dice.below(2) == 0;
        if victim != 0 && redis_first {
            class.redis().kill();
        }
        if victim != 1 {
            class.end_service();
        }
        if victim != 0 && !redis_first {
            class.redis().kill();
        }
        std::thread::sleep(Duration::from_millis(self.dice.below(400)));
        if victim != 0 {
            class.redis().start_again();
        }
        if victim != 1 {
            class.start_service();
            self.post.follows(class);
        }
        add(&self.deeds.kills[victim], 1);
    }
}

/// The time of this account is up.
fn time_is_up(class: &Classroom, name: &str) {
    class.change(&format!(
        "UPDATE registrations SET due_at = 1 WHERE username = '{name}'"
    ));
}
