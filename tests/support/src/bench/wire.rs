//! Texts as bytes of HTTP/1.1, made and signed before anything is measured.

use std::ops::Range;

use crate::classroom::{PHRASE, SIGNED_URL};
use crate::fakes::twilio::{self, TwilioAccount};

/// Requests that are ready to be sent, one after the other in memory.
pub struct Requests {
    bytes: Vec<u8>,
    each: Vec<Range<usize>>,
}

impl Requests {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.each.len()
    }

    /// Number `place`.
    pub fn get(&self, place: usize) -> &[u8] {
        &self.bytes[self.each[place].clone()]
    }

    /// The mean length in bytes.
    pub fn length(&self) -> usize {
        self.bytes.len() / self.len().max(1)
    }
}

/// How a request says where its body ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// By its length.
    Length,
    /// By its length; it asks for the connection's end as well.
    Close,
    /// By a last chunk after the only one.
    Chunks,
}

/// Numbers of phones that are all different, and no two calls give the same.
pub fn phones() -> impl Iterator<Item = String> {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    std::iter::repeat_with(|| {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // Area codes from 212 on, none of which is toll-free up to 799.
        let (area, line) = (212 + number / 7_000_000, 2_000_000 + number % 7_000_000);
        format!("+1{area}{line}")
    })
}

/// `count` texts with the phrase, each with a MessageSid and a phone of its own, signed, with all
/// parameters and headers that Twilio sends.
pub fn texts(account: &TwilioAccount, count: usize, framing: Framing) -> Requests {
    let mut requests = Requests {
        bytes: Vec::with_capacity(count * 1_100),
        each: Vec::with_capacity(count),
    };
    for phone in phones().take(count) {
        let start = requests.bytes.len();
        write_text(&mut requests.bytes, account, &phone, framing);
        requests.each.push(start..requests.bytes.len());
    }
    requests
}

fn write_text(bytes: &mut Vec<u8>, account: &TwilioAccount, phone: &str, framing: Framing) {
    let to = &account.from_numbers[0];
    let sid = twilio::new_sid();
    let params = twilio::webhook_params(&sid, phone, to, PHRASE, &account.account_sid, &[]);
    let signature = twilio::sign(&account.account_token, SIGNED_URL, &params);
    let body = twilio::form_encode(&params);
    let mut head = "POST /inbound HTTP/1.1\r\nHost: sms.class.example.org\r\n".to_owned();
    for (name, value) in twilio::webhook_headers(&signature) {
        head += &format!("{name}: {value}\r\n");
    }
    if framing == Framing::Close {
        head += "Connection: close\r\n";
    }
    let (length, end) = match framing {
        Framing::Length | Framing::Close => (format!("Content-Length: {}\r\n\r\n", body.len()), ""),
        Framing::Chunks => (
            format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", body.len()),
            "\r\n0\r\n\r\n",
        ),
    };
    for part in [&head, &length, &body, end] {
        bytes.extend_from_slice(part.as_bytes());
    }
}

/// The status of the answer that these bytes are, and its length, once it is there as a whole.
pub fn whole_answer(bytes: &[u8]) -> Option<(u16, usize)> {
    let head = 4 + bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let digits = |bytes: &[u8]| {
        let digits = bytes.iter().copied().skip_while(|byte| *byte == b' ');
        let digits = digits.take_while(u8::is_ascii_digit);
        digits.fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'))
    };
    const LENGTH: &[u8] = b"content-length:";
    let length = bytes[..head]
        .windows(LENGTH.len())
        .position(|word| word.eq_ignore_ascii_case(LENGTH))
        .map_or(0, |place| digits(&bytes[place + LENGTH.len()..]));
    let status = bytes.get(9..).map_or(0, digits);
    let status = u16::try_from(status).unwrap_or(0);
    (bytes.len() >= head + length).then_some((status, head + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_once_its_body_is_there() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\nX: y\r\n\r\n<Response/>";
        assert_eq!(whole_answer(answer), Some((200, answer.len())));
        for length in 0..answer.len() {
            assert_eq!(whole_answer(&answer[..length]), None, "{length}");
        }
        let two = [&answer[..], b"HTTP/1.1 503"].concat();
        assert_eq!(whole_answer(&two), Some((200, answer.len())));
    }

    #[test]
    fn every_text_has_a_phone_and_a_name_of_its_own() {
        let requests = texts(&TwilioAccount::random(), 3, Framing::Close);
        assert_eq!(requests.len(), 3);
        assert_ne!(requests.get(0), requests.get(1));
        let text = String::from_utf8(requests.get(2).to_vec()).unwrap();
        assert!(text.contains("Connection: close\r\n") && text.contains("X-Twilio-Signature: "));
    }
}
