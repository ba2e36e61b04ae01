//! Ranges of addresses, as `192.0.2.0/24` and `2001:db8::/32`.

use std::{fmt, net::IpAddr};

/// A range of addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads an address or a range. The bits behind the range's own must be zero.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().ok()?;
        let most = width(address);
        let bits = match bits {
            Some(bits) if bits.len() <= 3 && bits.bytes().all(|digit| digit.is_ascii_digit()) => bits.parse().ok()?,
            Some(_) => return None,
            None => most,
        };
        let network = Self { address, bits };
        (bits <= most && value(address) & !network.mask() == 0).then_some(network)
    }

    /// Whether an address is in the range. An IPv4 address that is written as IPv6 is one of IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        width(address) == width(self.address) && value(address) & self.mask() == value(self.address)
    }

    /// Bits that are the same in the whole range.
    #[must_use]
    pub const fn bits(&self) -> u8 {
        self.bits
    }

    fn mask(&self) -> u128 {
        let free = u32::from(width(self.address) - self.bits);
        u128::MAX.checked_shl(free).unwrap_or(0)
    }
}

const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn value(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bits == width(self.address) { self.address.fmt(f) } else { write!(f, "{}/{}", self.address, self.bits) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_their_addresses() {
        for (text, inside, outside) in [
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("127.0.0.1", "::ffff:127.0.0.1", "127.0.0.2"),
            ("0.0.0.0/0", "8.8.8.8", "::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("::/0", "2001:db8::1", "127.0.0.1"),
        ] {
            let network = Network::parse(text).expect(text);
            assert_eq!(network.to_string(), text);
            assert!(network.contains(inside.parse().expect(inside)), "{text} {inside}");
            assert!(!network.contains(outside.parse().expect(outside)), "{text} {outside}");
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in ["", "1.2.3", "1.2.3.4/33", "1.2.3.4/24", "1.2.3.4/", "1.2.3.4/+8", "::/129", "example.com", "1.2.3.0/24/8"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
