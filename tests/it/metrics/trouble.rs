//! What may be in a page's way: Redis, the database, other clients, the system, the setting.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use rustix::process::Signal;

use super::{address, ask, comes_to, figure, plan, scrape};
use support::classroom::http;

#[test]
fn while_redis_hangs_or_is_gone_the_page_says_so_and_has_all_the_rest() {
    let class = plan().open();
    let ana = class.student();
    ana.gets_a_login();
    class.all_served();
    let without_redis = || {
        let page = scrape(&class);
        let names = page.families.iter().map(|family| family.name.as_str());
        let told = names
            .filter(|name| name.contains("_stream_") || name.contains("dead"))
            .count();
        assert_eq!(
            told,
            if page.value("coder_sms_register_scrape_ok{source=\"redis\"}") == 1.0 {
                5
            } else {
                0
            }
        );
        assert_eq!(
            page.value("coder_sms_register_scrape_ok{source=\"database\"}"),
            1.0
        );
        assert_eq!(
            page.value("coder_sms_register_accounts{stage=\"announced\"}"),
            1.0
        );
        told == 0
    };
    class.redis().pause();
    class.eventually("Redis does not answer", without_redis);
    class.redis().resume();
    comes_to(&class, "scrape_ok{source=\"redis\"}", 1.0);
    class.redis().kill();
    class.eventually("Redis is gone", without_redis);
    let webhook = ana.webhook("hello there", &[]);
    assert_eq!(ana.posts(&webhook), 503);
    let page = scrape(&class);
    assert_eq!(page.value("coder_sms_register_redis_well"), 0.0);
    assert_eq!(
        page.value("coder_sms_register_requests_total{verdict=\"text_turned_away\"}"),
        1.0
    );
    class.redis().start_again();
    class.eventually("the text is taken", || ana.posts(&webhook) == 200);
    comes_to(&class, "redis_well", 1.0);
    comes_to(&class, "scrape_ok{source=\"redis\"}", 1.0);
}

#[test]
fn while_the_database_hangs_the_page_says_so_and_has_all_the_rest() {
    let class = plan().open();
    comes_to(&class, "scrape_ok{source=\"database\"}", 1.0);
    let path = class.data_dir().join("registrations.db");
    let held = rusqlite::Connection::open(path).expect("the database opens");
    held.execute_batch("BEGIN IMMEDIATE")
        .expect("nobody writes");
    // The worker that waits for its turn keeps all others from the database.
    let ana = class.student();
    ana.asks();
    comes_to(&class, "scrape_ok{source=\"database\"}", 0.0);
    let page = scrape(&class);
    assert!(
        page.families
            .iter()
            .all(|family| !family.name.ends_with("_accounts"))
    );
    assert_eq!(
        page.value("coder_sms_register_requests_total{verdict=\"text_taken\"}"),
        1.0
    );
    held.execute_batch("ROLLBACK")
        .expect("the database is free");
    ana.next_login();
    comes_to(&class, "accounts{stage=\"announced\"}", 1.0);
}

#[test]
fn who_is_silent_or_talks_nonsense_keeps_no_scrape_waiting() {
    let class = plan().open();
    let address = address(&class);
    let silent: Vec<TcpStream> = (0..50)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    for mut stream in &silent {
        let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\n");
    }
    scrape(&class);
    let noise: Vec<u8> = (0..=255).cycle().take(20_000).collect();
    for bytes in [
        &noise[..],
        b"\r\n\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xff\xff",
    ] {
        let mut stream = TcpStream::connect(address).unwrap();
        let _ = stream.write_all(bytes);
    }
    scrape(&class);
    let head = ask(&class, "HEAD");
    assert_eq!((head.status, head.body()), (200, ""));
    assert_eq!(ask(&class, "POST").status, 405);
    // A stop waits for none of them.
    let service = class.service();
    service.signal(Signal::TERM);
    let status = service.wait(Duration::from_secs(5)).expect("it stops");
    assert_eq!(status.code(), Some(0));
    drop(silent);
}

#[test]
fn given_no_file_is_left_to_open_then_it_comes_back_when_there_is_one() {
    let class = plan().with_open_files(60).open();
    let (metrics, public) = (address(&class), class.service().address());
    let silent = |address, count| -> Vec<TcpStream> {
        (0..count)
            .map(|_| TcpStream::connect(address).unwrap())
            .collect()
    };
    let (one, other) = (silent(public, 60), silent(metrics, 60));
    class.eventually("no file is left", || {
        class.service().footprint().descriptors >= 58
            || figure(&class, "gate_evicted_total") + figure(&class, "gate_accept_errors_total")
                > 0.0
    });
    drop((one, other));
    let ana = class.student();
    ana.texts("I am ready to learn");
    ana.next_login();
    comes_to(&class, "logins_sent_total", 1.0);
}

#[test]
fn it_is_off_by_default_and_an_address_that_cannot_be_had_stops_the_start() {
    let class = crate::class();
    assert!(!class.log().contains("metrics"), "{}", class.log());
    let tasks = format!("/proc/{}/task", class.service().pid().as_raw_nonzero());
    for task in std::fs::read_dir(tasks).unwrap() {
        let name = std::fs::read_to_string(task.unwrap().path().join("comm"));
        assert!(!name.unwrap_or_default().starts_with("metrics"));
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let class = crate::plan().with("CODER_REG_METRICS", &address).prepare();
    let ended = class.try_service(&[]);
    assert_eq!(ended.code, Some(1));
    let words = format!("cannot listen on {address} (CODER_REG_METRICS): ");
    assert!(ended.stderr.contains(&words), "{}", ended.stderr);
}

#[test]
fn what_is_open_to_others_is_told_at_the_start() {
    let class = plan().with("CODER_REG_METRICS", "0.0.0.0:0").open();
    let words = "CODER_REG_METRICS serves the metrics, which are numbers only, to every client that can reach 0.0.0.0:0";
    assert!(class.log().contains(words), "{}", class.log());
    let at = address(&class);
    let answer = http::request(
        SocketAddr::new("127.0.0.1".parse().unwrap(), at.port()),
        "GET",
        "/metrics",
        &[],
        b"",
    );
    assert_eq!(answer.expect("an answer").status, 200);
}
