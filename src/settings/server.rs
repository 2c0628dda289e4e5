//! `[http]` and `[[api_token]]`: how the server protects itself and who may use the API.

use std::net::IpAddr;

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, de::Error};

use super::{Secret, units::duration};

/// Limits of the HTTP server.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Largest body of a callback, bytes; default 1 MiB. WeCom's own stay below 64 KiB.
    pub callback_bytes: usize,
    /// Largest body of an API call, bytes; default 16 MiB.
    pub api_bytes: usize,
    /// Requests worked on at the same time; more are answered 503 at once. Default 1024.
    pub concurrent: usize,
    /// Longest time for one request; default 30 s.
    #[serde(deserialize_with = "duration")]
    pub timeout: SignedDuration,
    /// Longest time until a request's headers are complete; default 10 s.
    #[serde(deserialize_with = "duration")]
    pub header_timeout: SignedDuration,
    /// Proxies whose `X-Forwarded-For` is believed: addresses or `10.0.0.0/8`; default none.
    pub trusted_proxies: Vec<Network>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            callback_bytes: 1 << 20,
            api_bytes: 16 << 20,
            concurrent: 1024,
            timeout: SignedDuration::from_secs(30),
            header_timeout: SignedDuration::from_secs(10),
            trusted_proxies: Vec::new(),
        }
    }
}

/// A token for `/api/v1`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiToken {
    /// Shown in histories instead of the token.
    pub name: String,
    /// The token; at least 16 characters.
    pub value: Secret,
}

/// An address or a network such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Is the address in it? An IPv4 address in IPv6 clothes counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
                net.to_bits() & mask == ip.to_bits() & mask
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                net.to_bits() & mask == ip.to_bits() & mask
            }
            _ => false,
        }
    }
}

impl std::str::FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` 不是 IP 地址或网段（如 10.0.0.0/8）");
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(widest), |p| p.parse().map_err(|_| wrong()))?;
        if prefix > widest { Err(wrong()) } else { Ok(Self { address, prefix }) }
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_what_they_say() {
        let net: Network = "10.1.0.0/16".parse().unwrap();
        assert!(net.contains("10.1.2.3".parse().unwrap()));
        assert!(net.contains("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!net.contains("10.2.0.1".parse().unwrap()));
        let all: Network = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("8.8.8.8".parse().unwrap()) && !all.contains("::1".parse().unwrap()));
        let one: Network = "::1".parse().unwrap();
        assert!(one.contains("::1".parse().unwrap()) && !one.contains("::2".parse().unwrap()));
        for bad in ["10.0.0.0/33", "10.0.0", "x/8", "10.0.0.0/"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
