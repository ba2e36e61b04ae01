//! The pocket network as the platform talks to it.

use std::time::Duration;

use async_trait::async_trait;
use tandem_app::{
    carrier::{Carrier, CarrierFault, Mms, MmsAnswer, OrderAnswer, OrderStatus, PortAnswer, Portability},
    magic::MagicNumbers,
};
use tandem_domain::{port::Port, routing::Reach};
use tandem_kernel::{OrderId, PhoneNumber, Timestamp};
use tandem_store::repo::orders::Order;

use super::{
    ports,
    scenario::{Buy, Mms as Trouble, Trick, scenario_of, scenarios},
};
use crate::usual_reach;

/// How long a slow carrier takes over an order.
const SLOW: Duration = Duration::from_secs(2);

/// The pocket network. Each environment has its own as far as it can tell: what one does to it no other feels.
#[derive(Debug, Clone, Copy, Default)]
pub struct Simulated;

impl Simulated {
    /// The name under which its numbers are kept.
    pub const NAME: &'static str = "simulated";
}

fn trick(phone: PhoneNumber) -> Option<Buy> {
    match scenario_of(phone)?.trick {
        Trick::Buy(trick) => Some(trick),
        Trick::Port(_) | Trick::Mms(_) => None,
    }
}

#[async_trait]
impl Carrier for Simulated {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn is_local(&self) -> bool {
        false
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn reach(&self) -> Reach {
        usual_reach()
    }

    async fn order(&self, order: &Order) -> Result<OrderAnswer, CarrierFault> {
        match trick(order.phone) {
            None => Ok(OrderAnswer::Accepted),
            Some(Buy::Down) => Err(ports::down()),
            Some(Buy::Nonsense | Buy::LostAnswer) => Err(ports::nonsense()),
            Some(Buy::Slow) => {
                tokio::time::sleep(SLOW).await;
                Ok(OrderAnswer::Accepted)
            }
            Some(Buy::Gone | Buy::Reserved) => Ok(OrderAnswer::Gone),
        }
    }

    async fn order_status(&self, _: OrderId, phone: PhoneNumber) -> Result<OrderStatus, CarrierFault> {
        Ok(match trick(phone) {
            None | Some(Buy::LostAnswer | Buy::Slow) => OrderStatus::Accepted,
            Some(Buy::Down | Buy::Nonsense | Buy::Gone | Buy::Reserved) => OrderStatus::Unknown,
        })
    }

    async fn portability(&self, phone: PhoneNumber) -> Result<Portability, CarrierFault> {
        ports::portability(phone)
    }

    async fn port(&self, port: &Port, now: Timestamp) -> Result<PortAnswer, CarrierFault> {
        ports::answer(port, now)
    }

    async fn cancel_port(&self, port: &Port) -> Result<(), CarrierFault> {
        ports::cancel(port)
    }

    fn offers_mms(&self) -> bool {
        true
    }

    async fn send_mms(&self, mms: &Mms<'_>) -> Result<MmsAnswer, CarrierFault> {
        match scenario_of(mms.to).map(|scenario| scenario.trick) {
            Some(Trick::Mms(Trouble::Refused(reason))) => Ok(MmsAnswer::Refused { reason: reason.to_owned() }),
            Some(Trick::Mms(Trouble::Silent)) => Ok(MmsAnswer::Accepted),
            Some(Trick::Mms(Trouble::Down)) => Err(ports::down()),
            Some(Trick::Buy(_) | Trick::Port(_)) | None => Ok(MmsAnswer::Delivered),
        }
    }

    fn magic_numbers(&self) -> Vec<MagicNumbers> {
        scenarios().iter().map(|scenario| scenario.listed(scenario.trick.purpose().as_str())).collect()
    }
}
