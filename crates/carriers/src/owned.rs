//! The operator's own numbers: bought by an entry in the store, ported by hand.

use async_trait::async_trait;
use tandem_app::carrier::{Carrier, CarrierFault, OrderAnswer, OrderStatus, PortAnswer, Portability};
use tandem_domain::{port::Port, routing::Reach};
use tandem_kernel::{OrderId, PhoneNumber, Timestamp};
use tandem_store::repo::orders::Order;

use crate::usual_reach;

/// The operator's own inventory and trunks. Nothing that it is asked can fail; ports wait for an operator.
#[derive(Debug, Clone)]
pub struct Owned {
    reach: Reach,
}

impl Owned {
    /// The name under which its numbers are kept.
    pub const NAME: &'static str = "owned";

    /// With trunks that reach so far.
    #[must_use]
    pub const fn new(reach: Reach) -> Self {
        Self { reach }
    }
}

impl Default for Owned {
    fn default() -> Self {
        Self::new(usual_reach())
    }
}

#[async_trait]
impl Carrier for Owned {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn is_local(&self) -> bool {
        true
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn reach(&self) -> Reach {
        self.reach.clone()
    }

    async fn order(&self, _: &Order) -> Result<OrderAnswer, CarrierFault> {
        Ok(OrderAnswer::Accepted)
    }

    async fn order_status(&self, _: OrderId, _: PhoneNumber) -> Result<OrderStatus, CarrierFault> {
        Ok(OrderStatus::Accepted)
    }

    async fn portability(&self, _: PhoneNumber) -> Result<Portability, CarrierFault> {
        Ok(Portability::Eligible)
    }

    async fn port(&self, _: &Port, _: Timestamp) -> Result<PortAnswer, CarrierFault> {
        Ok(PortAnswer::ByHand)
    }

    async fn cancel_port(&self, _: &Port) -> Result<(), CarrierFault> {
        Ok(())
    }
}
