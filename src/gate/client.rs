//! Which address a client has. Pure.
//!
//! Behind a proxy of one's own all clients have the proxy's address, and the proxy says in
//! `X-Forwarded-For` who asked it. Anybody may send that header, so it counts only if the peer is
//! such a proxy ([`super::Proxies`]), and only its last address, which the proxy itself has added.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};

/// The header that tells the upstream the address of the client. Clients cannot set it: the gate
/// passes on no `X-Gate-...` of theirs.
pub const CLIENT_HEADER: &str = "X-Gate-Client";

/// Whom a connection comes from.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// Its address.
    pub address: IpAddr,
    /// Whether it is a proxy of one's own.
    pub is_proxy: bool,
}

impl Caller {
    /// The address of the client: the peer's own, or what a proxy of one's own has `forwarded`.
    pub(super) fn client(self, forwarded: Option<IpAddr>) -> IpAddr {
        let told = forwarded.filter(|_| self.is_proxy);
        told.unwrap_or(self.address).to_canonical()
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
        let (peer, told) = ("::ffff:192.0.2.1", "203.0.113.9");
        let client = |is_proxy, forwarded: Option<&str>| {
            let address = peer.parse().unwrap();
            let forwarded = forwarded.map(|address| address.parse().unwrap());
            let client = Caller { address, is_proxy }.client(forwarded);
            client.to_string()
        };
        assert_eq!(client(true, Some(told)), told);
        assert_eq!(client(true, Some("::ffff:203.0.113.9")), told);
        for (is_proxy, forwarded) in [(true, None), (false, None), (false, Some(told))] {
            assert_eq!(client(is_proxy, forwarded), "192.0.2.1");
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
