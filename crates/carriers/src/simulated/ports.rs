//! The losing carrier of the pocket network.

use tandem_app::carrier::{CarrierFault, PortAnswer, Portability};
use tandem_domain::port::{Port, PortState};
use tandem_kernel::{PhoneNumber, Timestamp};

use super::scenario::{Port as Trick, Trick as Any, scenario_of};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Seconds for which a carrier that fails late fails: less than opens its circuit.
const OUTAGE: i64 = 5 * MINUTE;

/// When things happen, in seconds after the port was asked for.
#[derive(Clone, Copy)]
struct Pace {
    received: i64,
    named: i64,
    done: i64,
}

const USUAL: Pace = Pace { received: HOUR, named: DAY, done: 4 * DAY };
const SLOW: Pace = Pace { received: 2 * DAY, named: 7 * DAY, done: 14 * DAY };

fn trick(phone: PhoneNumber) -> Trick {
    match scenario_of(phone).map(|scenario| scenario.trick) {
        Some(Any::Port(trick)) => trick,
        Some(Any::Buy(_) | Any::Mms(_)) | None => Trick::Accepted,
    }
}

/// Whether a number can be ported.
pub(super) fn portability(phone: PhoneNumber) -> Result<Portability, CarrierFault> {
    match trick(phone) {
        Trick::Ineligible => Ok(Portability::Ineligible),
        Trick::Unsupported(carrier) => Ok(Portability::Unsupported { carrier: carrier.to_owned() }),
        Trick::Nonsense => Err(nonsense()),
        Trick::Down => Err(down()),
        Trick::Accepted | Trick::Rejected(_) | Trick::Slow | Trick::Silent | Trick::LateNonsense | Trick::LateDown => {
            Ok(Portability::Eligible)
        }
    }
}

/// What the losing carrier says about a port at `now`.
pub(super) fn answer(port: &Port, now: Timestamp) -> Result<PortAnswer, CarrierFault> {
    let trick = trick(port.details.phone);
    let after = |seconds| port.created_at.plus_seconds(seconds);
    let pace = if trick == Trick::Slow { SLOW } else { USUAL };
    let fails = |from| now >= after(from) && now < after(from + OUTAGE);
    Ok(match &port.state {
        PortState::Pending | PortState::Submitted if trick == Trick::Silent => PortAnswer::Wait { until: now.plus_days(1) },
        PortState::Pending if now < after(pace.received) => PortAnswer::Wait { until: after(pace.received) },
        PortState::Pending if trick == Trick::LateDown && fails(pace.received) => return Err(down()),
        PortState::Pending => PortAnswer::Received { until: after(pace.named) },
        PortState::Submitted if now < after(pace.named) => PortAnswer::Wait { until: after(pace.named) },
        PortState::Submitted if trick == Trick::LateNonsense && fails(pace.named) => return Err(nonsense()),
        PortState::Submitted => match trick {
            Trick::Rejected(reason) => PortAnswer::Rejected { reason: reason.to_owned() },
            _ => PortAnswer::Scheduled { at: after(pace.done).max(now) },
        },
        PortState::Scheduled { at } if now < *at => PortAnswer::Wait { until: *at },
        PortState::Scheduled { .. } | PortState::Completed { .. } => PortAnswer::Done,
        PortState::Rejected { reason } => PortAnswer::Rejected { reason: reason.clone() },
        PortState::Canceled => PortAnswer::Rejected { reason: "The port was called off".to_owned() },
    })
}

/// What the losing carrier says when a port is called off.
pub(super) fn cancel(port: &Port) -> Result<(), CarrierFault> {
    match (trick(port.details.phone), &port.state) {
        (Trick::LateDown, PortState::Pending) => Err(down()),
        (Trick::LateNonsense, PortState::Submitted) => Err(nonsense()),
        _ => Ok(()),
    }
}

pub(super) fn nonsense() -> CarrierFault {
    CarrierFault::Nonsense("the pocket network answered as a magic number told it to".to_owned())
}

pub(super) fn down() -> CarrierFault {
    CarrierFault::Down("the pocket network is down, as a magic number told it to be".to_owned())
}
