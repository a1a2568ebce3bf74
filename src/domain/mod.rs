//! The value types and rules of the service: phones, phrases, usernames, passwords, registrations.
//!
//! Values are validated when they are parsed, and `Debug` never prints a secret. This module
//! decides how a phone becomes a hash, which texts are the phrase, how names are drawn and how
//! passwords are derived. Nothing here uses HTTP, Redis, SQL or the clock.

mod account;
mod class_name;
mod delivery;
mod instance_id;
mod letters;
mod opt_word;
pub mod order;
mod page;
mod password;
mod phone;
mod phrase;
mod projector;
mod random;
mod region;
pub mod registration;
mod screen_code;
mod secret;
mod shared_key;
mod signed_url;
mod text;
mod time;
pub mod twilio_hosts;
mod words;
mod workspace;

use std::fmt;

pub use account::{Marker, MarkerOrigin, Username};
pub use class_name::ClassName;
pub use delivery::{Delivery, Receipt, Undelivered, says_opted_out};
pub use instance_id::{InstanceId, RedisOwner};
pub use opt_word::OptWord;
pub use page::{LONGEST_FORM, PageMethod, PageRequest, PageResponse, page_path};
pub use password::{Password, PasswordKey};
pub use phone::{Countries, Phone, PhoneHash, PhoneKey, RCS, UnservedSender, channel_of};
pub use phrase::{Passphrase, PhraseError, PhraseMatch, Weakness};
pub use projector::ProjectorToken;
pub use random::{TOKEN_LENGTH, hex, noise, nonce, token};
pub use region::Region;
pub use screen_code::ScreenCode;
pub use secret::{Fingerprint, Secret, prove};
pub use shared_key::{KeyId, SharedKey};
pub use signed_url::{SignedUrl, UrlError};
pub use text::{MessageSid, Text};
pub use time::{UnixSeconds, exact_span, seconds, span};
pub use workspace::{WorkspaceName, WorkspaceTrouble};

/// The letters and digits of `text`, normalised as texts are compared. Accents are dropped.
pub fn letters_of(text: &str) -> String {
    letters::fold(text, letters::Accents::Ignored)
}

/// A number of things: `1 account`, `2 accounts`.
pub(crate) fn count<N: PartialEq + From<u8> + fmt::Display>(number: N, noun: &str) -> String {
    let plural = if number == N::from(1) { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::letters_of;

    #[test]
    fn letters_and_digits_are_left_without_accents() {
        assert_eq!(letters_of("Prêt, à 2 c'est!"), "preta2cest");
    }
}
