//! Which calls are meant.

use tandem_kernel::{PhoneNumber, PropertyId};

use super::Disposition;

/// Which calls are meant: each list that is not empty has to name the call's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this property.
    pub property: Option<PropertyId>,
    /// Ended in one of these ways.
    pub dispositions: Vec<Disposition>,
    /// To one of these numbers.
    pub to: Vec<PhoneNumber>,
    /// That went to one of these numbers in the end.
    pub endpoints: Vec<PhoneNumber>,
    /// Owed to one of these sources.
    pub sources: Vec<String>,
    /// To one of these means.
    pub mediums: Vec<String>,
    /// To one of these campaigns.
    pub campaigns: Vec<String>,
    /// To one of these contents.
    pub contents: Vec<String>,
    /// Whose callers chose one of these paths of keys, whatever they chose after it: `1,2`.
    pub prompts: Vec<String>,
    /// From callers who called for the first time, or from others.
    pub first: Option<bool>,
}
