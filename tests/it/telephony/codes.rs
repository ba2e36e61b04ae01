//! A code is on the handset and nowhere else.

use std::{fs, path::Path, process::Command};

use serde_json::json;
use tandem_kernel::Environment::Live;
use tandem_testkit::{Engine, Server, on_both, run};

use super::verify::{CHECK, SEND, check, wrong};

/// Where the run that is listened to writes the codes that it used.
const CODES: &str = "TANDEM_TEST_CODES_FILE";

const PHONE: &str = "+61412345678";

/// All that the database has, read as an intruder with its files would.
async fn dump(server: &Server) -> Vec<u8> {
    match server.engine() {
        Engine::Sqlite => files(server.database().folder()),
        Engine::Postgres => tables(server).await,
    }
}

fn files(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        all.extend(if path.is_dir() { files(&path) } else { fs::read(&path).expect("a file") });
    }
    all
}

/// Bytes stand in rows as text of two hexadecimal digits each.
async fn tables(server: &Server) -> Vec<u8> {
    let dumped = server.read(|tx| {
        let mut all = String::new();
        for row in
            tx.query("SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = current_schema()", &[])?
        {
            let table = row.text(0)?.to_owned();
            for row in tx.query_built(&format!("SELECT CAST(t AS TEXT) FROM \"{table}\" t"), &[])? {
                all.push_str(row.text(0)?);
                all.push('\n');
            }
        }
        Ok(all)
    });
    dumped.await.into_bytes()
}

fn has(haystack: &[u8], needle: &str) -> bool {
    let hex = tandem_kernel::hex(needle.as_bytes());
    let found = |needle: &str| haystack.windows(needle.len()).any(|window| window == needle.as_bytes());
    found(needle) || found(&hex)
}

/// Codes sent, sent again, checked wrongly and rightly.
async fn talk(server: Server) {
    let ada = server.account("Ada").await;
    let body = json!({ "phone_number": PHONE, "code_length": 10 });
    ada.live().idempotency("a").post(SEND, body.clone()).await.assert_status(200);
    let [text] = server.deliver(Live).await.try_into().expect("one message");
    server.pass_seconds(30);
    ada.live().post(SEND, body).await.assert_status(200);
    assert_eq!(server.refuse_texts(Live).await.len(), 1);
    let (code, wrong) = (text.code(), wrong(&text.code()));
    check(&ada.live(), PHONE, &wrong).await.assert_status(200);
    check(&ada.live().idempotency("b"), PHONE, &code).await.assert_status(200);
    server.settle().await;
    if let Some(file) = std::env::var_os(CODES) {
        fs::write(file, format!("{code}\n{wrong}\n")).expect("a file");
    }
}

#[test]
fn what_is_said_about_codes_on_sqlite() {
    run(Engine::Sqlite, talk);
}

#[test]
fn what_is_said_about_codes_on_postgres() {
    run(Engine::Postgres, talk);
}

/// Runs one of the two above in a process of its own that logs all it can, and reads every line.
fn listen_to(test: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let codes = folder.path().join("codes");
    let program = std::env::current_exe().expect("this program");
    let name = format!("telephony::codes::{test}");
    let output = Command::new(program).args(["--exact", &name, "--nocapture"]).env("RUST_LOG", "trace").env(CODES, &codes).output();
    let output = output.expect("it runs");
    let said = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{}", text.lines().rev().take(50).collect::<Vec<_>>().join("\n"));
    assert!(text.contains("TRACE") && text.lines().count() > 100, "it logs all it can");
    for code in fs::read_to_string(&codes).expect("the codes").lines() {
        let line = text.lines().find(|line| has(line.as_bytes(), code));
        assert!(line.is_none(), "{code} is in the log: {}", line.unwrap_or(""));
    }
}

#[test]
fn no_code_is_in_the_log_however_much_is_logged() {
    listen_to("what_is_said_about_codes_on_sqlite");
    listen_to("what_is_said_about_codes_on_postgres");
}

on_both! {
    async fn no_code_is_in_any_row_event_or_log(server: Server) {
        let ada = server.account("Ada").await;
        ada.unlimited(Live).await;
        // Ten digits, so that none stands in a row by chance.
        ada.live().idempotency("a").post(SEND, json!({ "phone_number": PHONE, "code_length": 10 })).await.assert_status(200);
        let waiting = dump(&server).await;
        let [text] = server.deliver(Live).await.try_into().expect("one message");
        let (code, wrong) = (text.code(), wrong(&text.code()));
        assert!(has(&waiting, "61412345678"), "the dump has what is there");
        assert!(!has(&waiting, &code), "while the message waits");
        check(&ada.live(), PHONE, &wrong).await.assert_status(200);
        let misled = format!("{CHECK}?code={code}");
        ada.live().idempotency("b").post(&misled, json!({ "phone_number": PHONE, "code": code })).await.assert_status(200);
        ada.live().post(CHECK, json!({ "phone_number": PHONE, "Code": code, "codes": [{ "code": code }] })).await.assert_status(400);
        server.settle().await;
        let all = dump(&server).await;
        assert!(has(&all, "**********"), "messages are shown without it");
        for tried in [&code, &wrong] {
            assert!(!has(&all, tried), "{tried} is in the database");
        }
        for path in ["/v1/events", "/v1/requests", "/v1/verifications"] {
            let listed = ada.live().get(path).await;
            assert!(listed.status == 200 && !listed.text().contains(&code) && !listed.text().contains(&wrong), "{listed}");
        }
    }
}
