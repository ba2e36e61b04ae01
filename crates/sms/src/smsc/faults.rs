//! Fault rules: what goes wrong, how often, and always the same way for the same seed.

use tandem_kernel::SeededRng;

/// A million: probabilities are in millionths.
const WHOLE: u64 = 1_000_000;

/// Where something goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultPlace {
    /// When a message is submitted.
    Submit,
    /// When a receipt is sent.
    Receipt,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The submit is answered with this status.
    Error(u32),
    /// The answer or the receipt comes that many milliseconds later.
    Delay(u64),
    /// It does not come.
    Drop,
    /// It comes twice.
    Duplicate,
    /// Others overtake it.
    Reorder(u64),
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its id: what is counted for it goes on when other rules change.
    pub id: [u8; 16],
    /// Whose messages it is about.
    pub environment: [u8; 16],
    /// Where.
    pub place: FaultPlace,
    /// What.
    pub effect: Effect,
    /// How often, in millionths.
    pub probability: u64,
    /// Where its dice begin.
    pub seed: u64,
}

/// The rules in force, each with its dice.
#[derive(Default)]
pub struct Faults(Vec<(Fault, SeededRng)>);

impl Faults {
    /// Replaces the rules; those that stay go on with their dice.
    pub fn set(&mut self, rules: &[Fault]) {
        let mut old = std::mem::take(&mut self.0);
        self.0 = rules
            .iter()
            .map(|rule| {
                let place = old.iter().position(|(known, _)| known == rule);
                place.map_or_else(|| (rule.clone(), SeededRng::new(rule.seed)), |place| old.swap_remove(place))
            })
            .collect();
    }

    /// What goes wrong this time, by the first rule whose dice say so.
    pub fn decide(&self, environment: Option<[u8; 16]>, place: FaultPlace) -> Option<Effect> {
        let environment = environment?;
        let concerned = self.0.iter().filter(|(rule, _)| rule.environment == environment && rule.place == place);
        for (rule, dice) in concerned {
            if dice.next() % WHOLE < rule.probability {
                let spread = |millis: u64| 1 + dice.next() % millis.max(1);
                return Some(match rule.effect {
                    Effect::Reorder(millis) => Effect::Reorder(spread(millis)),
                    effect => effect,
                });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_run() {
        let rule = |seed, probability| Fault {
            id: [1; 16],
            environment: [2; 16],
            place: FaultPlace::Submit,
            effect: Effect::Drop,
            probability,
            seed,
        };
        let run = |seed| {
            let mut faults = Faults::default();
            faults.set(&[rule(seed, 300_000)]);
            (0..1000).map(|_| faults.decide(Some([2; 16]), FaultPlace::Submit).is_some()).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let hits = run(7).iter().filter(|hit| **hit).count();
        assert!((250..350).contains(&hits), "{hits}");
        let mut faults = Faults::default();
        faults.set(&[rule(7, 1_000_000)]);
        assert_eq!(faults.decide(Some([3; 16]), FaultPlace::Submit), None);
        assert_eq!(faults.decide(None, FaultPlace::Submit), None);
        assert_eq!(faults.decide(Some([2; 16]), FaultPlace::Receipt), None);
    }
}
