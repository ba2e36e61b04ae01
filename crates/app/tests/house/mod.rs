//! A platform for one test: a database of its own, a clock that moves when told to, a carrier next door and one far away.
#![allow(dead_code, reason = "each test binary uses some of it")]

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use tandem_app::{
    App, Operation, Parts, Settings,
    accounts::{self, AccountView, MoveMoney, OpenAccount, Operator},
    audit,
    carrier::{Carrier, CarrierFault, Carriers, Mms, MmsAnswer, OrderAnswer, OrderStatus, PortAnswer, Portability},
    clock::{self, Move, MoveClock},
    due, nothing_more,
    numbers::{self, PurchaseNumber},
};
use tandem_catalogue::Result;
use tandem_domain::{
    Features,
    number::Number,
    port::Port,
    purchase::{Offer, OfferState},
    routing::Reach,
};
use tandem_kernel::{
    Caller, Currency, Environment, EnvironmentId, KeyId, ManualClock, Money, OrderId, OsRng, PhoneNumber, RequestId, Scopes,
    Timestamp,
};
use tandem_ledger::Transfer;
use tandem_store::{
    Options, Store,
    repo::{inventory, ledger, orders::Order},
};
use tempfile::TempDir;

/// Names a PostgreSQL cluster in which tests may make databases.
const POSTGRES: &str = "TANDEM_TEST_POSTGRES";

/// The engines that can be tested here: SQLite always.
pub fn engines() -> Vec<Option<String>> {
    [None].into_iter().chain(std::env::var(POSTGRES).ok().map(Some)).collect()
}

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect(text)
}

pub fn phone(text: &str) -> PhoneNumber {
    PhoneNumber::from_e164(text).expect(text)
}

/// A recipient of whose messages with media the carrier next door says nothing.
pub const UNANSWERED: &str = "+14155550177";

pub struct House {
    pub app: App,
    pub clock: Arc<ManualClock>,
    url: String,
    _folder: TempDir,
}

impl House {
    /// A platform whose machine's clock shows `now`.
    pub async fn new(engine: Option<&str>, now: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = match engine {
            None => format!("sqlite:{}", folder.path().join("house.sqlite").display()),
            Some(cluster) => database(cluster).await,
        };
        let clock = Arc::new(ManualClock::new(at(now)));
        let app = another(&url, clock.clone()).await;
        let house = Self { app, clock, url, _folder: folder };
        house.stock().await;
        house
    }

    /// Where its database is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A further process on the same database and clock.
    pub async fn another(&self) -> App {
        another(&self.url, self.clock.clone()).await
    }

    /// One that waits for its database no longer than that.
    pub async fn impatient(&self, patience: std::time::Duration) -> App {
        build(&Options { patience, ..Options::new(&self.url) }, self.clock.clone(), [7; 32]).await
    }

    /// One whose operator gave it another secret key.
    pub async fn of_another_secret(&self) -> App {
        build(&Options::new(&self.url), self.clock.clone(), [8; 32]).await
    }

    async fn stock(&self) {
        let offers: Vec<Offer> = (0..40).map(|last| offer(14_155_550_100 + last, "owned")).chain(texting()).collect();
        let far: Vec<Offer> = (0..5).map(|last| offer(13_105_550_100 + last, "far")).collect();
        let now = at("2023-01-01");
        let stocked = self.app.store.write(move |tx| {
            for kind in [Environment::Live, Environment::Test] {
                inventory::upsert_many(tx, kind, &offers, now)?;
                inventory::upsert_many(tx, kind, &far, now)?;
            }
            Ok(())
        });
        stocked.await.expect("the inventory");
        for kind in [Environment::Live, Environment::Test] {
            self.app.stock.load(&self.app.store, kind).await.expect("the index");
        }
    }

    /// Opens an account with 100 in each wallet.
    pub async fn account(&self) -> AccountView {
        let command = OpenAccount { name: "Ada".into(), email: "ada@example.com".into(), currency: Currency::USD };
        let view = accounts::open(&self.app, operator(), command, nothing_more()).await.expect("an account");
        for kind in [Environment::Live, Environment::Test] {
            self.pay(&view, kind, 100_000_000, "first").await.expect("a credit");
        }
        view
    }

    pub async fn pay(&self, view: &AccountView, kind: Environment, amount: i64, reference: &str) -> Result<Transfer> {
        let (reference, description) = (reference.to_owned(), "By bank".to_owned());
        let command = MoveMoney { account: view.account.id, kind, amount, reference, description };
        accounts::move_money(&self.app, operator(), command, nothing_more()).await
    }

    pub async fn buy(&self, caller: &Caller, number: &str) -> Result<Number> {
        let command = PurchaseNumber::new(phone(number));
        let operation = Operation(*RequestId::new(self.app.machine_now(), &OsRng).as_bytes());
        numbers::purchase(&self.app, caller, operation, command, nothing_more()).await
    }

    /// Moves a test environment's clock, on which it stands still afterwards.
    pub async fn advance(&self, caller: &Caller, to: &str) {
        loop {
            let command = MoveClock { to: Move::To(at(to)), frozen: Some(true) };
            let operation = Operation(*RequestId::new(self.app.machine_now(), &OsRng).as_bytes());
            if clock::advance(&self.app, caller, operation, command).await.expect("the clock moves").arrived {
                return;
            }
        }
    }

    /// Moves the machine's clock without anybody looking at it on the way.
    pub fn sleep_until(&self, to: &str) {
        let seconds = at(to).seconds() - self.app.machine_now().seconds();
        self.clock.advance_seconds(u32::try_from(seconds).expect("forward"));
    }

    /// Does all the work that is due.
    pub async fn work(&self) {
        while due::run_due(&self.app).await.expect("due work") > 0 {}
    }

    pub async fn transfers(&self, wallet: EnvironmentId) -> Vec<Transfer> {
        let read = self.app.store.read(move |tx| ledger::history(tx, wallet, i64::MAX, 10_000));
        let mut transfers = read.await.expect("transfers");
        transfers.reverse();
        transfers
    }

    pub async fn faults(&self) -> Vec<String> {
        let mut told = 0;
        let report = audit::verify_ledger(&self.app, |_| told += 1).await.expect("an audit");
        assert!(told > 0, "progress is told");
        assert!(report.wallets > 0 && report.inventory > 0);
        report.faults
    }

    pub async fn assert_sound(&self) {
        assert_eq!(self.faults().await, Vec::<String>::new());
    }

    /// Changes rows beside the platform, as an intruder would.
    pub async fn tamper(&self, sql: &str) {
        match self.url.strip_prefix("sqlite:") {
            Some(path) => {
                let connection = rusqlite::Connection::open(path).expect("the file");
                connection.busy_timeout(std::time::Duration::from_secs(5)).expect("a timeout");
                connection.execute_batch(sql).expect(sql);
            }
            None => command(&self.url, sql).await,
        }
    }
}

pub fn operator() -> Operator {
    Operator("test".into())
}

/// Somebody with a key of one of the account's environments, with all rights.
pub fn caller(view: &AccountView, kind: Environment) -> Caller {
    let (settings, _) = view.environments.iter().find(|(settings, _)| settings.kind == kind).expect("both kinds");
    Caller {
        account: view.account.id,
        environment: settings.id,
        kind,
        key: KeyId::from_bytes([1; 16]),
        scopes: Scopes::account(),
        request: RequestId::from_bytes([2; 16]),
    }
}

fn offer(number: u64, carrier: &str) -> Offer {
    Offer {
        phone: PhoneNumber::from_digits(number),
        carrier: carrier.to_owned(),
        features: Features::VOICE,
        monthly: Money::new(990_000, Currency::USD),
        setup: Money::new(1_000_000, Currency::USD),
        address_requirement: "none".into(),
        state: OfferState::Available,
        holder: None,
    }
}

/// Numbers that can do more than call: five with SMS and MMS, and five with SMS alone.
fn texting() -> impl Iterator<Item = Offer> {
    (0..10).map(|last| {
        let features = if last < 5 { Features::SMS.with(Features::MMS) } else { Features::SMS };
        Offer { features: Features::VOICE.with(features), ..offer(14_155_550_140 + last, "owned") }
    })
}

async fn another(url: &str, clock: Arc<ManualClock>) -> App {
    build(&Options::new(url), clock, [7; 32]).await
}

async fn build(options: &Options, clock: Arc<ManualClock>, secret: [u8; 32]) -> App {
    let store = Store::open(options).await.expect("a store");
    let carriers: Vec<Arc<dyn Carrier>> = vec![Arc::new(Near), Arc::new(Far)];
    let carriers = Carriers::new(carriers, "owned", "owned");
    App::new(Parts { store, clock, rng: Arc::new(OsRng), secret: Some(secret), carriers, settings: Settings::default() })
}

/// Makes a database of its own. It stays, as the cluster of a test run is thrown away as a whole.
async fn database(cluster: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("tandem_app_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    command(cluster, &format!("CREATE DATABASE {name} TEMPLATE template0")).await;
    let (head, tail) = cluster.split_once('?').map_or((cluster, String::new()), |(head, tail)| (head, format!("?{tail}")));
    let host = head.find("://").map_or(0, |start| start + 3);
    let end = head[host..].find('/').map_or(head.len(), |slash| host + slash);
    format!("{}/{name}{tail}", &head[..end])
}

async fn command(url: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("the cluster");
    let driver = tokio::spawn(connection);
    client.batch_execute(sql).await.expect(sql);
    drop(client);
    driver.await.expect("the driver ends").expect("without a fault");
}

/// A carrier whose numbers are sold without asking.
struct Near;

/// A carrier that has to be asked and never answers orders.
struct Far;

#[async_trait]
impl Carrier for Near {
    fn name(&self) -> &'static str {
        "owned"
    }

    fn is_local(&self) -> bool {
        true
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn reach(&self) -> Reach {
        Reach::default()
    }

    async fn order(&self, _order: &Order) -> Result<OrderAnswer, CarrierFault> {
        Ok(OrderAnswer::Accepted)
    }

    async fn order_status(&self, _id: OrderId, _phone: PhoneNumber) -> Result<OrderStatus, CarrierFault> {
        Ok(OrderStatus::Accepted)
    }

    async fn portability(&self, _phone: PhoneNumber) -> Result<Portability, CarrierFault> {
        Ok(Portability::Eligible)
    }

    async fn port(&self, _port: &Port, _now: Timestamp) -> Result<PortAnswer, CarrierFault> {
        Ok(PortAnswer::ByHand)
    }

    async fn cancel_port(&self, _port: &Port) -> Result<(), CarrierFault> {
        Ok(())
    }

    async fn send_mms(&self, mms: &Mms<'_>) -> Result<MmsAnswer, CarrierFault> {
        if mms.to == phone(UNANSWERED) { Err(CarrierFault::Silent) } else { Ok(MmsAnswer::Accepted) }
    }
}

#[async_trait]
impl Carrier for Far {
    fn name(&self) -> &'static str {
        "far"
    }

    fn is_local(&self) -> bool {
        false
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn reach(&self) -> Reach {
        Reach::default()
    }

    async fn order(&self, _order: &Order) -> Result<OrderAnswer, CarrierFault> {
        Err(CarrierFault::Silent)
    }

    async fn order_status(&self, _id: OrderId, _phone: PhoneNumber) -> Result<OrderStatus, CarrierFault> {
        Err(CarrierFault::Silent)
    }

    async fn portability(&self, _phone: PhoneNumber) -> Result<Portability, CarrierFault> {
        Err(CarrierFault::Silent)
    }

    async fn port(&self, _port: &Port, _now: Timestamp) -> Result<PortAnswer, CarrierFault> {
        Err(CarrierFault::Silent)
    }

    async fn cancel_port(&self, _port: &Port) -> Result<(), CarrierFault> {
        Err(CarrierFault::Silent)
    }
}
