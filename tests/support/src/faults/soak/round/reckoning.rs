//! The end of a round: everything comes to rest, and everybody is counted.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::{REST, Round, add};
use crate::classroom::{a_later_second, within};
use crate::faults::soak::person::Person;

impl<'a> Round<'a, '_> {
    /// Waits, without further kills, until all texts are served and no laptop waits for anything.
    pub(super) fn comes_to_rest(&mut self, tells: &dyn Fn()) {
        let deadline = Instant::now() + REST;
        let is_at_rest = |round: &Self| {
            round.comers.iter().all(|comer| !comer.is_at_laptop())
                && round.class.redis().length("coder-sms-register:texts") == 0
        };
        while Instant::now() < deadline {
            self.look_at_laptops();
            tells();
            if is_at_rest(self) {
                // What is on its way may follow.
                self.row.lost += self.post.is_delivered();
                if is_at_rest(self) {
                    return;
                }
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.row.lost += 1;
        self.row.note.push_str("a round did not come to rest; ");
    }

    /// Counts everybody, and returns who is there.
    pub(super) fn counts(mut self, made: usize) -> Vec<Person<'a>> {
        let comers = std::mem::take(&mut self.comers);
        let mut present = std::mem::take(&mut self.returned);
        let (came, back) = (comers.len(), present.len());
        present.extend(comers);
        self.row.students += came + self.strangers.len();
        add(&self.deeds.people, came);
        // Before they ask once more, which would hide what was lost.
        let without = present.iter().filter(|person| !person.has_a_login());
        self.row.lost += without.count();
        self.all_ask_for_a_text(&mut present);
        for person in present.iter_mut().chain(&mut self.strangers) {
            add(&self.deeds.texts, std::mem::take(&mut person.new_texts));
            self.row.doubled += person.surplus();
        }
        for person in &mut present {
            self.row.lost += usize::from(!person.student.can_log_in());
            // The login that the phone got says whose account it is.
            let own = person.student.last_login();
            let shown = std::mem::take(&mut person.shown);
            let wrong = shown.iter().filter(|shown| own.as_ref() != Some(*shown));
            let wrong = wrong.count();
            self.row.orphaned += wrong;
            add(&self.deeds.shown, shown.len());
            add(&self.deeds.wrong, wrong);
        }
        self.counts_accounts(&present, made + came + back);
        present
    }

    /// Everybody asks once more, without a code, and gets the login by text.
    fn all_ask_for_a_text(&mut self, present: &mut [Person<'a>]) {
        a_later_second();
        let before: Vec<usize> = present.iter().map(Person::inbox).collect();
        present
            .iter_mut()
            .for_each(|person| person.asks(&self.post));
        self.row.lost += self.post.is_delivered();
        within(REST, || {
            let all = present.iter().zip(&before);
            all.into_iter()
                .all(|(person, before)| person.inbox() > *before)
                && self.class.redis().length("coder-sms-register:texts") == 0
        });
    }

    /// Checks that the present people have exactly the existing accounts, and that at most `made` were ever made.
    fn counts_accounts(&mut self, present: &[Person<'a>], made: usize) {
        let class = self.class;
        let names = || {
            let all = class.coder().students().into_iter();
            all.map(|account| account.username)
                .collect::<BTreeSet<String>>()
        };
        let logins = present
            .iter()
            .filter_map(|person| person.student.last_login());
        let own: BTreeSet<String> = logins.map(|login| login.username().to_owned()).collect();
        within(REST, || {
            names() == own && class.registrations() == present.len()
        });
        // Two phones with one account would be one name too few.
        self.row.lost += present.len() - own.len();
        self.row.orphaned += names().symmetric_difference(&own).count();
        self.row.count_accounts(class, made);
    }
}
