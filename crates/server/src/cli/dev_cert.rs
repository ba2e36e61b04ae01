//! `tandem admin dev-cert`.

use std::path::Path;

use serde_json::json;
use tandem_kernel::{Clock, SystemClock};

use crate::{
    config::Config,
    dev_ca::{self, Made},
    failure::Result,
    output::{say, say_json},
};

const EXAMPLES: &str = "The first time, an authority is made in the data directory (dev-ca). Whoever trusts it trusts every certificate that its key signs: keep
the key, and trust it on development machines only. Each later call makes a new certificate for the hosts that it names; a
running server takes it at the signal SIGHUP.

Examples:
  tandem admin dev-cert localhost 127.0.0.1
  tandem admin dev-cert api.audian.com localhost";

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Names and addresses that the certificate is for
    #[arg(required = true, value_name = "HOST")]
    hosts: Vec<String>,
}

/// Makes the certificate and says what to do with it.
///
/// # Errors
/// A host that is none, and what the file system says.
pub fn run(config: &Config, args: &Args, json: bool) -> Result<()> {
    let made = dev_ca::make(&config.data_dir, &args.hosts, SystemClock.now())?;
    if json {
        let Made { authority, is_new, server, until } = &made;
        return Ok(say_json(&json!({
            "authority": authority, "new_authority": is_new, "certificate": server.certificate, "key": server.key, "until": until,
        }))?);
    }
    say(format_args!("A certificate for {} until {}:", args.hosts.join(", "), made.until))?;
    say(format_args!("  {}\n  {}", made.server.certificate.display(), made.server.key.display()))?;
    explain_trust(&made.authority)?;
    explain_use(&args.hosts)
}

fn explain_trust(authority: &Path) -> Result<()> {
    let ca = authority.display();
    say(format_args!("\nIt is signed by this machine's own authority. To trust that, for one program or for all:"))?;
    for (who, how) in [
        ("curl", format!("curl --cacert {ca} …")),
        ("Node.js", format!("NODE_EXTRA_CA_CERTS={ca} node …")),
        ("Python requests", format!("REQUESTS_CA_BUNDLE={ca} python …")),
        ("Debian, Ubuntu", format!("sudo cp {ca} /usr/local/share/ca-certificates/tandem-dev.crt && sudo update-ca-certificates")),
        ("Fedora", format!("sudo trust anchor {ca}")),
        ("macOS", format!("sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain {ca}")),
        ("Windows", format!("certutil -addstore Root {ca}")),
    ] {
        say(format_args!("  {who:<16}{how}"))?;
    }
    Ok(())
}

fn explain_use(hosts: &[String]) -> Result<()> {
    let names: Vec<&String> =
        hosts.iter().filter(|host| host.parse::<std::net::IpAddr>().is_err() && *host != "localhost").collect();
    if !names.is_empty() {
        say("\nLines for /etc/hosts, so that clients with a built-in host come here:")?;
        for name in &names {
            say(format_args!("  127.0.0.1 {name}"))?;
        }
    }
    say("\nIn tandem.toml:\n  [tls]\n  listen = \"127.0.0.1:8443\"")?;
    if let Some(name) = names.first() {
        say(format_args!("\n  [hosts]\n  audian = [\"{name}\"]   # or fonedynamics, telephony_io"))?;
    }
    Ok(())
}
