//! Where messages come from and go to.

use std::{fmt, net::SocketAddr};

use rsipstack::{sip, transport::SipAddr};

/// How messages travel (RFC 3261 section 18, RFC 7118).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A TCP connection.
    Tcp,
    /// A TCP connection under TLS.
    Tls,
    /// A WebSocket.
    Ws,
    /// A WebSocket under TLS.
    Wss,
}

impl Transport {
    /// Its name as a URI's parameter and in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// The transport of a name, whichever case it is in.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss].into_iter().find(|one| one.name().eq_ignore_ascii_case(name))
    }

    /// The port where nothing else is said (RFC 3261 section 19.1.2).
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }

    pub(crate) const fn of(stack: sip::Transport) -> Self {
        match stack {
            sip::Transport::Udp | sip::Transport::Sctp => Self::Udp,
            sip::Transport::Tcp => Self::Tcp,
            sip::Transport::Tls | sip::Transport::TlsSctp => Self::Tls,
            sip::Transport::Ws => Self::Ws,
            sip::Transport::Wss => Self::Wss,
        }
    }

    pub(crate) const fn stack(self) -> sip::Transport {
        match self {
            Self::Udp => sip::Transport::Udp,
            Self::Tcp => sip::Transport::Tcp,
            Self::Tls => sip::Transport::Tls,
            Self::Ws => sip::Transport::Ws,
            Self::Wss => sip::Transport::Wss,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a message came from: the address that it really had, whatever it says itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Source {
    /// How it came.
    pub transport: Transport,
    /// The other end's address.
    pub address: SocketAddr,
}

impl Source {
    pub(crate) fn stack(self) -> SipAddr {
        SipAddr { r#type: Some(self.transport.stack()), addr: self.address.into() }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transport, self.address)
    }
}

/// A listener that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// How messages come there.
    pub transport: Transport,
    /// The address that was really bound.
    pub address: SocketAddr,
    /// The address that the world is told.
    pub advertised: SocketAddr,
}

/// Where to send a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Where its URI says (RFC 3263 without SRV: a host's addresses, the URI's port and transport or their defaults).
    Uri,
    /// To an address, through the connection that is open there where there is one: that is how a device behind a NAT is reached.
    Source(Source),
    /// To a host, whatever the URI says: an outbound proxy.
    Host {
        /// How.
        transport: Transport,
        /// A name or an address.
        host: String,
        /// The transport's own where it is not given.
        port: Option<u16>,
    },
}
