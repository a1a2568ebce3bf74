//! Links that begin a text on a phone, and their QR codes.

use qrcodegen::{QrCode, QrCodeEcc};

use crate::domain::Secret;

/// The light margin that a QR code needs on each side is left to the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Qr {
    /// The dark modules as the data of an SVG path, one unit each.
    pub(super) path: String,
    /// Modules of one side.
    pub(super) size: i32,
}

/// A link that opens a text to `number`. Both Android and iOS read this form, with `?&`.
pub(super) fn sms(number: &str, body: Option<&str>) -> String {
    match body {
        None => format!("sms:{number}"),
        Some(body) => format!("sms:{number}?&body={}", encode(body)),
    }
}

/// The text that a student sends: the phrase, where this page may know it, and the code. Without the
/// phrase, a space is left behind the code, so that the student can go on with it.
pub(super) fn text(phrase: Option<&Secret>, code: &str) -> String {
    match phrase {
        Some(phrase) => format!("{} {code}", phrase.reveal()),
        None => format!("{code} "),
    }
}

/// The QR code of `text`; `None` if that is too long for one.
pub(super) fn qr(text: &str) -> Option<Qr> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let size = code.size();
    let mut path = String::new();
    for y in 0..size {
        let mut x = 0;
        while x < size {
            let dark = (x..size).take_while(|x| code.get_module(*x, y)).count();
            let width = i32::try_from(dark).unwrap_or(0);
            if width > 0 {
                path += &format!("M{x},{y}h{width}v1h-{width}z");
            }
            x += width + 1;
        }
    }
    Some(Qr { path, size })
}

/// Percent-encodes everything but unreserved characters (RFC 3986, section 2.3).
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_holds_number_and_text() {
        let phrase = Secret::new("Grüße & 7");
        let body = text(Some(&phrase), "48217");
        assert_eq!(
            sms("+13125550100", Some(&body)),
            "sms:+13125550100?&body=Gr%C3%BC%C3%9Fe%20%26%207%2048217"
        );
        assert_eq!(
            sms("12345", Some(&text(None, "48217"))),
            "sms:12345?&body=48217%20"
        );
        assert_eq!(sms("+13125550100", None), "sms:+13125550100");
    }

    #[test]
    fn a_qr_code_is_drawn_module_by_module() {
        let text = "sms:+13125550100?&body=I%20am%20ready%20to%20learn%2048217";
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).unwrap();
        let drawn = qr(text).unwrap();
        assert_eq!(drawn.size, code.size());
        // Read back: each part of the path is a dark run within one row.
        let mut dark = std::collections::HashSet::new();
        for part in drawn.path.split_terminator('z') {
            let numbers: Vec<i32> = part
                .split(['M', ',', 'h', 'v'])
                .filter_map(|number| number.parse().ok())
                .collect();
            let [x, y, width, 1, back] = numbers[..] else {
                panic!("{part}");
            };
            assert_eq!(back, -width);
            for x in x..x + width {
                assert!(dark.insert((x, y)), "drawn twice: {x},{y}");
            }
        }
        for y in 0..code.size() {
            for x in 0..code.size() {
                assert_eq!(dark.contains(&(x, y)), code.get_module(x, y), "{x},{y}");
            }
        }
        assert_eq!(qr(&"x".repeat(10_000)), None);
    }
}
