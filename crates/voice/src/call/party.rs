//! The parties of a call.

use tandem_sip::{Ended, IncomingCall};

use crate::leg::{Happening, Leg};

/// The party that a call began with: who called us, or who was called first.
pub(super) enum First {
    /// Has called and waits.
    Waiting(IncomingCall),
    /// Is there.
    There(Box<Leg>),
    /// Is not there yet, or any more.
    Nobody,
}

/// What the first party does.
pub(super) enum Did {
    /// Gave up before anybody answered.
    GaveUp(Ended),
    /// Something on its leg.
    Leg(Happening),
}

impl First {
    /// What it does next.
    pub async fn next(&mut self) -> Did {
        match self {
            Self::Waiting(call) => Did::GaveUp(call.cancelled().await),
            Self::There(leg) => Did::Leg(leg.next().await),
            Self::Nobody => std::future::pending().await,
        }
    }

    /// Its leg, once it is there.
    pub fn leg(&self) -> Option<&Leg> {
        if let Self::There(leg) = self { Some(leg) } else { None }
    }

    pub fn leg_mut(&mut self) -> Option<&mut Leg> {
        if let Self::There(leg) = self { Some(leg) } else { None }
    }

    /// Somebody takes its place; whoever had it, where somebody was there.
    pub fn replace(&mut self, leg: Box<Leg>) -> Option<Box<Leg>> {
        if let Self::There(before) = std::mem::replace(self, Self::There(leg)) { Some(before) } else { None }
    }

    /// Takes it away.
    pub fn take(&mut self) -> Self {
        std::mem::replace(self, Self::Nobody)
    }
}

/// What the second party does next; nothing where there is none.
pub(super) async fn next(second: &mut Option<Box<Leg>>) -> Happening {
    match second {
        Some(leg) => leg.next().await,
        None => std::future::pending().await,
    }
}

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Party {
    First,
    Second,
}

impl Party {
    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}
