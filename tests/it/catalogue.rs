//! The catalogue of errors as a whole.

use std::{collections::HashSet, fmt::Write as _, path::Path};

use http::Method;
use serde_json::{Value, json};
use tandem_catalogue::{Code, Dialect};
use tandem_testkit::{Client, Server, on_both};

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
        let general = ["invalid_request_error", "not_found_error"].contains(&wire.code)
            && [404, 405, 408, 413, 415, 416].contains(&wire.status);
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

/// `docs/triggers.md` as it has to be.
fn triggers() -> String {
    let mut page = "# What provokes each error\n\n<!-- Written from the catalogue by `tests/it/catalogue.rs`; see the end of this page. -->\n\n\
        Each code of the catalogue, and what to do in a test environment to see it. Telephone numbers that begin with +1 628 20 are magic: \
        [magic numbers](magic-numbers.md) are bought and ported, [magic recipients](magic-recipients.md) are written to. What an SMSC or a \
        receipt does wrong can be ordered with `POST /v1/faults` as well, and `POST /v1/clock/advance` makes things fall due. What only an \
        operator or an outage brings about says so. `GET /v1/errors/CODE` and `tandem explain CODE` say the same of one code, and the \
        header `X-Tandem-Error` of a refusal names it.\n\n"
        .to_owned();
    page.push_str("| Code | Status | What provokes it |\n|---|---|---|\n");
    let mut codes = Code::ALL.to_vec();
    codes.sort_by_key(|code| code.name());
    for code in codes {
        let entry = code.entry();
        writeln!(page, "| `{}` | {} | {} |", entry.name, entry.wire(Dialect::Native).status, entry.trigger).expect("room");
    }
    page.push_str(
        "\n## This page\n\nA test compares it with the catalogue, and the gate of `./test` fails for a code that nothing provoked. After a \
         change, write it anew:\n\n```sh\nTANDEM_WRITE_DOCS=1 cargo test -p tandem-tests --test it triggers\n```\n",
    );
    page
}

#[test]
fn the_page_of_triggers_is_the_catalogues() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/triggers.md");
    if std::env::var_os("TANDEM_WRITE_DOCS").is_some() {
        std::fs::write(&path, triggers()).expect("docs/triggers.md can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == triggers(), "docs/triggers.md is out of date: run the test with TANDEM_WRITE_DOCS=1");
}

/// What is done with a magic number, and what is said.
struct Magic(&'static str, &'static str, fn(&str) -> (Method, String, Value));

fn bought(number: &str) -> (Method, String, Value) {
    (Method::POST, "/audian/v2/numbers/purchase".to_owned(), json!({ "number": number }))
}

fn ported(number: &str) -> (Method, String, Value) {
    (Method::POST, "/audian/v2/ports".to_owned(), crate::seeds::port_of(number))
}

const MAGIC: [Magic; 7] = [
    Magic("+16282000060", "number_not_available", bought),
    Magic("+16282010070", "cannot_port_ineligible", ported),
    Magic("+16282010080", "cannot_port_carrier", ported),
    Magic("+16282000020", "bad_gateway", bought),
    Magic("+16282010110", "bad_gateway", ported),
    Magic("+16282000010", "carrier_unavailable", bought),
    Magic("+16282010120", "carrier_unavailable", ported),
];
/// Magic numbers whose triggers take several steps, and where those are gone through.
const STEPS: [(&str, &str); 3] = [
    ("+16282000040", "seeds::states: the same purchase twice at once"),
    ("+16282010130", "gate::own: a port is called off"),
    ("+16282010140", "gate::own: a port is called off"),
];

#[test]
fn every_magic_number_that_a_trigger_names_is_tried() {
    for code in Code::ALL {
        for (at, _) in code.entry().trigger.match_indices("+1628") {
            let number: String = code.entry().trigger.chars().skip(at).take_while(|c| *c == '+' || c.is_ascii_digit()).collect();
            let tried = MAGIC.iter().any(|Magic(known, said, _)| *known == number && *said == code.name());
            assert!(tried || STEPS.iter().any(|(known, _)| *known == number), "{}: nothing tries {number}", code.name());
        }
    }
}

async fn follow(client: &Client, magic: &Magic) {
    let Magic(number, code, request) = magic;
    let (method, path, body) = request(number);
    let answer = client.send(method, &path, Some(body.to_string().into_bytes())).await;
    assert!(answer.header("x-tandem-error") == Some(code), "{code} was expected{answer}");
}

on_both! {
    async fn magic_triggers_do_what_they_say(server: Server) {
        let ada = server.account("Ada").await;
        for magic in &MAGIC {
            follow(&ada.test(), magic).await;
        }
    }
}
