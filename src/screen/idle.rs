//! The screens that nobody has claimed, by whom they belong to: which one leaves when there is no more room.
//!
//! The one that leaves belongs to the client that has most. So somebody with many addresses of one network loses their own
//! pages first, and a class keeps its pages.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::net::IpAddr;

use super::clients::ClientKey;

/// From whom a screen has to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crowd {
    /// This client has too many.
    Client(ClientKey),
    /// All clients of this one's network together have too many.
    Network(ClientKey),
    /// All together have too many.
    All,
}

/// The idle screens by owner, and the owners by how many they have.
#[cfg_attr(test, derive(Clone))]
struct Ranking<K> {
    screens: HashMap<K, BTreeSet<u64>>,
    /// How many and the oldest of each, so that of two with as many the one with the oldest comes last.
    order: BTreeSet<(usize, Reverse<u64>, K)>,
}

impl<K> Default for Ranking<K> {
    fn default() -> Self {
        Self {
            screens: HashMap::new(),
            order: BTreeSet::new(),
        }
    }
}

impl<K: Copy + Eq + Hash + Ord> Ranking<K> {
    fn change(&mut self, owner: K, change: impl FnOnce(&mut BTreeSet<u64>)) {
        let screens = self.screens.entry(owner).or_default();
        if let Some(oldest) = screens.first() {
            self.order.remove(&(screens.len(), Reverse(*oldest), owner));
        }
        change(screens);
        match screens.first() {
            Some(oldest) => {
                self.order.insert((screens.len(), Reverse(*oldest), owner));
            }
            None => {
                self.screens.remove(&owner);
            }
        }
    }

    /// Who has most.
    fn largest(&self) -> Option<K> {
        self.order.last().map(|(_, _, owner)| *owner)
    }

    fn oldest_of(&self, owner: K) -> Option<u64> {
        self.screens.get(&owner)?.first().copied()
    }
}

/// The idle screens.
#[derive(Default)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Idle {
    networks: Ranking<IpAddr>,
    /// The clients of each network.
    clients: HashMap<IpAddr, Ranking<IpAddr>>,
}

impl Idle {
    /// Notes whether a screen is idle. Saying it again changes nothing.
    pub(super) fn set(&mut self, key: ClientKey, number: u64, is_idle: bool) {
        let change = |screens: &mut BTreeSet<u64>| {
            if is_idle {
                screens.insert(number);
            } else {
                screens.remove(&number);
            }
        };
        self.networks.change(key.network, change);
        let clients = self.clients.entry(key.network).or_default();
        clients.change(key.client, change);
        if clients.screens.is_empty() {
            self.clients.remove(&key.network);
        }
    }

    /// The screen that leaves: of those of the crowd the oldest one of the client that has most, in the network that
    /// has most. `None` = none of them is idle.
    pub(super) fn leaves(&self, crowd: Crowd) -> Option<u64> {
        let network = match crowd {
            Crowd::Client(key) => {
                return self.clients.get(&key.network)?.oldest_of(key.client);
            }
            Crowd::Network(key) => key.network,
            Crowd::All => self.networks.largest()?,
        };
        let clients = self.clients.get(&network)?;
        clients.oldest_of(clients.largest()?)
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.networks.screens.is_empty()
            && self.networks.order.is_empty()
            && self.clients.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(address: &str) -> ClientKey {
        ClientKey::of(address.parse().unwrap())
    }

    #[test]
    fn the_oldest_of_whoever_has_most_leaves() {
        let mut idle = Idle::default();
        let class = key("192.0.2.1");
        for number in 1..=3 {
            idle.set(class, number, true);
        }
        // Four addresses of one /48, in three /64s.
        let flood = [
            (key("2001:db8:7:1::1"), 4),
            (key("2001:db8:7:2::1"), 5),
            (key("2001:db8:7:2::2"), 6),
            (key("2001:db8:7:3::1"), 7),
        ];
        for (key, number) in flood {
            idle.set(key, number, true);
        }
        let order: Vec<u64> = std::iter::from_fn(|| {
            let number = idle.leaves(Crowd::All)?;
            let owner = flood.iter().find(|(_, flooded)| *flooded == number);
            idle.set(owner.map_or(class, |(key, _)| *key), number, false);
            Some(number)
        })
        .collect();
        // The flood has four; with three and three, and so on, the older ones leave.
        assert_eq!(order, [5, 1, 4, 2, 6, 3, 7]);
        assert!(idle.is_empty());
    }

    #[test]
    fn a_client_or_a_network_that_has_too_many_loses_its_own() {
        let mut idle = Idle::default();
        let (one, other, stranger) = (
            key("2001:db8:7:1::1"),
            key("2001:db8:7:2::1"),
            key("192.0.2.1"),
        );
        for (key, number) in [(stranger, 1), (one, 2), (other, 3), (other, 4), (other, 3)] {
            idle.set(key, number, true);
        }
        assert_eq!(idle.leaves(Crowd::Client(one)), Some(2));
        assert_eq!(idle.leaves(Crowd::Network(one)), Some(3));
        assert_eq!(idle.leaves(Crowd::Client(stranger)), Some(1));
        idle.set(one, 2, false);
        assert_eq!(idle.leaves(Crowd::Client(one)), None);
        assert_eq!(idle.leaves(Crowd::Network(key("2001:db8:8::1"))), None);
    }
}
