//! Double-entry bookkeeping for prepaid wallets: pure decisions over a wallet's state.
//!
//! Every movement is a [`Transfer`] from one [`Book`] to another. Transfers are appended and never changed; each carries the
//! hash of the one before it in its wallet, so that a changed or missing row shows. The store keeps a wallet's two balances
//! beside them as a projection, and refuses what would take either below zero.
#![warn(missing_docs)]
#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic)]

mod category;
mod chain;
mod posting;
mod wallet;

pub use category::{Category, Spent};
pub use chain::{Audit, GENESIS, hash};
pub use posting::{Cause, HoldState, OpenHold, Posting, transfer_id};
pub use wallet::{Book, MOST, Transfer, TransferKind, Wallet};
