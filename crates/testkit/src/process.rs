//! The real binary as a process of its own, for tests that kill it.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the binary is: `TANDEM_TEST_BIN`, or beside the test's own.
pub fn tandem_binary() -> PathBuf {
    if let Some(path) = std::env::var_os("TANDEM_TEST_BIN") {
        return PathBuf::from(path);
    }
    let own = std::env::current_exe().expect("this test has a path");
    let folder = own.parent().and_then(Path::parent).expect("the folder of the build");
    let binary = folder.join(format!("tandem{}", std::env::consts::EXE_SUFFIX));
    assert!(binary.exists(), "there is no {}: run `cargo build -p tandem-server` first, or set TANDEM_TEST_BIN", binary.display());
    binary
}

/// A running `tandem serve --demo`. Killed when it goes out of scope.
pub struct Tandem {
    child: Child,
    /// What it wrote when it was ready.
    pub ready: Value,
}

impl Tandem {
    /// Starts it on a folder and a database and waits until everything answers.
    pub async fn start(folder: &Path, database: &str) -> Self {
        Self::start_with(folder, database, &[]).await
    }

    /// As [`Self::start`], with further variables in its environment.
    pub async fn start_with(folder: &Path, database: &str, variables: &[(&str, &str)]) -> Self {
        let ready_file = folder.join("ready.json");
        let _ = std::fs::remove_file(&ready_file); // there is none the first time
        let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).expect("a log");
        let mut command = Command::new(tandem_binary());
        command.args(["serve", "--demo", "--listen", "127.0.0.1:0", "--database", database]);
        command.arg("--data-dir").arg(folder).arg("--ready-file").arg(&ready_file).envs(variables.iter().copied());
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log);
        let mut tandem = Self { child: command.spawn().expect("the binary runs"), ready: Value::Null };
        let began = Instant::now();
        loop {
            let ready = std::fs::read_to_string(&ready_file).ok().and_then(|text| serde_json::from_str(&text).ok());
            if let Some(ready) = ready {
                tandem.ready = ready;
                return tandem;
            }
            let ended = tandem.child.try_wait().expect("the process can be asked");
            let log = || std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            assert!(ended.is_none(), "tandem ended with {ended:?} instead of serving:\n{}", log());
            assert!(began.elapsed() < PATIENCE, "tandem was not ready in {PATIENCE:?}:\n{}", log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Kills it as a loss of power would: no handler runs.
    pub fn kill(&mut self) {
        let _ = self.child.kill(); // it may be gone already
        let _ = self.child.wait();
    }

    /// Runs another command of the binary on the same folder and database; its output where it succeeds.
    pub fn command(folder: &Path, database: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(tandem_binary());
        command.args(arguments).args(["--database", database]).arg("--data-dir").arg(folder);
        let output = command.output().expect("the binary runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "tandem {arguments:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
        said
    }

    /// Sends a request on a connection of its own; `None` where no whole answer came.
    pub async fn try_send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &Value) -> Option<(u16, Value, bool)> {
        let base = self.ready["base_url"].as_str().expect("a base_url");
        let mut request = Request::builder().method(method).uri(format!("{base}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = request.header("content-type", "application/json").body(Full::<Bytes>::from(body)).expect("a request");
        let pool: Pool<HttpConnector, Full<Bytes>> = Pool::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
        let response = pool.request(request).await.ok()?;
        let status = response.status().as_u16();
        let replayed = response.headers().contains_key("idempotent-replayed");
        let bytes = response.into_body().collect().await.ok()?.to_bytes();
        Some((status, serde_json::from_slice(&bytes).unwrap_or_default(), replayed))
    }
}

/// Sends many requests on connections that it keeps.
#[derive(Clone)]
pub struct Sender {
    base: String,
    pool: Pool<HttpConnector, Full<Bytes>>,
}

impl Sender {
    /// To a server.
    pub fn new(base: &str) -> Self {
        Self { base: base.to_owned(), pool: Pool::builder(TokioExecutor::new()).build_http() }
    }

    /// Posts a body; the status of the answer.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> u16 {
        let mut request = Request::builder().method(Method::POST).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header("content-type", "application/json").body(Full::from(body.to_string())).expect("a request");
        let response = self.pool.request(request).await.expect("an answer");
        let status = response.status().as_u16();
        let _ = response.into_body().collect().await.expect("a whole answer");
        status
    }
}

impl Drop for Tandem {
    fn drop(&mut self) {
        self.kill();
    }
}
