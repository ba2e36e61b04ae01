//! The hash chain of a wallet's transfers, and the audit that recomputes everything.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use tandem_kernel::{Money, TransferId};

use crate::{Book, Transfer, TransferKind, Wallet};

/// What the first transfer of a wallet names as the one before it.
pub const GENESIS: [u8; 32] = [0; 32];

/// The hash of a transfer: over every member but the hash itself, each with its length.
#[must_use]
pub fn hash(transfer: &Transfer) -> [u8; 32] {
    let mut digest = Sha256::new();
    let mut add = |bytes: &[u8]| {
        digest.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(bytes);
    };
    add(transfer.id.as_bytes());
    add(transfer.wallet.as_bytes());
    add(transfer.kind.as_str().as_bytes());
    for number in [transfer.sequence, transfer.amount, transfer.at.micros(), transfer.available_after, transfer.held_after] {
        add(&number.to_be_bytes());
    }
    add(transfer.hold.as_ref().map_or(&[], |hold| hold.as_bytes()));
    add(&transfer.deadline.map_or([0; 8], |deadline| deadline.micros().to_be_bytes()));
    add(transfer.reference.as_bytes());
    add(transfer.description.as_bytes());
    add(&transfer.previous);
    digest.finalize().into()
}

/// Recomputes a wallet from its transfers, one after the other, and says what does not agree.
#[derive(Debug)]
pub struct Audit {
    wallet: Wallet,
    holds: HashMap<TransferId, i64>,
    faults: Vec<String>,
    more: u64,
}

/// Faults of one wallet that are put in words: one changed row shows in every balance after it.
const MOST_FAULTS: usize = 100;

impl Audit {
    /// Begins with an empty wallet.
    #[must_use]
    pub fn of(wallet: &Wallet) -> Self {
        Self { wallet: Wallet::empty(wallet.id, wallet.currency), holds: HashMap::new(), faults: Vec::new(), more: 0 }
    }

    /// Takes the next transfer, in order of sequence.
    pub fn take(&mut self, transfer: &Transfer) {
        let number = transfer.sequence;
        self.expect(Some(number) == self.wallet.sequence.checked_add(1), number, "does not follow the transfer before it");
        self.expect(transfer.previous == self.wallet.head, number, "does not name the transfer before it");
        self.expect(hash(transfer) == transfer.hash, number, "does not have the hash of its contents");
        let (from, to) = transfer.kind.books();
        let moved = self.moved(from, transfer.amount.checked_neg()).is_some() & self.moved(to, Some(transfer.amount)).is_some();
        self.expect(moved, number, "takes a balance below zero");
        let balances = (transfer.available_after, transfer.held_after);
        self.expect(balances == (self.wallet.available, self.wallet.held), number, "states other balances than its amounts give");
        self.settle(transfer);
        self.wallet.sequence = number;
        self.wallet.head = transfer.hash;
    }

    /// Compares with the balances that the store keeps; the faults found, none for a clean wallet.
    #[must_use]
    pub fn finish(mut self, kept: &Wallet, open_holds: &HashMap<TransferId, i64>) -> Vec<String> {
        if self.more > 0 {
            self.faults.push(format!("there are {} further faults of transfers", self.more));
        }
        let balances = |wallet: &Wallet| (wallet.available, wallet.held, wallet.sequence);
        if balances(&self.wallet) != balances(kept) {
            self.faults.push(format!("the wallet keeps {}, its transfers give {}", in_words(kept), in_words(&self.wallet)));
        }
        if self.wallet.head != kept.head {
            self.faults.push("the wallet does not keep the hash of its last transfer".to_owned());
        }
        if self.holds != *open_holds {
            self.faults.push(format!("open holds are {open_holds:?}, the transfers give {:?}", self.holds));
        }
        let held = self.holds.values().try_fold(0_i64, |sum, hold| sum.checked_add(*hold));
        if held != Some(kept.held) {
            self.faults.push(format!("the open holds sum to {held:?}, the wallet holds {}", kept.held));
        }
        self.faults
    }

    fn settle(&mut self, transfer: &Transfer) {
        match (transfer.kind, transfer.hold) {
            (TransferKind::Hold, _) => {
                self.holds.insert(transfer.id, transfer.amount);
            }
            (TransferKind::Capture | TransferKind::Release, Some(hold)) => {
                let remaining = self.holds.get(&hold).and_then(|remaining| remaining.checked_sub(transfer.amount));
                self.expect(remaining.is_some_and(|remaining| remaining >= 0), transfer.sequence, "draws more than its hold has");
                match remaining {
                    Some(remaining @ 1..) => self.holds.insert(hold, remaining),
                    _ => self.holds.remove(&hold),
                };
            }
            (TransferKind::Capture | TransferKind::Release, None) => self.expect(false, transfer.sequence, "names no hold"),
            _ => {}
        }
    }

    fn moved(&mut self, book: Book, by: Option<i64>) -> Option<()> {
        let balance = match book {
            Book::Available => &mut self.wallet.available,
            Book::Held => &mut self.wallet.held,
            Book::Revenue | Book::Funding => return Some(()),
        };
        *balance = balance.checked_add(by?)?;
        (*balance >= 0).then_some(())
    }

    fn expect(&mut self, holds: bool, number: i64, fault: &str) {
        if !holds && self.faults.len() >= MOST_FAULTS {
            self.more = self.more.saturating_add(1);
        } else if !holds {
            self.faults.push(format!("transfer {number} {fault}"));
        }
    }
}

fn in_words(wallet: &Wallet) -> String {
    let held = Money::new(wallet.held, wallet.currency);
    format!("{} {} available and {held} held after {} transfers", wallet.available(), wallet.currency, wallet.sequence)
}
