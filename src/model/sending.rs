//! How a worker sends a login, and finds out about one whose sending was interrupted.

use super::row::{Print, Row, Tick, seconds};
use super::state::{State, StudentLogin};
use super::words::Luck;
use super::worker::{At, Step, Worker};
use super::write::{Answer, Write};
use super::{Bug, GIVE_UP};
use crate::provision::decide::{AfterTrace, Trace, after_trace};

impl Step<'_> {
    pub(super) fn trace(&self, row: Row) -> Vec<(Luck, State)> {
        let Some((print, since)) = row.sending else {
            unreachable!("a trace without a send")
        };
        let is_logged = self.state.log.contains(&Some((self.phone, print)));
        let read = match is_logged && !self.bug(Bug::SendsTwice) {
            true => Trace::Found(()),
            false => Trace::NotFound,
        };
        let renewed = self
            .worker()
            .due
            .filter(|_| row.registration().is_due(seconds(self.worker().began)));
        let received = self.state.texts[usize::from(self.worker().text)].received;
        let earlier = received.is_some_and(|at| since < at);
        let follow = |trace| match after_trace(&row.registration(), trace) {
            AfterTrace::Record(()) => At::Record { earlier },
            AfterTrace::SendAgain { doubtful } => At::Clear { doubtful, renewed },
            AfterTrace::GiveUp => At::Doubt,
        };
        let with_print = |mut after: State| {
            let worker = &mut after.workers[usize::from(self.phone)];
            worker.print = matches!(worker.at, At::Record { .. }).then_some(print);
            after
        };
        let mut blind = self.at(follow(Trace::Unreadable));
        blind.texts[usize::from(self.worker().text)].blind = true;
        let mut all = vec![(Luck::Well, with_print(self.at(follow(read))))];
        if self.world.unreadable {
            all.push((Luck::Unreadable, with_print(blind)));
        }
        all.push((Luck::LostBefore, self.ends_later()));
        all
    }

    pub(super) fn again(&self, row: Row) -> Vec<(Luck, State)> {
        let exists = row.user.is_some_and(|id| self.state.user(id).is_some());
        let at = if exists {
            At::BeginSend
        } else {
            At::Rename { vanished: true }
        };
        vec![
            (Luck::Well, self.at(at)),
            (Luck::LostBefore, self.ends_later()),
        ]
    }

    pub(super) fn begin_send(&self, row: Row, now: Tick) -> State {
        let due = self.worker().due.unwrap_or(row.due);
        let print = Print {
            name: row.name,
            left: due.saturating_sub(now),
        };
        let promised = due.max(self.worker().began + GIVE_UP);
        let write = Write::BeginSend {
            id: row.id,
            sending: (print, now),
            promised,
        };
        let (answer, mut after) = self.write(write, At::Send);
        if answer == Answer::Done {
            after.workers[usize::from(self.phone)].print = Some(print);
        }
        after
    }

    pub(super) fn send(&self, row: Row) -> Vec<(Luck, State)> {
        let student = self.state.students[usize::from(self.phone)];
        if student.opted_out {
            let refused = self.at(At::Refused { opted_out: true });
            return vec![
                (Luck::Refused, refused),
                (Luck::LostBefore, self.ends_later()),
            ];
        }
        let mut accepted = *self.state;
        self.accept(&mut accepted, row);
        let mut lost = accepted;
        self.go(&mut accepted, At::Record { earlier: false });
        self.later(&mut lost);
        vec![
            (Luck::Well, accepted),
            (Luck::LostAfter, lost),
            (Luck::LostBefore, self.ends_later()),
            (Luck::Refused, self.at(At::Refused { opted_out: false })),
        ]
    }

    /// Twilio accepts the login, and the student reads it.
    pub(super) fn accept(&self, state: &mut State, row: Row) {
        let worker = self.worker();
        let (Some(print), Some(until)) = (worker.print, worker.due) else {
            unreachable!("a send without a login")
        };
        let free = state.log.iter_mut().find(|entry| entry.is_none());
        *free.expect("room in Twilio's log") = Some((self.phone, print));
        let text = &mut state.texts[usize::from(worker.text)];
        if text.answer != Some(print.name) {
            (text.answer, text.logins) = (Some(print.name), 0);
        }
        text.logins += 1;
        let student = &mut state.students[usize::from(self.phone)];
        (student.login_at, student.knows) = (Some(state.now), row.user);
        // A login that was on its way when the instructor ended the account is worth nothing.
        let is_ended = state
            .table
            .row(row.id)
            .is_none_or(|row| worker.void || row.ended.is_some());
        student.login = row
            .user
            .filter(|_| !is_ended)
            .map(|user| StudentLogin { user, until });
    }

    pub(super) fn record(&self, row: Row, earlier: bool) -> State {
        let Worker {
            text, due, print, ..
        } = self.worker();
        let write = Write::LoginSent {
            id: row.id,
            text,
            due: due.unwrap_or(row.due),
            gave_up: false,
            earlier: earlier && !self.bug(Bug::RecordsInRemoval),
        };
        let (answer, mut after) = self.write(write, At::Acknowledge);
        if answer == Answer::Reaping {
            self.later(&mut after);
        }
        if matches!(answer, Answer::Done | Answer::Reaping)
            && let Some(print) = print
            && let Some(entry) = after
                .log
                .iter_mut()
                .find(|entry| **entry == Some((self.phone, print)))
        {
            *entry = None;
        }
        after
    }
}
