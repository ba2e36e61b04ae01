//! Why a decision came out as it did.

/// The steps of one decision, kept with the object that it was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The object, as pages name it.
    pub subject: String,
    /// What was decided: `purchase`, `renewal`, `port`, `routing`.
    pub decision: &'static str,
    /// How it came out, in a sentence.
    pub outcome: String,
    /// What was looked at, in order; the last one decided.
    pub steps: Vec<Step>,
}

/// One rule that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The rule.
    pub rule: String,
    /// The values that were compared.
    pub compared: String,
    /// Whether the rule was met.
    pub met: bool,
}

impl Explanation {
    /// Begins to explain a decision about `subject`.
    #[must_use]
    pub fn of(decision: &'static str, subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), decision, outcome: String::new(), steps: Vec::new() }
    }

    /// Notes a rule and whether it was met, and hands the latter on.
    pub fn note(&mut self, rule: impl Into<String>, compared: impl Into<String>, met: bool) -> bool {
        self.steps.push(Step { rule: rule.into(), compared: compared.into(), met });
        met
    }

    /// States the outcome.
    #[must_use]
    pub fn concluding(mut self, outcome: impl Into<String>) -> Self {
        self.outcome = outcome.into();
        self
    }
}
