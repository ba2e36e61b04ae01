//! The carriers that come with the platform: [`Owned`], the operator's own inventory, and [`Simulated`], the pocket network of the
//! test environments.
#![warn(missing_docs)]

mod owned;
pub mod simulated;

pub use owned::Owned;
pub use simulated::Simulated;

use tandem_domain::routing::Reach;

/// Satellite networks and numbers of the whole world, which no trunk reaches unless somebody sees to it.
const BARRED: [&str; 6] = ["870", "878", "881", "882", "883", "979"];

/// The reach of ordinary trunks: every country, and nothing that is no country's.
#[must_use]
pub fn usual_reach() -> Reach {
    Reach { prefixes: vec![String::new()], barred: BARRED.map(str::to_owned).to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_kernel::PhoneNumber;

    #[test]
    fn ordinary_trunks_reach_countries_and_no_satellites() {
        let reach = usual_reach();
        for (digits, reached) in
            [(14_155_550_100, true), (882_161_234_567, false), (88_161_234_567, false), (8_613_912_345_678, true)]
        {
            assert_eq!(reach.covers(PhoneNumber::from_digits(digits)), reached, "{digits}");
        }
    }
}
