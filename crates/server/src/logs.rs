//! Log lines on standard error.

use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    config::{Log, LogFormat},
    failure::{Failure, Result},
};

/// What is chattier than we want it, unless the operator says otherwise.
const QUIETER: &str = "refinery_core=warn,rsipstack=warn"; // the SIP stack logs whole messages, credentials too

/// Starts logging, once for the process; whoever started it before wins.
///
/// # Errors
/// A level that is none.
pub fn start(log: &Log) -> Result<()> {
    let level: Targets = format!("{QUIETER},{}", log.level).parse().map_err(|fault| Failure::new(format!("log.level: {fault}")))?;
    let lines = tracing_subscriber::registry().with(level);
    let text = fmt::layer().with_writer(std::io::stderr);
    let started = match log.format {
        LogFormat::Text => lines.with(text.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))).try_init(),
        LogFormat::Json => lines.with(text.json().flatten_event(true)).try_init(),
    };
    drop(started); // a test's own subscriber stays
    Ok(())
}
