//! Spare accounts: none is taken twice, and none by more phones than there are seats.

use std::collections::HashSet;
use std::thread;

use super::*;
use crate::domain::{ClassName, WorkspaceTrouble};
use crate::store::{
    NewSpare, SpareBuild, SpareCondition, SpareRequest, WorkspaceProgress, WorkspaceTask,
};

pub(super) const NOW: UnixSeconds = 1_000;

fn seats(class: Option<&ClassName>, limit: u32) -> Seats<'_> {
    Seats { class, limit }
}

fn request<'a>(
    phone: &'a PhoneHash,
    text: &'a MessageSid,
    seats: Seats<'a>,
    now: UnixSeconds,
) -> SpareRequest<'a> {
    SpareRequest {
        phone,
        text,
        received: now,
        now,
        due_at: Some(5_000),
        seats,
        with_workspace: true,
        condition: SpareCondition::NotEnded,
    }
}

impl Store {
    /// An unused spare with a name for this number; `None` = the class wants no more spares.
    pub(super) fn spare(&self, number: u32, seats: Seats<'_>, wanted: u32) -> Option<i64> {
        let username = name(&format!("spare-{number}"));
        let marker = marker(&username);
        let new = NewSpare {
            username: &username,
            marker: &marker,
            due_at: 9_000,
            seats,
            wanted,
        };
        (self.reserve_spare(new, NOW).unwrap() == ReserveResult::Done).then(|| {
            let all = self.spares().unwrap();
            let made = all.iter().find(|one| one.username == username);
            let id = made.unwrap().id;
            let stage = self.spare_made(id, &format!("uuid-{number}"), 9_000, false, NOW);
            assert_eq!(stage.unwrap(), Stage::Created);
            id
        })
    }

    pub(super) fn takes(
        &self,
        number: u32,
        seats: Seats<'_>,
        now: UnixSeconds,
    ) -> Option<Registration> {
        self.takes_if(SpareCondition::NotEnded, number, seats, now)
    }

    pub(super) fn takes_as_newcomer(
        &self,
        number: u32,
        seats: Seats<'_>,
        hourly_texts: u32,
    ) -> Option<Registration> {
        self.takes_if(
            SpareCondition::Newcomer { hourly_texts },
            number,
            seats,
            NOW,
        )
    }

    fn takes_if(
        &self,
        condition: SpareCondition,
        number: u32,
        seats: Seats<'_>,
        now: UnixSeconds,
    ) -> Option<Registration> {
        let (phone, text) = (phone(number), sid(number));
        let request = SpareRequest {
            condition,
            ..request(&phone, &text, seats, now)
        };
        let prepare = |_: &Registration| Some(sending(now));
        self.take_spare(request, prepare).unwrap()
    }

    /// Makes the workspace of a spare, and records what a look at its build has shown.
    fn spare_built(&self, task: &WorkspaceTask, trouble: Option<WorkspaceTrouble>, runs: bool) {
        self.workspace_made(task, "w", None, NOW).unwrap();
        let progress = WorkspaceProgress {
            check_at: None,
            tries: 1,
            trouble,
            note: "",
            may_be_made: false,
            running_at: runs.then_some(NOW),
        };
        self.workspace_progress(task, &progress).unwrap();
    }

    /// Makes the workspaces of all spares, and has them run.
    pub(super) fn spares_run(&self) {
        self.want_all_workspaces(NOW).unwrap();
        for task in self.workspace_tasks(NOW, 600).unwrap() {
            self.spare_built(&task, None, true);
        }
    }
}

#[test]
fn a_phone_gets_a_spare_as_its_account_with_its_login_on_the_way() {
    let dir = TempDir::new();
    let store = dir.open();
    let id = store.spare(1, seats(None, 2), 2).unwrap();
    assert_eq!(store.spares_allowed(seats(None, 2), 2).unwrap(), 2);
    let taken = store.takes(7, seats(None, 2), NOW + 5).unwrap();
    let row = store.row(7);
    assert_eq!(taken, row);
    assert_eq!(
        (row.id, row.stage, row.is_spare()),
        (id, Stage::Created, false)
    );
    assert_eq!((row.due_at, row.reserved_at), (Some(5_000), NOW + 5));
    assert_eq!(
        (row.sending, row.password_known),
        (Some(sending(NOW + 5)), true)
    );
    assert!(store.spares().unwrap().is_empty());
    // It has a seat now, so one is left.
    assert_eq!(store.spares_allowed(seats(None, 2), 2).unwrap(), 1);
    assert!(store.takes(7, seats(None, 2), NOW).is_none());
    // A text that was served meanwhile takes none.
    store.spare(2, seats(None, 2), 2).unwrap();
    store.finish(&sid(8), NOW).unwrap();
    assert!(store.takes(8, seats(None, 2), NOW).is_none());
}

#[test]
fn only_a_spare_that_was_just_seen_unused_is_taken_and_only_of_its_class() {
    let dir = TempDir::new();
    let store = dir.open();
    let intro = ClassName::in_command("intro");
    let id = store.spare(1, seats(Some(&intro), 5), 5).unwrap();
    let other = ClassName::in_command("other");
    for class in [None, Some(&other)] {
        assert!(store.takes(1, seats(class, 5), NOW).is_none());
    }
    for now in [NOW + 181, NOW - 181] {
        assert!(store.takes(1, seats(Some(&intro), 5), now).is_none());
    }
    store.forget_looks_at_spares().unwrap();
    assert!(store.takes(1, seats(Some(&intro), 5), NOW).is_none());
    store.spares_unused(&[id], NOW + 500).unwrap();
    assert!(store.takes(1, seats(Some(&intro), 5), NOW + 600).is_some());
    assert_eq!(store.row(1).class, Some(intro));
}

#[test]
fn a_newcomer_is_a_phone_of_which_nothing_is_recorded_while_texts_may_be_sent() {
    let dir = TempDir::new();
    let store = dir.open();
    let all = seats(None, 9);
    let takes = |number, hourly_texts| store.takes_as_newcomer(number, all, hourly_texts);
    (0..3).for_each(|number| assert!(store.spare(number, all, 9).is_some()));
    store.finish(&sid(1), NOW).unwrap();
    store
        .own_opt_out_received(&phone(2), &sid(50), NOW)
        .unwrap();
    store.reserved(3);
    for known in [1, 2, 3] {
        assert!(takes(known, 100).is_none(), "{known}");
    }
    // One was sent to each of those that got a spare.
    for (number, hourly_texts, gets_one) in
        [(4, 0, false), (4, 1, true), (5, 1, false), (5, 2, true)]
    {
        let taken = takes(number, hourly_texts);
        assert_eq!(taken.is_some(), gets_one, "{number} of {hourly_texts}");
        assert_eq!(taken, gets_one.then(|| store.row(number)));
    }
    assert!(takes(4, 100).is_none());
    assert_eq!(store.spares().unwrap().len(), 1);
}

#[test]
fn a_spare_that_is_dismissed_is_removed_like_an_account_and_takes_no_seat() {
    let dir = TempDir::new();
    let store = dir.open();
    let id = store.spare(1, seats(None, 1), 1).unwrap();
    assert!(store.dismiss_spare(id, NOW).unwrap());
    assert!(store.takes(1, seats(None, 1), NOW).is_none());
    assert_eq!(store.due(NOW, 600).unwrap().len(), 1);
    let username = name("happy-tuna");
    let (sign, times) = (marker(&username), (NOW, 5_000));
    let reserved = store.reserve_at(&phone(1), &username, &sign, times, seats(None, 1));
    assert_eq!(reserved.unwrap(), ReserveResult::Done);
    store.forget(id, NOW).unwrap();
    assert_eq!(store.count().unwrap(), 1);
    // One of two that the class may have is no surplus, although the other one was just taken with its seat.
    let id = store.spare(3, seats(None, 3), 2).unwrap();
    store.spare(4, seats(None, 3), 2).unwrap();
    store.takes(3, seats(None, 3), NOW).unwrap();
    let left = store.spares().unwrap()[0].id;
    let is_surplus = |limit| store.dismiss_surplus_spare(left, seats(None, limit), 2, NOW);
    assert!(left != id && !is_surplus(3).unwrap());
    assert!(is_surplus(2).unwrap());
    store.forget(left, NOW).unwrap();
    // One that was taken is not dismissed.
    let id = store.spare(2, seats(None, 9), 1).unwrap();
    store.takes(2, seats(None, 9), NOW).unwrap();
    assert!(!store.dismiss_spare(id, NOW).unwrap());
    assert_eq!(store.row(2).stage, Stage::Created);
}

#[test]
fn a_running_workspace_comes_first_and_a_failed_one_last() {
    let dir = TempDir::new();
    let store = dir.open();
    let all = seats(None, 9);
    let ids: Vec<i64> = (0..4).map(|n| store.spare(n, all, 9).unwrap()).collect();
    assert_eq!(store.want_all_workspaces(NOW).unwrap(), 4);
    for task in store.workspace_tasks(NOW, 600).unwrap() {
        assert!(task.is_spare);
        let trouble = match ids.iter().position(|id| *id == task.registration) {
            Some(0) => Some(WorkspaceTrouble::BuildFailed),
            Some(1) => Some(WorkspaceTrouble::NoProvisioner),
            _ => None,
        };
        store.spare_built(&task, trouble, task.registration == ids[3]);
    }
    let builds: Vec<SpareBuild> = store
        .spares()
        .unwrap()
        .iter()
        .map(|one| one.build)
        .collect();
    assert_eq!(builds[3], SpareBuild::Running);
    let failed = SpareBuild::Troubled {
        trouble: WorkspaceTrouble::BuildFailed,
        given_up: true,
    };
    assert_eq!(builds[0], failed);
    for (number, expected) in [3, 2, 1, 0].into_iter().enumerate() {
        let number = u32::try_from(number).unwrap();
        let (phone, text) = (phone(number), sid(number));
        let request = SpareRequest {
            with_workspace: true,
            ..request(&phone, &text, all, NOW)
        };
        let taken = store.take_spare(request, |_| None).unwrap();
        assert_eq!(taken.unwrap().id, ids[expected]);
    }
}

#[test]
fn a_spare_whose_build_was_given_up_is_built_again_for_its_student() {
    let dir = TempDir::new();
    let store = dir.open();
    let all = seats(None, 9);
    store.spare(1, all, 1).unwrap();
    store.want_all_workspaces(NOW).unwrap();
    let task = store.workspace_tasks(NOW, 600).unwrap().remove(0);
    store.spare_built(&task, Some(WorkspaceTrouble::BuildFailed), false);
    assert_eq!(store.workspace_tasks(NOW, 600).unwrap(), []);
    let taken = store.takes(1, all, NOW).unwrap();
    let login = sent(NOW, Some(5_000));
    store.login_sent(taken.id, &sid(1), login).unwrap();
    let again = store.workspace_tasks(NOW, 600).unwrap();
    let seen: Vec<_> = again
        .iter()
        .map(|task| (task.is_spare, task.has_failed, task.tries))
        .collect();
    assert_eq!(seen, [(false, true, 0)]);
}

/// A thousand small classes: phones, some twice, want spares and cold accounts at once, while spares are
/// made and dismissed.
#[test]
fn no_spare_is_given_twice_and_seats_are_exact_in_any_race() {
    let dir = TempDir::new();
    let store = dir.open();
    // Nothing here is about a loss of power.
    let fast = "PRAGMA synchronous = OFF";
    store.lock().execute_batch(fast).unwrap();
    for seed in 0..1_000_u32 {
        let class = ClassName::in_command(&format!("c{seed}"));
        let limit = 1 + seed % 5;
        let of_class = seats(Some(&class), limit);
        let wanted = 1 + seed / 5 % 4;
        let number = |n: u32| seed * 10 + n;
        let first: Vec<i64> = (0..wanted)
            .filter_map(|n| store.spare(number(n), of_class, wanted))
            .collect();
        assert_eq!(first.len(), usize::try_from(wanted.min(limit)).unwrap());
        let serves = |phone_number: u32, runner: u32| {
            if store.takes(phone_number, of_class, NOW).is_none() {
                let username = name(&format!("cold-{seed}-{runner}"));
                let sign = marker(&username);
                let hash = phone(phone_number);
                store
                    .reserve_at(&hash, &username, &sign, (NOW, 5_000), of_class)
                    .unwrap();
            }
        };
        thread::scope(|scope| {
            for runner in 0..6 {
                // Two of them are one phone.
                let serves = &serves;
                scope.spawn(move || serves(number(runner % 5), runner));
            }
            scope.spawn(|| {
                if let Some(id) = first.first() {
                    store.dismiss_spare(*id, NOW).unwrap();
                }
                store.spare(number(9), of_class, wanted);
            });
        });
        let all = store.roster().unwrap();
        let class_of = |one: &&Registration| one.class.as_ref() == Some(&class);
        let (spare, students): (Vec<&Registration>, Vec<&Registration>) =
            all.iter().filter(class_of).partition(|one| one.is_spare());
        assert_eq!(
            students.len(),
            usize::try_from(limit.min(5)).unwrap(),
            "seed {seed}"
        );
        let ids: HashSet<i64> = students.iter().map(|one| one.id).collect();
        let phones = (0..5).filter_map(|n| store.find(&phone(number(n))).unwrap());
        let of_phones: HashSet<i64> = phones.map(|one| one.id).collect();
        assert_eq!(ids, of_phones, "seed {seed}");
        let live = spare.iter().filter(|one| one.stage != Stage::Reaping);
        let free = limit - limit.min(5);
        // A spare may be left over whose seat was taken by an account made in the old way.
        assert!(live.count() <= usize::try_from(wanted.max(free)).unwrap());
        let clear = "DELETE FROM registrations";
        store.write("clear", |tx| tx.execute(clear, [])).unwrap();
    }
}
