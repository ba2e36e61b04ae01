//! `tandem explain`.

use serde_json::{Value, json};
use tandem_catalogue::{Code, Dialect, Entry, Retry};

use crate::{
    failure::{Failure, Result},
    nearest::ranked,
    output::{Table, say, say_json},
};

const EXAMPLES: &str = "Examples:
  tandem explain number_not_available
  tandem explain rate_limit_error       a code as one of the dialects says it
  tandem explain                        all of them";

/// Names that are offered for one that is unknown.
const OFFERED: usize = 5;

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The code: the platform's own, or as a dialect says it
    code: Option<String>,
}

/// Explains a code, or lists all.
///
/// # Errors
/// A code that nothing is called.
pub fn run(args: &Args, json: bool) -> Result<()> {
    let Some(code) = &args.code else { return list(Code::ALL, json) };
    if let Some(code) = Code::parse(&code.to_ascii_lowercase()) {
        return if json { Ok(say_json(&entry_json(code.entry()))?) } else { explain(code.entry()) };
    }
    let said: Vec<Code> = Code::ALL.iter().copied().filter(|known| says(known.entry(), code)).collect();
    if !said.is_empty() {
        return list(&said, json);
    }
    let near = ranked(&code.to_ascii_lowercase(), Code::ALL.iter().map(|code| code.name()));
    let failure = Failure::new(format!("no error is called '{code}'"));
    Err(match near.get(..near.len().min(OFFERED)) {
        Some(near) if !near.is_empty() => failure.hint(format!("did you mean {}?", near.join(", "))),
        _ => failure.hint("`tandem explain` lists them all"),
    })
}

fn says(entry: &Entry, code: &str) -> bool {
    Dialect::ALL.into_iter().any(|dialect| entry.wire(dialect).code == code)
}

fn list(codes: &[Code], json: bool) -> Result<()> {
    let mut codes = codes.to_vec();
    codes.sort_by_key(|code| code.name());
    if json {
        return Ok(say_json(&Value::Array(codes.iter().map(|code| entry_json(code.entry())).collect()))?);
    }
    let mut table = Table::new(["CODE", "AUDIAN", "TITLE"]);
    for code in codes {
        let entry = code.entry();
        let wire = entry.wire(Dialect::Audian);
        table.row([entry.name.to_owned(), format!("{} {}", wire.status, wire.code), entry.title.to_owned()]);
    }
    Ok(table.say()?)
}

fn explain(entry: &Entry) -> Result<()> {
    say(format_args!("{}: {}\n", entry.name, entry.title))?;
    say(format_args!("  {}\n", entry.message))?;
    let retry = match entry.retry {
        Retry::Never => "no: not without a change",
        Retry::Later => "yes, after a growing pause",
        Retry::After => "yes, after the time that the answer names",
    };
    let money = if entry.charged { "may have moved: repeat with the same Idempotency-Key" } else { "did not move" };
    for (name, value) in [("To act", entry.actor.as_str()), ("Retry", retry), ("Money", money)] {
        say(format_args!("{name:<10}{value}"))?;
    }
    for (heading, lines) in [("Causes", entry.causes), ("What to do", entry.resolution)] {
        say(format_args!("\n{heading}"))?;
        for line in lines {
            say(format_args!("  - {line}"))?;
        }
    }
    say(format_args!("\nTo provoke it in a test environment\n  {}", entry.trigger))?;
    say("\nAs each dialect says it")?;
    let mut table = Table::new(["", "STATUS", "CODE", "FIELD", "MESSAGE"]);
    for dialect in Dialect::ALL {
        let wire = entry.wire(dialect);
        let cells = [dialect.as_str(), "", wire.code, wire.field.unwrap_or("-"), wire.message].map(str::to_owned);
        let [name, _, code, field, message] = cells;
        table.row([format!("  {name}"), wire.status.to_string(), code, field, message]);
    }
    if let Some(sip) = entry.sip {
        table.row(["  SIP".to_owned(), sip.to_string(), "-".to_owned(), "-".to_owned(), "-".to_owned()]);
    }
    Ok(table.say()?)
}

fn entry_json(entry: &Entry) -> Value {
    let wires = Dialect::ALL.into_iter().map(|dialect| {
        let wire = entry.wire(dialect);
        let kind = Some(wire.kind).filter(|kind| !kind.is_empty());
        let said = json!({ "status": wire.status, "code": wire.code, "type": kind, "message": wire.message, "field": wire.field });
        (dialect.as_str().to_owned(), said)
    });
    json!({
        "code": entry.name,
        "number": entry.number,
        "title": entry.title,
        "message": entry.message,
        "values": entry.values,
        "actor": entry.actor.as_str(),
        "retry": entry.retry.as_str(),
        "charged": entry.charged,
        "causes": entry.causes,
        "resolution": entry.resolution,
        "trigger": entry.trigger,
        "sip": entry.sip,
        "dialects": wires.collect::<serde_json::Map<_, _>>(),
    })
}
