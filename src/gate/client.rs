//! Which address a client has. Pure.
//!
//! Behind a proxy of one's own all clients have the proxy's address, and the proxy says in
//! `X-Forwarded-For` who asked it. Anybody may send that header, so it counts only if the peer is
//! such a proxy, and only its last address, which the proxy itself has added.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};

/// The header that tells the upstream the address of the client. Clients cannot set it: the gate
/// passes on no `X-Gate-...` of theirs.
pub const CLIENT_HEADER: &str = "X-Gate-Client";

/// The address of the client: the peer's own, or what a proxy of one's own has `forwarded`.
pub(super) fn address(peer: IpAddr, forwarded: Option<IpAddr>) -> IpAddr {
    let peer = peer.to_canonical();
    match forwarded {
        Some(client) if is_own_network(peer) => client.to_canonical(),
        _ => peer,
    }
}

/// Whether the address is of this machine or of a private network, where one's own proxy runs:
/// loopback, private (RFC 1918), link-local or unique-local (RFC 4193).
fn is_own_network(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// The last address in a value of `X-Forwarded-For`. Some proxies write a port behind it.
pub(super) fn last_forwarded(value: &[u8]) -> Option<IpAddr> {
    let last = value.rsplit(|byte| *byte == b',').next()?.trim_ascii();
    let last = std::str::from_utf8(last).ok()?;
    let bare = last.strip_prefix('[').and_then(|v6| v6.strip_suffix(']'));
    let address = bare.unwrap_or(last).parse().ok();
    address.or_else(|| last.parse::<SocketAddr>().ok().map(|both| both.ip()))
}

/// Writes the header's line.
pub(super) fn write_line(client: IpAddr, out: &mut Vec<u8>) {
    // A vector takes every byte.
    let _ = write!(out, "{CLIENT_HEADER}: {client}\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_proxy_of_ones_own_tells_who_the_client_is() {
        let told = "203.0.113.9".parse().unwrap();
        for own in [
            "127.0.0.1",
            "10.1.2.3",
            "172.17.0.1",
            "192.168.1.2",
            "169.254.1.1",
            "::1",
            "fe80::1",
            "fd00::2",
            "::ffff:127.0.0.1",
        ] {
            let peer: IpAddr = own.parse().unwrap();
            assert_eq!(address(peer, Some(told)), told, "{own}");
            assert_eq!(address(peer, None), peer.to_canonical(), "{own}");
        }
        for stranger in ["198.51.100.7", "172.32.0.1", "2001:db8::1", "100.64.0.1"] {
            let peer = stranger.parse().unwrap();
            assert_eq!(address(peer, Some(told)), peer, "{stranger}");
        }
    }

    #[test]
    fn the_last_forwarded_address_is_read() {
        for (value, address) in [
            ("203.0.113.9", Some("203.0.113.9")),
            ("1.1.1.1, 203.0.113.9 ", Some("203.0.113.9")),
            ("1.1.1.1,\t2001:db8::1", Some("2001:db8::1")),
            ("203.0.113.9:4711", Some("203.0.113.9")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("[2001:db8::1]:443", Some("2001:db8::1")),
            ("203.0.113.9, unknown", None),
            ("203.0.113.9,", None),
            ("\u{e9}", None),
            ("", None),
        ] {
            let expected = address.map(|address| address.parse().unwrap());
            assert_eq!(last_forwarded(value.as_bytes()), expected, "{value}");
        }
    }
}
