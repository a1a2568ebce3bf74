//! Phone numbers in E.164 form, the allowed countries, and the keyed hash that is stored for a
//! phone.

mod renumbered;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::RangeInclusive;

use super::InstanceId;
use super::random::hex;
use super::secret::{Fingerprint, keyed_hash};

/// A phone number in E.164 form (ITU-T E.164: `+`, then 8 to 15 digits, the first not 0) that can
/// receive a text. The old and the new number of a renumbered line are the same phone. `Debug`
/// shows only the last two digits.
#[derive(Clone)]
pub struct Phone {
    /// The number as received; replies go to it.
    number: String,
    /// The number that replaced it, if there is one.
    renewed: Option<String>,
}

/// Why a sender is not served. No variant contains the sender itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnservedSender {
    /// Five or six digits: Twilio numbers cannot text short codes.
    ShortCode,
    /// Letters, or a number that is not E.164.
    NotANumber,
    /// A sender on WhatsApp; no SMS can be sent to the address that Twilio gives.
    WhatsApp,
    /// A sender of another channel, such as `messenger:`.
    Channel,
    /// Its dialling prefix is not in `CODER_REG_COUNTRIES`.
    Country,
    /// A toll-free or premium number, which is never a student's phone.
    NotMobile,
    /// The service's own number.
    Ourselves,
}

impl UnservedSender {
    /// The reason, for the log.
    pub fn reason(self) -> &'static str {
        match self {
            Self::ShortCode => "the sender is a short code",
            Self::NotANumber => "the sender is not a phone number",
            Self::WhatsApp => "the sender texts by WhatsApp",
            Self::Channel => "the sender texts by a channel that is not served",
            Self::Country => "the sender's country is not allowed",
            Self::NotMobile => "the sender is not a mobile number",
            Self::Ourselves => "the sender is our own number",
        }
    }
}

/// Area codes of the North American plan that are toll-free or premium (NANPA: 8YY toll-free, 900
/// premium).
const NANP_NOT_MOBILE: [&str; 8] = ["800", "833", "844", "855", "866", "877", "888", "900"];

/// The channel RCS. Its senders are phones, and Twilio prefers it to SMS if a Messaging Service has
/// it.
pub const RCS: &str = "rcs";
const WHATSAPP: &str = "whatsapp";

/// The length of a channel's name.
const CHANNEL: RangeInclusive<usize> = 2..=20;

/// Splits the address of a sender or receiver (`whatsapp:+1...`) into the name of its channel and
/// the rest; `None` without a channel. A name has letters, digits, `-` and `_` and begins with a
/// letter, so it never contains a phone number.
pub fn channel_of(address: &str) -> Option<(&str, &str)> {
    let (channel, rest) = address.trim().split_once(':')?;
    let name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let proper = CHANNEL.contains(&channel.len())
        && channel.starts_with(|first: char| first.is_ascii_alphabetic())
        && channel.bytes().all(name);
    proper.then_some((channel, rest))
}

impl Phone {
    /// Parses a sender as Twilio gives it.
    ///
    /// # Errors
    /// [`UnservedSender`] says why, without the sender itself.
    pub fn parse(raw: &str) -> Result<Self, UnservedSender> {
        let phone = Self::of_sender(raw)?;
        if let Some(national) = phone.number.strip_prefix("+1")
            && NANP_NOT_MOBILE
                .iter()
                .any(|area| national.starts_with(area))
        {
            return Err(UnservedSender::NotMobile);
        }
        Ok(phone)
    }

    /// Whether `number`, in E.164 form, is a toll-free number of the North American plan (codes
    /// 8YY).
    pub fn is_toll_free(number: &str) -> bool {
        let area = number.strip_prefix("+1").and_then(|rest| rest.get(..3));
        area.is_some_and(|area| area != "900" && NANP_NOT_MOBILE.contains(&area))
    }

    /// Parses a sender as Twilio gives it, including toll-free numbers. A sender by RCS
    /// (`rcs:+1...`) is the same phone as by SMS.
    ///
    /// # Errors
    /// Any but [`UnservedSender::NotMobile`], [`UnservedSender::Country`] and [`UnservedSender::Ourselves`].
    pub fn of_sender(raw: &str) -> Result<Self, UnservedSender> {
        match channel_of(raw) {
            None => Self::parse_any(raw),
            Some((channel, number)) if channel.eq_ignore_ascii_case(RCS) => Self::parse_any(number),
            Some((channel, _)) if channel.eq_ignore_ascii_case(WHATSAPP) => {
                Err(UnservedSender::WhatsApp)
            }
            Some(_) => Err(UnservedSender::Channel),
        }
    }

    /// Parses any E.164 number, including toll-free ones: the service's own number may be one.
    ///
    /// # Errors
    /// [`UnservedSender::ShortCode`] or [`UnservedSender::NotANumber`].
    pub fn parse_any(raw: &str) -> Result<Self, UnservedSender> {
        let raw = raw.trim();
        let digits = raw.strip_prefix('+').unwrap_or(raw);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(UnservedSender::NotANumber);
        }
        if !raw.starts_with('+') {
            // Twilio gives full numbers a plus sign; bare digits are short codes.
            return Err(if digits.len() <= 6 {
                UnservedSender::ShortCode
            } else {
                UnservedSender::NotANumber
            });
        }
        if digits.starts_with('0') || !(8..=15).contains(&digits.len()) {
            return Err(UnservedSender::NotANumber);
        }
        Ok(Self {
            number: raw.to_owned(),
            renewed: renumbered::renewed(raw),
        })
    }

    /// The number in E.164 form as received, only for a request that has to contain it.
    pub fn reveal(&self) -> &str {
        &self.number
    }

    /// The newest number of this phone. It is as secret as the number received.
    pub fn canonical(&self) -> &str {
        self.renewed.as_ref().unwrap_or(&self.number)
    }

    /// The keyed hash under which this phone is stored in the database.
    pub fn hash(&self, key: &PhoneKey) -> PhoneHash {
        hash_of(self.canonical(), key)
    }

    /// The hash of its former number, if it has one. Rows that were written before the renumbering
    /// was added to the table have this hash.
    pub fn former_hash(&self, key: &PhoneKey) -> Option<PhoneHash> {
        renumbered::former(self.canonical()).map(|number| hash_of(&number, key))
    }

    /// All hashes under which this phone may be stored.
    pub fn hashes(&self, key: &PhoneKey) -> Vec<PhoneHash> {
        let own = [self.hash(key)];
        own.into_iter().chain(self.former_hash(key)).collect()
    }
}

fn hash_of(number: &str, key: &PhoneKey) -> PhoneHash {
    PhoneHash(keyed_hash(&key.0, &[b"phone", number.as_bytes()]))
}

impl PartialEq for Phone {
    fn eq(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}

impl Eq for Phone {}

impl Hash for Phone {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical().hash(state);
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone(..{})", &self.number[self.number.len() - 2..])
    }
}

/// The key of all hashes in the database. It is never stored beside them.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneKey([u8; 20]);

impl PhoneKey {
    /// Derives the key from a secret of the configuration.
    pub fn derive(secret: &str) -> Self {
        Self(keyed_hash(
            secret.as_bytes(),
            &[b"coder-sms-register phone key v1"],
        ))
    }

    /// A value to compare two keys without revealing them.
    pub fn check(&self) -> Fingerprint {
        Fingerprint::new(keyed_hash(&self.0, &[b"check"]))
    }

    /// The fingerprint of an outgoing text.
    pub fn fingerprint(&self, body: &str) -> Fingerprint {
        Fingerprint::new(keyed_hash(&self.0, &[b"body", body.as_bytes()]))
    }

    /// The proof, in 8 hex digits, that `username` and `nonce` were drawn with this key.
    pub(super) fn sign_name(&self, username: &str, nonce: &str) -> String {
        let mac = keyed_hash(&self.0, &[b"marker", username.as_bytes(), nonce.as_bytes()]);
        hex(&mac[..4])
    }

    /// The proof, in 8 hex digits, that `username` and `nonce` were drawn in the data folder of
    /// `instance_id`.
    pub(super) fn sign_instance(
        &self,
        username: &str,
        nonce: &str,
        instance_id: &InstanceId,
    ) -> String {
        // This word must not change: the markers of existing accounts depend on it.
        let parts = [
            b"home",
            username.as_bytes(),
            nonce.as_bytes(),
            instance_id.as_str().as_bytes(),
        ];
        hex(&keyed_hash(&self.0, &parts)[..4])
    }
}

impl fmt::Debug for PhoneKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneKey(..)")
    }
}

/// HMAC-SHA1 of a phone, the only form in which the database stores it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PhoneHash([u8; 20]);

impl PhoneHash {
    /// The stored form, 20 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for PhoneHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneHash(..)")
    }
}

/// The allowed dialling prefixes, such as `+1` or `+4179`; `*` allows all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Countries(Vec<String>);

impl Countries {
    /// Parses a list separated by commas or spaces: `+1, +49`, or `*`.
    ///
    /// # Errors
    /// The first element that is neither `*` nor `+` with 1 to 7 digits.
    pub fn parse(list: &str) -> Result<Self, String> {
        let mut prefixes = Vec::new();
        for item in list.split([',', ' ']).filter(|i| !i.is_empty()) {
            let digits = item.strip_prefix('+').unwrap_or(item);
            if item == "*" {
                prefixes.push("+".to_owned());
            } else if (1..=7).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
            {
                prefixes.push(format!("+{digits}"));
            } else {
                return Err(item.to_owned());
            }
        }
        Ok(Self(prefixes))
    }

    /// Whether no prefix is listed, so that no phone would be served.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `phone` has one of the prefixes, in its former or its newest number.
    pub fn admit(&self, phone: &Phone) -> bool {
        let former = renumbered::former(phone.canonical());
        let numbers = [Some(phone.canonical()), former.as_deref()];
        let mut prefixes = self.0.iter();
        prefixes.any(|prefix| numbers.iter().flatten().any(|n| n.starts_with(prefix)))
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests;
