//! Decodes the forms that Twilio posts, by the WHATWG rules for `application/x-www-form-urlencoded`.
//!
//! Every text and every receipt passes here, so a body is read once. Most parameters of Twilio need no decoding, and are
//! borrowed from the body; only the others are given to `form_urlencoded`.

use std::borrow::Cow;
use std::str;

/// The largest number of parameters; Twilio sends about 20, with pictures about 50.
const PARAMETERS: usize = 256;
/// Initial capacity, enough for a usual text; and they take less than 1 KiB, up to which glibc allocates fastest.
const USUAL_PARAMETERS: usize = 21;

/// Decoded parameters in the order of the request. Spaces at the ends of values are kept, because the signature covers
/// them.
pub(super) struct Form<'b>(Vec<(Cow<'b, str>, Cow<'b, str>)>);

/// Why a body is no form for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FormError {
    /// It is empty, has no `=`, or contains something else than printable ASCII without spaces.
    NotAForm,
    /// It has more than 256 parameters.
    TooManyParameters,
}

/// What a byte of a body is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It stands for itself.
    Plain,
    /// It ends a parameter.
    Separator,
    /// The first one ends the name of a parameter.
    Equals,
    /// Its parameter has to be decoded.
    Coded,
    /// No client sends it in a form.
    Foreign,
}

/// The kind of each byte; to look it up takes half of the instructions of telling it.
const KINDS: [Kind; 256] = {
    let mut kinds = [Kind::Foreign; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        kinds[byte as usize] = match byte {
            b'&' => Kind::Separator,
            b'=' => Kind::Equals,
            b'%' | b'+' => Kind::Coded,
            _ => Kind::Plain,
        };
        byte += 1;
    }
    kinds
};

const fn kind(byte: u8) -> Kind {
    KINDS[byte as usize]
}

/// The parameter that is being read.
#[derive(Clone, Copy)]
struct Pending {
    start: usize,
    /// Where its first `=` is.
    equals: Option<usize>,
    /// Whether something in it has to be decoded.
    coded: bool,
}

impl Pending {
    fn at(start: usize) -> Self {
        Self {
            start,
            equals: None,
            coded: false,
        }
    }
}

impl<'b> Form<'b> {
    /// Reads a body.
    ///
    /// # Errors
    /// It is no form, or too long a one.
    pub(super) fn read(body: &'b [u8]) -> Result<Self, FormError> {
        let text = str::from_utf8(body).map_err(|_| FormError::NotAForm)?;
        let mut form = Self(Vec::with_capacity(USUAL_PARAMETERS));
        let mut pending = Pending::at(0);
        let mut has_value = false;
        let mut at = 0;
        while let Some(step) = body[at..]
            .iter()
            .position(|byte| kind(*byte) != Kind::Plain)
        {
            at += step;
            match kind(body[at]) {
                Kind::Plain => {}
                Kind::Separator => {
                    form.add(text, pending, at)?;
                    pending = Pending::at(at + 1);
                }
                Kind::Equals => {
                    has_value = true;
                    pending.equals.get_or_insert(at);
                }
                Kind::Coded => pending.coded = true,
                Kind::Foreign => return Err(FormError::NotAForm),
            }
            at += 1;
        }
        form.add(text, pending, body.len())?;
        has_value.then_some(form).ok_or(FormError::NotAForm)
    }

    /// Adds the parameter that ends before `end`. An empty one counts as none.
    fn add(&mut self, text: &'b str, pending: Pending, end: usize) -> Result<(), FormError> {
        let Pending {
            start,
            equals,
            coded,
        } = pending;
        if start == end {
            return Ok(());
        }
        if self.0.len() == PARAMETERS {
            return Err(FormError::TooManyParameters);
        }
        if coded {
            // One parameter in, one out.
            self.0
                .extend(form_urlencoded::parse(&text.as_bytes()[start..end]));
            return Ok(());
        }
        let (name, value) = match equals {
            Some(at) => (&text[start..at], &text[at + 1..end]),
            None => (&text[start..end], ""),
        };
        self.0.push((Cow::Borrowed(name), Cow::Borrowed(value)));
        Ok(())
    }

    /// The value of the first parameter of that name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_ref())
    }

    /// All parameters.
    pub(super) fn pairs(&self) -> &[(Cow<'b, str>, Cow<'b, str>)] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::properties::drawn;

    proptest! {
        #![proptest_config(drawn())]

        #[test]
        fn a_body_is_read_as_the_whatwg_rules_say(body in "[&=%+a-c0-9C3A9~!]{0,40}") {
            let expected: Vec<_> = form_urlencoded::parse(body.as_bytes()).collect();
            match Form::read(body.as_bytes()) {
                Ok(form) => prop_assert_eq!(form.pairs(), &expected[..]),
                Err(why) => {
                    prop_assert_eq!(why, FormError::NotAForm);
                    prop_assert!(!body.contains('='));
                }
            }
        }

        #[test]
        fn what_no_client_sends_is_no_form(
            before in "[a-z&=]{0,8}",
            other in prop_oneof![Just(" "), Just("\0"), Just("\u{7f}"), Just("é"), Just("\n")],
        ) {
            let body = format!("a=b{before}{other}");
            prop_assert_eq!(Form::read(body.as_bytes()).err(), Some(FormError::NotAForm));
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_no_form() {
        assert_eq!(Form::read(b"a=\xff").err(), Some(FormError::NotAForm));
    }
}
