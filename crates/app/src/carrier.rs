//! The port to carriers: whoever provides numbers, takes ports and carries calls.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use tandem_catalogue::{Error, Result};
use tandem_domain::{port::Port, routing::Reach};
use tandem_kernel::{Environment, EnvironmentId, MessageId, OrderId, PhoneNumber, Timestamp};
use tandem_store::repo::orders::Order;

use crate::{breaker::Breaker, fetch::Fetched, magic::MagicNumbers};

/// How long a carrier may take over an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a carrier gave no answer that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CarrierFault {
    /// It certainly did nothing: it could not be reached, or refused the connection.
    Down(String),
    /// It answered, but not in a way that makes sense: it may have done what was asked.
    Nonsense(String),
    /// It did not answer in time: it may have done what was asked.
    Silent,
}

/// What a carrier says to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderAnswer {
    /// The number is ours.
    Accepted,
    /// It is not to be had any more.
    Gone,
}

/// Whether a carrier knows an order whose answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderStatus {
    /// It carried the order out.
    Accepted,
    /// It never did.
    Unknown,
}

/// Whether a number can be ported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Portability {
    /// It can.
    Eligible,
    /// The losing carrier does not let it go.
    Ineligible,
    /// It is with a carrier that ports cannot come from.
    Unsupported {
        /// That carrier.
        carrier: String,
    },
}

/// What the losing carrier has to say about a port, when asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortAnswer {
    /// Nothing yet; ask again then.
    Wait {
        /// When to ask again, by the environment's clock.
        until: Timestamp,
    },
    /// It has the request.
    Received {
        /// When to ask again.
        until: Timestamp,
    },
    /// It lets the number go on that date (FOC).
    Scheduled {
        /// The date.
        at: Timestamp,
    },
    /// The number is here.
    Done,
    /// It refuses.
    Rejected {
        /// Why.
        reason: String,
    },
    /// Whoever works this carrier's ports by hand decides; nobody has to ask.
    ByHand,
}

/// A carrier. Every method may be called again with the same arguments, and does its work once for each order or port id.
#[async_trait]
pub trait Carrier: Send + Sync {
    /// The name under which its numbers are kept.
    fn name(&self) -> &'static str;

    /// Whether an order is nothing but an entry in our own store: then it needs no question and no hold.
    fn is_local(&self) -> bool;

    /// Whether what one environment does to it can be felt by another: a circuit is kept for each then, or one for all.
    fn is_shared(&self) -> bool;

    /// Where its trunks reach.
    fn reach(&self) -> Reach;

    /// Orders a number.
    async fn order(&self, order: &Order) -> Result<OrderAnswer, CarrierFault>;

    /// Asks what became of an order whose answer was lost.
    async fn order_status(&self, id: OrderId, phone: PhoneNumber) -> Result<OrderStatus, CarrierFault>;

    /// Asks whether a number can be ported here.
    async fn portability(&self, phone: PhoneNumber) -> Result<Portability, CarrierFault>;

    /// Brings a port forward: submits it if it is pending, asks for its state otherwise. `now` is by the environment's clock.
    async fn port(&self, port: &Port, now: Timestamp) -> Result<PortAnswer, CarrierFault>;

    /// Calls a port off.
    async fn cancel_port(&self, port: &Port) -> Result<(), CarrierFault>;

    /// Whether it takes messages with media.
    fn offers_mms(&self) -> bool {
        false
    }

    /// Takes a message with media, once for each message id.
    async fn send_mms(&self, mms: &Mms<'_>) -> Result<MmsAnswer, CarrierFault> {
        let reason = format!("{} does not take messages with media; {} was not sent", self.name(), mms.id);
        Ok(MmsAnswer::Refused { reason })
    }

    /// The numbers by which a carrier that is not real can be made to behave in a certain way.
    fn magic_numbers(&self) -> Vec<MagicNumbers> {
        Vec::new()
    }
}

/// A message with media, as a carrier takes it.
#[derive(Debug)]
pub struct Mms<'a> {
    /// Its id; the carrier knows it, so asking twice sends once.
    pub id: MessageId,
    /// Who sends it.
    pub from: PhoneNumber,
    /// Who gets it.
    pub to: PhoneNumber,
    /// The text beside the media.
    pub text: &'a str,
    /// The media.
    pub media: &'a [Fetched],
}

/// What a carrier says to a message with media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MmsAnswer {
    /// It has it; it never says more.
    Accepted,
    /// It is on the handset.
    Delivered,
    /// It does not take it.
    Refused {
        /// Why.
        reason: String,
    },
}

/// The carriers of the installation, each behind a circuit breaker.
#[derive(Clone)]
pub struct Carriers {
    by_name: HashMap<&'static str, Arc<dyn Carrier>>,
    live: &'static str,
    test: &'static str,
    breaker: Arc<Breaker>,
}

/// A carrier as use cases talk to it: faults are errors of the catalogue, and a circuit that is open answers at once.
pub struct Guarded<'a> {
    carrier: &'a dyn Carrier,
    breaker: &'a Breaker,
    scope: Option<EnvironmentId>,
    now: Timestamp,
}

impl Carriers {
    /// The carriers, with the ones that take over ported numbers in each kind of environment.
    #[must_use]
    pub fn new(carriers: Vec<Arc<dyn Carrier>>, live: &'static str, test: &'static str) -> Self {
        let by_name = carriers.into_iter().map(|carrier| (carrier.name(), carrier)).collect();
        Self { by_name, live, test, breaker: Arc::default() }
    }

    /// The magic numbers of the carrier that test environments have.
    ///
    /// # Errors
    /// `internal` where there is no such carrier.
    pub fn magic_numbers(&self) -> Result<Vec<MagicNumbers>> {
        Ok(self.find(self.test)?.magic_numbers())
    }

    /// The carrier that takes over ported numbers.
    #[must_use]
    pub const fn gaining(&self, kind: Environment) -> &'static str {
        match kind {
            Environment::Live => self.live,
            Environment::Test => self.test,
        }
    }

    /// Whether a number of this carrier is bought without asking anybody.
    ///
    /// # Errors
    /// `internal` for a name that no carrier has; so for the other methods.
    pub fn is_local(&self, name: &str) -> Result<bool> {
        Ok(self.find(name)?.is_local())
    }

    /// Whether a number of this carrier can send messages with media.
    #[expect(clippy::missing_errors_doc, reason = "as `is_local`")]
    pub fn offers_mms(&self, name: &str) -> Result<bool> {
        Ok(self.find(name)?.offers_mms())
    }

    /// Where calls of this kind of environment can go.
    #[expect(clippy::missing_errors_doc, reason = "as `is_local`")]
    pub fn reach(&self, kind: Environment) -> Result<Reach> {
        Ok(self.find(self.gaining(kind))?.reach())
    }

    /// The carrier of that name for one environment's business. `now` is the machine's time.
    #[expect(clippy::missing_errors_doc, reason = "as `is_local`")]
    pub fn guarded(&self, name: &str, environment: EnvironmentId, now: Timestamp) -> Result<Guarded<'_>> {
        let carrier = self.find(name)?;
        let scope = (!carrier.is_shared()).then_some(environment);
        Ok(Guarded { carrier, breaker: &self.breaker, scope, now })
    }

    fn find(&self, name: &str) -> Result<&dyn Carrier> {
        let carrier = self.by_name.get(name).map(AsRef::as_ref);
        carrier.ok_or_else(|| Error::internal().because(format!("no carrier is called {name}")))
    }
}

/// A carrier's fault as the caller learns of it, and whether the work may have been done all the same.
#[derive(Debug)]
pub struct Mishap {
    /// The error to answer with.
    pub error: Error,
    /// Whether the carrier may have done what was asked.
    pub uncertain: bool,
}

impl Guarded<'_> {
    /// Orders a number.
    ///
    /// # Errors
    /// A mishap: `carrier_unavailable` or `bad_gateway`.
    pub async fn order(&self, order: &Order) -> Result<OrderAnswer, Mishap> {
        self.ask(self.carrier.order(order)).await
    }

    /// Asks what became of an order.
    #[expect(clippy::missing_errors_doc, reason = "as `order`")]
    pub async fn order_status(&self, id: OrderId, phone: PhoneNumber) -> Result<OrderStatus, Mishap> {
        self.ask(self.carrier.order_status(id, phone)).await
    }

    /// Asks whether a number can be ported here.
    #[expect(clippy::missing_errors_doc, reason = "as `order`")]
    pub async fn portability(&self, phone: PhoneNumber) -> Result<Portability, Mishap> {
        self.ask(self.carrier.portability(phone)).await
    }

    /// Brings a port forward.
    #[expect(clippy::missing_errors_doc, reason = "as `order`")]
    pub async fn port(&self, port: &Port, now: Timestamp) -> Result<PortAnswer, Mishap> {
        self.ask(self.carrier.port(port, now)).await
    }

    /// Calls a port off.
    #[expect(clippy::missing_errors_doc, reason = "as `order`")]
    pub async fn cancel_port(&self, port: &Port) -> Result<(), Mishap> {
        self.ask(self.carrier.cancel_port(port)).await
    }

    /// Sends a message with media.
    #[expect(clippy::missing_errors_doc, reason = "as `order`")]
    pub async fn send_mms(&self, mms: &Mms<'_>) -> Result<MmsAnswer, Mishap> {
        self.ask(self.carrier.send_mms(mms)).await
    }

    async fn ask<T>(&self, answer: impl Future<Output = Result<T, CarrierFault>>) -> Result<T, Mishap> {
        let name = self.carrier.name();
        if let Some(seconds) = self.breaker.closed_for(name, self.scope, self.now) {
            return Err(Mishap { error: Error::carrier_unavailable(name, seconds), uncertain: false });
        }
        let outcome = tokio::time::timeout(PATIENCE, answer).await.unwrap_or(Err(CarrierFault::Silent));
        self.breaker.note(name, self.scope, self.now, outcome.is_ok());
        outcome.map_err(|fault| {
            tracing::warn!(carrier = name, ?fault, "a carrier failed");
            match fault {
                CarrierFault::Down(report) => {
                    Mishap { error: Error::carrier_unavailable(name, Breaker::FIRST_PAUSE).because(report), uncertain: false }
                }
                CarrierFault::Nonsense(report) => Mishap { error: Error::bad_gateway(name).because(report), uncertain: true },
                CarrierFault::Silent => {
                    Mishap { error: Error::carrier_unavailable(name, Breaker::FIRST_PAUSE).because("silence"), uncertain: true }
                }
            }
        })
    }
}
