//! The catalogue of errors as a whole.

use std::collections::HashSet;

use tandem_catalogue::{Code, Dialect};

/// Every code that there ever was: nothing is removed from this list.
const EVER: &str = include_str!("../data/codes.txt");

/// The codes of the reference of error codes with status, type and whether a retry helps.
const REFERENCE: [(&str, u16, &str, bool); 18] = [
    ("invalid_api_key", 401, "authentication_error", false),
    ("missing_authentication", 401, "authentication_error", false),
    ("invalid_request_error", 400, "invalid_request_error", false),
    ("invalid_phone_number", 400, "invalid_request_error", false),
    ("invalid_location", 400, "invalid_request_error", false),
    ("invalid_parameter", 400, "invalid_request_error", false),
    ("missing_required_parameter", 400, "invalid_request_error", false),
    ("rate_limit_error", 429, "rate_limit_error", true),
    ("not_found_error", 404, "not_found_error", false),
    ("already_exists", 409, "conflict_error", false),
    ("resource_conflict", 409, "conflict_error", false),
    ("insufficient_funds", 402, "insufficient_funds_error", false),
    ("number_not_available", 422, "validation_error", false),
    ("cannot_port_number", 422, "validation_error", false),
    ("invalid_routing_configuration", 422, "validation_error", false),
    ("operation_not_allowed", 403, "forbidden_error", false),
    ("internal_server_error", 500, "server_error", true),
    ("service_unavailable_error", 503, "server_error", true),
];

#[test]
fn codes_are_never_removed_and_their_numbers_never_used_again() {
    let ever: Vec<(&str, u16)> = EVER
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (number, name) = line.split_once(' ').expect("a number and a name");
            (name, number.parse().expect("a number"))
        })
        .collect();
    for (name, number) in &ever {
        let code = Code::parse(name).unwrap_or_else(|| panic!("{name} was removed from the catalogue"));
        assert_eq!(code.entry().number, *number, "{name} has another number");
    }
    for code in Code::ALL {
        let entry = code.entry();
        assert!(ever.contains(&(entry.name, entry.number)), "add `{} {}` to tests/data/codes.txt", entry.number, entry.name);
    }
    assert_eq!(ever.len(), Code::ALL.len(), "a line of tests/data/codes.txt is there twice");
}

#[test]
fn names_and_numbers_are_unique() {
    let names: HashSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
    let numbers: HashSet<_> = Code::ALL.iter().map(|code| code.entry().number).collect();
    assert_eq!((names.len(), numbers.len()), (Code::ALL.len(), Code::ALL.len()));
}

#[test]
fn every_code_says_what_leads_to_it_and_what_to_do() {
    for code in Code::ALL {
        let entry = code.entry();
        assert!(!entry.title.is_empty() && !entry.message.is_empty() && !entry.trigger.is_empty(), "{}", entry.name);
        assert!(!entry.causes.is_empty() && !entry.resolution.is_empty(), "{}", entry.name);
        for dialect in Dialect::ALL {
            assert!((400..600).contains(&entry.wire(dialect).status), "{} in {}", entry.name, dialect.as_str());
        }
    }
}

#[test]
fn the_audian_dialect_says_what_its_reference_says() {
    let ours = ["forbidden_error", "conflict_error", "validation_error", "bad_gateway_error"];
    for code in Code::ALL {
        let wire = code.entry().wire(Dialect::Audian);
        let Some((_, status, kind, retryable)) = REFERENCE.iter().find(|(name, ..)| *name == wire.code) else {
            assert!(ours.contains(&wire.code), "{} is said as {}", code.name(), wire.code);
            continue;
        };
        assert_eq!(wire.kind, *kind, "{}", code.name());
        let general =
            ["invalid_request_error", "not_found_error"].contains(&wire.code) && [404, 405, 408, 413, 415].contains(&wire.status);
        assert!(wire.status == *status || general, "{} is {}", code.name(), wire.status);
        if *retryable {
            assert_ne!(code.entry().retry.as_str(), "never", "{}", code.name());
        }
    }
    for (name, status, ..) in REFERENCE {
        let said =
            |code: &&Code| code.entry().wire(Dialect::Audian).code == name && code.entry().wire(Dialect::Audian).status == status;
        assert!(Code::ALL.iter().any(|code| said(&code)), "nothing is said as {name} with {status}");
    }
}
