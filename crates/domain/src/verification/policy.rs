//! What an environment's verifications may do.

use tandem_kernel::Country;

/// Countries that codes are sent to unless an operator says otherwise: those whose networks seldom share in the price of fraud.
const USUAL: &str = "AT AU BE CA CH CZ DE DK EE ES FI FR GB GR HU IE IS IT JP LI LT LU LV MT NL NO NZ PL PT RO SE SG SI SK US";

/// The countries that codes are sent to unless an operator says otherwise.
#[must_use]
pub fn usual_countries() -> Vec<Country> {
    USUAL.split(' ').filter_map(Country::parse).collect()
}

/// How much is too much.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Sends to one number in ten minutes.
    pub sends_per_number: i64,
    /// Seconds between two sends to one number.
    pub cooldown: i64,
    /// Different numbers in an hour that differ in their last four digits only.
    pub numbers_per_range: i64,
    /// Sends in an hour by one key.
    pub sends_per_key: i64,
    /// Sends in an hour by the whole environment.
    pub sends_per_environment: i64,
    /// The least percentage of a country's verifications that must be approved; 0 switches the brake off.
    pub least_approval: i64,
    /// Verifications to a country that must have ended before their approval is looked at.
    pub approval_sample: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sends_per_number: 5,
            cooldown: 30,
            numbers_per_range: 10,
            sends_per_key: 600,
            sends_per_environment: 2_000,
            least_approval: 10,
            approval_sample: 30,
        }
    }
}

/// What an environment's verifications may do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Countries that codes are sent to.
    pub countries: Vec<Country>,
    /// How much is too much.
    pub limits: Limits,
}

impl Default for Policy {
    fn default() -> Self {
        Self { countries: usual_countries(), limits: Limits::default() }
    }
}
