//! However a body is split into chunks, and however the bytes are split into reads: the same request.

use proptest::prelude::*;

use super::*;
use crate::properties::drawn;

const HEAD: &str = "POST /sms HTTP/1.1\r\nHost: a\r\nX-A: b\r\n";

/// Reads all of `bytes` in parts that are no longer than `reads` says; gives the whole requests as they go to the
/// server behind, and the refusal that ended them.
fn served(bytes: &[u8], reads: &[usize]) -> (Vec<u8>, Option<GateRefusal>) {
    let (mut intake, mut upstream) = (Intake::default(), Vec::new());
    let (mut rest, mut sizes) = (bytes, reads.iter().cycle());
    while !rest.is_empty() {
        let (read, later) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
        rest = later;
        intake.push(read);
        loop {
            match intake.parse(&Limits::default()) {
                Ok(true) => {
                    intake.take(&mut upstream, None).unwrap();
                    intake.next();
                }
                Ok(false) => break,
                Err(refusal) => return (upstream, Some(refusal)),
            }
        }
    }
    (upstream, None)
}

/// The same request with a length, as the server behind should see it.
fn with_length(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /sms HTTP/1.1\r\nHost: gate\r\nX-A: b\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A body, split at random into chunks whose sizes are written in one of several ways.
fn in_chunks() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let part = prop::collection::vec(any::<u8>(), 1..80);
    let extension = "(;[a-z]{1,5}(=[a-z0-9]{1,5}|=\"[ -!#-~]{0,5}\")?){0,2}";
    let chunk = (part, 0..4_usize, any::<bool>(), extension);
    let trailers = "([A-Za-z-]{1,8}:[ -~]{0,12}\r\n){0,3}";
    (prop::collection::vec(chunk, 0..12), trailers).prop_map(|(chunks, trailers)| {
        let mut body = Vec::new();
        let mut bytes = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
        for (part, zeros, capitals, extension) in chunks {
            let digits = if capitals {
                format!("{:X}", part.len())
            } else {
                format!("{:x}", part.len())
            };
            let line = format!("{}{digits}{extension}\r\n", "0".repeat(zeros));
            bytes.extend_from_slice(line.as_bytes());
            bytes.extend_from_slice(&part);
            bytes.extend_from_slice(b"\r\n");
            body.extend_from_slice(&part);
        }
        bytes.extend_from_slice(format!("0\r\n{trailers}\r\n").as_bytes());
        (body, bytes)
    })
}

fn reads() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![
        Just(vec![1]),
        Just(vec![8192]),
        prop::collection::vec(1..60_usize, 1..8)
    ]
}

proptest! {
    #![proptest_config(drawn())]

    #[test]
    fn any_split_into_chunks_and_reads_gives_the_same_request(
        (body, bytes) in in_chunks(), (other, more) in in_chunks(), reads in reads()
    ) {
        let expected = [with_length(&body), with_length(&other)].concat();
        prop_assert_eq!(served(&[bytes, more].concat(), &reads), (expected, None));
    }

    #[test]
    fn the_length_says_the_same_as_chunks_do((body, bytes) in in_chunks(), reads in reads()) {
        let head = format!("{HEAD}Content-Length: {}\r\n\r\n", body.len());
        let plain = [head.as_bytes(), &body].concat();
        prop_assert_eq!(served(&plain, &reads), served(&bytes, &[8192]));
    }

    #[test]
    fn no_damage_gives_another_verdict_in_other_reads(
        (_, bytes) in in_chunks(), at in any::<prop::sample::Index>(), byte in any::<u8>(), reads in reads()
    ) {
        let mut bytes = bytes;
        let at = at.index(bytes.len());
        bytes[at] = byte;
        prop_assert_eq!(served(&bytes, &reads), served(&bytes, &[8192]));
    }
}
