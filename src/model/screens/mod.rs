//! Texts that carry the code of a laptop's page: the screens are those of the service ([`CopiedScreens`]), and all
//! orders of what phones, pages, their people, workers, Coder, Twilio, the reaper, time and kills do are searched.
//!
//! What a worker does with a claim is told again from `provision::on_screen`. Screens are in memory, so a kill loses
//! them. Time is only this: the minute for which an offered login waits, the ten minutes of a screen, and the moment at
//! which the time of an account is up.

mod pages;
mod rules;
mod state;
mod tests;
mod words;
mod worker;

use std::time::Duration;

use crate::screen::{LIFE, OFFER};
use state::{HallReap, HallState, HallText, HallWhere};
use words::HallMove;
use worker::{HallAt, HallStep};

/// A fault that is put into the model to show that it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HallBug {
    /// A page gets the login that waits for it before anybody has said yes.
    ShowsUnasked,
    /// A yes counts for the phone that is asked about now, not for the one that the page has shown.
    ConfirmsAnother,
    /// A text counts as served as soon as its login is offered.
    RecordsOffer,
    /// Where logins go to phones as well, a text whose login was not fetched gets no other answer.
    StaysSilent,
    /// After a kill nobody reckons with a login that may have been on a screen.
    ForgetsShown,
}

/// What may happen in a world.
#[derive(Clone, Copy, Debug)]
struct Hall {
    /// Texts of each phone. The last one belongs to the second phone.
    texts: [usize; 2],
    /// Laptops with a page.
    laptops: usize,
    /// Whether a login goes to the phone where no screen takes it.
    by_text: bool,
    /// How often time passes at most.
    times: u8,
    bug: Option<HallBug>,
}

/// The phone of a text.
fn phone_of(text: usize) -> u8 {
    u8::from(text == 2)
}

impl Hall {
    fn is_there(&self, text: usize) -> bool {
        match text {
            2 => self.texts[1] > 0,
            _ => text < self.texts[0],
        }
    }

    fn all(&self, hall: &HallState) -> Vec<(HallMove, HallState)> {
        let mut all = Vec::new();
        self.arrivals(hall, &mut all);
        for phone in 0..2 {
            worker::steps(&HallStep::new(self, hall, phone), &mut all);
        }
        for laptop in 0..self.laptops {
            pages::moves(self, hall, laptop, &mut all);
        }
        self.removals(hall, &mut all);
        if hall.times < self.times {
            for by in [OFFER, LIFE] {
                let mut after = hall.clone();
                after.times += 1;
                after.screens.pass(by + Duration::from_secs(1));
                all.push((HallMove::Time { by }, after));
            }
        }
        all.push((HallMove::Kill, kill(hall.clone())));
        all
    }

    fn arrivals(&self, hall: &HallState, all: &mut Vec<(HallMove, HallState)>) {
        for number in (0..3).filter(|text| self.is_there(*text)) {
            let (phone, text) = (usize::from(phone_of(number)), number as u8);
            match hall.texts[number].at {
                HallWhere::Unsent if number != 1 || hall.texts[0].at != HallWhere::Unsent => {
                    for laptop in 0..self.laptops {
                        let Some(page) = hall.pages[laptop].open else {
                            continue;
                        };
                        let mut after = hall.clone();
                        after.texts[number] = HallText {
                            at: HallWhere::Waiting,
                            page: Some(page),
                            heard: true,
                            served: hall.logins[phone].is_some(),
                            ..HallText::default()
                        };
                        let laptop = laptop as u8;
                        all.push((HallMove::Texts { text, laptop }, after));
                    }
                }
                HallWhere::Waiting if hall.workers[phone].at == HallAt::Idle => {
                    let mut after = hall.clone();
                    after.workers[phone].text = text;
                    after.workers[phone].at = HallAt::Claim;
                    all.push((HallMove::Begin { text }, after));
                }
                _ => {}
            }
        }
    }

    fn removals(&self, hall: &HallState, all: &mut Vec<(HallMove, HallState)>) {
        for phone in 0..2 {
            let Some(row) = hall.rows[usize::from(phone)].filter(|row| !row.due) else {
                continue;
            };
            // An account lives for hours, and as long as a text of its phone is tried.
            if !hall.waits(phone) {
                let mut after = hall.clone();
                after.row(phone).due = true;
                if row.announced {
                    after.logins[usize::from(phone)] = None;
                }
                all.push((HallMove::TimeUp { phone }, after));
            }
        }
        rules::removal(hall, all);
    }
}

/// The service is killed, and with it go its screens and whom it has heard.
fn kill(mut hall: HallState) -> HallState {
    hall.screens = Default::default();
    hall.workers = Default::default();
    hall.reaper = HallReap::Idle;
    hall.texts.iter_mut().for_each(|text| text.heard = false);
    for page in &mut hall.pages {
        page.asked = None;
        page.gone |= page.open.is_some();
    }
    hall
}
