//! `tandem doctor`: what is wrong with an installation, and what to do about it.

mod checks;
mod voice;

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::{
    config::Loaded,
    failure::Result,
    output::{Table, say, say_json},
};

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Grade {
    /// As it should be.
    Fine,
    /// Worth knowing.
    Notice,
    /// Tandem does not work so.
    Wrong,
}

/// Something that was looked at.
#[derive(Debug)]
struct Finding {
    grade: Grade,
    what: &'static str,
    found: String,
    remedy: Option<String>,
}

impl Finding {
    fn fine(what: &'static str, found: impl Into<String>) -> Self {
        Self { grade: Grade::Fine, what, found: found.into(), remedy: None }
    }

    fn notice(what: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { grade: Grade::Notice, what, found: found.into(), remedy: Some(remedy.into()) }
    }

    fn wrong(what: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { grade: Grade::Wrong, what, found: found.into(), remedy: Some(remedy.into()) }
    }
}

impl Grade {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Notice => "notice",
            Self::Wrong => "wrong",
        }
    }
}

/// Looks everything over. The exit code is 1 where something is wrong.
///
/// # Errors
/// Where nobody listens to what was found.
pub async fn run(loaded: &Loaded, json: bool) -> Result<ExitCode> {
    let findings = checks::all(&loaded.config).await;
    if json {
        say_json(&report(loaded, &findings))?
    } else {
        tell(loaded, &findings)?
    }
    let wrong = findings.iter().any(|finding| finding.grade == Grade::Wrong);
    Ok(if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn report(loaded: &Loaded, findings: &[Finding]) -> Value {
    let settings = loaded.listing().into_iter().map(|(key, value, origin)| (key, json!({ "value": value, "origin": origin })));
    let findings: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let Finding { grade, what, found, remedy } = finding;
            json!({ "grade": grade.as_str(), "what": what, "found": found, "remedy": remedy })
        })
        .collect();
    json!({ "file": loaded.file, "settings": settings.collect::<serde_json::Map<_, _>>(), "findings": findings })
}

fn tell(loaded: &Loaded, findings: &[Finding]) -> Result<()> {
    match &loaded.file {
        Some(file) => say(format_args!("Settings, with the file {}\n", file.display()))?,
        None => say("Settings, without a file\n")?,
    }
    let mut table = Table::new(["SETTING", "VALUE", "FROM"]);
    for (key, value, origin) in loaded.listing() {
        table.row([key, value, origin]);
    }
    table.say()?;
    say("\nFindings\n")?;
    for Finding { grade, what, found, remedy } in findings {
        say(format_args!("{:<7} {what}: {found}", grade.as_str()))?;
        if let Some(remedy) = remedy {
            say(format_args!("        hint: {remedy}"))?;
        }
    }
    let count = |grade| findings.iter().filter(|finding| finding.grade == grade).count();
    Ok(say(format_args!(
        "\n{} wrong, {} to know, {} as they should be",
        count(Grade::Wrong),
        count(Grade::Notice),
        count(Grade::Fine)
    ))?)
}
