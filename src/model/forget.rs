//! What nobody will read any more is taken away, so that states with the same future become equal.
//!
//! Workers and the reaper remember a row as they have read it. Of that copy, each step keeps only what it and the
//! steps after it use.

use super::removal::Reap;
use super::row::Row;
use super::state::{State, TextState, Where};
use super::table::Seen;
use super::worker::At;

/// What a worker at this step uses of its row.
fn of_worker(at: At, row: Row) -> Row {
    let Row {
        id,
        name,
        foreign,
        user,
        ..
    } = row;
    match at {
        At::UndoEnd => Row {
            stage: row.stage,
            ..Row::reserved(id)
        },
        At::Renew | At::BeginCreate | At::Create => Row {
            name,
            foreign,
            ..Row::reserved(id)
        },
        At::Await | At::Ours | At::Created { .. } => Row {
            name,
            ..Row::reserved(id)
        },
        At::Trace => Row {
            name,
            user,
            due: row.due,
            sending: row.sending,
            doubtful: row.doubtful,
            ..Row::reserved(id)
        },
        At::Clear { .. } | At::Again | At::BeginSend => Row {
            name,
            user,
            ..Row::reserved(id)
        },
        At::Send => Row {
            user,
            ..Row::reserved(id)
        },
        _ => Row::reserved(id),
    }
}

/// What the reaper at this step uses of its row.
fn of_reaper(at: Reap, row: Row) -> Row {
    match at {
        Reap::User => Row {
            name: row.name,
            stage: row.stage,
            user: row.user,
            repeated: row.repeated,
            reaping: row.reaping,
            ..Row::reserved(row.id)
        },
        Reap::Begin { .. } => Row {
            user: row.user,
            ..Row::reserved(row.id)
        },
        _ => Row::reserved(row.id),
    }
}

/// Takes away what the steps that follow do not read.
pub(super) fn forget(state: &mut State, repeats: bool) {
    for worker in &mut state.workers {
        worker.row = worker.row.map(|row| of_worker(worker.at, row));
    }
    let at = state.reaper.at;
    state.reaper.row = state.reaper.row.map(|row| of_reaper(at, row));
    if repeats {
        return;
    }
    // A text that is settled and does not come again makes no difference any more.
    for (text, seen) in state.texts.iter_mut().zip(&mut state.table.seen) {
        if matches!(text.at, Where::Done | Where::Dead) {
            *seen = Seen::Never;
            *text = TextState {
                at: Where::Done,
                ..TextState::default()
            };
        }
    }
}
