//! The command line.

mod accounts;
mod backup;
mod dev_cert;
mod explain;
mod inventory;
mod keys;
mod ledger;
mod migrate;
mod office;
mod openapi;
mod serve;
mod wallet;

use std::{path::PathBuf, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand};

use crate::{
    config::{Flags, Loaded, load},
    doctor,
    failure::{Failure, Result},
    logs, output,
};

const ABOUT: &str = "Tandem: the telephone company in one binary. It serves the Audian API (and more dialects) over its own inventory, \
                     ledger and carriers.";
const EXAMPLES: &str = "Examples:
  tandem serve                                        answer on 127.0.0.1:8080 with an SQLite file; nothing has to be set
  tandem serve --demo                                 the same, with a demonstration account and its keys
  tandem admin accounts create --name Ann --email ann@example.com
  tandem admin inventory import numbers.csv           put numbers on sale while the server runs
  tandem explain number_not_available                 what an error means and what to do about it

Settings come from the command line, then from variables such as TANDEM_LISTEN and TANDEM_TLS__LISTEN, then from the file
(--config, ./tandem.toml or /etc/tandem/tandem.toml); packaging/tandem.toml shows them all. `tandem doctor` shows what is in
force and where it came from.";

/// The heading over the options that every command takes.
const EVERYWHERE: &str = "For every command";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "tandem", version, about = ABOUT, after_help = EXAMPLES, max_term_width = 120)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, clap::Args)]
pub struct Common {
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE", env = "TANDEM_CONFIG", help_heading = EVERYWHERE)]
    config: Option<PathBuf>,
    /// Where everything is kept that Tandem writes
    #[arg(long, global = true, value_name = "DIR", help_heading = EVERYWHERE)]
    data_dir: Option<PathBuf>,
    /// The database: sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME
    #[arg(long, global = true, value_name = "URL", help_heading = EVERYWHERE)]
    database: Option<String>,
    /// Answer in JSON, for programs
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::Args),
    /// Bring the database's schema up to date and stop
    Migrate,
    /// Look for whatever is wrong with this installation, and show the settings in force
    #[command(after_help = "It changes nothing. The exit code is 1 where something has to be done.")]
    Doctor,
    /// Say what an error means, what causes it and what to do
    Explain(explain::Args),
    /// Print the OpenAPI document of a dialect
    Openapi(openapi::Args),
    /// Look after accounts, keys, money, numbers and the database; works beside a running server
    #[command(subcommand)]
    Admin(Admin),
    /// Print the completion script for a shell
    #[command(
        after_help = "Examples:\n  tandem completions bash > /etc/bash_completion.d/tandem\n  tandem completions zsh > ~/.zfunc/_tandem"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
enum Admin {
    /// Open, list, show and change accounts
    #[command(subcommand)]
    Accounts(accounts::Command),
    /// Make, list, rotate and revoke keys
    #[command(subcommand)]
    Keys(keys::Command),
    /// Credit wallets and see what moved
    #[command(subcommand)]
    Wallet(wallet::Command),
    /// Put numbers on sale and count them
    #[command(subcommand)]
    Inventory(inventory::Command),
    /// Recompute every wallet from its transfers and check the chain of hashes
    #[command(after_help = "It reads only, and may run beside the server. The exit code is 1 where a wallet does not add up.")]
    VerifyLedger,
    /// Copy the SQLite database to a new file, beside a running server
    Backup(backup::Args),
    /// Make a certificate for this machine's development, signed by an authority of its own
    DevCert(dev_cert::Args),
}

/// Parses the command line and does what it says.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(failure) => {
            if !failure.message.is_empty() {
                output::remark(&failure);
            }
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode> {
    let done = |()| ExitCode::SUCCESS;
    let json = cli.common.json;
    // These need neither a configuration nor a runtime, and must work where both are broken.
    match &cli.command {
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "tandem", &mut script);
            return Ok(output::say(String::from_utf8_lossy(&script)).map(done)?);
        }
        Command::Explain(args) => return explain::run(args, json).map(done),
        Command::Openapi(args) => return openapi::run(args).map(done),
        _ => {}
    }
    let loaded = configuration(&cli)?;
    logs::start(&loaded.config.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(work(cli.command, loaded, json))
}

async fn work(command: Command, loaded: Loaded, json: bool) -> Result<ExitCode> {
    let config = &loaded.config;
    let done = |()| ExitCode::SUCCESS;
    match command {
        Command::Serve(_) => serve::run(loaded.config, json).await.map(done),
        Command::Migrate => migrate::run(config, json).await.map(done),
        Command::Doctor => doctor::run(&loaded, json).await,
        Command::Admin(Admin::Accounts(command)) => accounts::run(config, command, json).await.map(done),
        Command::Admin(Admin::Keys(command)) => keys::run(config, command, json).await.map(done),
        Command::Admin(Admin::Wallet(command)) => wallet::run(config, command, json).await.map(done),
        Command::Admin(Admin::Inventory(command)) => inventory::run(config, command, json).await.map(done),
        Command::Admin(Admin::VerifyLedger) => ledger::run(config, json).await,
        Command::Admin(Admin::Backup(args)) => backup::run(config, &args, json).await.map(done),
        Command::Admin(Admin::DevCert(args)) => dev_cert::run(config, &args, json).map(done),
        Command::Completions { .. } | Command::Explain(_) | Command::Openapi(_) => Err(Failure::new("this was done before")),
    }
}

fn configuration(cli: &Cli) -> Result<Loaded> {
    let Common { config, data_dir, database, .. } = &cli.common;
    let mut flags = Flags { data_dir: data_dir.clone(), database: database.clone(), ..Flags::default() };
    if let Command::Serve(args) = &cli.command {
        args.add_to(&mut flags);
    }
    load(config.as_deref(), &flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_says_what_it_does() {
        fn check(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
