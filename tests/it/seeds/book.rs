//! The page of all errors, as the answers of a run make it.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
};

use http::StatusCode;
use serde_json::Value;
use tandem_testkit::Answer;

use super::reference::{
    self, CODES, Code, FONE_CODES, FONE_STATUSES, FoneCode, MORE_CODES, STATUSES, Status, TELEPHONY_STATUSES, TelephonyStatus,
};
use crate::examples;

/// Headers that the page shows, in this order.
const HEADERS: &[&str] = &[
    "Content-Type",
    "Retry-After",
    "WWW-Authenticate",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-Request-Id",
];
const HEAD: &str = "# Errors: what provokes each

<!-- Written by `tests/it/seeds`; see the end of this page. -->

Every code and every status that the documentation of the Audian API lists, every status of the Telephony.io API, and every code of the Fone Dynamics API, with each cause that it names, the request that
provokes it over the wire, and the answer. The tests make these exchanges from their real causes on SQLite and on PostgreSQL and
compare bodies, statuses and headers with the documentation's examples. No route returns an error on command: where a cause is a
fault, it is a fault of a part, injected at a port.

Ids and keys are shortened to `num_…`; everything else is as it was sent.

";
const TELEPHONY_HEAD: &str = "## The Telephony.io API

Every condition of its page of errors. Errors are flat: a text and a code, and with 402 what was needed and what is there. Amounts are
written as JSON numbers in their shortest form: the page's `1.50` is `1.5`.

| Status | Name | Code | Retryable | Seen |
|---|---|---|---|---|
";
const FONE_HEAD: &str = "## The Fone Dynamics API

Every code and every status of its page of errors. Errors are wrapped in a `ResponseStatus`; where a parameter is at fault its name is in
`Errors`, the names of several joined with a comma. Sids are shortened to their letter.

| Status | Code | What leads to it | Seen |
|---|---|---|---|
";
const GATE_HEAD: &str = "## Every operation and its codes

What `./test` holds every run against. Each code below was provoked over the wire in the dialects that have a column for it: one of an
operation's own on that operation, one that many share at least once in the dialect; each operation succeeded; and nothing was answered
that the OpenAPI document does not list. `X-Tandem-Error` names the catalogue's code with every refusal.

";
const TAIL: &str = "## This page

A test compares it with what the server answers. After a change, write it anew:

```sh
export TANDEM_TEST_POSTGRES=$(tools/postgres start /tmp/pg)
TANDEM_WRITE_DOCS=1 cargo test -p tandem-tests --test it seeds
tools/postgres stop /tmp/pg
```
";

/// What an exchange is an example of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shows {
    /// A cause of a code.
    Code(&'static str, &'static str),
    /// A cause of a code that is answered with a sharper code.
    Sharper(&'static str, &'static str),
    /// A cause of a status.
    Status(u16, &'static str),
    /// A cause of a status of Telephony.io's page.
    Telephony(u16, &'static str),
    /// A code of Fone Dynamics' page.
    Fone(&'static str),
    /// A status of Fone Dynamics' page.
    FoneStatus(u16),
}

/// A code of Fone Dynamics' page.
pub const fn fone(name: &'static str) -> Shows {
    Shows::Fone(name)
}

/// A status of Fone Dynamics' page.
pub const fn fone_status(number: u16) -> Shows {
    Shows::FoneStatus(number)
}

/// A cause of a code.
pub const fn code(name: &'static str, cause: &'static str) -> Shows {
    Shows::Code(name, cause)
}

/// A cause of a status.
pub const fn status(number: u16, cause: &'static str) -> Shows {
    Shows::Status(number, cause)
}

/// A cause of a status of Telephony.io's page.
pub const fn telephony(number: u16, cause: &'static str) -> Shows {
    Shows::Telephony(number, cause)
}

struct Exchange {
    shows: Vec<Shows>,
    story: &'static str,
    answer: Answer,
}

/// The page as far as it is written.
#[derive(Clone, Default)]
pub struct Book(Arc<Mutex<Vec<Exchange>>>);

impl Book {
    /// Puts an exchange into the page; `story` says what was done before.
    #[track_caller]
    pub fn show(&self, story: &'static str, answer: &Answer, shows: &[Shows]) {
        for shown in shows {
            check(answer, *shown);
        }
        self.0.lock().expect("no panic here").push(Exchange { shows: shows.to_vec(), story, answer: answer.clone() });
    }

    /// The whole page.
    pub fn page(&self) -> String {
        let exchanges = self.0.lock().expect("no panic here");
        let mut page = Page { exchanges: &exchanges, printed: vec![None; exchanges.len()], text: HEAD.to_owned() };
        page.assert_whole();
        page.summary();
        page.codes("The codes of the error reference", CODES);
        page.codes("The codes that only the page about statuses has", MORE_CODES);
        page.statuses();
        page.telephony();
        page.fone();
        page.text.push_str(GATE_HEAD);
        page.text.push_str(&tandem_tests::gate::page(&tandem_tests::gate::tables()));
        page.text.push_str(TAIL);
        page.text
    }
}

#[track_caller]
fn check(answer: &Answer, shown: Shows) {
    match shown {
        Shows::Code(name, cause) => {
            let known = reference::code(name);
            assert!(known.causes.contains(&cause), "{name} has no cause '{cause}'");
            assert!(answer.body["error"]["code"] == name, "{name} was expected{answer}");
            assert!(answer.body["error"]["type"] == known.kind, "the type {} was expected{answer}", known.kind);
            answer.assert_status(known.status);
        }
        Shows::Sharper(name, cause) => {
            let known = reference::code(name);
            assert!(known.causes.contains(&cause), "{name} has no cause '{cause}'");
            assert!(answer.body["error"]["type"] == known.kind, "the type {} was expected{answer}", known.kind);
            answer.assert_status(known.status);
        }
        Shows::Status(number, cause) => {
            assert!(reference::of(number).causes.contains(&cause), "{number} has no cause '{cause}'");
            answer.assert_status(number);
        }
        Shows::Telephony(number, cause) => {
            let known = reference::of_telephony(number);
            assert!(known.causes.contains(&cause), "Telephony.io's {number} has no cause '{cause}'");
            answer.assert_status(number);
            assert!(answer.body["code"].as_str() == known.code, "{:?} was expected{answer}", known.code);
            assert!(known.code.is_none() || answer.body["error"].is_string(), "a message was expected{answer}");
        }
        Shows::Fone(name) => {
            let (known, said) = (reference::of_fone(name), &answer.body["ResponseStatus"]);
            answer.assert_status(known.status);
            assert!(said["ErrorCode"] == name && said["Message"].is_string(), "{name} was expected{answer}");
            assert!(!known.named || said["Errors"][0]["FieldName"].is_string(), "a FieldName was expected{answer}");
        }
        Shows::FoneStatus(number) => {
            let (_, code, _) = FONE_STATUSES.iter().find(|(status, ..)| *status == number).expect("a status of the page");
            answer.assert_status(number);
            assert!(answer.body["ResponseStatus"]["ErrorCode"] == *code, "{code} was expected{answer}");
        }
    }
    let waits = [429, 503].contains(&answer.status);
    assert!(answer.header("retry-after").is_some() == waits, "Retry-After goes with 429 and 503 alone{answer}");
}

struct Page<'a> {
    exchanges: &'a [Exchange],
    /// The code or status under which each exchange stands in full.
    printed: Vec<Option<String>>,
    text: String,
}

impl Page<'_> {
    /// Whether every documented cause has an exchange, and every example one that equals it.
    fn assert_whole(&self) {
        let mut missing = Vec::new();
        for known in CODES.iter().chain(MORE_CODES) {
            missing.extend(known.causes.iter().filter(|cause| !self.has_cause(known, cause)).map(|cause| (known.name, *cause)));
            let example = examples::of_code(known.name);
            if example.is_some_and(|example| !self.equals(known.status, example)) {
                missing.push((known.name, "the example"));
            }
        }
        for known in STATUSES {
            let unseen = known.causes.iter().copied().filter(|cause| !self.has(&[Shows::Status(known.number, cause)]));
            missing.extend(unseen.map(|cause| (known.name, cause)));
            let example = examples::of_status(known.number).filter(|_| known.number >= 400);
            if example.is_some_and(|example| !self.equals(known.number, example)) {
                missing.push((known.name, "the example"));
            }
        }
        for known in TELEPHONY_STATUSES {
            let unseen = known.causes.iter().copied().filter(|cause| !self.has(&[Shows::Telephony(known.number, cause)]));
            missing.extend(unseen.map(|cause| (known.name, cause)));
            let example = examples::of_telephony_status(known.number);
            if example.is_some_and(|example| !self.equals(known.number, example)) {
                missing.push((known.name, "the example"));
            }
        }
        missing
            .extend(FONE_CODES.iter().filter(|known| !self.has(&[Shows::Fone(known.name)])).map(|known| (known.name, known.cause)));
        let unseen = FONE_STATUSES.iter().filter(|(number, ..)| !self.has(&[Shows::FoneStatus(*number)]));
        missing.extend(unseen.map(|(_, code, cause)| (*code, *cause)));
        assert!(missing.is_empty(), "nothing shows {missing:?}");
    }

    fn has_cause(&self, known: &Code, cause: &'static str) -> bool {
        self.has(&[Shows::Code(known.name, cause), Shows::Sharper(known.name, cause)])
    }

    fn has(&self, wanted: &[Shows]) -> bool {
        self.exchanges.iter().any(|exchange| exchange.shows.iter().any(|shown| wanted.contains(shown)))
    }

    fn equals(&self, status: u16, example: &Value) -> bool {
        let example = example.to_string();
        self.exchanges.iter().any(|exchange| exchange.answer.status == status && exchange.answer.text() == example)
    }

    /// Both tables of the documentation, side by side, with what of each was seen.
    fn summary(&mut self) {
        self.text.push_str("## Summary\n\n");
        self.text.push_str("| Code | HTTP status | Type | Retryable | Seen | | Status | Name | Retryable | Seen |\n");
        self.text.push_str("|---|---|---|---|---|---|---|---|---|---|\n");
        for row in 0..CODES.len().max(STATUSES.len()) {
            let left = CODES.get(row).map_or_else(|| "| | | | |".to_owned(), |code| self.code_row(code));
            let right = STATUSES.get(row).map_or_else(|| " | | | |".to_owned(), |status| self.status_row(status));
            writeln!(self.text, "{left} |{right}").unwrap();
        }
        self.text.push_str("\nBeside these:\n\n| Code | HTTP status | Type | Retryable | Seen |\n|---|---|---|---|---|\n");
        for known in MORE_CODES {
            let row = self.code_row(known);
            writeln!(self.text, "{row}").unwrap();
        }
        self.text.push('\n');
    }

    fn code_row(&self, known: &Code) -> String {
        let Code { name, status, kind, retryable, causes } = known;
        let seen = causes.iter().filter(|cause| self.has_cause(known, cause)).count();
        format!("| [{name}](#{name}) | {status} | {kind} | {} | {} |", yes(*retryable), tick(seen, causes.len()))
    }

    fn status_row(&self, known: &Status) -> String {
        let Status { number, name, retryable, causes } = known;
        let seen = causes.iter().copied().filter(|cause| self.has(&[Shows::Status(*number, cause)])).count();
        format!(" [{number}](#{}) | {name} | {} | {} |", anchor(known), yes(*retryable), tick(seen, causes.len()))
    }

    fn codes(&mut self, heading: &str, codes: &[Code]) {
        writeln!(self.text, "## {heading}\n").unwrap();
        for known in codes {
            let again = if known.retryable { "retryable" } else { "not retryable" };
            writeln!(self.text, "### {}\n\nHTTP {}, type `{}`, {again}.\n", known.name, known.status, known.kind).unwrap();
            for cause in known.causes {
                let wanted = [Shows::Code(known.name, cause), Shows::Sharper(known.name, cause)];
                self.cause(cause, known.name, &wanted);
            }
        }
    }

    fn statuses(&mut self) {
        self.text.push_str("## The statuses\n\n");
        for known in STATUSES {
            writeln!(self.text, "### {} {}\n", known.number, known.name).unwrap();
            for cause in known.causes {
                self.cause(cause, &anchor(known), &[Shows::Status(known.number, cause)]);
            }
        }
    }

    fn telephony(&mut self) {
        self.text.push_str(TELEPHONY_HEAD);
        for known in TELEPHONY_STATUSES {
            let seen = known.causes.iter().copied().filter(|cause| self.has(&[Shows::Telephony(known.number, cause)])).count();
            let TelephonyStatus { number, name, code, retryable, causes } = known;
            let code = code.map_or_else(String::new, |code| format!("`{code}`"));
            writeln!(self.text, "| {number} | {name} | {code} | {} | {} |", yes(*retryable), tick(seen, causes.len())).unwrap();
        }
        self.text.push('\n');
        for known in TELEPHONY_STATUSES {
            writeln!(self.text, "### Telephony.io: {} {}\n", known.number, known.name).unwrap();
            for cause in known.causes {
                let place = format!("telephonyio-{}-{}", known.number, known.name.to_lowercase().replace(' ', "-"));
                self.cause(cause, &place, &[Shows::Telephony(known.number, cause)]);
            }
        }
    }

    fn fone(&mut self) {
        self.text.push_str(FONE_HEAD);
        for (number, code, cause) in FONE_STATUSES {
            let seen = usize::from(self.has(&[Shows::FoneStatus(*number)]));
            writeln!(self.text, "| {number} | `{code}` | {cause} | {} |", tick(seen, 1)).unwrap();
        }
        self.text.push_str("\n| Code | Status | What leads to it | Names the parameter | Seen |\n|---|---|---|---|---|\n");
        for known in FONE_CODES {
            let FoneCode { name, status, cause, named } = known;
            let seen = usize::from(self.has(&[Shows::Fone(name)]));
            writeln!(
                self.text,
                "| [{name}](#{}) | {status} | {cause} | {} | {} |",
                name.to_lowercase(),
                yes(*named),
                tick(seen, 1)
            )
            .unwrap();
        }
        self.text.push('\n');
        for (number, code, cause) in FONE_STATUSES.iter().filter(|(_, code, _)| FONE_CODES.iter().all(|known| known.name != *code))
        {
            writeln!(self.text, "### {code}\n").unwrap();
            self.cause(cause, &code.to_lowercase(), &[Shows::FoneStatus(*number)]);
        }
        for known in FONE_CODES {
            writeln!(self.text, "### {}\n", known.name).unwrap();
            self.cause(known.cause, &known.name.to_lowercase(), &[Shows::Fone(known.name)]);
        }
    }

    fn cause(&mut self, cause: &'static str, place: &str, wanted: &[Shows]) {
        let found = |(index, exchange): (usize, &Exchange)| {
            exchange.shows.iter().find(|shown| wanted.contains(shown)).map(|shown| (index, *shown))
        };
        let found: Vec<_> = self.exchanges.iter().enumerate().filter_map(found).collect();
        if found.is_empty() {
            writeln!(self.text, "**{cause}**: nothing that is served today can have this cause.\n").unwrap();
        }
        for (index, shown) in found {
            let exchange = &self.exchanges[index];
            let line = request_line(&exchange.answer);
            let sharper = exchange.answer.body["error"]["code"].as_str().filter(|_| matches!(shown, Shows::Sharper(..)));
            match (sharper, &self.printed[index]) {
                (Some(code), _) => {
                    writeln!(self.text, "**{cause}**: `{line}`, answered with the sharper code [{code}](#{code}).\n").unwrap();
                }
                (None, Some(other)) => {
                    writeln!(self.text, "**{cause}**: `{line}`, as under [{other}](#{other}).\n").unwrap();
                }
                (None, None) => {
                    writeln!(self.text, "**{cause}**: {}\n\n{}", exchange.story, in_full(&exchange.answer)).unwrap();
                    self.printed[index] = Some(place.to_owned());
                }
            }
        }
    }
}

/// Where the page has a status.
fn anchor(known: &Status) -> String {
    format!("{}-{}", known.number, known.name.to_lowercase().replace(' ', "-"))
}

const fn yes(yes: bool) -> &'static str {
    if yes { "Yes" } else { "No" }
}

fn tick(seen: usize, all: usize) -> String {
    if seen == all { "✓".to_owned() } else { format!("{seen} of {all}") }
}

fn request_line(answer: &Answer) -> String {
    stable(&format!("{} {}", answer.method(), answer.path()))
}

fn in_full(answer: &Answer) -> String {
    let mut text = format!("```http\n{}\n", request_line(answer));
    for name in ["X-Auth-Token", "Authorization", "Idempotency-Key"] {
        if let Some(value) = answer.sent_header(name) {
            let shown = if value.starts_with("Basic ") { "Basic ACCOUNTSID:KEY".to_owned() } else { stable(&value) };
            writeln!(text, "{}", format!("{name}: {shown}").trim_end()).unwrap();
        }
    }
    let sent = answer.sent();
    if !sent.is_empty() {
        writeln!(text, "Content-Type: application/json\n\n{}", stable(&sent)).unwrap();
    }
    text.push_str("```\n\n```http\n");
    let status = StatusCode::from_u16(answer.status).expect("a status");
    writeln!(text, "HTTP/1.1 {status}").unwrap();
    for name in HEADERS {
        if let Some(value) = answer.header(name) {
            writeln!(text, "{name}: {}", stable(value)).unwrap();
        }
    }
    writeln!(text, "\n{}\n```", stable(answer.text())).unwrap();
    text
}

/// The text without what differs from run to run: the letters of ids and keys.
fn stable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('_') {
        let (before, after) = rest.split_at(at + 1);
        out.push_str(before);
        let random = after.bytes().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        // Ids have 26 such letters and keys more; no word of ours is as long.
        let skipped = if random >= 26 { random } else { 0 };
        if skipped > 0 {
            out.push('…');
        }
        rest = &after[skipped..];
    }
    out.push_str(rest);
    without_sids(&out)
}

/// The text with each sid (a letter and 31 capitals and digits) cut down to its letter.
fn without_sids(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let letters = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let capital = letters.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        match letters.len() == 32 && capital && letters.bytes().any(|byte| byte.is_ascii_digit()) {
            true => out.extend([&letters[..1], "…", &word[letters.len()..]]),
            false => out.push_str(word),
        }
    }
    out
}
