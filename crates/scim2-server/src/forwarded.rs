//! Finds out the host and the client of a request, and which of its header fields to trust.
//!
//! Proxies add header fields: `X-Forwarded-For` (the address that connected to the proxy), `X-Forwarded-Host` and
//! `X-Forwarded-Proto`. Each proxy appends its value at the right end of the list, so only the rightmost values come
//! from proxies. Everything further to the left was sent by the client and may be forged. Therefore values are
//! counted from the right, by the number of trusted proxies.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::HeaderMap;
use http::header::AsHeaderName;
use scim2_core::Quirk;

/// The addresses of a request, for logs and limits. A listener puts it into the extensions of each request.
///
/// ```
/// use http::HeaderMap;
/// use scim2_server::ClientAddress;
///
/// let mut headers = HeaderMap::new();
/// headers.insert("x-forwarded-for", "192.0.2.66, 198.51.100.7".parse()?);
/// let peer = "127.0.0.1:5000".parse()?;
/// // No proxy is trusted: the client is the peer.
/// assert_eq!(ClientAddress::new(peer, &headers, 0).client.to_string(), "127.0.0.1");
/// // One proxy is trusted: it saw the rightmost address. The other one may be forged.
/// assert_eq!(ClientAddress::new(peer, &headers, 1).client.to_string(), "198.51.100.7");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientAddress {
    /// The other end of the connection: the client, or the nearest proxy.
    pub peer: SocketAddr,
    /// The client: the address that the outermost trusted proxy saw. Without trusted proxies the address of the peer.
    pub client: IpAddr,
}

impl ClientAddress {
    /// Finds the client behind this many trusted proxies.
    ///
    /// A value that is not an address ends the search: the last address to its right is the client.
    #[must_use]
    pub fn new(peer: SocketAddr, headers: &HeaderMap, trusted_proxies: usize) -> Self {
        let mut client = peer.ip();
        if trusted_proxies > 0 {
            for value in from_right(headers, "x-forwarded-for").take(trusted_proxies) {
                let Some(address) = ip_address(value) else { break };
                client = address;
            }
        }
        Self { peer, client: client.to_canonical() }
    }
}

/// The addresses that belong to one client, for limits: an IPv4 address, or an IPv6 network of 64 bits, from which
/// one client can use every address.
///
/// ```
/// use scim2_server::client_network;
///
/// let [a, b, c] = ["2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"].map(|text| text.parse().unwrap());
/// assert_eq!(client_network(a), client_network(b));
/// assert_ne!(client_network(a), client_network(c));
/// let [mapped, plain] = ["::ffff:192.0.2.1", "192.0.2.1"].map(|text| text.parse().unwrap());
/// assert_eq!(client_network(mapped), plain);
/// ```
#[must_use]
pub fn client_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let bits = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(bits.into())
        }
    }
}

/// A deviation that the listener tolerated. It is passed in the extensions of the request, so that it is
/// reported with the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToleratedBelow(pub Quirk);

/// The longest name of DNS as text ([RFC 1035 §2.3.4](https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4)), in bytes.
const MAX_NAME_BYTES: usize = 253;

/// The most digits of a port, because leading zeros could make it arbitrarily long.
const MAX_PORT_DIGITS: usize = 5;

/// Says whether a text is `host [ ":" port ]` of [RFC 3986
/// §3.2](https://www.rfc-editor.org/rfc/rfc3986#section-3.2): a name, an IPv4 address or an IPv6 address in
/// brackets, and perhaps a port. User information and paths are refused, and so is a name that is too long for
/// DNS, because every location of an answer repeats it.
///
/// ```
/// use scim2_server::is_host_port;
///
/// assert!(is_host_port("scim.example.com:8443") && is_host_port("[::1]"));
/// assert!(!is_host_port("ada@scim.example.com") && !is_host_port("scim.example.com/v2") && !is_host_port(""));
/// ```
#[must_use]
pub fn is_host_port(text: &str) -> bool {
    let (is_host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            (address.parse::<Ipv6Addr>().is_ok(), rest.strip_prefix(':').or(if_empty(rest)))
        }
        None => {
            let name = text.bytes().position(|byte| byte == b':').unwrap_or(text.len());
            let (name, port) = text.split_at_checked(name).unwrap_or((text, ""));
            (is_name(name), Some(port.strip_prefix(':').unwrap_or(port)))
        }
    };
    let is_port = |port: &str| {
        let is_number = port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
        port.is_empty() || port.len() <= MAX_PORT_DIGITS && is_number
    };
    is_host && port.is_some_and(is_port)
}

/// The value of a field that the outermost of this many trusted proxies set; the leftmost value if there are
/// fewer.
pub(crate) fn outermost<'a>(headers: &'a HeaderMap, name: &str, trusted_proxies: usize) -> Option<&'a str> {
    if trusted_proxies == 0 {
        return None;
    }
    from_right(headers, name).take(trusted_proxies).last()
}

/// The values of a field that is a list, from right to left. Empty ones are left out.
fn from_right(headers: &HeaderMap, name: impl AsHeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).into_iter().rev().map(|value| value.to_str().unwrap_or("not ASCII"));
    lines.flat_map(|line| line.rsplit(',').map(str::trim)).filter(|value| !value.is_empty())
}

/// An IP address as proxies write it: `192.0.2.1`, `192.0.2.1:5000`, `2001:db8::1` or `[2001:db8::1]:5000`.
fn ip_address(text: &str) -> Option<IpAddr> {
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(with_port).or_else(in_brackets)
}

/// `reg-name` of RFC 3986, which IPv4 addresses are too, not empty and short enough for DNS.
fn is_name(text: &str) -> bool {
    if text.len() > MAX_NAME_BYTES {
        return false;
    }
    // Most names hold only these. This loop never ends early, so the compiler checks many bytes at a time.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() | matches!(byte, b'-' | b'.');
    if text.bytes().fold(true, |all, byte| all & is_plain(byte)) {
        return !text.is_empty();
    }
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let fits = match byte {
            b'%' => {
                let mut is_digit = || bytes.next().is_some_and(|digit| digit.is_ascii_hexdigit());
                is_digit() && is_digit()
            }
            _ => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte),
        };
        if !fits {
            return false;
        }
    }
    true
}

fn if_empty(text: &str) -> Option<&str> {
    text.is_empty().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_port_refuses_everything_but_a_host_and_a_port() {
        for (text, fits) in [
            ("a", true),
            ("a.example:443", true),
            ("a.example:", true),
            ("192.0.2.1:80", true),
            ("[2001:db8::1]", true),
            ("[2001:db8::1]:443", true),
            ("xn--bcher-kva.example", true),
            ("%41.example", true),
            ("", false),
            (":443", false),
            ("a:b", false),
            ("a:65536", false),
            ("a:+1", false),
            ("a:1:2", false),
            ("2001:db8::1", false),
            ("[a]", false),
            ("[::1", false),
            ("[::1]443", false),
            ("ada@a", false),
            ("ada:secret@a", false),
            ("a/b", false),
            ("a?b", false),
            ("a#b", false),
            ("a b", false),
            ("a, b", false),
            ("a%4", false),
            ("bücher.example", false),
            ("http://a", false),
        ] {
            assert_eq!(is_host_port(text), fits, "{text}");
        }
    }

    #[test]
    fn host_port_with_long_name_or_port_is_refused() {
        let name = |length: usize| "a".repeat(length);
        assert!(is_host_port(&name(253)) && is_host_port(&format!("{}:65535", name(253))));
        for text in [name(254), name(20_000), format!("{}:443", name(254)), format!("a:{:0>20000}", 443)] {
            assert!(!is_host_port(&text), "{} bytes", text.len());
        }
    }

    #[test]
    fn client_address_is_counted_from_the_right_across_header_lines() {
        let peer: SocketAddr = "[::ffff:10.0.0.1]:5000".parse().unwrap();
        for (lines, trusted_proxies, client) in [
            (&[][..], 0, "10.0.0.1"),
            (&[], 1, "10.0.0.1"),
            (&["192.0.2.1"], 0, "10.0.0.1"),
            (&["192.0.2.1"], 1, "192.0.2.1"),
            (&["6.6.6.6, 192.0.2.1"], 1, "192.0.2.1"),
            (&["6.6.6.6", "192.0.2.1"], 1, "192.0.2.1"),
            (&["6.6.6.6,192.0.2.1", "10.0.0.2"], 2, "192.0.2.1"),
            (&["192.0.2.1"], 3, "192.0.2.1"),
            (&["[2001:db8::1]:5000"], 1, "2001:db8::1"),
            (&["[2001:db8::1]"], 1, "2001:db8::1"),
            (&["192.0.2.1:5000"], 1, "192.0.2.1"),
            (&["6.6.6.6, unknown"], 1, "10.0.0.1"),
            (&["6.6.6.6, unknown, 192.0.2.1"], 3, "192.0.2.1"),
            (&["6.6.6.6, ,192.0.2.1,"], 1, "192.0.2.1"),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            let address = ClientAddress::new(peer, &headers, trusted_proxies);
            assert_eq!(address.client.to_string(), client, "{lines:?} {trusted_proxies}");
            assert_eq!(address.peer, peer);
        }
    }
}
