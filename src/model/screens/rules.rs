//! The promises that hold in every state, the reaper, and what happens if nothing goes wrong.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::super::search::Machine;
use super::state::{HallReap, HallState, HallText, HallWhere};
use super::words::{HallLuck, HallMove, Silent};
use super::worker::{HallAt, HallStep};
use super::{Hall, phone_of};
use crate::domain::registration::{Event, Stage};
use crate::screen::ClaimState;

/// A promise that was broken by a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum HallBreach {
    /// A login left for a laptop where nobody has said yes to its phone.
    Unasked { phone: u8, laptop: u8 },
    /// The login of a text was shown at two laptops.
    Twice { text: u8 },
    /// A text was acknowledged, and nothing came of it.
    Lost { text: u8 },
}

impl fmt::Display for HallBreach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unasked { phone, laptop } => {
                let (phone, laptop) = (phone + 1, laptop + 1);
                write!(
                    f,
                    "P12: laptop {laptop} gets the login of phone {phone}, and nobody said yes to it"
                )
            }
            Self::Twice { text } => {
                write!(f, "P12: two laptops get the login of text {}", text + 1)
            }
            Self::Lost { text } => write!(f, "P1: nothing came of text {}", text + 1),
        }
    }
}

/// A text is recorded as served, for this reason: something must have come of it.
pub(super) fn settled(world: &Hall, hall: &mut HallState, text: u8, why: Silent) {
    let one = &mut hall.texts[usize::from(text)];
    one.seen = true;
    let is_told = match why {
        // The page there asks for a new text.
        Silent::AtScreen => !world.by_text,
        Silent::OtherText => true,
        _ => false,
    };
    if !(one.served || one.ended || is_told) {
        hall.broken = Some(HallBreach::Lost { text });
    }
}

/// What the reaper may do next.
pub(super) fn removal(hall: &HallState, all: &mut Vec<(HallMove, HallState)>) {
    let at = hall.reaper;
    let with = |reaper| HallState {
        reaper,
        ..hall.clone()
    };
    let mut push = |luck, after| all.push((HallMove::Reap { at, luck }, after));
    match at {
        HallReap::Idle => {
            for phone in 0..2 {
                let then = match hall.rows[usize::from(phone)] {
                    Some(row) if row.stage == Stage::Reaping => HallReap::Delete(phone),
                    Some(row) if row.due => HallReap::Begin(phone),
                    _ => continue,
                };
                all.push((HallMove::Inspect { phone }, with(then)));
            }
        }
        HallReap::Begin(phone) => {
            let mut after = with(HallReap::Idle);
            if hall.rows[usize::from(phone)].is_some_and(|row| row.announced && row.sending) {
                // A login on its way holds it up, for a minute at most.
                push(HallLuck::Held, after.clone());
            }
            if let Some(row) = &mut after.rows[usize::from(phone)]
                && let Ok(next) = row.stage.after(Event::RemovalBegun)
                && row.due
            {
                row.stage = next;
                let had_login = row.announced;
                after.reaper = HallReap::Delete(phone);
                let texts = after.texts.iter_mut().enumerate();
                let waiting = texts.filter(|(_, text)| text.at == HallWhere::Waiting);
                waiting
                    .filter(|(number, _)| had_login && phone_of(*number) == phone)
                    .for_each(|(_, text)| text.ended = true);
            }
            push(HallLuck::Well, after);
        }
        HallReap::Delete(phone) => {
            for luck in [HallLuck::Well, HallLuck::LostAfter, HallLuck::LostBefore] {
                let mut after = with(HallReap::Idle);
                if let Some(row) = hall.rows[usize::from(phone)] {
                    if luck == HallLuck::Well {
                        after.reaper = HallReap::Forget(phone);
                    }
                    if luck != HallLuck::LostBefore {
                        after.users[usize::from(phone)][usize::from(row.account)] = false;
                    }
                }
                push(luck, after);
            }
        }
        HallReap::Forget(phone) => {
            let mut after = with(HallReap::Idle);
            let place = usize::from(phone);
            let worker = hall.workers[place].at;
            // The service waits for longer than any create takes before it forgets a row without a user.
            let may_appear = hall.users[place].contains(&true) || worker == HallAt::Create;
            if !may_appear {
                (after.rows[place], after.logged[place]) = (None, false);
            }
            push(HallLuck::Well, after);
        }
    }
}

/// The promise that is broken in this state, if one is.
fn broken(hall: &HallState) -> Option<String> {
    if let Some(breach) = hall.broken {
        return Some(breach.to_string());
    }
    for phone in 0..2 {
        let users = hall.users[phone];
        if users.iter().filter(|user| **user).count() > 1 {
            return Some(format!("P2: phone {} has two accounts", phone + 1));
        }
        let account = hall.rows[phone].map(|row| usize::from(row.account));
        let orphan = (0..users.len()).find(|one| users[*one] && account != Some(*one));
        if orphan.is_some() {
            return Some(format!("P3: a user of phone {} is in no row", phone + 1));
        }
        if let Some(login) = hall.logins[phone]
            && (!users[usize::from(login)]
                || hall.rows[phone].is_none_or(|row| row.stage == Stage::Reaping))
        {
            return Some(format!(
                "P4, P5: the login of phone {} does not work although its time is not up",
                phone + 1
            ));
        }
    }
    let doubled = hall.texts.iter().position(|text| text.logins > 1);
    doubled.map(|text| format!("text {} was answered with two logins", text + 1))
}

fn hash(hall: &HallState) -> u64 {
    let mut hasher = DefaultHasher::new();
    hall.hash(&mut hasher);
    hasher.finish()
}

/// Whether an attempt at a text may come to something now.
fn is_useful(world: &Hall, hall: &HallState, text: u8) -> bool {
    let phone = phone_of(usize::from(text));
    let row = hall.rows[usize::from(phone)];
    let one: &HallText = &hall.texts[usize::from(text)];
    let waits_at_screen = match hall.screens.claim_state(text) {
        ClaimState::Waiting { until: Some(_) } => HallStep::new(world, hall, phone).stands(text),
        ClaimState::ShownBefore { recorded } => !recorded,
        _ => false,
    };
    one.seen || !waits_at_screen && row.is_none_or(|row| row.stage != Stage::Reaping)
}

impl Machine for Hall {
    type State = HallState;
    type Move = HallMove;

    fn start(&self) -> HallState {
        HallState::default()
    }

    fn moves(&self, hall: &HallState) -> Vec<(HallMove, HallState)> {
        self.all(hall)
    }

    fn broken(&self, hall: &HallState) -> Option<String> {
        broken(hall)
    }

    /// Calls succeed, workers come before the reaper, people say yes to their own phones alone, and the time of an
    /// account is up when nobody has anything else to do.
    fn calm(&self, hall: &HallState, moves: &[(HallMove, HallState)]) -> Option<usize> {
        let well = HallLuck::Well;
        let rank = |what: &HallMove| match what {
            HallMove::Work { luck, .. } if *luck == well => Some(0),
            HallMove::Reap { luck, .. } if *luck == well => Some(1),
            HallMove::Inspect { .. } => Some(2),
            HallMove::Begin { text } if is_useful(self, hall, *text) => Some(3),
            HallMove::Answers { text, yes, .. } => {
                (*yes == (phone_of(usize::from(*text)) == 0)).then_some(4)
            }
            HallMove::Polls { luck, .. } if *luck == well => Some(5),
            HallMove::Arrives { .. } => Some(6),
            HallMove::TimeUp { .. } => Some(7),
            _ => None,
        };
        let now = hash(hall);
        let ranked = moves.iter().enumerate();
        let ranked =
            ranked.filter_map(|(number, (what, after))| Some((rank(what)?, number, after)));
        let changing = ranked.filter(|(_, _, after)| hash(after) != now);
        changing
            .map(|(rank, number, _)| (rank, number))
            .min()
            .map(|(_, number)| number)
    }

    fn unsettled(&self, hall: &HallState) -> Option<String> {
        let left = [
            (
                hall.texts.iter().any(|text| text.at == HallWhere::Waiting),
                "a text is not served",
            ),
            (hall.rows.iter().any(Option::is_some), "a row is left"),
            (
                hall.users.iter().flatten().any(|user| *user),
                "a user is left at Coder",
            ),
        ];
        let found = left.into_iter().find(|(is_left, _)| *is_left);
        found.map(|(_, what)| format!("in the end {what}"))
    }
}
