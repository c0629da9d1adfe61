//! The networks that connections come from.

use std::collections::HashMap;
use std::net::IpAddr;

/// How many connections each of these networks has.
#[derive(Debug, Default)]
pub(super) struct ConnectionCounts(HashMap<IpAddr, usize>);

impl ConnectionCounts {
    pub(super) fn of(&self, network: IpAddr) -> usize {
        self.0.get(&network).copied().unwrap_or_default()
    }

    pub(super) fn add(&mut self, network: IpAddr) {
        *self.0.entry(network).or_default() += 1;
    }

    pub(super) fn remove(&mut self, network: IpAddr) {
        match self.of(network) {
            0 | 1 => {
                self.0.remove(&network);
            }
            held => {
                self.0.insert(network, held - 1);
            }
        }
    }
}

/// The network that counts as one where sources compete for places: an IPv6 /48, which has 65 536 /64 networks.
pub(super) fn site(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(_) => source,
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 80 << 80).into()),
    }
}
