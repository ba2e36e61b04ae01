//! Numbers: search, buy, read, configure, release, renew.

mod configure;
mod purchase;
mod read;
mod release;
mod renew;
mod search;

pub use configure::{ConfigureNumber, configure};
pub use purchase::{ORDER_JOB, PurchaseNumber, purchase, settle};
pub use read::{FindNumbers, ListNumbers, NumberList, NumberRef, find_of_property, get, list};
pub use release::{QUARANTINE_JOB, end_quarantine, release};
pub use renew::{RENEWAL_JOB, renew};
pub use search::{FoundNumber, OfferedCountry, SearchNumbers, SearchResult, check_offered, countries, is_offered, search};

pub(crate) use read::find;
pub(crate) use release::release_in;
