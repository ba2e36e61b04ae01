//! A platform with the carriers of this crate, below HTTP: two clocks to move, accounts to act for, books to check.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

use std::sync::Arc;

use tandem_app::{
    App, Operation, Parts, Settings,
    accounts::{self, ChangeAccount, MoveMoney, OpenAccount, Operator},
    audit,
    carrier::Carriers,
    clock::{self, Move, MoveClock},
    due, nothing_more,
    numbers::{self, NumberRef},
    ports::{self, PortNumber},
};
use tandem_carriers::{Owned, Simulated, simulated};
use tandem_catalogue::{Code, Result};
use tandem_domain::{
    number::Number,
    port::{Address, Port, PortDetails},
    purchase::Offer,
};
use tandem_kernel::{
    AccountId, Caller, Currency, Environment, EnvironmentId, ExplanationId, KeyId, ManualClock, Money, OsRng, PhoneNumber,
    RequestId, Rng, Scopes,
};
use tandem_store::{
    Options, Store,
    repo::{events, explanations, inventory, ledger, numbers as kept},
};
use tandem_testkit::{DAWN, Engine, Scene, Stage};

pub const HOUR: i64 = 3_600;
pub const DAY: i64 = 24 * HOUR;
/// What every wallet begins with.
pub const PURSE: i64 = 100 * Money::UNIT;
/// What a port costs, and the first month of its number.
pub const FEE: i64 = 25 * Money::UNIT;
pub const MONTH: i64 = 990_000;

/// A platform on a database of its own.
#[derive(Clone)]
pub struct World {
    pub app: App,
    pub clock: Arc<ManualClock>,
    stage: Stage,
}

/// An account, seen from both its environments.
#[derive(Clone, Copy)]
pub struct Owner {
    pub account: AccountId,
    pub live: Caller,
    pub test: Caller,
}

impl Scene for World {
    async fn set(stage: Stage) -> Self {
        let options = Options { exclusive: stage.engine() == Engine::Sqlite, ..Options::new(stage.database().url()) };
        let store = Store::open(&options).await.expect("the store opens");
        let clock = Arc::new(ManualClock::new(DAWN));
        let carriers = Carriers::new(vec![Arc::new(Owned::default()), Arc::new(Simulated)], Owned::NAME, Simulated::NAME);
        let app = App::new(Parts {
            store,
            clock: clock.clone(),
            rng: Arc::new(OsRng),
            secret: Some([7; 32]),
            carriers,
            settings: Settings::default(),
        });
        let world = Self { app, clock, stage };
        world.fill().await;
        world
    }
}

impl World {
    /// Some hundred numbers of the pocket network, the magic ones among them.
    async fn fill(&self) {
        let wanted = |offer: &Offer| [1_415, 1_628].contains(&(offer.phone.digits() / 10_000_000));
        let offers: Vec<Offer> = simulated::inventory().into_iter().filter(wanted).collect();
        let filled = self.app.store.write(move |tx| inventory::upsert_many(tx, Environment::Test, &offers, DAWN));
        filled.await.expect("the shelves are filled");
        for kind in [Environment::Live, Environment::Test] {
            self.app.stock.load(&self.app.store, kind).await.expect("the inventory is read");
        }
    }

    /// An account with money in both wallets.
    pub async fn owner(&self, name: &str) -> Owner {
        let command = OpenAccount { name: name.to_owned(), email: format!("{name}@example.com"), currency: Currency::USD };
        let opened = accounts::open(&self.app, operator(), command, nothing_more()).await.expect("an account");
        let account = opened.account.id;
        for kind in [Environment::Live, Environment::Test] {
            self.move_money(account, kind, PURSE).await;
        }
        let caller = |kind| {
            let settings = opened.environments.iter().map(|(settings, _)| settings).find(|settings| settings.kind == kind);
            caller(account, settings.expect("both environments").id, kind)
        };
        Owner { account, live: caller(Environment::Live), test: caller(Environment::Test) }
    }

    /// Puts money into a wallet, or takes some out.
    pub async fn move_money(&self, account: AccountId, kind: Environment, amount: i64) {
        let reference = format!("payment {:?}", random());
        let command = MoveMoney { account, kind, amount, reference, description: "for the test".to_owned() };
        accounts::move_money(&self.app, operator(), command, nothing_more()).await.expect("money moves");
    }

    /// Sets whether an account is verified.
    pub async fn verify(&self, account: AccountId, verified: bool) {
        let command = ChangeAccount { verified: Some(verified), ..ChangeAccount::default() };
        accounts::change(&self.app, operator(), account, command, nothing_more()).await.expect("the account changes");
    }

    /// Asks for a port, as a request of its own.
    pub async fn port(&self, caller: &Caller, phone: u64) -> Result<Port> {
        self.port_again(caller, Operation(random()), phone).await
    }

    /// Asks for a port, as a request that may have been made before.
    pub async fn port_again(&self, caller: &Caller, operation: Operation, phone: u64) -> Result<Port> {
        ports::create(&self.app, caller, operation, PortNumber { details: details(phone) }, nothing_more()).await
    }

    /// Reads a port.
    pub async fn get(&self, caller: &Caller, port: &Port) -> Port {
        ports::get(&self.app, caller, port.id.to_string()).await.expect("a port")
    }

    /// The word for a port's state.
    pub async fn state(&self, caller: &Caller, port: &Port) -> &'static str {
        self.get(caller, port).await.state.as_str()
    }

    /// Reads the number that a port brings, whatever became of it.
    pub async fn number(&self, port: &Port) -> Number {
        let id = port.number;
        self.app.store.read(move |tx| kept::by_id(tx, id)).await.expect("the store is read").expect("a number")
    }

    /// Whether the account can read the number.
    pub async fn has(&self, caller: &Caller, phone: u64) -> bool {
        numbers::get(&self.app, caller, NumberRef::Phone(PhoneNumber::from_digits(phone))).await.is_ok()
    }

    /// What the inventory says of a number.
    pub async fn offer(&self, kind: Environment, phone: u64) -> Option<Offer> {
        let phone = PhoneNumber::from_digits(phone);
        self.app.store.read(move |tx| inventory::get(tx, kind, phone)).await.expect("the store is read")
    }

    /// A wallet's two balances.
    pub async fn wallet(&self, caller: &Caller) -> (i64, i64) {
        let id = caller.environment;
        let wallet = self.app.store.read(move |tx| ledger::wallet(tx, id)).await.expect("a wallet");
        (wallet.available, wallet.held)
    }

    /// What happened to an object.
    pub async fn events(&self, caller: &Caller, object: impl ToString) -> Vec<String> {
        let (environment, object) = (caller.environment, object.to_string());
        let found =
            self.app.store.read(move |tx| events::of_object(tx, environment, &object, 0, 100)).await.expect("the store is read");
        found.into_iter().map(|event| event.kind).collect()
    }

    /// Why decisions about an object came out as they did.
    pub async fn explanations(&self, caller: &Caller, subject: impl ToString) -> Vec<explanations::Kept> {
        let (environment, subject) = (caller.environment, subject.to_string());
        let first = ExplanationId::from_bytes([0; 16]);
        let read = self.app.store.read(move |tx| explanations::of(tx, environment, &subject, first, 100));
        read.await.expect("the store is read")
    }

    /// Moves a test environment's clock, doing on the way what falls due.
    pub async fn pass(&self, caller: &Caller, seconds: i64) {
        let operation = Operation(*RequestId::new(self.app.machine_now(), &OsRng).as_bytes());
        let moved = clock::advance(&self.app, caller, operation, MoveClock { to: Move::By(seconds), frozen: None })
            .await
            .expect("the clock moves");
        assert!(moved.arrived, "the clock got no further than {}", moved.now);
    }

    /// Moves the machine's clock, and does afterwards what fell due.
    pub async fn pass_machine(&self, seconds: i64) {
        self.clock.advance_seconds(u32::try_from(seconds).expect("a stretch of time"));
        self.run_due().await;
    }

    /// Does what is due.
    pub async fn run_due(&self) {
        while due::run_due(&self.app).await.expect("due work is looked up") > 0 {}
    }

    /// Ends a scenario: the books are right, and no port ended twice.
    pub async fn finish(self) {
        let report = audit::verify_ledger(&self.app, |_| ()).await.expect("the books can be read");
        assert!(report.is_clean(), "{:#?}", report.faults);
        let ended = "SELECT object, COUNT(*) FROM events WHERE kind IN ('port.completed', 'port.rejected', 'port.canceled') \
                     GROUP BY object HAVING COUNT(*) <> 1";
        let twice = self.app.store.read(move |tx| Ok(tx.query(ended, &[])?.len())).await.expect("the store is read");
        assert_eq!(twice, 0, "a port ended twice");
        self.app.store.close().await;
    }
}

/// The code of a refusal.
pub fn code<T: std::fmt::Debug>(outcome: Result<T>) -> Code {
    outcome.expect_err("a refusal").code()
}

/// Who acts where an operator has to.
pub fn operator() -> Operator {
    Operator("a test".to_owned())
}

/// Sixteen bytes that nobody else has.
pub fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    OsRng.fill(&mut bytes);
    bytes
}

fn caller(account: AccountId, environment: EnvironmentId, kind: Environment) -> Caller {
    let (key, request) = (KeyId::from_bytes(random()), RequestId::from_bytes(random()));
    Caller { account, environment, kind, key, scopes: Scopes::account(), request }
}

/// What a port needs to know of a number.
pub fn details(phone: u64) -> PortDetails {
    PortDetails {
        phone: PhoneNumber::from_digits(phone),
        account_number: "A-1234567".to_owned(),
        account_pin: Some("4321".to_owned()),
        carrier_name: Some("Example Telecom".to_owned()),
        billing_phone: PhoneNumber::from_digits(phone),
        end_user_name: "Ada Example".to_owned(),
        end_user_address: Address {
            street: "123 Market Street".to_owned(),
            city: "San Francisco".to_owned(),
            state: "CA".to_owned(),
            postal_code: "94103".to_owned(),
            country: "US".to_owned(),
        },
    }
}

/// The first number of a scenario.
pub fn magic(name: &str) -> u64 {
    let scenario = simulated::scenarios().iter().find(|scenario| scenario.name == name).expect(name);
    scenario.numbers().next().expect("ten numbers").digits()
}

/// When the scenarios begin.
pub const fn epoch() -> tandem_kernel::Timestamp {
    DAWN
}
