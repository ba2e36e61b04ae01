//! What can be asked of a wallet.

use sha2::{Digest, Sha256};
use tandem_catalogue::Value;
use tandem_kernel::{EnvironmentId, Timestamp, TransferId};

use crate::TransferKind;

/// A movement that is asked for, in millionths of the wallet's currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Posting {
    /// Money comes in.
    Credit(i64),
    /// Money is paid back out.
    Withdraw(i64),
    /// Money is earned at once.
    Charge(i64),
    /// Money is set aside until the deadline.
    Hold(i64, Timestamp),
    /// Some or all of a hold is earned.
    Capture(TransferId, i64),
    /// Some or all of a hold goes back.
    Release(TransferId, i64),
    /// Earned money goes back.
    Refund(i64),
}

impl Posting {
    /// What the transfer will be.
    #[must_use]
    pub const fn kind(self) -> TransferKind {
        match self {
            Self::Credit(_) => TransferKind::Credit,
            Self::Withdraw(_) => TransferKind::Withdrawal,
            Self::Charge(_) => TransferKind::Charge,
            Self::Hold(..) => TransferKind::Hold,
            Self::Capture(..) => TransferKind::Capture,
            Self::Release(..) => TransferKind::Release,
            Self::Refund(_) => TransferKind::Refund,
        }
    }

    /// Millionths to move.
    #[must_use]
    pub const fn amount(self) -> i64 {
        match self {
            Self::Credit(amount)
            | Self::Withdraw(amount)
            | Self::Charge(amount)
            | Self::Hold(amount, _)
            | Self::Capture(_, amount)
            | Self::Release(_, amount)
            | Self::Refund(amount) => amount,
        }
    }

    /// The hold that it draws on.
    #[must_use]
    pub const fn hold(self) -> Option<TransferId> {
        match self {
            Self::Capture(hold, _) | Self::Release(hold, _) => Some(hold),
            _ => None,
        }
    }

    /// When the hold that it makes lapses.
    #[must_use]
    pub const fn deadline(self) -> Option<Timestamp> {
        match self {
            Self::Hold(_, deadline) => Some(deadline),
            _ => None,
        }
    }
}

/// Why money moves.
#[derive(Clone, Debug)]
pub struct Cause {
    /// From [`transfer_id`]: the same cause gives the same id, so a replay posts nothing.
    pub id: TransferId,
    /// The object for whose sake, as pages name it.
    pub reference: String,
    /// For the owner to read.
    pub description: String,
    /// Completes "Your account does not have sufficient funds …".
    pub purpose: Value,
}

/// A hold that is not settled yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenHold {
    /// Millionths still set aside.
    pub remaining: i64,
}

/// What has become of a hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HoldState {
    /// Something is still set aside.
    Open,
    /// Nothing is left in it.
    Settled,
}

/// The id of the transfer that `cause` leads to in a wallet: `("number:num_…", "renewal", "3")`.
#[must_use]
pub fn transfer_id(wallet: EnvironmentId, cause: &[&str]) -> TransferId {
    let mut digest = Sha256::new();
    digest.update(wallet.as_bytes());
    for part in cause {
        digest.update([0]);
        digest.update(part.as_bytes());
    }
    let hash: [u8; 32] = digest.finalize().into();
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(hash) {
        *to = from;
    }
    TransferId::from_bytes(id)
}
