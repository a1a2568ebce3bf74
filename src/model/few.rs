//! A world in which little happens out of the ordinary: few enough troubles for a search through all states.
//!
//! Where every text may come at any moment, and every step may fail at any moment, there are more states than a machine
//! can hold. Here the texts still come at any moment, but only so often is the service killed, a call lost, a text
//! repeated, or does somebody give an order or opt out.

use super::search::Machine;
use super::state::State;
use super::words::{Luck, Move};
use super::{World, rules};

/// A world, and how many troubles there are in each of its stories at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Few {
    pub(super) world: World,
    pub(super) troubles: u8,
}

/// Whether a move is out of the ordinary. `moves`: everything that may happen instead of it.
fn is_trouble(state: &State, what: &Move, moves: &[(Move, State)]) -> bool {
    match *what {
        Move::Texts { stop, .. } => stop,
        Move::Begin { .. } | Move::Inspect { .. } | Move::Time => false,
        Move::Repeats { .. }
        | Move::Ends { .. }
        | Move::EndsGently { .. }
        | Move::Extends { .. }
        | Move::Kill => true,
        // A text to a phone that has opted out can only be refused; the opt-out was the trouble.
        Move::Work { text, at, luck } => match luck {
            Luck::Well => false,
            Luck::Refused => {
                let well = Move::Work {
                    text,
                    at,
                    luck: Luck::Well,
                };
                moves.iter().any(|(one, _)| *one == well)
            }
            _ => true,
        },
        Move::Reap { luck, .. } => luck != Luck::Well,
        // A create that nobody waits for is carried out or not; the trouble was before.
        Move::Lands { phone, luck } => match luck {
            Luck::LostAfter => true,
            Luck::LostBefore => {
                let mut flights = state.flights.iter().flatten();
                flights.any(|flight| flight.phone == phone && flight.awaited)
            }
            _ => false,
        },
    }
}

impl Machine for Few {
    /// The state of the world, and how many troubles there may still be.
    type State = (State, u8);
    type Move = Move;

    fn start(&self) -> Self::State {
        (self.world.first(), self.troubles)
    }

    fn moves(&self, (state, left): &Self::State) -> Vec<(Move, Self::State)> {
        let all = self.world.all(state);
        let costs: Vec<u8> = all
            .iter()
            .map(|(what, _)| u8::from(is_trouble(state, what, &all)))
            .collect();
        let priced = all.into_iter().zip(costs);
        priced
            .filter_map(|((what, after), cost)| Some((what, (after, left.checked_sub(cost)?))))
            .collect()
    }

    fn broken(&self, (state, _): &Self::State) -> Option<String> {
        rules::broken(state)
    }

    fn calm(&self, (state, _): &Self::State, moves: &[(Move, Self::State)]) -> Option<usize> {
        rules::calm(&self.world, state, moves)
    }

    fn unsettled(&self, (state, _): &Self::State) -> Option<String> {
        rules::unsettled(state)
    }
}
