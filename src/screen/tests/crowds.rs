//! More screens than there is room for, and more laptops than Coder admits at once.

use super::*;

#[test]
fn the_oldest_unclaimed_screen_leaves_for_a_new_one() {
    let wall = Wall::new();
    let claimed = wall.opens(0);
    wall.texts(1, 1, claimed.code, 0);
    let first = wall.opens(0);
    let rest: Vec<NewScreen> = (2..slots::SCREENS_OF_ONE).map(|_| wall.opens(1)).collect();
    let newest = wall.opens(1);
    assert_eq!(wall.shows(&first, 1), ScreenState::Gone);
    assert!(matches!(
        wall.shows(&claimed, 1),
        ScreenState::Question { .. }
    ));
    for screen in rest.iter().chain([&newest]) {
        assert_eq!(wall.shows(screen, 1), ScreenState::Open);
    }
    assert_eq!(wall.screens.counts().evicted.get(), 1);
    // When all are claimed, the client gets none; another one does.
    for (number, screen) in (10..).zip(rest.iter().chain([&newest])) {
        wall.texts(number, number, screen.code, 2);
    }
    assert_eq!(
        wall.screens.open(client(1), wall.at(62)).unwrap_err(),
        ScreensFull
    );
    assert!(wall.screens.open(client(2), wall.at(62)).is_ok());
    assert_eq!(wall.screens.counts().refused.get(), 1);
}

#[test]
fn a_flood_from_many_networks_takes_no_page_of_a_class() {
    let wall = Wall::new();
    let class: Vec<NewScreen> = (0..300).map(|_| wall.opens(0)).collect();
    // Who holds three /48s opens a page from each /64 of them.
    let mut opened = 0;
    for number in 0..9_000_u32 {
        let (site, subnet) = (number % 3, number / 3);
        let address = format!("2001:db8:{site:x}:{subnet:x}::1");
        let at = wall.at(u64::from(number / 100));
        if wall.screens.open(address.parse().unwrap(), at).is_ok() {
            opened += 1;
        }
    }
    assert_eq!(
        opened,
        3 * (1_200 + 1_000),
        "what they may, and what they tried"
    );
    assert_eq!(wall.screens.counts().open.get(), slots::SCREENS as u64);
    for screen in &class {
        assert_eq!(wall.shows(screen, 90), ScreenState::Open);
    }
    // The class still opens pages, and still loses none.
    let late = wall.opens(90);
    for screen in class.iter().chain([&late]) {
        assert_eq!(wall.shows(screen, 90), ScreenState::Open);
    }
}

#[test]
fn there_are_never_more_screens_than_2048_and_no_code_twice() {
    let wall = Wall::new();
    let mut codes = std::collections::HashSet::new();
    for number in 0..6_000_u32 {
        let screen = wall
            .screens
            .open(client(number / 100), wall.at(u64::from(number / 100)))
            .unwrap();
        assert!(
            codes.insert(screen.code),
            "a code is given twice within ten minutes"
        );
    }
    assert_eq!(wall.screens.counts().open.get(), slots::SCREENS as u64);
    // A flood that uses all codes up still leaves everybody one.
    for number in 0..20_000_u32 {
        wall.screens
            .open(client(1_000 + number / 100), wall.at(61))
            .unwrap();
    }
    assert_eq!(wall.screens.counts().open.get(), slots::SCREENS as u64);
}

#[test]
fn sixty_laptops_behind_one_address_do_not_exceed_what_coder_admits() {
    let wall = Wall::new();
    let mut waits = Vec::new();
    for number in 0..60 {
        let screen = wall.opens(0);
        wall.texts(number, number, screen.code, 1);
        wall.offers(number, 1);
        let ScreenState::Login { wait, .. } = wall.says(&screen, true, 2) else {
            panic!("no login");
        };
        // The wait runs down, however often the page asks.
        let ScreenState::Login { wait: later, .. } = wall.shows(&screen, 3) else {
            panic!("no login");
        };
        assert_eq!(later, wait.saturating_sub(Duration::from_secs(1)));
        waits.push(wait.as_secs());
    }
    assert!(waits[..55].iter().all(|wait| *wait == 0));
    assert!(waits[55..].iter().all(|wait| *wait == 60), "{waits:?}");
}
