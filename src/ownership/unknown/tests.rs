use proptest::prelude::*;

use super::*;
use crate::domain::registration::Stage;
use crate::properties::drawn;

const DOMAIN: &str = "class.example.org";

fn home() -> InstanceId {
    InstanceId::from_stored("0123456789ABCDEF")
}

fn key() -> PhoneKey {
    PhoneKey::derive("ours")
}

fn name(raw: &str) -> Username {
    Username::parse(raw).unwrap()
}

/// The display name of one that was made here.
fn drawn_for(raw: &str) -> String {
    Marker::draw(&name(raw), &key(), &home())
        .as_str()
        .to_owned()
}

fn user(id: &str, username: &str, email: &str, shown: &str) -> User {
    User {
        id: id.into(),
        username: username.into(),
        email: email.into(),
        name: shown.into(),
        created_at: String::new(),
        status: "active".into(),
        last_seen_at: String::new(),
        login_type: LoginType::Password,
        has_roles: false,
        made_at: None,
    }
}

/// One as it was made here.
fn ours(raw: &str) -> User {
    user(raw, raw, &format!("{raw}@{DOMAIN}"), &drawn_for(raw))
}

fn row(raw: &str, marker: &str, id: Option<&str>) -> Registration {
    Registration {
        stage: Stage::Announced,
        coder_id: id.map(str::to_owned),
        announced_at: Some(0),
        ..Registration::fresh(name(raw), Marker::from_stored(marker.to_owned()), 0)
    }
}

fn told_of(users: &[User], roster: &[Registration]) -> Vec<(String, Ownership)> {
    let keys = [PhoneKey::derive("newer"), key()];
    let home = home();
    let marks = Marks {
        keys: &keys,
        instance_id: Some(&home),
        domain: DOMAIN,
    };
    let found = unknown(users, roster, marks);
    let told = found.into_iter();
    told.map(|found| (found.username.to_string(), found.ownership))
        .collect()
}

fn verdict_on(user: User) -> Option<Ownership> {
    let told = told_of(&[user], &[]);
    told.first().map(|(_, verdict)| *verdict)
}

#[test]
fn one_that_was_made_here_is_ours_also_when_it_was_renamed() {
    assert_eq!(verdict_on(ours("happy-tuna")), Some(Ownership::Ours));
    let mut renamed = ours("happy-tuna");
    renamed.username = "the-great".into();
    assert_eq!(verdict_on(renamed), Some(Ownership::Ours));
    let mut shouted = ours("happy-tuna");
    shouted.email = shouted.email.to_uppercase();
    shouted.username = "Happy-Tuna".into();
    assert_eq!(verdict_on(shouted), Some(Ownership::Ours));
}

#[test]
fn what_lacks_one_proof_is_left_to_a_person() {
    let changed = |change: fn(&mut User)| {
        let mut user = ours("happy-tuna");
        change(&mut user);
        verdict_on(user)
    };
    for (change, expected) in [
        (
            (|user| user.email = format!("ada@{DOMAIN}")) as fn(&mut User),
            Ownership::OtherAddress,
        ),
        (
            |user| user.email = "happy-tuna@example.net".into(),
            Ownership::OtherAddress,
        ),
        (|user| user.email.clear(), Ownership::OtherAddress),
        (|user| user.has_roles = true, Ownership::HasRoles),
        (
            |user| user.login_type = LoginType::Oidc,
            Ownership::OtherLogin,
        ),
    ] {
        assert_eq!(changed(change), Some(expected));
    }
    let elsewhere = Marker::draw(
        &name("happy-tuna"),
        &key(),
        &InstanceId::from_stored("FEDCBA9876543210"),
    );
    let email = format!("happy-tuna@{DOMAIN}");
    let theirs = user("1", "happy-tuna", &email, elsewhere.as_str());
    assert_eq!(verdict_on(theirs), Some(Ownership::OtherFolder));
}

#[test]
fn before_a_folder_has_its_name_nothing_is_surely_ours() {
    let marks = Marks {
        keys: &[key()],
        instance_id: None,
        domain: DOMAIN,
    };
    let found = unknown(&[ours("happy-tuna")], &[], marks);
    assert_eq!(found[0].ownership, Ownership::OtherFolder);
}

#[test]
fn only_verdicts_on_unaltered_accounts_may_become_ours() {
    for (verdict, may) in [
        (Ownership::Ours, true),
        (Ownership::OtherFolder, true),
        (Ownership::OtherAddress, false),
        (Ownership::HasRoles, false),
        (Ownership::OtherLogin, false),
    ] {
        assert_eq!(verdict.may_be_ours(), may, "{verdict:?}");
    }
}

#[test]
fn verdicts_have_fixed_words_for_scripts_and_others_for_people() {
    for (verdict, script, people) in [
        (Ownership::Ours, "ours", "this service"),
        (
            Ownership::OtherFolder,
            "other-folder",
            "another data folder",
        ),
        (Ownership::OtherAddress, "other-address", "another address"),
        (Ownership::HasRoles, "has-roles", "a role"),
        (Ownership::OtherLogin, "other-login", "without password"),
    ] {
        assert_eq!(verdict.as_str(), script);
        assert!(verdict.in_words().contains(people), "{verdict:?}");
    }
}

#[test]
fn what_was_recorded_while_the_users_were_read_is_no_find() {
    let found = ["happy-tuna", "calm-otter"].map(|raw| UnknownAccount {
        username: name(raw),
        ownership: Ownership::Ours,
        user: ours(raw),
    });
    let [tuna, otter] = found.clone();
    let roster = [row("happy-tuna", &tuna.user.name, None)];
    assert_eq!(still_unknown(found.to_vec(), &roster), [otter]);
}

#[test]
fn what_the_database_knows_by_id_name_or_marker_is_no_find() {
    let tuna = ours("happy-tuna");
    assert_eq!(told_of(std::slice::from_ref(&tuna), &[]).len(), 1);
    for known in [
        row("other-name", "m", Some("happy-tuna")),
        row("Happy-Tuna", "m", Some("another id")),
        row("other-name", &tuna.name, None),
    ] {
        let roster = [row("calm-otter", "n", Some("x")), known];
        assert_eq!(told_of(std::slice::from_ref(&tuna), &roster), []);
        let found = UnknownAccount {
            username: name("happy-tuna"),
            ownership: Ownership::Ours,
            user: tuna.clone(),
        };
        assert_eq!(still_unknown(vec![found], &roster), []);
    }
}

#[test]
fn one_that_stands_on_two_pages_is_told_once() {
    let mut twice = ours("happy-tuna");
    twice.username = "renamed-meanwhile".into();
    let told = told_of(&[ours("happy-tuna"), ours("calm-otter"), twice], &[]);
    let names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["happy-tuna", "calm-otter"]);
}

/// A stranger in the domain, who shows whatever they like, marks of our students included.
fn stranger() -> impl Strategy<Value = User> {
    let shown = prop_oneof![
        Just(String::new()),
        Just(drawn_for("happy-tuna")),
        Just(drawn_for("calm-otter")),
        "Class guest [0-9a-f]{8}-[0-9a-f]{8}",
        "Class guest [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}",
        "(Class guest )?[0-9a-f-]{0,30}",
        "\\PC{0,40}",
        Just(
            Marker::draw(&name("lazy-newt"), &PhoneKey::derive("theirs"), &home())
                .as_str()
                .to_owned()
        ),
    ];
    let username = "happy-tuna|Happy-Tuna|calm-otter|lazy-newt|happy-tuna-2|[a-z]{1,8}|\\PC{0,9}";
    let local = "happy-tuna-2|lazy-newt|ada|happy-tuna\\.|[a-z]{1,8}|happy|\\PC{0,9}";
    let domain = prop_oneof![4 => Just(DOMAIN), 1 => Just("example.net"), 1 => Just("")];
    (username, local, domain, shown).prop_map(|(username, local, domain, shown)| {
        user("theirs", &username, &format!("{local}@{domain}"), &shown)
    })
}

proptest! {
    #![proptest_config(drawn())]

    #[test]
    fn no_stranger_is_ever_ours(stranger in stranger()) {
        let told = told_of(std::slice::from_ref(&stranger), &[]);
        // Who takes name and display name of one of ours is shown to a person, and never adopted.
        let imitates = ["happy-tuna", "calm-otter"]
            .iter()
            .any(|ours| stranger.username.eq_ignore_ascii_case(ours) && stranger.name.starts_with("Class guest "));
        prop_assert!(told.iter().all(|(_, verdict)| *verdict == Ownership::OtherAddress && imitates));
    }

    #[test]
    fn no_part_of_a_mark_can_be_left_out_or_changed(at in 0..38_usize, to in "[ -~]") {
        let mut user = ours("happy-tuna");
        let before = user.name.clone();
        user.name.replace_range(at..=at, &to);
        let verdict = verdict_on(user.clone());
        prop_assert_eq!(verdict == Some(Ownership::Ours), user.name == before);
        user.name.truncate(at);
        prop_assert_ne!(verdict_on(user), Some(Ownership::Ours));
    }
}
