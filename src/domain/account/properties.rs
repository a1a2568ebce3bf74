//! What holds of every name, marker and password.

use proptest::prelude::*;

use super::*;
use crate::properties::drawn;

proptest! {
    #![proptest_config(drawn())]

    #[test]
    fn every_drawn_name_obeys_coders_rule(clashes in any::<u32>()) {
        let name = Username::draw(clashes);
        prop_assert!(name.as_str().len() <= Username::LONGEST, "{name}");
        let parts: Vec<&str> = name.as_str().split('-').collect();
        prop_assert_eq!(parts.len(), if clashes == 0 { 2 } else { 3 });
        let parsed = Username::parse(name.as_str());
        prop_assert_eq!(parsed, Some(name));
    }

    #[test]
    fn names_are_read_as_coder_reads_them(raw in "[a-zA-Z0-9-]{0,34}|[a-z_.-]{0,5}|[a-z]{1,3}(-[a-z0-9]{1,3}){0,9}|\\PC{0,9}") {
        // codersdk/name.go: ^[a-zA-Z0-9]+(?:-[a-zA-Z0-9]+)*$, 1 to 32 bytes.
        let signs = raw.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let hyphens = !raw.starts_with('-') && !raw.ends_with('-') && !raw.contains("--");
        let fits = signs && hyphens && !raw.is_empty() && raw.len() <= 32;
        prop_assert_eq!(Username::parse(&raw).is_some(), fits);
    }

    #[test]
    fn a_marker_proves_whose_it_is(
        clashes in 0..4_u32,
        ours in "[!-~]{0,20}",
        theirs in "[!-~]{0,20}",
        (instance_id, elsewhere) in ("[0-9A-F]{0,3}", "[0-9A-F]{0,3}"),
    ) {
        let (key, other) = (PhoneKey::derive(&ours), PhoneKey::derive(&theirs));
        let name = Username::draw(clashes);
        let id = |raw: &str| InstanceId::from_stored(raw);
        let marker = Marker::draw(&name, &key, &id(&instance_id));
        let words = marker.as_str().strip_prefix("Class guest ").unwrap();
        let numbers: Vec<&str> = words.split('-').collect();
        prop_assert!(numbers.iter().all(|number| number.len() == 8) && numbers.len() == 3);
        let (nonce, proof) = (numbers[0], numbers[1]);
        prop_assert_eq!(key.sign_name(name.as_str(), nonce), proof);
        prop_assert_eq!(other.sign_name(name.as_str(), nonce) == proof, ours == theirs);
        let origin = |key: &PhoneKey, instance_id: &str| {
            Marker::origin(marker.as_str(), name.as_str(), std::slice::from_ref(key), Some(&id(instance_id)))
        };
        prop_assert_eq!(origin(&key, &instance_id), Some(MarkerOrigin::ThisFolder));
        prop_assert_eq!(origin(&key, &elsewhere) == Some(MarkerOrigin::ThisFolder), instance_id == elsewhere);
        prop_assert_eq!(origin(&other, &instance_id).is_some(), ours == theirs);
        // codersdk/name.go: at most 128 bytes, no blanks around it.
        prop_assert!(marker.as_str().len() <= 128 && marker.as_str().trim() == marker.as_str());
        prop_assert_eq!(Marker::from_stored(marker.as_str().to_owned()), marker);
    }
}
