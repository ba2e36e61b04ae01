//! The error bodies that documentations show, as they show them.

use std::sync::OnceLock;

use serde_json::Value;

fn all() -> &'static Value {
    static ALL: OnceLock<Value> = OnceLock::new();
    ALL.get_or_init(|| serde_json::from_str(include_str!("../data/audian_examples.json")).expect("JSON"))
}

/// The example of a status on the page of Telephony.io's errors, if the page has one.
pub fn of_telephony_status(status: u16) -> Option<&'static Value> {
    static ALL: OnceLock<Value> = OnceLock::new();
    let all = ALL.get_or_init(|| serde_json::from_str(include_str!("../data/telephony_io_examples.json")).expect("JSON"));
    all.get(status.to_string())
}

/// The example of a code in the reference of error codes.
pub fn by_code(code: &str) -> &'static Value {
    let example = &all()["by_code"][code];
    assert!(example.is_object(), "the reference has no example of {code}");
    example
}

/// The example of a status in the reference of HTTP statuses.
pub fn by_status(status: u16) -> &'static Value {
    let example = &all()["by_status"][status.to_string()];
    assert!(example.is_object(), "the reference has no example of {status}");
    example
}

/// The example of a code, if the reference has one.
pub fn of_code(code: &str) -> Option<&'static Value> {
    all()["by_code"].get(code)
}

/// The example of a status, if the page has one.
pub fn of_status(status: u16) -> Option<&'static Value> {
    all()["by_status"].get(status.to_string())
}
