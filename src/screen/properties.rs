//! What holds after any sequence of what pages, texts and time can do.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::tests::{Wall, client, hash, login, new, sid};
use super::*;
use crate::properties::drawn;

/// What may happen next.
#[derive(Clone, Debug)]
enum ScreenAct {
    /// A client opens a page.
    Open(u32),
    /// A page asks, by its place among those opened.
    Poll(usize),
    /// Somebody answers what the page showed last, however old that is.
    Answer(usize, bool),
    /// Somebody answers a claim that this page may never have shown.
    Guess(usize, u64),
    Arrive(usize),
    /// A phone texts the code of a page, or a text comes again.
    Text {
        text: u32,
        phone: u32,
        page: usize,
    },
    Offer(u32),
    Tell(u32),
    Record(u32),
    /// Seconds pass.
    Wait(u64),
}

fn act() -> impl Strategy<Value = ScreenAct> {
    let text = || 0..24_u32;
    let page = || 0..8_usize;
    prop_oneof![
        2 => (0..3_u32).prop_map(ScreenAct::Open),
        6 => page().prop_map(ScreenAct::Poll),
        5 => (page(), any::<bool>()).prop_map(|(page, yes)| ScreenAct::Answer(page, yes)),
        1 => (page(), 0..40_u64).prop_map(|(page, claim)| ScreenAct::Guess(page, claim)),
        1 => page().prop_map(ScreenAct::Arrive),
        6 => (text(), 0..6_u32, page()).prop_map(|(text, phone, page)| ScreenAct::Text { text, phone, page }),
        5 => text().prop_map(ScreenAct::Offer),
        1 => text().prop_map(ScreenAct::Tell),
        1 => text().prop_map(ScreenAct::Record),
        2 => prop_oneof![0..5_u64, 50..70_u64, 500..700_u64].prop_map(ScreenAct::Wait),
    ]
}

/// The screens, and what has happened at them.
struct Model {
    wall: Wall,
    now: Instant,
    pages: Vec<NewScreen>,
    /// The question that each page showed last.
    asked: HashMap<usize, u64>,
    /// Who was asked about at which page by which number, and the yes to it.
    confirmed: HashSet<(usize, u64)>,
    /// The number of each text's claim at a page, as the page has shown it.
    logins: HashMap<u32, ScreenLogin>,
    phones: HashMap<u32, u32>,
    /// The page that has shown the login of a text.
    shown: HashMap<String, usize>,
    arrived: HashSet<usize>,
    final_states: HashMap<u32, ClaimState>,
    /// Texts whose outcome is recorded. The service takes none of them again.
    recorded: HashSet<u32>,
}

impl Model {
    fn new() -> Self {
        let wall = Wall::new();
        Self {
            now: wall.start,
            wall,
            pages: Vec::new(),
            asked: HashMap::new(),
            confirmed: HashSet::new(),
            logins: HashMap::new(),
            phones: HashMap::new(),
            shown: HashMap::new(),
            arrived: HashSet::new(),
            final_states: HashMap::new(),
            recorded: HashSet::new(),
        }
    }

    fn play(&mut self, act: &ScreenAct) {
        let screens = &self.wall.screens;
        match *act {
            ScreenAct::Open(number) => {
                if self.pages.len() < 8 {
                    let opened = screens.open(client(number), self.now).unwrap();
                    self.pages.push(opened);
                }
            }
            ScreenAct::Poll(page) => {
                if let Some(screen) = self.pages.get(page) {
                    let state = screens.state(&screen.secret, self.now);
                    self.saw(page, &state);
                }
            }
            ScreenAct::Answer(page, yes) => {
                if let (Some(screen), Some(claim)) = (self.pages.get(page), self.asked.get(&page)) {
                    if yes {
                        self.confirmed.insert((page, *claim));
                    }
                    let state = screens.answer(&screen.secret, *claim, yes, self.now);
                    self.saw(page, &state);
                }
            }
            ScreenAct::Guess(page, claim) => {
                if let Some(screen) = self.pages.get(page) {
                    self.confirmed.insert((page, claim));
                    let state = screens.answer(&screen.secret, claim, true, self.now);
                    self.saw(page, &state);
                }
            }
            ScreenAct::Arrive(page) => {
                if let Some(screen) = self.pages.get(page)
                    && screens.arrived(&screen.secret, self.now).is_some()
                {
                    assert!(
                        self.shown.values().any(|at| *at == page),
                        "nothing was shown there"
                    );
                    self.arrived.insert(page);
                }
            }
            ScreenAct::Text { text, phone, page } => {
                let phone = *self.phones.entry(text).or_insert(phone);
                if let Some(screen) = self.pages.get(page) {
                    let (sid, hash) = (sid(text), hash(phone));
                    let state = screens.claim(new(&sid, &hash, screen.code, self.now), self.now);
                    self.stays(text, state);
                }
            }
            ScreenAct::Offer(text) => {
                let offered = self.logins.entry(text).or_insert_with(|| login(text));
                let state = screens.offer(&sid(text), offered.clone(), self.now);
                self.stays(text, state);
            }
            ScreenAct::Tell(text) => screens.tell(&sid(text), "words", self.now),
            ScreenAct::Record(text) => {
                screens.recorded(&sid(text), self.now);
                self.recorded.insert(text);
            }
            ScreenAct::Wait(seconds) => self.now += Duration::from_secs(seconds),
        }
    }

    /// A claim that has ended stays as it ended, until it is forgotten.
    fn stays(&mut self, text: u32, state: ClaimState) {
        // One that was shown is forgotten when that is recorded and its screen has ended.
        let is_forgotten = |state: &ClaimState| {
            matches!(state, ClaimState::Shown { at, .. }
                if self.recorded.contains(&text) && self.now >= *at + LIFE)
        };
        let before = self.final_states.get(&text).copied();
        let before = before.filter(|state| !is_forgotten(state));
        match (before, state) {
            (_, ClaimState::NoScreen) => {
                self.final_states.remove(&text);
            }
            (_, ClaimState::Waiting { .. }) => {
                // A forgotten text may claim anew; one that is shown may not.
                assert!(
                    !matches!(before, Some(ClaimState::Shown { .. })),
                    "shown, and waits"
                );
                self.final_states.remove(&text);
            }
            (Some(before), after) if !matches!(before, ClaimState::Shown { .. }) => {
                // A text that was forgotten and claims anew may end at once in these ways.
                let is_new = matches!(
                    after,
                    ClaimState::Doubled | ClaimState::Lost | ClaimState::ShownBefore { .. }
                );
                assert!(before == after || is_new, "{before:?} became {after:?}");
                self.final_states.insert(text, after);
            }
            (Some(before), after) => assert_eq!(before, after),
            (None, after) => {
                self.final_states.insert(text, after);
            }
        }
    }

    /// Checks what a page shows.
    fn saw(&mut self, page: usize, state: &ScreenState) {
        match state {
            ScreenState::Question { claim, .. } => {
                let elsewhere = self
                    .asked
                    .iter()
                    .any(|(at, asked)| *at != page && asked == claim);
                assert!(!elsewhere, "two pages ask about one claim");
                self.asked.insert(page, *claim);
            }
            ScreenState::Login { login, .. } => {
                let at = *self.shown.entry(login.email.clone()).or_insert(page);
                assert_eq!(at, page, "two pages show one login");
                assert!(
                    self.confirmed.iter().any(|(at, _)| *at == page),
                    "a login without a yes"
                );
                assert!(
                    !self.arrived.contains(&page),
                    "a login that was used is shown"
                );
                let others = self.shown.iter().filter(|(_, at)| **at == page).count();
                assert_eq!(others, 1, "one page shows two logins");
            }
            _ => {}
        }
    }

    fn counts_are_right(&self) {
        let counts = self.wall.screens.counts();
        assert_eq!(counts.opened.get(), self.pages.len() as u64);
        assert!(counts.open.get() <= counts.opened.get());
        assert_eq!(counts.arrived.get(), self.arrived.len() as u64);
        let shown = counts.claims.get(ClaimEnd::Shown).unwrap().get();
        assert_eq!(shown, self.shown.len() as u64);
    }
}

proptest! {
    #![proptest_config(drawn())]

    #[test]
    fn no_page_ever_shows_the_login_of_a_claim_that_it_did_not_confirm(
        acts in prop::collection::vec(act(), 0..160)
    ) {
        let mut model = Model::new();
        for act in &acts {
            model.play(act);
        }
        model.counts_are_right();
        // Everything ends, and nothing is kept for ever.
        let late = model.now + Duration::from_secs(200_000);
        for page in &model.pages {
            prop_assert_eq!(model.wall.screens.state(&page.secret, late), ScreenState::Gone);
        }
        prop_assert_eq!(model.wall.screens.counts().open.get(), 0);
        // The codes rest from the moment when the end was noticed.
        model.wall.screens.claim_state(&sid(0), late + LIFE);
        prop_assert!(model.wall.screens.is_empty());
    }
}
