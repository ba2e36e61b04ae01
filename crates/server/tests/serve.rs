//! Servers in this process, started as the binary starts them.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot begin has failed")]

use std::{path::PathBuf, sync::Arc};

use tandem_kernel::{ManualClock, Timestamp};
use tandem_server::{
    config::Config,
    serve::{Running, Setup, is_ready, start},
};

/// A folder that is gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tandem-serve-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn config(&self) -> Config {
        let ready_file = Some(self.0.join("ready.json"));
        let data_dir = self.0.join("data");
        Config { listen: "127.0.0.1:0".to_owned(), data_dir, ready_file, ..Config::default() }
    }

    fn ready(&self) -> Option<serde_json::Value> {
        let text = std::fs::read_to_string(self.0.join("ready.json")).ok()?;
        Some(serde_json::from_str(&text).expect("it is whole"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0); // the system cleans up otherwise
    }
}

async fn started(config: Config) -> Running {
    start(config).await.unwrap_or_else(|fault| panic!("{fault}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_shows_a_key_and_the_second_does_not() {
    let folder = Folder::new("first");
    let running = started(folder.config()).await;
    assert!(is_ready(running.addr).await);
    let key = running.operator_key.clone().expect("the first start makes a key");
    assert!(key.starts_with("op_"), "{key}");
    assert_eq!(folder.ready().expect("it answers")["operator_key"], key.as_str());
    let addr = running.addr;
    running.stop().await;
    assert_eq!(folder.ready(), None, "the file goes with the server");
    assert!(!is_ready(addr).await);
    let running = started(folder.config()).await;
    assert_eq!(running.operator_key, None);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_served_with_its_own_secret_key_only() {
    let folder = Folder::new("secret");
    started(folder.config()).await.stop().await;
    let file = folder.config().secret_key_file();
    let key = std::fs::read(&file).expect("the first start makes a secret key");
    std::fs::write(&file, "00".repeat(32)).expect("another key");
    let refusal = start(folder.config()).await.err().expect("it is not this database's").to_string();
    assert!(refusal.contains("is not the one that this database was written with") && refusal.contains("secret_key"), "{refusal}");
    std::fs::remove_file(&file).expect("it is there");
    let refusal = start(folder.config()).await.err().expect("there is none").to_string();
    assert!(refusal.contains("there is no secret key in") && !file.exists(), "{refusal}");
    std::fs::write(&file, key).expect("put back");
    started(folder.config()).await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demonstration_is_the_same_at_every_start() {
    let folder = Folder::new("demo");
    let config = Config { demo: true, ..folder.config() };
    let first = started(config.clone()).await;
    let (demo, key) = (first.demo.clone(), first.operator_key.clone());
    assert!(demo.is_some() && key.is_some());
    let accounts = folder.ready().expect("it answers")["accounts"].clone();
    for member in
        ["id", "live_key", "test_key", "publishable_live_key", "publishable_test_key", "account_sid", "live_token", "test_token"]
    {
        assert!(accounts[0][member].is_string(), "{member} in {accounts}");
    }
    first.stop().await;
    let second = started(config).await;
    assert_eq!((&second.demo, &second.operator_key), (&demo, &key));
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_share_a_process_but_not_a_file() {
    let (one, other) = (Folder::new("one"), Folder::new("other"));
    let running = started(one.config()).await;
    let fault = start(one.config()).await.err().expect("the file is in use");
    assert!(fault.message.contains("another server has the database"), "{fault}");
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_704_067_200_000_000)));
    let beside = start(Setup { clock, ..Setup::from(other.config()) }).await.unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(beside.app.machine_now().to_string(), "2024-01-01T00:00:00Z");
    assert!(is_ready(running.addr).await && is_ready(beside.addr).await);
    tokio::join!(running.stop(), beside.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_in_use_is_told_at_once_and_leaves_nothing_behind() {
    let folder = Folder::new("address");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let listen = taken.local_addr().expect("it is bound").to_string();
    let fault = start(Config { listen: listen.clone(), ..folder.config() }).await.err().expect("the port is taken");
    assert!(fault.message.starts_with(&format!("cannot listen on {listen}")), "{fault}");
    assert!(!folder.0.join("data").exists());
}
