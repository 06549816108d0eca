//! IP addresses and CIDR ranges, as SpiceDB's and OpenFGA's `ipaddress` know them.

use core::net::IpAddr;

/// Longest text of an address: an IPv6 one with an IPv4 tail.
const ADDRESS_BYTES_MAX: usize = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".len();

/// Reads an IPv4 address in dotted form or an IPv6 address (RFC 4291 §2.2), without a zone.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    if text.len() > ADDRESS_BYTES_MAX {
        return None;
    }
    text.parse().ok()
}

/// Whether `address` lies in the range `text`, such as `10.0.0.0/8` or `2001:db8::/32`; none if
/// `text` is no range.
///
/// Bits of the range's address behind its prefix are ignored. An IPv4 address lies in no IPv6 range,
/// and an IPv4-mapped IPv6 address in no IPv4 range, as in Go's `netip.Prefix.Contains`, on which
/// both systems build.
pub(super) fn in_range(address: IpAddr, text: &str) -> Option<bool> {
    let (base, length) = range(text)?;
    Some(match (address, base) {
        (IpAddr::V4(address), IpAddr::V4(base)) => {
            let differ = address.to_bits() ^ base.to_bits();
            differ.checked_shr(32 - length).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(base)) => {
            let differ = address.to_bits() ^ base.to_bits();
            differ.checked_shr(128 - length).unwrap_or(0) == 0
        }
        _ => false,
    })
}

/// Address and length of the prefix of a range.
fn range(text: &str) -> Option<(IpAddr, u32)> {
    let (base, length) = text.rsplit_once('/')?;
    let base = address(base)?;
    let digits = (1..=3).contains(&length.len()) && length.bytes().all(|b| b.is_ascii_digit());
    if !digits || (length.len() > 1 && length.starts_with('0')) {
        return None;
    }
    let length: u32 = length.parse().ok()?;
    let bits = if base.is_ipv4() { 32 } else { 128 };
    (length <= bits).then_some((base, length))
}

/// Whether `text` is a CIDR range.
pub(super) fn is_range(text: &str) -> bool {
    range(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_their_addresses() {
        for (host, text, expected) in [
            ("10.1.2.3", "10.0.0.0/8", Some(true)),
            ("11.1.2.3", "10.0.0.0/8", Some(false)),
            ("10.1.2.3", "10.9.9.9/8", Some(true)),
            ("192.168.0.1", "192.168.0.1/32", Some(true)),
            ("192.168.0.2", "192.168.0.1/32", Some(false)),
            ("1.2.3.4", "0.0.0.0/0", Some(true)),
            ("1.2.3.4", "::/0", Some(false)),
            ("::ffff:1.2.3.4", "1.2.3.0/24", Some(false)),
            ("::ffff:1.2.3.4", "::ffff:0:0/96", Some(true)),
            ("2001:db8::1", "2001:db8::/32", Some(true)),
            ("2001:db9::1", "2001:db8::/32", Some(false)),
            ("2001:db8::1", "2001:db8::1/128", Some(true)),
            ("::1", "::/0", Some(true)),
            ("1.2.3.4", "1.2.3.4", None),
            ("1.2.3.4", "1.2.3.4/33", None),
            ("1.2.3.4", "1.2.3.4/08", None),
            ("1.2.3.4", "1.2.3.4/+8", None),
            ("1.2.3.4", "1.2.3.4/", None),
            ("1.2.3.4", "1.2.3/8", None),
            ("::1", "::/129", None),
            ("::1", "fe80::%1/64", None),
        ] {
            let host = address(host).unwrap();
            assert_eq!(in_range(host, text), expected, "{host} {text}");
            assert_eq!(is_range(text), expected.is_some());
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "1.2.3",
            "1.2.3.4.5",
            "256.1.1.1",
            "01.2.3.4",
            "1.2.3.4 ",
            "::1%eth0",
            ":::",
            "localhost",
        ] {
            assert_eq!(address(text), None, "{text}");
        }
    }
}
