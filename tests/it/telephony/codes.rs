//! A code is on the handset and nowhere else.

use std::{fs, path::Path};

use serde_json::json;
use tandem_kernel::Environment::Live;
use tandem_testkit::{Engine, Server, on_both};

use super::verify::{CHECK, SEND, check, wrong};

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
    let hex: String = needle.bytes().map(|byte| format!("{byte:02x}")).collect();
    let found = |needle: &str| haystack.windows(needle.len()).any(|window| window == needle.as_bytes());
    found(needle) || found(&hex)
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
