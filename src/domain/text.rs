//! One text message on its way from a phone to a verdict.

use std::fmt;

use super::{OptWord, UnixSeconds};

/// Twilio's name for one message: two capital letters (`SM`, `MM`) and 32 hex digits. Not secret: it
/// is what an operator looks up in Twilio's console.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MessageSid(String);

impl MessageSid {
    /// Parses a sid; `None` if it has another form.
    pub fn parse(raw: &str) -> Option<Self> {
        let (kind, rest) = raw.split_at_checked(2)?;
        (kind.bytes().all(|b| b.is_ascii_uppercase())
            && rest.len() == 32
            && rest.bytes().all(|b| b.is_ascii_hexdigit()))
        .then(|| Self(raw.to_owned()))
    }

    /// The sid as Twilio writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageSid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MessageSid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text as the webhook took it in. `Debug` shows the sid alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Text {
    /// Its name, and our key against doubles.
    pub sid: MessageSid,
    /// The sender as Twilio wrote it; not parsed yet.
    pub from: String,
    /// Our number that it was sent to.
    pub to: String,
    /// What the person wrote.
    pub body: String,
    /// Set where Twilio says that the text was an opt-out word and has been answered, or cannot say it.
    pub opt_out: Option<OptWord>,
    /// When the webhook took it in.
    pub received: UnixSeconds,
}

impl Text {
    /// The longest text that Twilio passes on, in characters.
    pub const LENGTH: usize = 1_600;
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({})", self.sid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sids_have_one_form() {
        assert!(MessageSid::parse("SM6262211c157aa9623d96f03ffb638c3f").is_some());
        assert!(MessageSid::parse("MM6262211c157aa9623d96f03ffb638c3f").is_some());
        for bad in [
            "",
            "SM",
            "SM6262211c157aa9623d96f03ffb638c3",
            "SM6262211c157aa9623d96f03ffb638c3f0",
            "sm6262211c157aa9623d96f03ffb638c3f",
            "SM6262211c157aa9623d96f03ffb638c3\n",
            "é6262211c157aa9623d96f03ffb638c3f",
        ] {
            assert!(MessageSid::parse(bad).is_none(), "{bad}");
        }
    }
}
