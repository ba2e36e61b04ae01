//! A carrier upstream that does as a test tells it.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use tandem_app::carrier::{Carrier, CarrierFault, OrderAnswer, OrderStatus, PortAnswer, Portability};
use tandem_domain::{port::Port, routing::Reach};
use tandem_kernel::{OrderId, PhoneNumber, Timestamp};
use tandem_store::repo::orders::Order;
use tokio::sync::watch;

/// What is the matter with a carrier.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Trouble {
    /// Nothing.
    #[default]
    None,
    /// It cannot be reached.
    Down,
    /// It does what is asked and answers what nobody understands.
    Nonsense,
    /// It does what is asked and its answer is lost.
    Silent,
    /// Our own adapter has a bug.
    Panic,
    /// The number has gone to somebody else.
    Gone,
}

/// What a carrier does, in the hands of a test.
#[derive(Clone, Default)]
pub struct Control(Arc<Controlled>);

struct Controlled {
    trouble: Mutex<Trouble>,
    gate: watch::Sender<bool>,
    orders: Mutex<HashSet<OrderId>>,
    asked: Mutex<Vec<OrderId>>,
    looked_up: AtomicUsize,
}

impl Default for Controlled {
    fn default() -> Self {
        Self {
            trouble: Mutex::default(),
            gate: watch::Sender::new(true),
            orders: Mutex::default(),
            asked: Mutex::default(),
            looked_up: AtomicUsize::new(0),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Control {
    /// From now on the carrier has this trouble.
    pub fn trouble(&self, trouble: Trouble) {
        *locked(&self.0.trouble) = trouble;
    }

    /// From now on the carrier thinks about each question until [`Self::answer`].
    pub fn think(&self) {
        self.0.gate.send_replace(false);
    }

    /// It has thought enough.
    pub fn answer(&self) {
        self.0.gate.send_replace(true);
    }

    /// How many questions about orders it was asked, the same order twice counted twice.
    pub fn times_asked(&self) -> usize {
        locked(&self.0.asked).len()
    }

    /// How many times it was asked what became of an order.
    pub fn times_looked_up(&self) -> usize {
        self.0.looked_up.load(Ordering::SeqCst)
    }

    /// How many orders it carried out.
    pub fn carried_out(&self) -> usize {
        locked(&self.0.orders).len()
    }

    async fn thought(&self) -> Trouble {
        let mut gate = self.0.gate.subscribe();
        gate.wait_for(|open| *open).await.expect("the gate lives as long as the carrier");
        let trouble = *locked(&self.0.trouble);
        assert!(trouble != Trouble::Panic, "the carrier's adapter was told to panic");
        trouble
    }
}

/// Does `work` unless the trouble comes before it, and answers as the trouble lets it.
fn under<T>(trouble: Trouble, work: impl FnOnce() -> T) -> Result<T, CarrierFault> {
    if trouble == Trouble::Down {
        return Err(CarrierFault::Down("connection refused".to_owned()));
    }
    let done = work();
    match trouble {
        Trouble::Nonsense => Err(CarrierFault::Nonsense("<html>It works!</html>".to_owned())),
        Trouble::Silent => Err(CarrierFault::Silent),
        _ => Ok(done),
    }
}

/// A carrier with a will of the test's own: asked about each order, takes each once, unless it is in trouble.
pub(crate) struct Scripted {
    pub name: &'static str,
    pub control: Control,
}

#[async_trait]
impl Carrier for Scripted {
    fn name(&self) -> &'static str {
        self.name
    }

    fn is_local(&self) -> bool {
        false
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn reach(&self) -> Reach {
        Reach { prefixes: ["1", "44", "61"].map(str::to_owned).into(), barred: vec!["1900".to_owned()] }
    }

    async fn order(&self, order: &Order) -> Result<OrderAnswer, CarrierFault> {
        locked(&self.control.0.asked).push(order.id);
        let trouble = self.control.thought().await;
        under(trouble, || match trouble {
            Trouble::Gone => OrderAnswer::Gone,
            _ => {
                locked(&self.control.0.orders).insert(order.id);
                OrderAnswer::Accepted
            }
        })
    }

    async fn order_status(&self, id: OrderId, _phone: PhoneNumber) -> Result<OrderStatus, CarrierFault> {
        let known = locked(&self.control.0.orders).contains(&id);
        self.control.0.looked_up.fetch_add(1, Ordering::SeqCst);
        let trouble = self.control.thought().await;
        under(trouble, || if known { OrderStatus::Accepted } else { OrderStatus::Unknown })
    }

    async fn portability(&self, _phone: PhoneNumber) -> Result<Portability, CarrierFault> {
        under(self.control.thought().await, || Portability::Eligible)
    }

    async fn port(&self, _port: &Port, _now: Timestamp) -> Result<PortAnswer, CarrierFault> {
        under(self.control.thought().await, || PortAnswer::ByHand)
    }

    async fn cancel_port(&self, _port: &Port) -> Result<(), CarrierFault> {
        under(self.control.thought().await, || ())
    }
}
