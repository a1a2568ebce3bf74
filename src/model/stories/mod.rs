//! Stories for the real program: the longest way of the model and its strangest ones.
//!
//! They are written to `tests/data/stories`, a move a line, and `faults stories` plays them. A story is strange if it
//! contains kinds of trouble that the stories before it do not: what goes wrong at which step, and where worker and reaper
//! are when the service is killed. After its strange part each goes on without trouble up to the end, when everybody is
//! served and everything is removed.

mod playable;
mod written;

use std::collections::HashMap;

use super::World;
use super::search::{Machine, Met, explore, way};
use super::state::State;
use super::words::{Luck, Move};
use super::worker::At;
use playable::{Playable, is_forced};

/// How many strange stories there are.
const STRANGE: usize = 10;

/// A way through the model.
type Story = Vec<(Move, State)>;

/// Kinds of trouble, a bit for each.
type Troubles = u128;

/// Every state of a world by its number, with the troubles on the way to it.
struct Ways {
    met: Met,
    troubles: Vec<Troubles>,
}

/// Searches a world, and notes which troubles the way to each state has.
fn ways(world: &Playable) -> Ways {
    let mut known: HashMap<String, u32> = HashMap::new();
    let mut troubles: Vec<Troubles> = vec![0];
    let (report, met) = explore(world, super::tests::MOST, |found| {
        let mut all = troubles[found.parent as usize];
        for kind in trouble(found.before, found.what) {
            let next = u32::try_from(known.len()).expect("few kinds");
            all |= 1 << *known.entry(kind).or_insert(next);
        }
        troubles.push(all);
    });
    assert!(report.broken.is_none(), "{report:?}");
    println!(
        "what can be played: {report}; {} kinds of trouble",
        known.len()
    );
    Ways { met, troubles }
}

/// The kinds of trouble in a move.
fn trouble(before: &State, what: &Move) -> Vec<String> {
    let (worker, removal) = (before.workers[0].at, before.reaper.at);
    let is_wanted = |luck: &Luck| matches!(luck, Luck::Well);
    match what {
        Move::Kill => vec![
            format!("kill, worker at {}", written::name(&worker)),
            format!("kill, reaper at {}", written::name(&removal)),
        ],
        Move::Work { at, luck, .. } if !is_wanted(luck) => {
            vec![format!("{} {luck:?}", written::name(at))]
        }
        Move::Work {
            at: at @ (At::GiveUp | At::DeadLetter | At::Rename { .. } | At::Renew),
            ..
        } => vec![written::name(at)],
        Move::Reap { at, luck } if !is_wanted(luck) => {
            vec![format!("{} {luck:?}", written::name(at))]
        }
        Move::Lands { luck, .. } if !is_wanted(luck) => {
            let awaited = worker == At::Await;
            vec![format!("create {luck:?} {awaited}")]
        }
        Move::Time if removal != super::removal::Reap::Idle => {
            vec![format!("time, reaper at {}", written::name(&removal))]
        }
        Move::Time => vec![format!("time, text {:?}", before.texts[0].at)],
        _ => Vec::new(),
    }
}

/// The story to a state and on, without further trouble, to the end.
fn to_the_end(world: &Playable, met: &Met, number: u32) -> Story {
    let mut story = way(world, met, number);
    let mut state = story
        .last()
        .map_or_else(|| world.start(), |(_, after)| *after);
    loop {
        let mut moves = world.moves(&state);
        let Some(calm) = world.calm(&state, &moves) else {
            return story;
        };
        let (what, after) = moves.swap_remove(calm);
        state = after;
        story.push((what, after));
    }
}

/// The story to the state of the whole world that is most distant among those to which a way can be played.
fn longest(world: World, ways: &Ways) -> Story {
    let mut depths: Vec<usize> = vec![0];
    let mut distant: Vec<(usize, u32)> = Vec::new();
    let (report, _) = explore(&world, super::tests::MOST, |found| {
        let depth = depths[found.parent as usize] + 1;
        depths.push(depth);
        let number = ways.met.number_of(found.after);
        distant.extend(number.map(|number| (depth, number)));
    });
    distant.sort_by_key(|(depth, number)| (usize::MAX - depth, *number));
    println!(
        "the whole world: {report}; {} of them can be reached by playing",
        distant.len()
    );
    let playable = Playable(world);
    let stories = distant.into_iter().map(|(depth, number)| {
        let story = to_the_end(&playable, &ways.met, number);
        (depth, story)
    });
    let mut forced = stories.filter(|(_, story)| is_forced(story));
    let (depth, story) = forced.next().expect("a way that can be played");
    println!(
        "the most distant one that is played: {depth} moves; with the end {}",
        story.len()
    );
    story
}

/// The stories that have most kinds of trouble which those before them do not have.
fn strangest(world: &Playable, ways: &Ways) -> Vec<Story> {
    let (mut covered, mut chosen): (Troubles, Vec<(Troubles, Story)>) = (0, Vec::new());
    while chosen.len() < STRANGE {
        let mut numbers: Vec<u32> = (0..).take(ways.troubles.len()).collect();
        numbers.sort_by_key(|number| {
            let all = ways.troubles[*number as usize];
            let new = (all & !covered).count_ones();
            (u32::MAX - new, u32::MAX - all.count_ones(), *number)
        });
        let fits = |number: &u32| {
            let all = ways.troubles[*number as usize];
            let story = to_the_end(world, &ways.met, *number);
            let is_new = chosen.iter().all(|(before, _)| *before != all);
            (is_new && is_forced(&story)).then_some((all, story))
        };
        let (all, story) = numbers.iter().find_map(fits).expect("enough stories");
        covered |= all;
        chosen.push((all, story));
    }
    println!("{} kinds of trouble are played", covered.count_ones());
    chosen.into_iter().map(|(_, story)| story).collect()
}

#[test]
fn stories_for_the_real_program_are_those_in_the_files() {
    let world = Playable(World::SMALL);
    let ways = ways(&world);
    let longest = longest(World::SMALL, &ways);
    written::holds(
        "longest",
        "the most distant state that can be played",
        &longest,
    );
    for (number, story) in strangest(&world, &ways).iter().enumerate() {
        let name = format!("strange-{:02}", number + 1);
        written::holds(&name, "a strange story", story);
    }
}
