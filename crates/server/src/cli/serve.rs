//! `tandem serve`.

use std::path::PathBuf;

use crate::{
    config::{Config, Flags},
    failure::Result,
    output::{remark, say, say_json},
    serve::{Running, start},
};

const EXAMPLES: &str = "Examples:
  tandem serve                                          HTTP on 127.0.0.1:8080, an SQLite file in the data directory
  tandem serve --demo --data-dir /tmp/try               a demonstration with keys to paste
  tandem serve --listen 0.0.0.0:8080 --database postgres://tandem:secret@db/tandem
  TANDEM_LOG__FORMAT=json tandem serve --ready-file /run/tandem/ready.json

The first start prints an operator's key, once. SIGTERM and Ctrl-C finish what is under way; SIGHUP reads the certificate again.";

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Where to answer HTTP; port 0 is any that is free
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// A file to write when everything answers, as JSON with the address and the keys; removed at the end
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Make a demonstration account with funds, numbers and keys, and print them
    #[arg(long)]
    demo: bool,
}

impl Args {
    /// Adds what was given to the flags.
    pub fn add_to(&self, flags: &mut Flags) {
        flags.listen.clone_from(&self.listen);
        flags.ready_file.clone_from(&self.ready_file);
        flags.demo = self.demo;
    }
}

/// Serves until it is told to stop.
///
/// # Errors
/// Whatever keeps the server from starting.
pub async fn run(config: Config, json: bool) -> Result<()> {
    let mut signals = Signals::new()?;
    let running = tokio::select! {
        running = start(config) => running?,
        _ = signals.end() => return Ok(()),
    };
    if json {
        say_json(&running.description())?
    } else {
        greet(&running)?
    }
    tracing::info!(address = %running.addr, tls = ?running.tls_addr, "ready");
    while let Signal::Reload = signals.next().await {
        running.reload();
    }
    tracing::info!("stopping: running requests are finished; a second signal ends it at once");
    tokio::select! {
        () = running.stop() => tracing::info!("stopped"),
        _ = signals.end() => tracing::warn!("stopped at once"),
    }
    Ok(())
}

fn greet(running: &Running) -> Result<()> {
    say(format_args!("Tandem {} answers at {}", env!("CARGO_PKG_VERSION"), running.base_url))?;
    if let Some(address) = running.tls_addr {
        say(format_args!("and with TLS at https://{address}"))?;
    }
    match (&running.demo, &running.operator_key) {
        (Some(demo), _) => {
            say("\nThe demonstration account and its keys (kept in the data directory, the same at every start):\n")?;
            let description = demo.description();
            for (name, value) in description.as_object().into_iter().flatten() {
                say(format_args!("  {name:<22}{}", value.as_str().unwrap_or_default()))?;
            }
            say(format_args!("  {:<22}{}", "operator_key", demo.operator_key))?;
            say("\nTo begin with: search, buy, configure.\n")?;
            for command in demo.commands(&running.app, &running.base_url) {
                say(command)?;
            }
            if let Some(sip) = running.sip_addr {
                say(
                    "\nThen call it: the first answers, in a terminal of its own; the others call, without sound and with a telephone.\n",
                )?;
                for command in demo.calls(&running.app, sip) {
                    say(command)?;
                }
            }
            say("")?;
        }
        (None, Some(key)) => {
            say(format_args!("\nThe operator's key, shown this once and kept as a hash only:\n\n  {key}\n"))?;
            remark("hint: open an account with `tandem admin accounts create --name NAME --email EMAIL`");
        }
        (None, None) => {}
    }
    Ok(())
}

enum Signal {
    Reload,
    End,
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    reload: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            reload: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::End,
            _ = self.interrupt.recv() => Signal::End,
            _ = self.reload.recv() => Signal::Reload,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Signal {
        let _ = tokio::signal::ctrl_c().await; // an error means that there is no console to press it on
        Signal::End
    }
}

impl Signals {
    async fn end(&mut self) {
        while !matches!(self.next().await, Signal::End) {}
    }
}
