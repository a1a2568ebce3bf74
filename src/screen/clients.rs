//! How much of the screens one client may have, and when it may log in.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use super::idle::Crowd;
use super::slots::{SCREENS, SCREENS_OF_NETWORK, SCREENS_OF_ONE};

/// Screens that one client may open within a minute: a class of 300 that reloads its pages at once.
const NEW_PER_MINUTE: u32 = 600;

/// Screens that all clients of one network may open within a minute.
const NEW_PER_NETWORK: u32 = 2 * NEW_PER_MINUTE;

/// Logins of one client within a minute. Coder admits 60 for each address; some are left for students who
/// type theirs.
const LOGINS_PER_MINUTE: usize = 55;

/// The period that these limits count in.
const MINUTE: Duration = Duration::from_secs(60);

/// Clients, and networks, that are remembered at most; more than can have a screen.
const MOST: usize = 2 * SCREENS;

/// A client, and the network that it is in. One customer has a whole /64 of IPv6 addresses, and many a site or
/// customer has the 65,536 of a /48. An IPv4 address is a network of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ClientKey {
    pub(super) client: IpAddr,
    pub(super) network: IpAddr,
}

impl ClientKey {
    pub(super) fn of(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self {
            client: first_of(address, 64),
            network: first_of(address, 48),
        }
    }
}

/// The first address with these leading bits; an IPv4 address stays as it is.
fn first_of(address: IpAddr, bits: u32) -> IpAddr {
    match address {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) & (u128::MAX << (128 - bits)))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// What a client or a network has done lately.
#[cfg_attr(test, derive(Clone))]
struct Tally {
    screens: usize,
    /// When the present minute of opening began, and the screens opened in it.
    minute: Instant,
    opened: u32,
    /// When the last logins of a client may be used, the latest last.
    logins: VecDeque<Instant>,
}

impl Tally {
    fn new(now: Instant) -> Self {
        Self {
            screens: 0,
            minute: now,
            opened: 0,
            logins: VecDeque::new(),
        }
    }

    /// Counts a try to open a screen. Returns whether it is one of the first `most` of this minute.
    fn opens(&mut self, most: u32, now: Instant) -> bool {
        if now.saturating_duration_since(self.minute) >= MINUTE {
            (self.minute, self.opened) = (now, 0);
        }
        self.opened = self.opened.saturating_add(1);
        self.opened <= most
    }

    fn has_logins(&self, now: Instant) -> bool {
        // A login that may be used later is not over either.
        let is_over = |at: &Instant| *at <= now && now.saturating_duration_since(*at) >= MINUTE;
        self.logins.back().is_some_and(|last| !is_over(last))
    }
}

/// All clients and networks that have a screen or had one within a minute. When there are too many, those without
/// a screen are forgotten: then they may open as many again, which is not more than their others may.
#[derive(Default)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Clients {
    clients: HashMap<IpAddr, Tally>,
    networks: HashMap<IpAddr, Tally>,
}

impl Clients {
    /// Who has as many screens as they may have, if anybody: the client itself, or its network.
    pub(super) fn full(&self, key: ClientKey) -> Option<Crowd> {
        let has = |tallies: &HashMap<IpAddr, Tally>, who, most| {
            tallies.get(&who).is_some_and(|tally| tally.screens >= most)
        };
        if has(&self.clients, key.client, SCREENS_OF_ONE) {
            Some(Crowd::Client(key))
        } else if has(&self.networks, key.network, SCREENS_OF_NETWORK) {
            Some(Crowd::Network(key))
        } else {
            None
        }
    }

    /// Counts a try to open a screen. Returns whether it is allowed.
    pub(super) fn may_open(&mut self, key: ClientKey, now: Instant) -> bool {
        let new = || Tally::new(now);
        make_room(&mut self.clients, now);
        make_room(&mut self.networks, now);
        let client = self.clients.entry(key.client).or_insert_with(new);
        let network = self.networks.entry(key.network).or_insert_with(new);
        // What a client is refused does not use up what others of its network may.
        client.opens(NEW_PER_MINUTE, now) && network.opens(NEW_PER_NETWORK, now)
    }

    pub(super) fn opened(&mut self, key: ClientKey) {
        self.count(key, |screens| screens + 1);
    }

    pub(super) fn ended(&mut self, key: ClientKey) {
        self.count(key, |screens| screens.saturating_sub(1));
    }

    fn count(&mut self, key: ClientKey, change: impl Fn(usize) -> usize) {
        let client = self.clients.get_mut(&key.client);
        let network = self.networks.get_mut(&key.network);
        for tally in client.into_iter().chain(network) {
            tally.screens = change(tally.screens);
        }
    }

    /// When a login that is released now may be used.
    pub(super) fn next_login(&mut self, key: ClientKey, now: Instant) -> Instant {
        let Some(client) = self.clients.get_mut(&key.client) else {
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

    /// Forgets who has no screen and nothing to count.
    pub(super) fn forget_idle(&mut self, now: Instant) {
        let counts = |tally: &Tally| {
            let is_old = now.saturating_duration_since(tally.minute) >= MINUTE;
            tally.screens > 0 || !is_old || tally.has_logins(now)
        };
        self.clients.retain(|_, client| counts(client));
        self.networks.retain(|_, network| counts(network));
    }

    /// The number of clients and of networks that are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        (self.clients.len(), self.networks.len())
    }
}

/// Forgets all without a screen when there are too many. It takes as many new ones until there are too many again,
/// so for each of them it is cheap.
fn make_room(tallies: &mut HashMap<IpAddr, Tally>, now: Instant) {
    if tallies.len() >= MOST {
        tallies.retain(|_, tally| tally.screens > 0 || tally.has_logins(now));
    }
    if tallies.len() >= MOST {
        tallies.retain(|_, tally| tally.screens > 0);
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
        assert_eq!(
            key("2001:db8:1:2::1").network,
            key("2001:db8:1:ffff::1").network
        );
        assert_ne!(
            key("2001:db8:1:2::1").network,
            key("2001:db8:2:2::1").network
        );
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
        assert_eq!(clients.len(), (2, 2));
        clients.forget_idle(start + MINUTE);
        assert_eq!(clients.len(), (1, 1));
        clients.ended(key("192.0.2.1"));
        clients.forget_idle(start + MINUTE);
        assert_eq!(clients.len(), (0, 0));
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

    #[test]
    fn one_network_opens_1200_screens_a_minute_and_has_1024() {
        let start = Instant::now();
        let mut clients = Clients::default();
        let of = |number: u32| key(&format!("2001:db8:7:{number:x}::1"));
        let mut allowed = 0;
        for number in 0..1_300 {
            if clients.may_open(of(number), start) {
                allowed += 1;
                clients.opened(of(number));
            }
        }
        assert_eq!(allowed, 1_200);
        assert_eq!(clients.full(of(2_000)), Some(Crowd::Network(of(2_000))));
        assert_eq!(clients.full(key("2001:db8:8::1")), None);
        assert!(clients.may_open(key("2001:db8:8::1"), start));
        // Who is refused again and again takes nothing from the neighbours.
        let mut clients = Clients::default();
        for _ in 0..5_000 {
            clients.may_open(of(1), start);
        }
        assert!(clients.may_open(of(2), start));
    }

    #[test]
    fn a_flood_of_addresses_does_not_fill_the_memory() {
        let start = Instant::now();
        let mut clients = Clients::default();
        let class = key("192.0.2.1");
        clients.may_open(class, start);
        clients.opened(class);
        let signed_in = key("192.0.2.2");
        clients.may_open(signed_in, start);
        clients.next_login(signed_in, start);
        for number in 0..100_000_u32 {
            let far = u128::from(number) << 64;
            let address = Ipv6Addr::from((0x2001_u128 << 112) | far);
            clients.may_open(ClientKey::of(IpAddr::V6(address)), start);
            let (all, networks) = clients.len();
            assert!(all <= MOST && networks <= MOST);
        }
        // Who has something to lose is remembered.
        clients.ended(class);
        for client in [class, signed_in] {
            assert!(clients.clients.contains_key(&client.client));
        }
    }
}
