//! How the keeper makes, looks at and dismisses spares.

use super::table::{SeatAnswer, SeatOwner, SeatPlace};
use super::words::SeatMove;
use super::{CALL, SeatLuck, SeatState, Seating};
use crate::domain::registration::{Event, Stage};

/// What the keeper does next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum KeeperStep {
    #[default]
    Idle,
    /// There were more than the class may have.
    Dismiss(SeatPlace),
    /// Coder has shown that nobody has used it.
    Looked(SeatPlace),
    Reserve,
    Create(SeatPlace),
    Made(SeatPlace),
}

impl KeeperStep {
    /// The account that it has in mind.
    pub(super) fn place(&mut self) -> Option<&mut SeatPlace> {
        match self {
            Self::Dismiss(place)
            | Self::Looked(place)
            | Self::Create(place)
            | Self::Made(place) => Some(place),
            Self::Idle | Self::Reserve => None,
        }
    }
}

/// What the keeper may do next.
pub(super) fn steps(world: &Seating, class: &SeatState, all: &mut Vec<(SeatMove, SeatState)>) {
    let wanted = world.wants(class);
    let at = class.keeper;
    let mut go = |luck, keeper, table, change: &dyn Fn(&mut SeatState)| {
        let mut after = SeatState {
            keeper,
            table,
            ..*class
        };
        change(&mut after);
        all.push((
            SeatMove::Keep {
                at,
                to: keeper,
                luck,
            },
            after,
        ));
    };
    let nothing = |_: &mut SeatState| {};
    let mut table = class.table;
    match at {
        KeeperStep::Idle => sweep(world, class, &mut |to| {
            go(SeatLuck::Well, to, table, &nothing);
        }),
        KeeperStep::Dismiss(place) => {
            table.dismiss(place, world, wanted);
            go(SeatLuck::Well, KeeperStep::Idle, table, &nothing);
        }
        KeeperStep::Looked(place) => {
            table.change(place, |row| {
                row.unused = row.owner == SeatOwner::Spare && row.stage == Stage::Created;
            });
            go(SeatLuck::Well, KeeperStep::Idle, table, &nothing);
        }
        KeeperStep::Reserve => {
            let to = match table.reserve_spare(world, wanted) {
                SeatAnswer::Done(place) => KeeperStep::Create(place),
                SeatAnswer::Full | SeatAnswer::Clash => KeeperStep::Idle,
                SeatAnswer::NoRoom => return,
            };
            go(SeatLuck::Well, to, table, &nothing);
        }
        KeeperStep::Create(place) => {
            for luck in CALL {
                let to = if luck == SeatLuck::Well {
                    KeeperStep::Made(place)
                } else {
                    KeeperStep::Idle
                };
                go(luck, to, table, &|after| {
                    after.users[usize::from(place)] |= luck != SeatLuck::LostBefore;
                });
            }
        }
        KeeperStep::Made(place) => {
            let made = table.step(place, Event::UserCreated);
            table.change(place, |row| row.unused = made == Some(Stage::Created));
            go(SeatLuck::Well, KeeperStep::Idle, table, &nothing);
        }
    }
}

/// What a sweep finds to do.
fn sweep(world: &Seating, class: &SeatState, go: &mut dyn FnMut(KeeperStep)) {
    let allowed = class.table.allowed(world, world.wants(class));
    let live = class.table.live();
    // The best ones stay: those that are made.
    let worst = live.min_by_key(|(_, row)| (row.stage == Stage::Created, row.unused));
    if let Some((place, _)) = worst
        && class.table.live().count() > allowed
    {
        return go(KeeperStep::Dismiss(place));
    }
    for (place, row) in class.table.live() {
        match row.stage {
            Stage::Reserved => go(KeeperStep::Create(place)),
            _ if !row.unused && class.user_exists(place) => go(KeeperStep::Looked(place)),
            _ => {}
        }
    }
    if class.table.live().count() < allowed {
        go(KeeperStep::Reserve);
    }
}
