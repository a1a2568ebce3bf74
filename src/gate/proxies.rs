//! Which peers are proxies of one's own.
//!
//! A proxy on this machine has a loopback address. In a container, the proxy is another container of the same network,
//! or comes from the machine through the gateway of that network; no computer of the outside has an address of it.
//! Outside of containers an address of a private network may belong to a student's laptop, so it is not trusted.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// What container engines put into each container.
const CONTAINER: [&str; 2] = ["/.dockerenv", "/run/.containerenv"];

/// A network: an address in it, and the length of its prefix in bits.
type Network = (IpAddr, u32);

/// The peers that may tell who a client is.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// Networks that all hosts of are trusted, beside this machine itself.
    networks: Vec<Network>,
}

impl Proxies {
    /// Those of this process: this machine, and in a container also the private networks that it is in.
    pub fn of_this_process() -> Self {
        let is_contained = CONTAINER.iter().any(|file| Path::new(file).exists());
        if !is_contained {
            return Self::default();
        }
        let read = |file| fs::read_to_string(file).unwrap_or_default();
        let v4 = read("/proc/net/route");
        let v6 = read("/proc/net/if_inet6");
        Self {
            networks: v4
                .lines()
                .filter_map(route)
                .chain(v6.lines().filter_map(interface))
                .collect(),
        }
    }

    /// Whether this peer is a proxy of one's own.
    pub(super) fn contain(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        let is_in = |(network, bits): &Network| prefix(peer, *bits) == prefix(*network, *bits);
        peer.is_loopback() || self.networks.iter().any(is_in)
    }
}

/// The leading bits of an address; addresses of different kinds are never equal.
fn prefix(address: IpAddr, bits: u32) -> Option<IpAddr> {
    Some(match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32_u32.checked_sub(bits)?).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX
                .checked_shl(128_u32.checked_sub(bits)?)
                .unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
        }
    })
}

/// The private network of a line of `/proc/net/route` that is reached without a gateway (proc(5): numbers are
/// hexadecimal, in the order of the processor's bytes).
fn route(line: &str) -> Option<Network> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let number = |place: usize| {
        let bits = u32::from_str_radix(words.get(place)?, 16).ok()?;
        Some(Ipv4Addr::from(bits.to_ne_bytes()))
    };
    let (network, gateway, mask) = (number(1)?, number(2)?, number(7)?);
    let is_local = gateway.is_unspecified() && network.is_private();
    is_local.then(|| (IpAddr::V4(network), mask.to_bits().leading_ones()))
}

/// The unique-local network (RFC 4193) of a line of `/proc/net/if_inet6` (address, number of the interface and length
/// of the prefix, in hexadecimal).
fn interface(line: &str) -> Option<Network> {
    let mut words = line.split_ascii_whitespace();
    let address = Ipv6Addr::from_bits(u128::from_str_radix(words.next()?, 16).ok()?);
    let bits = u32::from_str_radix(words.nth(1)?, 16).ok()?;
    address
        .is_unique_local()
        .then_some((IpAddr::V6(address), bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_container_only_this_machine_is_trusted() {
        let proxies = Proxies::default();
        for own in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(proxies.contain(own.parse().unwrap()), "{own}");
        }
        for other in [
            "10.1.2.3",
            "172.17.0.1",
            "192.168.1.2",
            "169.254.1.1",
            "fe80::1",
            "fd00::2",
            "198.51.100.7",
        ] {
            assert!(!proxies.contain(other.parse().unwrap()), "{other}");
        }
    }

    #[test]
    fn the_networks_of_a_container_are_read() {
        let routes =
            "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010012AC\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
eth1\t00F0A8C0\t00000000\t0001\t0\t0\t0\t00F0FFFF\t0\t0\t0
eth2\t007100CB\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
";
        let found: Vec<Network> = routes.lines().filter_map(route).collect();
        let network = |address: &str, bits| (address.parse().unwrap(), bits);
        // The third is public, the default route has a gateway.
        assert_eq!(
            found,
            [network("172.18.0.0", 16), network("192.168.240.0", 20)]
        );
        let interfaces = "00000000000000000000000000000001 01 80 10 80       lo
fe80000000000000021122fffe334455 02 40 20 80     eth0
fd001234000000000000000000000002 02 40 00 80     eth0
20010db8000000000000000000000002 02 40 00 80     eth0
nonsense
";
        let found: Vec<Network> = interfaces.lines().filter_map(interface).collect();
        assert_eq!(found, [network("fd00:1234::2", 64)]);
    }

    #[test]
    fn in_a_container_its_own_networks_are_trusted_and_no_others() {
        let proxies = Proxies {
            networks: vec![
                ("172.18.0.0".parse().unwrap(), 16),
                ("fd00:1234::2".parse().unwrap(), 64),
            ],
        };
        for own in [
            "172.18.0.1",
            "172.18.255.9",
            "::ffff:172.18.0.3",
            "fd00:1234::9",
            "127.0.0.1",
            "::1",
        ] {
            assert!(proxies.contain(own.parse().unwrap()), "{own}");
        }
        for other in [
            "172.19.0.1",
            "10.0.0.5",
            "192.168.1.2",
            "fd00:1235::1",
            "fe80::1",
            "203.0.113.9",
        ] {
            assert!(!proxies.contain(other.parse().unwrap()), "{other}");
        }
    }
}
