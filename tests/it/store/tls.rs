//! The way to PostgreSQL, encrypted. The throw-away cluster has an authority of its own beside its data.

use std::path::Path;

use tandem_store::{Fault, Options, Store};
use tandem_testkit::{Database, Engine};

/// The cluster's authority, and a database of it.
async fn place() -> (Database, String) {
    let database = Database::new(Engine::Postgres);
    let store = Store::open(&Options::new(database.url())).await.expect("unencrypted");
    let folder = store
        .read(|tx| {
            let row = tx.first("SELECT setting FROM pg_settings WHERE name = 'data_directory'", &[])?;
            Ok(row.expect("a setting").text(0)?.to_owned())
        })
        .await
        .expect("its folder");
    store.close().await;
    let authority = Path::new(&folder).parent().expect("a folder").join("ca.pem");
    (database, authority.display().to_string())
}

async fn refusal(url: String) -> String {
    match Store::open(&Options::new(url)).await {
        Err(Fault::Broken(source) | Fault::Unreachable(source)) => {
            let (mut text, mut cause) = (source.to_string(), source.source().map(ToString::to_string));
            text.push_str(cause.take().as_deref().unwrap_or_default());
            text
        }
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it opened"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_encrypted_where_the_url_asks_for_it() {
    let (database, authority) = place().await;
    let url = format!("{}?sslmode=verify-full&sslrootcert={authority}", database.url());
    let store = Store::open(&Options::new(url)).await.expect("encrypted");
    let encrypted = store
        .read(|tx| {
            let sql = "SELECT CAST(CASE WHEN ssl THEN 1 ELSE 0 END AS BIGINT) FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
            Ok(tx.first(sql, &[])?.expect("this connection").int(0)?)
        })
        .await
        .expect("the server says how it is connected");
    assert_eq!(encrypted, 1);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_no_trusted_authority_vouches_for_is_not_talked_to() {
    let (database, authority) = place().await;
    let by_name = database.url().replace("127.0.0.1", "localhost");
    for (url, reason) in [
        (format!("{}?sslmode=require", database.url()), "UnknownIssuer"),
        (format!("{by_name}?sslmode=verify-full&sslrootcert={authority}"), "not valid for name"),
        (format!("{}?sslmode=verify-full&sslrootcert=/nowhere.pem", database.url()), "the authorities in /nowhere.pem"),
        (format!("{}?sslmode=prefer", database.url()), "sslmode=prefer promises nothing"),
    ] {
        let refusal = refusal(url.clone()).await;
        assert!(refusal.contains(reason), "{url}: {refusal}");
    }
}
