//! What laptops do: their pages open and ask, and somebody in front of them answers.

use super::rules::HallBreach;
use super::state::{HallState, Page, Shown};
use super::words::{HallLuck, HallMove};
use super::{Hall, HallBug};
use crate::screen::ScreenState;
use crate::screen::copied::whose;

/// What a laptop may do next.
pub(super) fn moves(
    world: &Hall,
    hall: &HallState,
    laptop: usize,
    all: &mut Vec<(HallMove, HallState)>,
) {
    let page = hall.pages[laptop];
    let number = laptop as u8;
    let live = page
        .open
        .filter(|shown| !page.gone && hall.screens.place(shown.page).is_some());
    let Some(shown) = live else {
        all.push((HallMove::Opens { laptop: number }, opens(hall, laptop)));
        return;
    };
    for luck in [HallLuck::Well, HallLuck::LostAfter] {
        let after = polls(world, hall, (laptop, shown), luck);
        all.push((
            HallMove::Polls {
                laptop: number,
                luck,
            },
            after,
        ));
    }
    if let Some((claim, text)) = page.asked {
        for yes in [true, false] {
            let mut after = hall.clone();
            after.pages[laptop].asked = None;
            if yes {
                after.texts[usize::from(text)].yes = Some(number);
            }
            let claim = match world.bug {
                Some(HallBug::ConfirmsAnother) => asked_now(hall, shown).unwrap_or(claim),
                _ => claim,
            };
            after.screens.answer(shown.page, claim, yes);
            let what = HallMove::Answers {
                laptop: number,
                text,
                yes,
            };
            all.push((what, after));
        }
    }
    if page.login.is_some() {
        let mut after = hall.clone();
        after.screens.arrived(shown.page);
        after.pages[laptop] = Page::default();
        all.push((HallMove::Arrives { laptop: number }, after));
    }
}

fn opens(hall: &HallState, laptop: usize) -> HallState {
    let mut after = hall.clone();
    let (page, code) = after.screens.open();
    after.pages[laptop] = Page {
        open: Some(Shown { page, code }),
        ..Page::default()
    };
    // What was said at the screen before says nothing about this one.
    let said = after.texts.iter_mut();
    said.filter(|text| text.yes == Some(laptop as u8))
        .for_each(|text| text.yes = None);
    after
}

/// The claim that the page is asked about at this moment.
fn asked_now(hall: &HallState, shown: Shown) -> Option<u64> {
    match hall.screens.clone().state(shown.page) {
        ScreenState::Question { claim, .. } => Some(claim),
        _ => None,
    }
}

/// The page asks what to show, and sees the answer unless it is lost.
fn polls(
    world: &Hall,
    hall: &HallState,
    (laptop, shown): (usize, Shown),
    luck: HallLuck,
) -> HallState {
    let mut after = hall.clone();
    let state = after.screens.state(shown.page);
    let mut page = Page {
        asked: None,
        ..hall.pages[laptop]
    };
    match state {
        ScreenState::Question { claim, .. } => {
            let text = after.screens.text_of(claim);
            page.asked = text.map(|text| (claim, text));
            let waits = text.and_then(|text| after.screens.offered(text));
            if let Some(login) = waits.filter(|_| world.bug == Some(HallBug::ShowsUnasked)) {
                released(&mut after, laptop, whose(&login));
            }
        }
        ScreenState::Login { login, .. } => {
            page.login = Some(whose(&login));
            released(&mut after, laptop, whose(&login));
        }
        ScreenState::Open | ScreenState::Making | ScreenState::Notice(_) | ScreenState::Gone => {}
    }
    if luck == HallLuck::Well {
        after.pages[laptop] = page;
    }
    after
}

/// A login leaves the service for this laptop.
fn released(hall: &mut HallState, laptop: usize, (phone, account): (u8, u8)) {
    let number = laptop as u8;
    let mut texts = hall.texts.iter().enumerate();
    let allowed =
        texts.find(|(place, text)| text.yes == Some(number) && super::phone_of(*place) == phone);
    let Some((text, _)) = allowed else {
        hall.broken = Some(HallBreach::Unasked {
            phone,
            laptop: number,
        });
        return;
    };
    if hall.texts[text].shown.is_some_and(|one| one != number) {
        hall.broken = Some(HallBreach::Twice { text: text as u8 });
    }
    hall.texts[text].shown = Some(number);
    match hall.rows[usize::from(phone)].filter(|row| row.account == account) {
        Some(row) => hall.has_login(phone, row),
        None => hall.texts[text].served = true,
    }
}
