//! Pairs of ports: an even one for RTP and the next for RTCP (RFC 3550 section 11).

use std::{
    collections::HashSet,
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    ops::RangeInclusive,
    sync::{Arc, Mutex},
};

use tandem_kernel::Rng;

use crate::{MediaError, locked};

/// The pairs of one range. They are given out one after the other, from a random one on, so that a pair that was given back rests as
/// long as it can: the last packets of one call do not reach the next.
pub(crate) struct Ports {
    address: IpAddr,
    pairs: Vec<u16>,
    state: Mutex<State>,
}

struct State {
    next: usize,
    used: HashSet<u16>,
}

/// A pair in use; given back when it is dropped.
pub(crate) struct Lease {
    ports: Arc<Ports>,
    /// RTP's port.
    pub port: u16,
}

impl Drop for Lease {
    fn drop(&mut self) {
        locked(&self.ports.state).used.remove(&self.port);
    }
}

impl Ports {
    pub fn new(address: IpAddr, range: &RangeInclusive<u16>, rng: &dyn Rng) -> Arc<Self> {
        let last = range.end();
        let pairs: Vec<u16> = range.clone().filter(|port| port % 2 == 0 && port < last && *port > 0).collect();
        let mut start = [0; 8];
        rng.fill(&mut start);
        let next = usize::from_ne_bytes(start).checked_rem(pairs.len()).unwrap_or(0);
        Arc::new(Self { address, pairs, state: Mutex::new(State { next, used: HashSet::new() }) })
    }

    /// How many pairs are in use.
    pub fn used(&self) -> usize {
        locked(&self.state).used.len()
    }

    /// The next free pair. One that another program holds is passed over.
    pub fn take(self: &Arc<Self>) -> Result<(Lease, UdpSocket, UdpSocket), MediaError> {
        let mut failed = None;
        for _ in 0..self.pairs.len() {
            let Some(lease) = self.reserve() else { break };
            match (self.bind(lease.port), self.bind(lease.port + 1)) {
                (Ok(rtp), Ok(rtcp)) => return Ok((lease, rtp, rtcp)),
                (Err(fault), _) | (_, Err(fault)) if fault.kind() != io::ErrorKind::AddrInUse => {
                    failed = Some(fault);
                    break;
                }
                _ => {}
            }
        }
        Err(failed.map_or(MediaError::PortsExhausted, MediaError::Socket))
    }

    fn reserve(self: &Arc<Self>) -> Option<Lease> {
        let mut state = locked(&self.state);
        for _ in 0..self.pairs.len() {
            let port = *self.pairs.get(state.next)?;
            state.next = (state.next + 1) % self.pairs.len();
            if state.used.insert(port) {
                return Some(Lease { ports: self.clone(), port });
            }
        }
        None
    }

    fn bind(&self, port: u16) -> io::Result<UdpSocket> {
        let socket = UdpSocket::bind(SocketAddr::new(self.address, port))?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    }
}
