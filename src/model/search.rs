//! A breadth-first search through all states of a machine.

use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::fmt::{self, Write};
use std::hash::{Hash, Hasher};

/// A machine whose states are searched.
pub(super) trait Machine {
    /// What is true at one moment. Two equal states have the same future.
    type State: Clone + Hash;
    /// What may happen next; written in plain words.
    type Move: fmt::Display;

    /// The first state.
    fn start(&self) -> Self::State;
    /// Everything that may happen in a state, always in the same order.
    fn moves(&self, state: &Self::State) -> Vec<(Self::Move, Self::State)>;
    /// The promise that a state breaks, if any.
    fn broken(&self, state: &Self::State) -> Option<String>;
    /// Which of the moves happens if nothing goes wrong; `None` = nothing is left to do.
    fn calm(&self, state: &Self::State, moves: &[(Self::Move, Self::State)]) -> Option<usize>;
    /// What is left to do in a state without a calm move, if it is not the end that was promised.
    fn unsettled(&self, state: &Self::State) -> Option<String>;
}

/// The result of a search.
#[derive(Debug)]
pub(super) struct Report {
    /// Number of different states.
    pub(super) states: usize,
    /// Number of moves between them.
    pub(super) moves: usize,
    /// Moves on the shortest way to the most distant state.
    pub(super) longest: usize,
    /// The shortest story that breaks a promise, if one does.
    pub(super) broken: Option<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            states,
            moves,
            longest,
            ..
        } = self;
        write!(
            f,
            "{states} states, {moves} moves, longest path {longest} moves"
        )
    }
}

/// How a state was reached first, and where it leads if nothing goes wrong.
struct Node {
    parent: u32,
    /// The number of the move from the parent.
    by: u16,
    /// The state after the calm move; [`NOWHERE`] = there is none.
    calm: u32,
}

const NOWHERE: u32 = u32::MAX;

/// The states that were met. Only the ones at the edge are kept whole; a state is known again by its hash.
pub(super) struct Met {
    known: HashMap<u64, u32>,
    nodes: Vec<Node>,
}

impl Met {
    /// The number of a state, and whether it is new.
    fn add(&mut self, state: &impl Hash, parent: u32, by: usize) -> (u32, bool) {
        let number = u32::try_from(self.nodes.len()).expect("fewer than four billion states");
        match self.known.entry(hash(state)) {
            Entry::Occupied(known) => (*known.get(), false),
            Entry::Vacant(place) => {
                place.insert(number);
                let by = u16::try_from(by).expect("few moves");
                self.nodes.push(Node {
                    parent,
                    by,
                    calm: NOWHERE,
                });
                (number, true)
            }
        }
    }
}

impl Met {
    /// The number of a state that was met.
    pub(super) fn number_of(&self, state: &impl Hash) -> Option<u32> {
        self.known.get(&hash(state)).copied()
    }
}

fn hash(state: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

/// A state that is met for the first time.
pub(super) struct Discovery<'a, M: Machine> {
    /// The number of the state from which it was reached; its own number is that of the discoveries before it, plus one
    /// for the start.
    pub(super) parent: u32,
    /// The move that leads to it.
    pub(super) what: &'a M::Move,
    /// The state from which it was reached.
    pub(super) before: &'a M::State,
    /// Itself.
    pub(super) after: &'a M::State,
}

/// Searches all states of a machine, and stops at the first broken promise. If none is broken, every state is
/// followed by its calm moves: each must come to the end that was promised.
pub(super) fn search<M: Machine>(machine: &M, most: usize) -> Report {
    explore(machine, most, |_| {}).0
}

/// The same, and `discovers` hears of every state when it is met first. Returns the states as well.
pub(super) fn explore<M: Machine>(
    machine: &M,
    most: usize,
    mut discovers: impl FnMut(Discovery<'_, M>),
) -> (Report, Met) {
    let start = machine.start();
    let mut met = Met {
        known: HashMap::new(),
        nodes: Vec::new(),
    };
    met.add(&start, NOWHERE, 0);
    let mut edge = vec![(0, start)];
    let (mut moves, mut longest) = (0, 0);
    let mut ends = Vec::new();
    let report = |met: &Met, moves, longest, broken| Report {
        states: met.nodes.len(),
        moves,
        longest,
        broken,
    };
    while !edge.is_empty() {
        let mut next = Vec::new();
        for (number, state) in edge {
            let all = machine.moves(&state);
            let calm = machine.calm(&state, &all);
            moves += all.len();
            if calm.is_none() {
                if let Some(left) = machine.unsettled(&state) {
                    let story = story(machine, &met, number, &left);
                    return (report(&met, moves, longest, Some(story)), met);
                }
                ends.push(number);
            }
            for (by, (what, after)) in all.into_iter().enumerate() {
                let (reached, is_new) = met.add(&after, number, by);
                if calm == Some(by) {
                    met.nodes[number as usize].calm = reached;
                }
                if !is_new {
                    continue;
                }
                discovers(Discovery {
                    parent: number,
                    what: &what,
                    before: &state,
                    after: &after,
                });
                if let Some(promise) = machine.broken(&after) {
                    let story = story(machine, &met, reached, &promise);
                    return (report(&met, moves, longest + 1, Some(story)), met);
                }
                next.push((reached, after));
            }
        }
        assert!(met.nodes.len() <= most, "more than {most} states");
        longest += usize::from(!next.is_empty());
        edge = next;
    }
    let restless = restless(&met.nodes, &ends);
    let broken = restless.map(|number| {
        let endless = "nothing goes wrong from here on, and it never comes to an end";
        story(machine, &met, number, endless)
    });
    (report(&met, moves, longest, broken), met)
}

/// The first state from which calm moves never come to an end.
fn restless(nodes: &[Node], ends: &[u32]) -> Option<u32> {
    let mut settles = vec![false; nodes.len()];
    for end in ends {
        settles[*end as usize] = true;
    }
    for number in 0..nodes.len() {
        let mut way = Vec::new();
        let mut at = number;
        while !settles[at] {
            // A way that is longer than the number of states goes in a circle.
            if way.len() > nodes.len() || way.len() > 100_000 {
                return u32::try_from(number).ok();
            }
            way.push(at);
            at = nodes[at].calm as usize;
        }
        for at in way {
            settles[at] = true;
        }
    }
    None
}

/// The moves on the way on which a state was met first, each with the state after it.
pub(super) fn way<M: Machine>(machine: &M, met: &Met, number: u32) -> Vec<(M::Move, M::State)> {
    let mut by = Vec::new();
    let mut at = number;
    while met.nodes[at as usize].parent != NOWHERE {
        by.push(usize::from(met.nodes[at as usize].by));
        at = met.nodes[at as usize].parent;
    }
    let mut state = machine.start();
    let step = |by| {
        let (what, after) = machine.moves(&state).swap_remove(by);
        state = after.clone();
        (what, after)
    };
    by.into_iter().rev().map(step).collect()
}

/// The shortest story that leads to a state.
fn story<M: Machine>(machine: &M, met: &Met, number: u32, end: &str) -> String {
    let mut told = String::new();
    for (line, (what, _)) in way(machine, met, number).into_iter().enumerate() {
        // Writing to a string does not fail.
        let _ = writeln!(told, "{:3}. {what}", line + 1);
    }
    let _ = write!(told, "  => {end}");
    told
}

/// Searches a machine of at most `most` states that has to keep every promise.
pub(super) fn holds(name: &str, machine: &impl Machine, most: usize) -> Report {
    let report = search(machine, most);
    println!("{name}: {report}");
    if let Some(story) = &report.broken {
        panic!("{name}:\n{story}");
    }
    report
}

/// Searches a machine with a fault, which has to be found: its story names the `promise` that is broken.
pub(super) fn finds(bug: impl fmt::Debug, promise: &str, machine: &impl Machine, most: usize) {
    let report = search(machine, most);
    println!("{bug:?}: {report}");
    let story = report.broken.unwrap_or_default();
    assert!(
        story.contains(promise),
        "{bug:?} breaks nothing, or something else:\n{story}"
    );
}
