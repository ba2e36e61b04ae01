//! Wallets and the transfers that made them, as their owners and operators read them.

use tandem_catalogue::Result;
use tandem_domain::environment::EnvironmentSettings;
use tandem_kernel::{AccountId, Caller, Environment, Scope};
use tandem_ledger::{Transfer, Wallet};
use tandem_store::{
    Fault, Tx,
    repo::{accounts, ledger},
};

use crate::{App, accounts::environment, permit};

/// Whose wallet.
#[derive(Debug, Clone, Copy)]
pub enum Whose {
    /// The caller's own.
    Own(Caller),
    /// Any account's: for an operator.
    Of(AccountId, Environment),
}

impl Whose {
    fn settings(&self, tx: &mut Tx) -> Result<EnvironmentSettings> {
        match self {
            Self::Own(caller) => {
                permit(caller, Scope::BillingRead)?;
                let found = accounts::environment(tx, caller.environment)?;
                Ok(found.ok_or_else(|| Fault::data("a caller without an environment"))?)
            }
            Self::Of(account, kind) => environment(tx, *account, *kind),
        }
    }
}

/// A wallet with the environment that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletView {
    /// The environment.
    pub settings: EnvironmentSettings,
    /// The wallet.
    pub wallet: Wallet,
}

/// Reads a wallet.
///
/// # Errors
/// `account_not_found`, `insufficient_scope`.
pub async fn read(app: &App, whose: Whose) -> Result<WalletView> {
    let read = move |tx: &mut Tx| {
        let settings = whose.settings(tx)?;
        let wallet = ledger::wallet(tx, settings.id)?;
        Ok(WalletView { settings, wallet })
    };
    app.store.read(read).await
}

/// A wallet's transfers from the one before the sequence `before` back, newest first.
///
/// # Errors
/// As [`read`].
pub async fn transfers(app: &App, whose: Whose, before: Option<i64>, limit: i64) -> Result<Vec<Transfer>> {
    let read = move |tx: &mut Tx| {
        let settings = whose.settings(tx)?;
        ledger::history(tx, settings.id, before.unwrap_or(i64::MAX), limit)
    };
    app.store.read(read).await
}
