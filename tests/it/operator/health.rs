//! `healthcheck`, of the service and of others.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use super::{out, program, said};
use crate::class;

/// Exit code, standard output, standard error.
fn asked(listen: &str) -> (Option<i32>, String, String) {
    let mut command = program(&["healthcheck"]);
    // Everything else is missing or wrong, which is none of its business.
    command
        .env("CODER_REG_LISTEN", listen)
        .env("REDIS_PORT", "nonsense")
        .env("CODER_API_KEY_FILE", "/nowhere");
    let output = command.output().expect("it runs");
    let (code, words) = said(&output);
    (code, out(&output), words)
}

#[test]
fn a_service_that_is_well_is_ok_by_whichever_name_it_listens() {
    let class = class();
    let port = class.service().address().port();
    for listen in [
        format!("127.0.0.1:{port}"),
        format!("0.0.0.0:{port}"),
        format!(":{port}"),
    ] {
        let (code, out, words) = asked(&listen);
        assert_eq!((code, out.as_str()), (Some(0), "ok\n"), "{listen}: {words}");
        assert_eq!(words, "");
    }
}

#[test]
fn a_service_without_its_redis_says_so_in_plain_words() {
    let class = class();
    class.redis().kill();
    let (code, out, words) = asked(&class.service().address().to_string());
    class.redis().start_again();
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(
        words.contains("redis-away: Redis cannot be reached"),
        "{words}"
    );
}

#[test]
fn where_nothing_listens_is_told() {
    let address = {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap()
    };
    let (code, _, words) = asked(&address.to_string());
    assert_eq!(code, Some(1));
    assert!(words.contains("nothing listens there"), "{words}");
    let (code, _, words) = asked("nowhere");
    assert_eq!(code, Some(2), "{words}");
}

/// Somebody who answers each connection with `words`, bit by bit, and then keeps it open or closes it.
fn stranger(words: &'static [u8], pause: Duration, stays: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            for byte in words {
                std::thread::park_timeout(pause);
                let _ = stream.write_all(&[*byte]);
            }
            if stays {
                // Until the other side has had enough.
                let _ = stream.read_to_end(&mut Vec::new());
            } else {
                let _ = stream.read(&mut [0; 1024]);
            }
        }
    });
    address
}

#[test]
fn somebody_else_is_not_taken_for_the_service() {
    const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nwelcome!\n";
    const ILL: &[u8] = b"HTTP/1.1 503 Busy\r\nContent-Length: 12\r\n\r\n<h1>No</h1>\n";
    for words in [OK, ILL, b"220 mail.example.org ESMTP\r\n", b""] {
        let address = stranger(words, Duration::ZERO, false);
        let (code, out, said) = asked(&address.to_string());
        assert_eq!((code, out.as_str()), (Some(1), ""));
        assert!(said.contains("but not as this service does"), "{said}");
        assert!(!said.contains("h1") && !said.contains("welcome"), "{said}");
    }
}

#[test]
fn nobody_is_waited_for_longer_than_three_seconds() {
    const DRIPPING: &[u8] = &[b'H'; 1000];
    for (words, pause) in [
        (&b""[..], Duration::ZERO),
        (DRIPPING, Duration::from_millis(100)),
    ] {
        let address = stranger(words, pause, true);
        let began = Instant::now();
        let (code, _, said) = asked(&address.to_string());
        let took = began.elapsed();
        assert_eq!(code, Some(1), "{said}");
        assert!(
            said.contains("no answer from") || said.contains("not as this"),
            "{said}"
        );
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
}
