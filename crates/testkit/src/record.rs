//! What was seen over the wire in a run of the tests. Kept only where `TANDEM_TEST_COVERAGE` names a folder.

use std::{
    collections::HashSet,
    fs::{File, OpenOptions},
    io::Write,
    path::PathBuf,
    sync::{Mutex, OnceLock, PoisonError},
};

use http::HeaderMap;
use serde_json::{Value, json};

use crate::{Answer, contract::Origin};

/// Names a folder into which each test process writes a file of JSON lines.
const FOLDER: &str = "TANDEM_TEST_COVERAGE";
/// Bytes of a body that are kept.
const LONGEST: usize = 2000;

struct Log {
    file: File,
    seen: HashSet<String>,
}

fn log() -> Option<&'static Mutex<Log>> {
    static LOG: OnceLock<Option<Mutex<Log>>> = OnceLock::new();
    let open = || {
        let folder = PathBuf::from(std::env::var_os(FOLDER)?);
        std::fs::create_dir_all(&folder).expect("the folder of the coverage report");
        let path = folder.join(format!("{}.jsonl", std::process::id()));
        let file = OpenOptions::new().create(true).append(true).open(path).expect("the coverage report");
        Some(Mutex::new(Log { file, seen: HashSet::new() }))
    };
    LOG.get_or_init(open).as_ref()
}

/// Keeps an exchange: the first of its operation, status and code.
pub fn keep(answer: &Answer, origin: &Origin) {
    let Some(log) = log() else { return };
    let exchange = &answer.exchange;
    let line = json!({
        "engine": exchange.engine,
        "dialect": origin.dialect.as_str(),
        "operation": origin.operation,
        "code": answer.header("x-tandem-error"),
        "method": exchange.method.as_str(),
        "path": exchange.path,
        "sent_headers": shown(&exchange.sent),
        "sent": cut(&String::from_utf8_lossy(&exchange.sent_body)),
        "status": answer.status,
        "headers": shown(&exchange.headers),
        "body": cut(answer.text()),
    });
    let operation = origin.operation.as_deref().unwrap_or("-");
    let code = answer.header("x-tandem-error").unwrap_or("");
    let identity =
        format!("{}|{}|{operation}|{}|{}|{code}", exchange.engine, origin.dialect.as_str(), exchange.method, answer.status);
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    if log.seen.insert(identity) {
        writeln!(log.file, "{line}").expect("the coverage report can be written");
    }
}

/// The headers without connection matters and credentials.
fn shown(headers: &HeaderMap) -> Value {
    let hidden = ["host", "date", "content-length", "connection"];
    let secret = ["x-auth-token", "authorization"];
    let kept = headers.iter().filter(|(name, _)| !hidden.contains(&name.as_str()));
    let kept = kept.map(|(name, value)| {
        let value = if secret.contains(&name.as_str()) { "KEY" } else { value.to_str().unwrap_or("?") };
        (name.as_str().to_owned(), Value::from(value))
    });
    Value::Object(kept.collect())
}

fn cut(text: &str) -> String {
    let end = text.char_indices().map(|(at, _)| at).find(|at| *at >= LONGEST).unwrap_or(text.len());
    text[..end].to_owned()
}
