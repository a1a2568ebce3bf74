//! The fields of a stream entry, as anybody could have written them, and the way of a text through the stream.
//!
//! The input is names and values in turn, each ended by a line end.

use std::str::from_utf8;
use std::time::Instant;

use coder_sms_register::domain::{MessageSid, OptWord, Text};
use coder_sms_register::stream::{read_text, write_xadd};

use crate::pick;

/// Reads the input, and panics where the service reads it wrongly.
pub fn check(input: &[u8]) {
    let fields: Vec<Vec<u8>> = if input.is_empty() {
        Vec::new()
    } else {
        let input = input.strip_suffix(b"\n").unwrap_or(input);
        input.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect()
    };
    match read_text(&fields) {
        Ok(text) => {
            assert_eq!(Some(&text), expected(&fields).as_ref());
            returns_the_same(&text);
        }
        Err(unreadable) => {
            assert_eq!(expected(&fields), None);
            assert_eq!(unreadable.deleted, fields.is_empty());
        }
    }
    returns_the_same(&some_text(input, &fields));
}

/// The text that the fields hold.
fn expected(fields: &[Vec<u8>]) -> Option<Text> {
    let field = |name: &str| {
        let at = (0..fields.len() / 2).find(|pair| fields[pair * 2] == name.as_bytes())?;
        from_utf8(&fields[at * 2 + 1]).ok().map(str::to_owned)
    };
    Some(Text {
        sid: MessageSid::parse(&field("sid")?)?,
        from: field("from")?,
        to: field("to")?,
        body: field("body")?,
        opt_out: match field("opt_out").as_deref() {
            Some("STOP") => Some(OptWord::Stop),
            Some("UNKNOWN") => Some(OptWord::Unknown),
            Some("START") => Some(OptWord::Start),
            Some("HELP") => Some(OptWord::Help),
            _ => None,
        },
        received: field("received")?.parse().ok()?,
        // No input knows the process that reads it.
        heard: None,
    })
}

/// A text with anything in it that a text can hold.
fn some_text(input: &[u8], fields: &[Vec<u8>]) -> Text {
    let words = |at: usize| String::from_utf8_lossy(fields.get(at).map_or(b"", |f| f)).into_owned();
    let words_of_opt = [
        None,
        Some(OptWord::Stop),
        Some(OptWord::Start),
        Some(OptWord::Help),
        Some(OptWord::Unknown),
    ];
    Text {
        sid: MessageSid::parse(&format!("SM{:032x}", pick(input, usize::MAX))).expect("a sid"),
        from: words(1),
        to: words(2),
        body: String::from_utf8_lossy(input).into_owned(),
        opt_out: words_of_opt[pick(input, 5)],
        received: i64::from_le_bytes(std::array::from_fn(|i| input.get(i).copied().unwrap_or(0))),
        heard: (pick(input, 2) == 1).then(Instant::now),
    }
}

/// What is appended is what will be taken, and nothing more.
fn returns_the_same(text: &Text) {
    let mut command = Vec::new();
    write_xadd(&mut command, text);
    let words = resp(&command).expect("one whole command");
    assert_eq!(
        words[..3],
        [&b"XADD"[..], b"coder-sms-register:texts", b"*"]
    );
    let options = usize::from(text.opt_out.is_some()) + usize::from(text.heard.is_some());
    assert_eq!(words.len(), 13 + 2 * options);
    assert_eq!(read_text(&words[3..]).as_ref(), Ok(text));
    assert_eq!(format!("{text:?}"), format!("Text({})", text.sid));
}

/// The words of a command on the wire; `None` unless it is exactly one.
fn resp(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let number = |bytes: &mut &[u8], mark: u8| -> Option<usize> {
        let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
        let digits = bytes[..end].strip_prefix(&[mark])?;
        let value = from_utf8(digits).ok()?.parse().ok()?;
        *bytes = &bytes[end + 2..];
        Some(value)
    };
    let count = number(&mut bytes, b'*')?;
    let mut words = Vec::new();
    for _ in 0..count {
        let length = number(&mut bytes, b'$')?;
        words.push(bytes.get(..length)?.to_vec());
        bytes = bytes[length..].strip_prefix(b"\r\n")?;
    }
    bytes.is_empty().then_some(words)
}
