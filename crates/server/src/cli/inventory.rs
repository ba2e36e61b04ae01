//! `tandem admin inventory`.

use std::{
    fs::File,
    io::{BufWriter, IsTerminal, Read, Write, stderr, stdin},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::{Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tandem_app::{
    App,
    inventory_import::{BadLine, Format, ImportInventory, Imported, Step, import},
};
use tandem_kernel::Environment;
use tandem_store::{Engine, repo::census};

use super::office;
use crate::{
    config::Config,
    failure::{At, Failure, Result},
    output::{Table, remark, say, say_json},
};

/// Bad lines that are shown where no file takes them.
const SHOWN: u64 = 20;
/// How often progress is told where nobody watches a bar.
const TOLD: Duration = Duration::from_secs(5);
/// How long an SQLite file is left to the server between two units of work.
const PAUSE: Duration = Duration::from_millis(10);

const IMPORT: &str = "The first line of CSV names the columns, in any order:

  number,features,monthly,setup,address_requirement
  +14155550100,voice|sms|mms,0.99,0,none
  +442079460000,voice,1.50,5,local

JSON lines have one object each: {\"number\":\"+14155550100\",\"features\":[\"voice\",\"sms\"],\"monthly\":\"0.99\"}

features: voice, sms, mms, fax, separated by | ; or a space. monthly and setup: US dollars, at most six decimals. setup is 0 and
address_requirement is none (or any, local) where they are left out. A column `currency` may say USD.

Good lines are loaded and bad ones reported with their number; doing it again loads only what changed. Numbers that somebody has
stay as they are. The server may run meanwhile and finds the numbers within seconds.

Examples:
  tandem admin inventory import numbers.csv --errors bad-lines.txt
  zcat numbers.jsonl.gz | tandem admin inventory import - --format jsonl";

/// Its commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Put numbers on sale from a file of CSV or JSON lines
    #[command(after_help = IMPORT)]
    Import(Import),
    /// Count numbers by environment, carrier and state
    Count,
}

/// What to import.
#[derive(Debug, clap::Args)]
pub struct Import {
    /// The file, or - for standard input
    file: PathBuf,
    /// How it is written; by the file's ending if not given
    #[arg(long, value_enum)]
    format: Option<Written>,
    /// Whose inventory: live or test
    #[arg(long, value_parser = office::environment, default_value = "live")]
    environment: Environment,
    /// A file for all bad lines with their reasons
    #[arg(long, value_name = "FILE")]
    errors: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Written {
    /// Columns separated by commas, named by the first line
    Csv,
    /// One JSON object on each line
    Jsonl,
}

/// Does it.
///
/// # Errors
/// A file that cannot be read, and faults of the store.
pub async fn run(config: &Config, command: Command, json: bool) -> Result<()> {
    let app = office::open(config).await?;
    let outcome = match command {
        Command::Import(args) => load(&app, &args, json).await,
        Command::Count => count(&app, json).await,
    };
    app.store.close().await;
    outcome
}

async fn load(app: &App, args: &Import, json: bool) -> Result<()> {
    let (source, size) = open(&args.file)?;
    let command = ImportInventory {
        kind: args.environment,
        format: format(args)?,
        searched_here: false,
        pause: if app.store.engine() == Engine::Sqlite { PAUSE } else { Duration::ZERO },
    };
    let mut report = Report::new(args.errors.as_deref(), size)?;
    let began = Instant::now();
    let outcome = import(app, office::operator(), command, source, |step| report.take(&step)).await;
    let shown = report.finish()?;
    let imported = outcome.map_err(|fault| {
        let reached = report.reached;
        let failure = Failure::from(fault);
        let hint = format!("{} numbers of {} lines are loaded; do it again to load the rest", reached.loaded, reached.lines);
        if reached.lines > 0 { failure.hint(hint) } else { failure }
    })?;
    conclude(&imported, began.elapsed(), shown, args, json)
}

fn open(file: &Path) -> Result<(Box<dyn Read + Send>, Option<u64>)> {
    if file == Path::new("-") {
        return Ok((Box::new(stdin()), None));
    }
    let opened = File::open(file).at("cannot read", file.display())?;
    let size = opened.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
    Ok((Box::new(opened), size))
}

fn format(args: &Import) -> Result<Format> {
    let ending = args.file.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    match (args.format, ending.as_deref()) {
        (Some(Written::Csv), _) | (None, Some("csv")) => Ok(Format::Csv),
        (Some(Written::Jsonl), _) | (None, Some("jsonl" | "ndjson" | "json")) => Ok(Format::JsonLines),
        (None, _) => Err(Failure::new(format!("the ending of {} does not say how it is written", args.file.display()))
            .hint("add --format csv or --format jsonl")),
    }
}

/// Where an import is told of.
struct Report {
    bar: Option<ProgressBar>,
    errors: Option<BufWriter<File>>,
    unwritten: Option<std::io::Error>,
    reached: Imported,
    told: Instant,
}

impl Report {
    fn new(errors: Option<&Path>, size: Option<u64>) -> Result<Self> {
        let errors = match errors {
            Some(file) => Some(BufWriter::new(File::create(file).at("cannot write", file.display())?)),
            None => None,
        };
        let bar = stderr().is_terminal().then(|| bar(size)).transpose()?;
        Ok(Self { bar, errors, unwritten: None, reached: Imported::default(), told: Instant::now() })
    }

    fn take(&mut self, step: &Step<'_>) {
        match step {
            Step::Refused(bad) => self.refuse(bad),
            Step::Reached(reached) => self.reach(*reached),
        }
    }

    fn refuse(&mut self, bad: &BadLine) {
        let line = format!("line {}: {}", bad.line, bad.reason);
        self.reached.refused += 1;
        match &mut self.errors {
            Some(file) => {
                let written = writeln!(file, "{line}");
                self.unwritten = self.unwritten.take().or(written.err());
            }
            None if self.reached.refused <= SHOWN => self.say(&line),
            None => {}
        }
    }

    fn reach(&mut self, reached: Imported) {
        self.reached = reached;
        match &self.bar {
            Some(bar) => {
                bar.set_position(reached.bytes);
                bar.set_message(format!("{} loaded, {} bad", reached.loaded, reached.refused));
            }
            None if self.told.elapsed() >= TOLD => {
                self.told = Instant::now();
                remark(format_args!("{} lines: {} loaded, {} bad", reached.lines, reached.loaded, reached.refused));
            }
            None => {}
        }
    }

    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| remark(line)),
            None => remark(line),
        }
    }

    /// Ends the telling; how many bad lines it showed.
    fn finish(&mut self) -> Result<u64> {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if let Some(mut file) = self.errors.take() {
            let flushed = self.unwritten.take().map_or_else(|| file.flush(), Err);
            flushed.at("cannot write", "the bad lines")?;
            return Ok(self.reached.refused);
        }
        Ok(self.reached.refused.min(SHOWN))
    }
}

fn bar(size: Option<u64>) -> Result<ProgressBar> {
    let (bar, look) = match size {
        Some(size) => (ProgressBar::new(size), "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} {msg}"),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes} {bytes_per_sec} {msg}"),
    };
    bar.set_style(ProgressStyle::with_template(look).at("cannot draw", "the progress bar")?);
    Ok(bar)
}

fn conclude(imported: &Imported, took: Duration, shown: u64, args: &Import, json: bool) -> Result<()> {
    let Imported { bytes, lines, loaded, unchanged, refused } = *imported;
    if json {
        let seconds = took.as_secs_f64();
        return Ok(say_json(&json!({
            "bytes": bytes, "lines": lines, "loaded": loaded, "unchanged": unchanged, "refused": refused, "seconds": seconds,
        }))?);
    }
    if refused > shown {
        remark(format_args!("… and {} more bad lines", refused - shown));
        remark("hint: --errors FILE keeps all of them");
    }
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = lines.saturating_mul(1000) / millis;
    say(format_args!("{lines} lines in {:.1} s ({rate} a second)", took.as_secs_f64()))?;
    say(format_args!("  {loaded} loaded, {unchanged} as before, {refused} bad"))?;
    if let Some(file) = args.errors.as_ref().filter(|_| refused > 0) {
        say(format_args!("  the bad lines are in {}", file.display()))?;
    }
    Ok(())
}

async fn count(app: &App, json: bool) -> Result<()> {
    let counts = app.store.scan(census::inventory).await?;
    if json {
        let counts = counts.iter().map(|numbers| {
            json!({ "environment": numbers.kind, "carrier": numbers.carrier, "state": numbers.state, "count": numbers.count })
        });
        return Ok(say_json(&Value::Array(counts.collect()))?);
    }
    let mut table = Table::new(["ENVIRONMENT", "CARRIER", "STATE", "NUMBERS"]);
    for numbers in counts {
        table.row([numbers.kind, numbers.carrier, numbers.state, numbers.count.to_string()]);
    }
    Ok(table.say()?)
}
