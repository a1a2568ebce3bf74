//! Proper heads, damaged at random: whatever still passes must be beyond doubt.

use super::{HeadResult, Scan};
use crate::gate::Limits;

/// A dull generator: the same mutations in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

#[test]
fn whatever_passes_can_be_read_in_one_way_only() {
    const BASE: &str = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: x\r\nX: y\r\nExpect: 100-continue\r\n\r\n";
    const SPLINTERS: [&str; 14] = [
        "\r\n",
        "\n",
        "\r",
        " ",
        ":",
        "\t",
        "\0",
        "\u{e9}",
        "1",
        ",",
        "Host: b\r\n",
        "Content-Length: 9\r\n",
        "Transfer-Encoding: chunked\r\n",
        "HTTP/1.0",
    ];
    let mut dice = Dice(0x5EED);
    let mut passed = 0;
    for _ in 0..20_000 {
        let mut bytes = BASE.as_bytes().to_vec();
        for _ in 0..=dice.below(3) {
            let at = dice.below(bytes.len());
            match dice.below(3) {
                0 => drop(bytes.remove(at)),
                1 => bytes[at] = u8::try_from(dice.below(256)).unwrap(),
                _ => drop(bytes.splice(at..at, SPLINTERS[dice.below(SPLINTERS.len())].bytes())),
            }
        }
        let HeadResult::Complete(mut head) = Scan::default().read(&bytes, &Limits::default())
        else {
            continue;
        };
        passed += 1;
        if head.chunked {
            head.end_with_length(7);
        }
        let text = String::from_utf8(head.forward).expect("ASCII");
        let lines: Vec<&str> = text
            .strip_suffix("\r\n\r\n")
            .expect("an end")
            .split("\r\n")
            .collect();
        let named = |name: &str| {
            lines
                .iter()
                .filter(|line| line.to_ascii_lowercase().starts_with(name))
                .count()
        };
        assert!(
            lines
                .iter()
                .all(|line| !line.is_empty()
                    && line.bytes().all(|b| matches!(b, b'\t' | b' '..=b'~'))),
            "{text:?}"
        );
        assert!(
            lines[1..]
                .iter()
                .all(|line| line.contains(": ") && !line.starts_with([' ', '\t'])),
            "{text:?}"
        );
        assert_eq!(lines[0].split(' ').count(), 3, "{text:?}");
        assert_eq!(
            (
                named("host:"),
                named("transfer-encoding:"),
                named("expect:")
            ),
            (1, 0, 0),
            "{text:?}"
        );
        assert!(
            named("content-length:") <= 1
                && text.contains(&format!("Content-Length: {}\r\n", head.body))
                    == (named("content-length:") == 1)
        );
    }
    assert!(
        (100..19_000).contains(&passed),
        "{passed} passed: the test has lost its sense"
    );
}
