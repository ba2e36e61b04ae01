//! The things that are looked at. Each says what it found; none changes anything.

use std::{fs, io::ErrorKind, path::Path};

use tandem_app::App;
use tandem_catalogue::Error;
use tandem_kernel::{Clock, SystemClock, Timestamp};
use tandem_store::{
    Schema, Tx,
    repo::{census, settings},
    schema,
};
use tokio::net::{TcpListener, lookup_host};
use x509_cert::{Certificate, der::Decode};

use super::{Finding, voice};
use crate::{
    config::{Config, without_password},
    failure::Failure,
    serve::{self, tls},
};

/// A clock that shows less was never set: nothing of this program is older.
const OLDEST: &str = "2025-01-01";
/// Days before its end at which a certificate should be renewed.
const SOON: i64 = 21;
/// Seconds by which due work may be late without anybody wondering.
const LATE: i64 = 300;

/// Looks at everything.
pub async fn all(config: &Config) -> Vec<Finding> {
    let mut findings = vec![folder(&config.data_dir), clock()];
    findings.extend(database(config).await);
    let mut places = vec![("HTTP", Some(&config.listen)), ("HTTPS", config.tls.listen.as_ref())];
    places.push(("metrics", config.metrics.listen.as_ref()));
    for (what, address) in places {
        if let Some(address) = address {
            findings.push(port(what, address).await);
        }
    }
    if config.tls.listen.is_some() || config.voice.is_secure() {
        findings.push(certificate(config));
    }
    findings.extend(voice::all(config).await);
    findings
}

fn folder(path: &Path) -> Finding {
    const WHAT: &str = "data directory";
    let place = path.display();
    let metadata = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => metadata,
        Ok(_) => return Finding::wrong(WHAT, format!("{place} is no folder"), "choose another one with --data-dir"),
        Err(fault) if fault.kind() == ErrorKind::NotFound => {
            return Finding::notice(WHAT, format!("{place} is not there yet"), "the first start makes it");
        }
        Err(fault) => return Finding::wrong(WHAT, format!("{place}: {fault}"), "let this user into the folder"),
    };
    let probe = path.join(format!(".doctor-{}", std::process::id()));
    if let Err(fault) = fs::write(&probe, b"").and_then(|()| fs::remove_file(&probe)) {
        return Finding::wrong(
            WHAT,
            format!("{place} cannot be written to: {fault}"),
            "give the folder to the user that runs Tandem",
        );
    }
    if is_open_to_others(&metadata) {
        let remedy = format!("chmod 700 {place}");
        return Finding::notice(
            WHAT,
            format!("{place} can be read by other users, and the database holds customers' data"),
            remedy,
        );
    }
    Finding::fine(WHAT, format!("{place} can be written to, and by this user alone"))
}

#[cfg(unix)]
fn is_open_to_others(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &fs::Metadata) -> bool {
    false // access lists are not looked at
}

fn clock() -> Finding {
    let now = SystemClock.now();
    if Timestamp::parse(OLDEST).is_some_and(|oldest| now < oldest) {
        return Finding::wrong("clock", format!("it shows {now}"), "set the machine's clock; keep it right with NTP");
    }
    Finding::fine("clock", format!("it shows {now}"))
}

async fn database(config: &Config) -> Vec<Finding> {
    const WHAT: &str = "database";
    let url = config.database_url();
    let place = without_password(&url);
    if config.database_file().is_some_and(|file| !file.exists()) {
        return vec![Finding::notice(WHAT, format!("{place} is not there yet"), "the first start makes it, or `tandem migrate`")];
    }
    let schema = match schema(&url).await {
        Ok(schema) => schema,
        Err(fault) => return vec![refused(WHAT, &place, fault.into())],
    };
    let Schema { applied, newest } = schema;
    match applied {
        Some(applied) if applied > newest => {
            let found = format!("{place} has version {applied} of the schema, this program knows {newest}");
            return vec![Finding::wrong(WHAT, found, "run the newer version of Tandem that made it")];
        }
        Some(applied) if applied == newest => {}
        _ => {
            let found = format!("{place} has an older schema ({}, of {newest})", applied.unwrap_or(0));
            return vec![Finding::wrong(WHAT, found, "back it up, then run `tandem migrate`; a start does it too")];
        }
    }
    let app = match serve::office(config).await {
        Ok(app) => app,
        Err(fault) => return vec![refused(WHAT, &place, fault)],
    };
    let mut findings = vec![Finding::fine(WHAT, format!("{place} answers, with version {newest} of the schema"))];
    findings.push(writing(&app).await);
    findings.extend(contents(&app).await);
    findings.extend(voice::symptoms(&app, config).await);
    app.store.close().await;
    findings
}

pub(super) fn refused(what: &'static str, place: &str, fault: Failure) -> Finding {
    let remedy = fault.hint.unwrap_or_else(|| "mend it, or name another one with --database".to_owned());
    Finding::wrong(what, format!("{place}: {}", fault.message), remedy)
}

/// Writes and takes it back.
async fn writing(app: &App) -> Finding {
    let probe = |tx: &mut Tx| -> Result<(), Error> {
        settings::put_first(tx, "doctor", "was here")?;
        Err(Error::shutting_down(0)) // any refusal undoes the unit of work
    };
    match app.store.write(probe).await {
        Err(refusal) if refusal.code() == tandem_catalogue::Code::ShuttingDown => {
            Finding::fine("writing", "the database takes what is written")
        }
        Err(fault) => refused("writing", "the database", fault.into()),
        Ok(()) => Finding::wrong("writing", "the database kept what was to be undone", "report this: it should not happen"),
    }
}

/// What is in the database.
async fn contents(app: &App) -> Vec<Finding> {
    let now = app.machine_now();
    let read = app.store.scan(move |tx| Ok((census::inventory(tx)?, census::activity(tx)?, census::due_jobs(tx, now)?))).await;
    let (inventory, (accounts, last), (due, since)) = match read {
        Ok(read) => read,
        Err(fault) => return vec![refused("contents", "the database", fault.into())],
    };
    let mut findings = vec![if accounts == 0 {
        Finding::notice("accounts", "there are none", "tandem admin accounts create --name NAME --email EMAIL")
    } else {
        Finding::fine("accounts", format!("{accounts}"))
    }];
    let count = |kind: &str, state: Option<&str>| -> i64 {
        let alike = inventory.iter().filter(|numbers| numbers.kind == kind && state.is_none_or(|state| numbers.state == state));
        alike.map(|numbers| numbers.count).sum()
    };
    let (all, free) = (count("live", None), count("live", Some("available")));
    findings.push(if free == 0 {
        Finding::notice("inventory", format!("{all} live numbers, none for sale"), "tandem admin inventory import FILE")
    } else {
        Finding::fine("inventory", format!("{all} live numbers, {free} for sale; {} test numbers", count("test", None)))
    });
    findings.push(match last {
        Some(last) if last > now.plus_seconds(60) => {
            let found = format!("the last request was logged at {last}, and the clock shows {now}");
            Finding::wrong("request log", found, "the machine's clock went back: set it right")
        }
        Some(last) => Finding::fine("request log", format!("the last request was logged at {last}")),
        None => Finding::fine("request log", "nothing was asked yet"),
    });
    let late = since.map_or(0, |since| (now.micros() - since.micros()) / 1_000_000);
    findings.push(if due > 0 && late > LATE {
        let found = format!("{due} jobs are due, the first one for {late} seconds");
        Finding::notice("due work", found, "start the server; if it runs, its log says why they fail")
    } else {
        Finding::fine("due work", format!("{due} jobs are due"))
    });
    findings
}

async fn port(what: &'static str, address: &str) -> Finding {
    match TcpListener::bind(address).await {
        Ok(_) => Finding::fine(what, format!("{address} is free")),
        Err(fault) if fault.kind() == ErrorKind::AddrInUse => {
            let place = lookup_host(address).await.ok().and_then(|mut places| places.next());
            let ours = match place {
                Some(place) => serve::is_ready(place).await,
                None => false,
            };
            if ours {
                return Finding::fine(what, format!("a server that is ready answers on {address}"));
            }
            let remedy = "if a running Tandem has it all is well; otherwise choose another one";
            Finding::notice(what, format!("{address} is in use"), remedy)
        }
        Err(fault) => Finding::wrong(what, format!("{address}: {fault}"), "an address is written as 127.0.0.1:8080"),
    }
}

fn certificate(config: &Config) -> Finding {
    const WHAT: &str = "certificate";
    let files = tls::Files::of(config);
    let place = files.certificate.display();
    if let Err(fault) = files.read() {
        return refused(WHAT, "TLS", fault);
    }
    let first = tls::certificates(&files.certificate).ok().and_then(|chain| chain.into_iter().next());
    let parsed = first.and_then(|first| Certificate::from_der(&first).ok());
    let Some(validity) = parsed.map(|certificate| certificate.tbs_certificate.validity) else {
        return Finding::notice(WHAT, format!("the dates of {place} cannot be read"), "look at it with openssl x509 -text");
    };
    let at = |time: x509_cert::time::Time| {
        let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
        Timestamp::default().plus_seconds(seconds)
    };
    let (from, until, now) = (at(validity.not_before), at(validity.not_after), SystemClock.now());
    let found = format!("{place} is valid from {} until {}", from.date(), until.date());
    if now < from || now >= until {
        return Finding::wrong(WHAT, format!("{found}, which is not now"), "put a new one in its place and send SIGHUP");
    }
    if now.plus_days(SOON) >= until {
        return Finding::notice(WHAT, found, "renew it, and send SIGHUP");
    }
    Finding::fine(WHAT, found)
}
