use proptest::prelude::*;

use super::*;
use crate::properties::drawn;
use Stage::{Announced, Created, Gone, Reaping, Reserved};

/// All events, in the order of the columns of the table.
const EVENTS: [Event; 10] = [
    Event::Renamed,
    Event::UserRequested,
    Event::UserCreated,
    Event::Renewed,
    Event::Rescheduled,
    Event::LoginPrepared,
    Event::LoginSent,
    Event::UserVanished,
    Event::RemovalBegun,
    Event::UserGone,
];

#[test]
fn every_pair_of_stage_and_event_is_in_the_table() {
    let table = [
        (
            Reserved,
            [
                Some(Reserved),
                Some(Reserved),
                Some(Created),
                Some(Reserved),
                Some(Reserved),
                None,
                None,
                None,
                Some(Reaping),
                None,
            ],
        ),
        (
            Created,
            [
                None,
                None,
                None,
                Some(Created),
                Some(Created),
                Some(Created),
                Some(Announced),
                Some(Reserved),
                Some(Reaping),
                None,
            ],
        ),
        (
            Announced,
            [
                None,
                None,
                None,
                Some(Announced),
                Some(Announced),
                Some(Announced),
                Some(Announced),
                Some(Reserved),
                Some(Reaping),
                None,
            ],
        ),
        (
            Reaping,
            [
                None,
                None,
                Some(Reaping),
                None,
                None,
                None,
                Some(Reaping),
                None,
                None,
                Some(Gone),
            ],
        ),
        (Gone, [None; 10]),
    ];
    for (stage, row) in table {
        for (event, expected) in EVENTS.into_iter().zip(row) {
            assert_eq!(stage.after(event).ok(), expected, "{stage:?} {event:?}");
        }
    }
}

#[test]
fn an_illegal_step_names_stage_and_event() {
    let step = Reserved.after(Event::LoginSent).unwrap_err();
    assert_eq!(step.to_string(), "LoginSent is not allowed in Reserved");
}

#[test]
fn stored_stages_are_parsed() {
    for stage in [Reserved, Created, Announced, Reaping] {
        assert_eq!(Stage::parse(stage.as_str()), Some(stage));
    }
    assert_eq!(Stage::parse("gone"), None);
}

proptest! {
    #![proptest_config(drawn())]

    #[test]
    fn every_sequence_of_events_keeps_the_order_of_stages(
        walk in prop::collection::vec(prop::sample::select(EVENTS.to_vec()), 0..60)
    ) {
        let mut stage = Reserved;
        let (mut user, mut login, mut reaping) = (false, false, false);
        for event in walk {
            let Ok(next) = stage.after(event) else {
                prop_assert_eq!(stage.after(event), Err(IllegalStep { stage, event }));
                continue;
            };
            match event {
                Event::UserCreated => user = true,
                Event::UserVanished => (user, login) = (false, false),
                Event::LoginSent => login = !reaping || login,
                Event::RemovalBegun => reaping = true,
                _ => {}
            }
            prop_assert!(stage != Gone, "{event:?} after the end");
            prop_assert!(user || !login, "a login without a user");
            prop_assert_eq!(next == Announced, login && !reaping);
            prop_assert_eq!(next == Reserved, !user && !reaping);
            prop_assert_eq!(matches!(next, Reaping | Gone), reaping, "a removal that ends");
            prop_assert_eq!(next == Gone, event == Event::UserGone);
            prop_assert_eq!(Stage::parse(next.as_str()), (next != Gone).then_some(next));
            stage = next;
        }
    }

    #[test]
    fn no_other_word_is_a_stage(word in "[a-z]{0,9}|\\PC{0,9}") {
        prop_assert!(Stage::parse(&word).is_none_or(|stage| stage.as_str() == word));
    }
}

fn example() -> Registration {
    let name = Username::parse("happy-tuna").unwrap();
    Registration::fresh(name, Marker::from_stored(String::new()), 0)
}

#[test]
fn a_login_on_a_screen_is_shown_and_then_signed_in() {
    for (announced, shown, arrived, expected) in [
        (Some(50), Some(50), None, Some(OnScreen::Shown)),
        (Some(50), Some(50), Some(50), Some(OnScreen::SignedIn)),
        (Some(50), Some(50), Some(51), Some(OnScreen::SignedIn)),
        // Somebody signed in with the login before.
        (Some(50), Some(50), Some(49), Some(OnScreen::Shown)),
        // The last login went by text.
        (Some(60), Some(50), Some(55), None),
        (Some(60), None, None, None),
    ] {
        let registration = Registration {
            announced_at: announced,
            shown_at: shown,
            arrived_at: arrived,
            ..example()
        };
        assert_eq!(registration.on_screen(), expected, "{shown:?} {arrived:?}");
    }
}

#[test]
fn an_account_is_due_from_its_time_on() {
    let due = |due_at, now| {
        let registration = Registration {
            due_at,
            ..example()
        };
        registration.is_due(now)
    };
    assert!(due(Some(50), 50) && due(Some(50), 51));
    assert!(!due(Some(50), 49) && !due(None, 50));
}

#[test]
fn a_spare_account_is_told_from_a_students() {
    let spare = Registration {
        spare_since: Some(1),
        ..example()
    };
    assert!(spare.is_spare() && !example().is_spare());
}
