//! The orders of events that can be brought about from outside a process.
//!
//! From outside, a worker and the reaper can be held where they leave the process: at a call, at its answer, at a write
//! to the disk, at a command to Redis. What they read from the database they cannot be held at, and while one of them is
//! held in a transaction, nobody else gets at the database. So whoever has begun to read or write goes on until the next
//! call, unless it is killed.

use super::super::World;
use super::super::removal::Reap;
use super::super::search::Machine;
use super::super::state::State;
use super::super::words::Move;
use super::super::worker::At;

/// A world in which only that happens.
pub(super) struct Playable(pub(super) World);

impl Machine for Playable {
    type State = State;
    type Move = Move;

    fn start(&self) -> State {
        self.0.start()
    }

    fn moves(&self, state: &State) -> Vec<(Move, State)> {
        let mut moves = self.0.moves(state);
        moves.retain(|(what, _)| is_playable(state, what));
        moves
    }

    fn broken(&self, state: &State) -> Option<String> {
        self.0.broken(state)
    }

    fn calm(&self, state: &State, moves: &[(Move, State)]) -> Option<usize> {
        self.0.calm(state, moves)
    }

    fn unsettled(&self, state: &State) -> Option<String> {
        self.0.unsettled(state)
    }
}

fn is_playable(state: &State, what: &Move) -> bool {
    let worker = state.workers[0].at;
    let removal = state.reaper.at;
    match what {
        // What happens at Coder is nobody's read or write of the database.
        Move::Kill | Move::Lands { .. } => true,
        Move::Work { .. } => !writes(removal),
        Move::Reap { .. } => !is_in_database(worker),
        // A worker adds the time of its calls to that of its beginning, so the clock must not jump under it.
        Move::Time => worker == At::Idle && !writes(removal),
        _ => !is_in_database(worker) && !writes(removal),
    }
}

/// Whether a worker has something to read or write before its next call.
fn is_in_database(at: At) -> bool {
    matches!(
        at,
        At::Stop
            | At::Find
            | At::Reserve
            | At::UndoEnd
            | At::Renew
            | At::BeginCreate
            | At::Create
            | At::Rename { .. }
            | At::Clear { .. }
            | At::GiveUp
            | At::Finish
    )
}

/// Whether the reaper may have come to this write from another one, without a call.
fn writes(at: Reap) -> bool {
    at == Reap::Forget
}

/// Whether a story has no attempt that ends by itself, without a failed call: the next one begins by itself as well, and
/// must not find that something has happened in between. An attempt that does nothing at all is not seen from outside.
pub(super) fn is_forced(story: &[(Move, State)]) -> bool {
    let follows = |place: usize| story.get(place + 1).map(|(what, _)| what);
    story.iter().enumerate().all(|(place, (what, after))| {
        let Move::Work { at, .. } = what else {
            return true;
        };
        match at {
            _ if after.workers[0].at != At::Idle => true,
            At::Reserve => false,
            At::Created { .. } | At::Refused { .. } | At::Record { .. } => {
                matches!(follows(place), Some(Move::Begin { .. } | Move::Kill))
            }
            _ => true,
        }
    })
}
