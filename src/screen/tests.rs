//! What screens and texts may do with each other, by examples.

mod crowds;

use std::sync::Mutex as StdMutex;

use super::*;
use crate::domain::{PhoneHash, PhoneKey};

/// Screens, and the texts that they told of.
pub(super) struct Wall {
    pub(super) screens: Screens,
    changed: Arc<StdMutex<Vec<MessageSid>>>,
    pub(super) start: Instant,
}

impl Wall {
    pub(super) fn new() -> Self {
        let changed: Arc<StdMutex<Vec<MessageSid>>> = Arc::default();
        let notes = Arc::clone(&changed);
        Self {
            screens: Screens::new(Box::new(move |sid| notes.lock().unwrap().push(sid.clone()))),
            changed,
            start: Instant::now(),
        }
    }

    fn at(&self, seconds: u64) -> Instant {
        self.start + Duration::from_secs(seconds)
    }

    fn opens(&self, seconds: u64) -> NewScreen {
        self.screens.open(client(1), self.at(seconds)).unwrap()
    }

    /// The text number `text` of the phone number `phone` carries that code.
    fn texts(&self, text: u32, phone: u32, code: ScreenCode, seconds: u64) -> ClaimState {
        self.screens.claim(
            new(&sid(text), &hash(phone), code, self.at(seconds)),
            self.at(seconds),
        )
    }

    fn offers(&self, text: u32, seconds: u64) -> ClaimState {
        self.screens
            .offer(&sid(text), login(text), self.at(seconds))
    }

    fn shows(&self, screen: &NewScreen, seconds: u64) -> ScreenState {
        self.screens.state(&screen.secret, self.at(seconds))
    }

    fn says(&self, screen: &NewScreen, yes: bool, seconds: u64) -> ScreenState {
        let ScreenState::Question { claim, .. } = self.shows(screen, seconds) else {
            panic!("no question");
        };
        self.screens
            .answer(&screen.secret, claim, yes, self.at(seconds))
    }

    fn claim(&self, text: u32, seconds: u64) -> ClaimState {
        self.screens.claim_state(&sid(text), self.at(seconds))
    }

    /// The texts that were told of since the last call.
    fn told(&self) -> Vec<MessageSid> {
        std::mem::take(&mut *self.changed.lock().unwrap())
    }

    fn ended(&self, end: ClaimEnd) -> u64 {
        self.screens.counts().claims.get(end).unwrap().get()
    }
}

pub(super) fn sid(number: u32) -> MessageSid {
    MessageSid::parse(&format!("SM{number:032x}")).unwrap()
}

pub(super) fn client(number: u32) -> IpAddr {
    IpAddr::from(number.to_be_bytes())
}

pub(super) fn hash(number: u32) -> PhoneHash {
    let phone = crate::domain::Phone::parse(&format!("+1312555{number:04}")).unwrap();
    phone.hash(&PhoneKey::derive("key"))
}

pub(super) fn new<'a>(
    sid: &'a MessageSid,
    phone: &'a PhoneHash,
    code: ScreenCode,
    heard: Instant,
) -> NewClaim<'a> {
    NewClaim {
        code,
        sid,
        phone,
        ends: "23",
        heard: Some(heard),
    }
}

/// The login that belongs to the text number `text`.
pub(super) fn login(text: u32) -> ScreenLogin {
    ScreenLogin {
        username: Username::draw(0),
        email: format!("{text}@example.org"),
        password: Password::draw(),
        workspace: String::new(),
    }
}

fn shown(state: &ScreenState) -> &str {
    match state {
        ScreenState::Login { login, .. } => &login.email,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_login_appears_after_a_yes_and_is_repeated_until_it_arrived() {
    let wall = Wall::new();
    let screen = wall.opens(0);
    assert_eq!(screen.secret.len(), TOKEN_LENGTH);
    assert_eq!(wall.shows(&screen, 1), ScreenState::Open);
    assert_eq!(
        wall.texts(1, 1, screen.code, 2),
        ClaimState::Waiting { until: None }
    );
    let question = wall.shows(&screen, 2);
    assert!(matches!(&question, ScreenState::Question { ends, .. } if ends == "23"));
    assert_eq!(wall.says(&screen, true, 3), ScreenState::Making);
    assert_eq!(
        wall.offers(1, 4),
        ClaimState::Waiting {
            until: Some(wall.at(64))
        }
    );
    assert!(wall.told().is_empty());
    assert!(
        wall.screens.arrived(&screen.secret, wall.at(4)).is_none(),
        "nothing was shown"
    );
    for seconds in [5, 6, 300] {
        assert_eq!(shown(&wall.shows(&screen, seconds)), "1@example.org");
    }
    assert_eq!(wall.told(), [sid(1)], "told once");
    let state = ClaimState::Shown {
        offered: wall.at(4),
        at: wall.at(5),
    };
    assert_eq!(wall.claim(1, 301), state);
    // The answer to "arrived" may be lost as well.
    for _ in 0..2 {
        assert!(wall.screens.arrived(&screen.secret, wall.at(302)).is_some());
    }
    assert_eq!(wall.shows(&screen, 302), ScreenState::Gone);
    assert_eq!(wall.claim(1, 303), state);
    assert_eq!(wall.screens.counts().arrived.get(), 1);
    assert_eq!(wall.ended(ClaimEnd::Shown), 1);
}

#[test]
fn no_login_is_shown_without_a_yes() {
    let wall = Wall::new();
    let screen = wall.opens(0);
    wall.texts(1, 1, screen.code, 1);
    wall.offers(1, 2);
    assert!(matches!(
        wall.shows(&screen, 3),
        ScreenState::Question { .. }
    ));
    assert_eq!(wall.says(&screen, false, 4), ScreenState::Open);
    assert_eq!(wall.claim(1, 4), ClaimState::Declined);
    assert_eq!(wall.told(), [sid(1)]);
    // A late yes, and a yes to anything else, change nothing.
    for claim in 0..5 {
        let state = wall.screens.answer(&screen.secret, claim, true, wall.at(5));
        assert_eq!(state, ScreenState::Open);
    }
    assert_eq!(wall.offers(1, 6), ClaimState::Declined);
    assert_eq!(wall.shows(&screen, 6), ScreenState::Open);
}

#[test]
fn of_two_texts_the_first_confirmed_one_wins() {
    let wall = Wall::new();
    let screen = wall.opens(0);
    for text in 1..=3 {
        wall.texts(text, text, screen.code, 1);
        wall.offers(text, 1);
    }
    wall.says(&screen, false, 2);
    assert_eq!(shown(&wall.says(&screen, true, 3)), "2@example.org");
    assert_eq!(wall.claim(1, 3), ClaimState::Declined);
    assert_eq!(wall.claim(3, 3), ClaimState::Lost);
    assert_eq!(wall.texts(4, 4, screen.code, 4), ClaimState::Lost);
    // Another attempt at the same text decides the same.
    assert_eq!(wall.texts(4, 4, screen.code, 5), ClaimState::Lost);
    let mut told = wall.told();
    told.sort_by_key(|sid| sid.as_str().to_owned());
    told.dedup();
    assert_eq!(told, [1, 2, 3, 4].map(sid));
}

#[test]
fn four_texts_wait_at_a_screen_and_no_more() {
    let wall = Wall::new();
    let screen = wall.opens(0);
    for text in 1..=4 {
        let state = wall.texts(text, text, screen.code, 1);
        assert_eq!(state, ClaimState::Waiting { until: None });
    }
    assert_eq!(wall.texts(5, 5, screen.code, 1), ClaimState::Lost);
    assert_eq!(wall.ended(ClaimEnd::Lost), 1);
}

#[test]
fn a_text_that_comes_twice_is_asked_about_once() {
    let wall = Wall::new();
    let screen = wall.opens(0);
    wall.texts(1, 1, screen.code, 1);
    assert_eq!(wall.texts(2, 1, screen.code, 2), ClaimState::Doubled);
    wall.offers(1, 2);
    wall.says(&screen, true, 3);
    // Its login was shown; whether that is recorded is told too.
    let again = |recorded| ClaimState::ShownBefore { recorded };
    assert_eq!(wall.texts(3, 1, screen.code, 4), again(false));
    assert_eq!(wall.texts(3, 1, screen.code, 4), again(false));
    wall.screens.recorded(&sid(1), wall.at(5));
    assert_eq!(wall.texts(3, 1, screen.code, 5), again(true));
    assert_eq!(wall.ended(ClaimEnd::ShownBefore), 1);
    assert_eq!(wall.shows(&screen, 5), wall.shows(&screen, 5));
}

#[test]
fn a_phone_that_texts_the_code_of_another_laptop_moves_on() {
    let wall = Wall::new();
    let (first, second) = (wall.opens(0), wall.opens(0));
    wall.texts(1, 1, first.code, 1);
    wall.offers(1, 1);
    wall.texts(2, 1, second.code, 2);
    assert_eq!(wall.told(), [sid(1)]);
    assert_eq!(wall.claim(1, 2), ClaimState::Superseded);
    assert_eq!(wall.shows(&first, 2), ScreenState::Open);
    wall.offers(2, 3);
    assert_eq!(shown(&wall.says(&second, true, 4)), "2@example.org");
    // A login that was shown stays shown.
    let third = wall.opens(5);
    wall.texts(3, 1, third.code, 6);
    assert!(matches!(wall.claim(2, 6), ClaimState::Shown { .. }));
    assert_eq!(shown(&wall.shows(&second, 6)), "2@example.org");
}

#[test]
fn a_login_that_is_not_fetched_within_a_minute_expires() {
    let wall = Wall::new();
    let screen = wall.opens(0);
    wall.texts(1, 1, screen.code, 1);
    wall.offers(1, 2);
    wall.offers(1, 50);
    let until = Some(wall.at(62));
    assert_eq!(wall.claim(1, 61), ClaimState::Waiting { until });
    assert_eq!(wall.claim(1, 62), ClaimState::Expired);
    assert_eq!(wall.shows(&screen, 62), ScreenState::Open);
    // The same phone may try again.
    wall.texts(2, 1, screen.code, 70);
    wall.offers(2, 70);
    assert_eq!(shown(&wall.says(&screen, true, 71)), "2@example.org");
}

#[test]
fn a_screen_lives_ten_minutes_from_its_last_claim_and_its_code_rests_as_long() {
    let wall = Wall::new();
    let (used, unused) = (wall.opens(0), wall.opens(0));
    wall.texts(1, 1, used.code, 300);
    assert_eq!(wall.shows(&unused, 600), ScreenState::Gone);
    assert!(matches!(
        wall.shows(&used, 899),
        ScreenState::Question { .. }
    ));
    assert_eq!(wall.texts(2, 2, unused.code, 601), ClaimState::NoScreen);
    assert_eq!(wall.shows(&used, 900), ScreenState::Gone);
    assert_eq!(wall.claim(1, 900), ClaimState::NoScreen);
    assert_eq!(wall.told(), [sid(1)]);
    assert_eq!(wall.screens.counts().open.get(), 0);
    // Coder is away: the attempts of the text keep its screen.
    let kept = wall.opens(1_000);
    for seconds in [1_100, 1_600, 2_100] {
        let state = wall.texts(3, 3, kept.code, seconds);
        assert_eq!(state, ClaimState::Waiting { until: None });
    }
    assert!(matches!(
        wall.shows(&kept, 2_600),
        ScreenState::Question { .. }
    ));
}

#[test]
fn a_text_claims_no_screen_that_was_opened_after_it() {
    let wall = Wall::new();
    let screen = wall.opens(100);
    let claim = |seconds| {
        let heard = wall.at(seconds);
        let (sid, phone) = (sid(seconds as u32), hash(1));
        wall.screens
            .claim(new(&sid, &phone, screen.code, heard), wall.at(200))
    };
    assert_eq!(claim(90), ClaimState::NoScreen);
    // A text that is found in Twilio's log is dated in whole seconds.
    assert_eq!(claim(99), ClaimState::Waiting { until: None });
    let (sid, phone) = (sid(1), hash(2));
    let from_before = NewClaim {
        heard: None,
        ..new(&sid, &phone, screen.code, wall.at(200))
    };
    let state = wall.screens.claim(from_before, wall.at(200));
    assert_eq!(state, ClaimState::NoScreen, "received by another process");
}

#[test]
fn a_text_without_a_screen_is_counted_once_and_decided_once() {
    let wall = Wall::new();
    let code = ScreenCode::draw();
    for seconds in [1, 2, 300] {
        assert_eq!(wall.texts(1, 1, code, seconds), ClaimState::NoScreen);
    }
    assert_eq!(wall.ended(ClaimEnd::NoScreen), 1);
    assert!(wall.told().is_empty());
}

#[test]
fn words_are_shown_after_a_yes_and_the_next_text_tries_again() {
    let wall = Wall::new();
    let screen = wall.opens(0);
    wall.texts(1, 1, screen.code, 1);
    wall.screens.tell(&sid(1), "full", wall.at(2));
    assert!(matches!(
        wall.shows(&screen, 3),
        ScreenState::Question { .. }
    ));
    let notice = ScreenState::Notice("full".into());
    assert_eq!(wall.says(&screen, true, 4), notice);
    assert_eq!(wall.shows(&screen, 5), notice);
    assert_eq!(wall.screens.arrived(&screen.secret, wall.at(5)), None);
    wall.texts(2, 1, screen.code, 6);
    wall.offers(2, 6);
    assert_eq!(shown(&wall.says(&screen, true, 7)), "2@example.org");
    assert_eq!(wall.ended(ClaimEnd::Told), 1);
}

#[test]
fn a_stranger_learns_and_changes_nothing() {
    let wall = Wall::new();
    let screen = wall.opens(0);
    wall.texts(1, 1, screen.code, 1);
    wall.offers(1, 1);
    let other = token();
    for secret in ["", "é", &other, &screen.secret[..21]] {
        assert_eq!(wall.screens.state(secret, wall.at(2)), ScreenState::Gone);
        let answered = wall.screens.answer(secret, 3, true, wall.at(2));
        assert_eq!(answered, ScreenState::Gone);
        assert_eq!(wall.screens.arrived(secret, wall.at(2)), None);
    }
    assert!(matches!(
        wall.shows(&screen, 2),
        ScreenState::Question { .. }
    ));
    let debug = format!("{screen:?} {:?}", login(1));
    assert!(
        !debug.contains(&screen.secret) && debug.contains(".."),
        "{debug}"
    );
}

#[test]
fn a_shown_login_is_remembered_until_it_is_recorded() {
    let wall = Wall::new();
    let screen = wall.opens(0);
    wall.texts(1, 1, screen.code, 1);
    wall.offers(1, 1);
    wall.says(&screen, true, 2);
    // The database is away for hours; the screen is long gone.
    assert_eq!(wall.shows(&screen, 5_000), ScreenState::Gone);
    assert!(matches!(wall.claim(1, 80_000), ClaimState::Shown { .. }));
    wall.screens.recorded(&sid(1), wall.at(80_000));
    assert_eq!(wall.claim(1, 80_001), ClaimState::NoScreen);
}
