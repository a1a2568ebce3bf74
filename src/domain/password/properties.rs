//! What holds of every password that is derived.

use proptest::prelude::*;

use super::*;
use crate::properties::drawn;

proptest! {
    #![proptest_config(drawn())]

    #[test]
    fn every_password_can_be_typed_from_a_phone(
        key in any::<[u8; 32]>(),
        clashes in 0..4_u32,
        marker in "Class guest [0-9a-f]{8}|\\PC{0,40}",
        counter in any::<u32>(),
    ) {
        let (key, username) = (PasswordKey(key), Username::draw(clashes));
        let marker = Marker::from_stored(marker);
        let password = key.password(&username, &marker, counter);
        prop_assert_eq!(password.reveal().len(), Password::LENGTH);
        let groups: Vec<&str> = password.reveal().split('-').collect();
        prop_assert_eq!(groups.len(), GROUPS);
        for group in groups {
            prop_assert_eq!(group.len(), GROUP);
            prop_assert!(group.bytes().all(|b| ALPHABET.contains(&b)), "{}", group);
        }
        prop_assert!(password.reveal().bytes().any(|b| b.is_ascii_digit()));
        prop_assert!(password.reveal().bytes().any(|b| b.is_ascii_lowercase()));
        let again = key.password(&username, &marker, counter);
        prop_assert_eq!(again.reveal(), password.reveal());
        let shown = format!("{password:?}");
        prop_assert!(!shown.contains(password.reveal()));
    }

    #[test]
    fn whatever_differs_gives_another_password(
        (key, other_key) in any::<([u8; 32], [u8; 32])>(),
        (name, other_name) in ("[a-z]{1,9}", "[a-z]{1,9}"),
        (marker, other_marker) in ("[a-z]{0,3}", "[a-z]{0,3}"),
        (counter, other_counter) in (0..4_u32, 0..4_u32),
    ) {
        let derive = |key: [u8; 32], name: &str, marker: &str, counter| {
            let username = Username::parse(name).unwrap();
            let marker = Marker::from_stored(marker.to_owned());
            PasswordKey(key).password(&username, &marker, counter).reveal().to_owned()
        };
        let password = derive(key, &name, &marker, counter);
        for (other, same) in [
            (derive(other_key, &name, &marker, counter), key == other_key),
            (derive(key, &other_name, &marker, counter), name == other_name),
            (derive(key, &name, &other_marker, counter), marker == other_marker),
            (derive(key, &name, &marker, other_counter), counter == other_counter),
            // Moving a border between name and marker is another input as well.
            (derive(key, &format!("{name}x"), &marker, counter), false),
            (derive(key, &name, &format!("x{marker}"), counter), false),
        ] {
            prop_assert_eq!(other == password, same);
        }
    }
}
