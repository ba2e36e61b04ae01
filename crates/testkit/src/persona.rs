//! An account and whoever uses it.

use tandem_app::{
    Operation,
    accounts::{self, AccountView, ChangeAccount, MoveMoney},
    clock::{self, Move, MoveClock},
    keys::{self, MintKey},
    nothing_more,
};
use tandem_domain::{call::Call, environment::RateLimit};
use tandem_kernel::{AccountId, Caller, Environment, EnvironmentId, KeyId, KeyKind, Money, RequestId, Scope, Scopes, Timestamp};
use tandem_ledger::{Transfer, Wallet};
use tandem_store::{
    Tx,
    repo::{calls, ledger},
};

use crate::{Client, Server};

/// What each wallet of a new account holds.
const WELCOME: i64 = 100 * Money::UNIT;

/// An account, its two environments and a key of each sort.
#[derive(Clone)]
pub struct Persona {
    server: Server,
    /// The account.
    pub account: AccountId,
    /// Its live environment.
    pub live: Side,
    /// Its test environment.
    pub test: Side,
}

/// One environment of an account with its keys.
#[derive(Clone, Debug)]
pub struct Side {
    /// Live or test.
    pub kind: Environment,
    /// The environment.
    pub environment: EnvironmentId,
    /// The id of its secret key.
    pub key_id: KeyId,
    /// Its secret key, with all scopes.
    pub key: String,
    /// Its publishable key.
    pub publishable: String,
}

/// A key that was made for a persona.
#[derive(Clone, Debug)]
pub struct MintedKey {
    /// Its id.
    pub id: KeyId,
    /// Its text.
    pub text: String,
}

impl Persona {
    pub(crate) async fn settle_in(server: Server, opened: AccountView) -> Self {
        let mut sides = Vec::new();
        for (settings, _) in &opened.environments {
            let secret = mint(&server, settings.id, KeyKind::Secret, Scopes::account(), None).await;
            let publishable = mint(&server, settings.id, KeyKind::Publishable, [Scope::Verify].into_iter().collect(), None).await;
            sides.push(Side {
                kind: settings.kind,
                environment: settings.id,
                key_id: secret.id,
                key: secret.text,
                publishable: publishable.text,
            });
        }
        let [live, test] = sides.try_into().expect("an account has two environments");
        let persona = Self { server, account: opened.account.id, live, test };
        persona.credit(Environment::Live, WELCOME).await;
        persona.credit(Environment::Test, WELCOME).await;
        persona
    }

    /// A client in the live environment.
    pub fn live(&self) -> Client {
        self.server.client_with(&self.live.key).of(self.account)
    }

    /// A client in the test environment.
    pub fn test(&self) -> Client {
        self.server.client_with(&self.test.key).of(self.account)
    }

    /// One of the two environments.
    pub fn side(&self, kind: Environment) -> &Side {
        match kind {
            Environment::Live => &self.live,
            Environment::Test => &self.test,
        }
    }

    /// A client of the test environment with a new key that has only these scopes.
    pub async fn test_with(&self, scopes: &[Scope]) -> Client {
        let key = self.mint(Environment::Test, scopes, None).await;
        self.server.client_with(key.text).of(self.account)
    }

    /// Makes a secret key.
    pub async fn mint(&self, kind: Environment, scopes: &[Scope], expires_at: Option<Timestamp>) -> MintedKey {
        mint(&self.server, self.side(kind).environment, KeyKind::Secret, scopes.iter().copied().collect(), expires_at).await
    }

    /// Revokes a key.
    pub async fn revoke(&self, kind: Environment, id: KeyId) {
        let environment = Some(self.side(kind).environment);
        let app = self.server.app();
        let revoked = keys::revoke(&app, Server::actor(), environment, id.to_string(), nothing_more());
        revoked.await.expect("the key is revoked");
    }

    /// Replaces a key; the old one works for `overlap` more seconds.
    pub async fn rotate(&self, kind: Environment, id: KeyId, overlap: i64) -> MintedKey {
        let environment = Some(self.side(kind).environment);
        let app = self.server.app();
        let rotated = keys::rotate(&app, Server::actor(), environment, id.to_string(), overlap, nothing_more());
        let minted = rotated.await.expect("the key is rotated");
        MintedKey { id: minted.key.id, text: minted.text.as_str().to_owned() }
    }

    /// Changes the account as the operator can.
    pub async fn change(&self, change: ChangeAccount) {
        let app = self.server.app();
        let changed = accounts::change(&app, Server::actor(), self.account, change, nothing_more());
        changed.await.expect("the account is changed");
    }

    /// Sets the limits of one environment.
    pub async fn limit(&self, kind: Environment, rate: RateLimit) {
        let app = self.server.app();
        let set = accounts::set_rate(&app, Server::actor(), self.account, kind, rate, nothing_more());
        set.await.expect("the limit is set");
    }

    /// Lets one environment make as many requests as it likes.
    pub async fn unlimited(&self, kind: Environment) {
        self.limit(kind, RateLimit { limit: 1_000_000, period: 1, burst: 1_000_000, monthly_quota: None }).await;
    }

    /// Puts money into a wallet, in millionths; below zero takes it out.
    pub async fn credit(&self, kind: Environment, amount: i64) {
        let now = self.server.now();
        let reference = format!("payment {}", RequestId::new(now, &*self.server.app().rng));
        let command = MoveMoney { account: self.account, kind, amount, reference, description: "Payment".to_owned() };
        accounts::move_money(&self.server.app(), Server::actor(), command, nothing_more()).await.expect("money moves");
    }

    /// Leaves exactly `amount` millionths in a wallet.
    pub async fn purse(&self, kind: Environment, amount: i64) {
        let wallet = self.wallet(kind).await;
        if wallet.available != amount {
            self.credit(kind, amount - wallet.available).await;
        }
    }

    /// The wallet as it is.
    pub async fn wallet(&self, kind: Environment) -> Wallet {
        let environment = self.side(kind).environment;
        self.server.read(move |tx| ledger::wallet(tx, environment)).await
    }

    /// The wallet's transfers, oldest first, without the payments that came in.
    pub async fn charges(&self, kind: Environment) -> Vec<Transfer> {
        let environment = self.side(kind).environment;
        let mut transfers = self.server.read(move |tx| ledger::history(tx, environment, i64::MAX, 10_000)).await;
        transfers.retain(|transfer| !transfer.description.starts_with("Payment"));
        transfers.reverse();
        transfers
    }

    /// Writes calls down that are over; as they were written, in their order.
    pub async fn write_calls(&self, kind: Environment, written: Vec<Call>) -> Vec<Call> {
        let (pen, environment) = (self.server.app().pen(), self.side(kind).environment);
        let work = move |tx: &mut Tx| {
            pen.open(tx, environment)?;
            let mut written = written.clone();
            calls::insert_many(tx, environment, &mut written)?;
            Ok(written)
        };
        self.server.app().store.write(work).await.expect("the calls are written")
    }

    /// Moves the test environment's clock by seconds, through everything that falls due on the way.
    pub async fn advance(&self, seconds: i64) {
        self.advance_by(Move::By(seconds)).await;
    }

    /// Moves the test environment's clock to an instant.
    pub async fn advance_to(&self, text: &str) {
        self.advance_by(Move::To(Timestamp::parse(text).expect(text))).await;
    }

    async fn advance_by(&self, to: Move) {
        let mut command = MoveClock { to, frozen: None };
        loop {
            let caller = self.caller(Environment::Test);
            let moved = clock::advance(&self.server.app(), &caller, Operation(*caller.request.as_bytes()), command)
                .await
                .expect("the clock moves");
            if moved.arrived {
                return;
            }
            command.to = Move::To(moved.target);
        }
    }

    /// Whoever holds the secret key, for asking the use cases directly.
    pub fn caller(&self, kind: Environment) -> Caller {
        let side = self.side(kind);
        Caller {
            account: self.account,
            environment: side.environment,
            kind,
            key: side.key_id,
            scopes: Scopes::account(),
            request: RequestId::new(self.server.now(), &*self.server.app().rng),
        }
    }
}

async fn mint(
    server: &Server,
    environment: EnvironmentId,
    kind: KeyKind,
    scopes: Scopes,
    expires_at: Option<Timestamp>,
) -> MintedKey {
    let command = MintKey { environment: Some(environment), kind, scopes, label: "testkit".to_owned(), expires_at };
    let minted = keys::mint(&server.app(), Server::actor(), command, nothing_more()).await.expect("a key");
    MintedKey { id: minted.key.id, text: minted.text.as_str().to_owned() }
}
