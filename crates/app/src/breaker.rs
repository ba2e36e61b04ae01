//! The circuit breaker in front of carriers: after several faults in a row a carrier is left alone for a while.

use papaya::HashMap;
use tandem_kernel::{EnvironmentId, Timestamp};

/// Faults in a row that open the circuit.
const FAULTS: u32 = 5;
/// Seconds for which it stays open; afterwards one request tries.
const PAUSE: i64 = 10;

type Of = (&'static str, Option<EnvironmentId>);

#[derive(Clone, Copy, Default)]
struct Circuit {
    faults: u32,
    open_until: Timestamp,
}

/// The circuits, by carrier and, where environments do not share it, by environment.
#[derive(Default)]
pub struct Breaker(HashMap<Of, Circuit>);

impl Breaker {
    /// Seconds that a caller is told to wait after a single fault.
    pub const FIRST_PAUSE: i64 = 5;

    /// For how many whole seconds the circuit is still open. Past that, the next request tries, and those after it wait again.
    pub fn closed_for(&self, carrier: &'static str, scope: Option<EnvironmentId>, now: Timestamp) -> Option<i64> {
        let circuits = self.0.pin();
        let circuit = circuits.get(&(carrier, scope)).copied()?;
        if circuit.faults < FAULTS {
            return None;
        }
        let left = circuit.open_until.micros() - now.micros();
        if left > 0 {
            return Some((left + 999_999) / 1_000_000);
        }
        circuits.insert((carrier, scope), Circuit { open_until: now.plus_seconds(PAUSE), ..circuit });
        None
    }

    /// Notes how a question ended.
    pub fn note(&self, carrier: &'static str, scope: Option<EnvironmentId>, now: Timestamp, well: bool) {
        let circuits = self.0.pin();
        if well {
            circuits.remove(&(carrier, scope));
            return;
        }
        let failed = |circuit: &Circuit| {
            let faults = circuit.faults.saturating_add(1);
            let open_until = if faults >= FAULTS { now.plus_seconds(PAUSE) } else { circuit.open_until };
            Circuit { faults, open_until }
        };
        circuits.update_or_insert_with((carrier, scope), failed, || failed(&Circuit::default()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_faults_open_it_and_one_success_closes_it() {
        let (breaker, now) = (Breaker::default(), Timestamp::from_micros(0));
        for _ in 0..FAULTS {
            assert_eq!(breaker.closed_for("a", None, now), None);
            breaker.note("a", None, now, false);
        }
        assert_eq!(breaker.closed_for("a", None, now), Some(PAUSE));
        assert_eq!(breaker.closed_for("b", None, now), None);
        let later = now.plus_seconds(PAUSE);
        assert_eq!(breaker.closed_for("a", None, later), None, "one request tries");
        assert_eq!(breaker.closed_for("a", None, later), Some(PAUSE), "the others wait for its outcome");
        breaker.note("a", None, later, true);
        assert_eq!(breaker.closed_for("a", None, later), None);
    }
}
