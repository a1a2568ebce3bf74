//! How much of the screens one client may have, and when it may log in.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Screens that one client may open within a minute: a class of 300 that reloads its pages at once.
const NEW_PER_MINUTE: u32 = 600;

/// Logins of one client within a minute. Coder admits 60 for each address; some are left for students who
/// type theirs.
const LOGINS_PER_MINUTE: usize = 55;

/// The period that both limits count in.
const MINUTE: Duration = Duration::from_secs(60);

/// A client: an IPv4 address, or the /64 that an IPv6 address is in, as one customer has all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ClientKey(IpAddr);

impl ClientKey {
    pub(super) fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => {
                let prefix = u128::from(v6) >> 64 << 64;
                IpAddr::V6(Ipv6Addr::from(prefix))
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// What one client has done lately.
struct Client {
    screens: usize,
    /// When the present minute of opening began, and the screens opened in it.
    minute: Instant,
    opened: u32,
    /// When its last logins may be used, the latest last.
    logins: VecDeque<Instant>,
}

/// All clients that have a screen or had one within a minute.
#[derive(Default)]
pub(super) struct Clients(HashMap<ClientKey, Client>);

impl Clients {
    /// The number of screens of a client.
    pub(super) fn screens(&self, key: ClientKey) -> usize {
        self.0.get(&key).map_or(0, |client| client.screens)
    }

    /// Counts a try to open a screen. Returns whether it is allowed.
    pub(super) fn may_open(&mut self, key: ClientKey, now: Instant) -> bool {
        let client = self.0.entry(key).or_insert_with(|| Client {
            screens: 0,
            minute: now,
            opened: 0,
            logins: VecDeque::new(),
        });
        if now.saturating_duration_since(client.minute) >= MINUTE {
            (client.minute, client.opened) = (now, 0);
        }
        client.opened = client.opened.saturating_add(1);
        client.opened <= NEW_PER_MINUTE
    }

    pub(super) fn opened(&mut self, key: ClientKey) {
        if let Some(client) = self.0.get_mut(&key) {
            client.screens += 1;
        }
    }

    pub(super) fn ended(&mut self, key: ClientKey) {
        if let Some(client) = self.0.get_mut(&key) {
            client.screens = client.screens.saturating_sub(1);
        }
    }

    /// When a login that is released now may be used.
    pub(super) fn next_login(&mut self, key: ClientKey, now: Instant) -> Instant {
        let Some(client) = self.0.get_mut(&key) else {
            // A client with a screen is known.
            return now;
        };
        let logins = &mut client.logins;
        let at = if logins.len() < LOGINS_PER_MINUTE {
            now
        } else {
            // The minute of the earliest of these has to be over.
            logins
                .pop_front()
                .map_or(now, |earliest| now.max(earliest + MINUTE))
        };
        logins.push_back(at);
        at
    }

    /// Forgets clients without a screen and without anything to count.
    pub(super) fn forget_idle(&mut self, now: Instant) {
        self.0.retain(|_, client| {
            let is_over = |at: Instant| now.saturating_duration_since(at) >= MINUTE;
            let last = client.logins.back();
            // A login that may be used later is not over either.
            let logins_over = last.is_none_or(|at| *at <= now && is_over(*at));
            client.screens > 0 || !is_over(client.minute) || !logins_over
        });
    }

    /// The number of clients that are remembered.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(address: &str) -> ClientKey {
        ClientKey::of(address.parse().unwrap())
    }

    #[test]
    fn one_customer_is_one_client() {
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }

    #[test]
    fn no_minute_has_more_than_55_logins_of_one_client() {
        let start = Instant::now();
        let mut clients = Clients::default();
        let client = key("192.0.2.1");
        assert!(clients.may_open(client, start));
        let mut all: Vec<Instant> = Vec::new();
        for n in 0..300_u64 {
            let now = start + Duration::from_millis(n * 40);
            let at = clients.next_login(client, now);
            assert!(at >= now);
            all.push(at);
        }
        assert!(
            all[..LOGINS_PER_MINUTE]
                .iter()
                .all(|at| *at < start + MINUTE)
        );
        for pair in all.windows(LOGINS_PER_MINUTE + 1) {
            assert!(pair[LOGINS_PER_MINUTE].duration_since(pair[0]) >= MINUTE);
        }
        // Nobody waits longer than needed: 300 need five full minutes and a bit.
        assert!(all[299] < start + MINUTE * 6);
        let other = key("192.0.2.2");
        clients.may_open(other, start);
        assert_eq!(clients.next_login(other, start), start);
    }

    #[test]
    fn clients_are_forgotten_when_nothing_is_left_to_count() {
        let start = Instant::now();
        let mut clients = Clients::default();
        clients.may_open(key("192.0.2.1"), start);
        clients.opened(key("192.0.2.1"));
        clients.may_open(key("192.0.2.2"), start);
        clients.forget_idle(start + Duration::from_secs(59));
        assert_eq!(clients.len(), 2);
        clients.forget_idle(start + MINUTE);
        assert_eq!(clients.len(), 1);
        clients.ended(key("192.0.2.1"));
        clients.forget_idle(start + MINUTE);
        assert_eq!(clients.len(), 0);
    }

    #[test]
    fn at_most_600_screens_are_opened_a_minute() {
        let start = Instant::now();
        let mut clients = Clients::default();
        let client = key("2001:db8::1");
        let allowed = (0..700).filter(|_| clients.may_open(client, start)).count();
        assert_eq!(allowed, 600);
        assert!(clients.may_open(client, start + MINUTE));
    }
}
