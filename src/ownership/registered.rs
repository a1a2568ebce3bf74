//! Decides whether a Coder user belongs to a registration: by recorded facts, never by guessing.

use crate::coder::{Coder, CoderError, User};
use crate::domain::UnixSeconds;
use crate::domain::registration::Registration;

/// Seconds by which two clock readings in whole seconds may differ.
const ROUNDING: UnixSeconds = 2;

/// Our own user of a registration whose Coder id is not recorded yet, if Coder has that user.
///
/// The lookup by address comes first, because only the address is proof. If it finds no user, the
/// name is looked up: the address differs if `CODER_EMAIL_DOM` has changed since.
///
/// # Errors
/// A call failed.
pub fn find_ours(
    coder: &Coder,
    registration: &Registration,
    email: &str,
) -> Result<Option<User>, CoderError> {
    let found = match coder.user_by_email(email)? {
        Some(user) => Some(user),
        None => coder.user(registration.username.as_str())?,
    };
    Ok(found.filter(|user| is_ours(user, registration, email)))
}

/// Whether a Coder user is the one that `registration` was recorded for.
///
/// The marker decides. A server too old to store it leaves the display name empty. Then our address
/// decides, on an account made after the reservation by the server's own clock.
pub fn is_ours(user: &User, registration: &Registration, email: &str) -> bool {
    if !user.name.is_empty() {
        return user.name == registration.marker.as_str();
    }
    user.email.eq_ignore_ascii_case(email)
        && user
            .made_at
            .is_some_and(|at| at >= registration.reserved_at - ROUNDING)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::coder::LoginType;
    use crate::domain::{InstanceId, Marker, PhoneKey, Username};
    use crate::properties::drawn;

    const NOW: UnixSeconds = 1_800_000_000;

    fn registration() -> Registration {
        let username = Username::parse("happy-tuna").unwrap();
        let marker = Marker::draw(
            &username,
            &PhoneKey::derive("k"),
            &InstanceId::from_stored("0001"),
        );
        Registration::fresh(username, marker, NOW - 30)
    }

    fn user(name: &str, email: &str, age: UnixSeconds) -> User {
        User {
            id: "id".into(),
            username: "happy-tuna".into(),
            email: email.into(),
            name: name.into(),
            created_at: String::new(),
            status: "dormant".into(),
            last_seen_at: String::new(),
            login_type: LoginType::Password,
            has_roles: false,
            made_at: Some(NOW - age),
        }
    }

    #[test]
    fn the_marker_decides_where_there_is_one() {
        let registration = registration();
        let ours = registration.marker.as_str();
        let email = "happy-tuna@example.org";
        assert!(is_ours(&user(ours, email, 5), &registration, email));
        assert!(is_ours(
            &user(ours, "changed@example.org", 5),
            &registration,
            email
        ));
        assert!(!is_ours(
            &user("Class guest 1-2", email, 5),
            &registration,
            email
        ));
        assert!(!is_ours(&user("Ada", email, 5), &registration, email));
    }

    #[test]
    fn without_a_marker_address_and_time_decide() {
        let registration = registration();
        let email = "happy-tuna@example.org";
        assert!(is_ours(&user("", email, 29), &registration, email));
        assert!(!is_ours(&user("", email, 60), &registration, email));
        assert!(!is_ours(
            &user("", "other@example.org", 5),
            &registration,
            email
        ));
        let mut silent = user("", email, 5);
        silent.made_at = None;
        assert!(!is_ours(&silent, &registration, email));
    }

    proptest! {
        #![proptest_config(drawn())]

        #[test]
        fn the_user_of_someone_else_is_never_ours(
            marker in "|Class guest [0-9a-f]{8}-[0-9a-f]{8}|\\PC{1,20}",
            address in "happy-tuna@example.org|[a-z]{1,8}@example.org",
            age in -100..100_i64,
        ) {
            let registration = registration();
            let mut user = user(&marker, &address, age);
            let ours = is_ours(&user, &registration, "happy-tuna@example.org");
            // Without a display name the address decides, if the user is not older than the reservation.
            let unmarked = marker.is_empty() && address == "happy-tuna@example.org" && age <= 32;
            prop_assert_eq!(ours, unmarked);
            user.name = registration.marker.as_str().to_owned();
            prop_assert!(is_ours(&user, &registration, "happy-tuna@example.org"));
        }
    }
}
