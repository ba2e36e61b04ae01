//! Opening a database and bringing it up to date.

use tandem_store::{Options, Schema, Store, schema};
use tandem_testkit::{Engine, Stage, on_both};

use super::{Fresh, put};

on_both! {
    async fn an_empty_database_is_brought_up_to_date_once(stage: Stage) {
        let url = stage.database().url();
        if stage.engine() == Engine::Postgres {
            assert_eq!(schema(&url).await.expect("a schema").applied, None);
        }
        for _ in 0..3 {
            let store = Store::open(&Options::new(&url)).await.expect("the store opens");
            store.close().await;
            let Schema { applied, newest } = schema(&url).await.expect("a schema");
            assert_eq!(applied, Some(newest));
        }
    }

    async fn opening_again_keeps_what_is_there(fresh: Fresh) {
        fresh.store.write(|tx| put(tx, "colour", "green")).await.expect("written");
        let fresh = fresh.reopened(|_| {}).await;
        assert_eq!(fresh.value("colour").await.as_deref(), Some("green"));
    }

    async fn several_that_start_at_once_do_not_meet(stage: Stage) {
        if stage.engine() == Engine::Sqlite {
            return; // an SQLite file has one server
        }
        let mut starts = tokio::task::JoinSet::new();
        for _ in 0..5 {
            let options = Options::new(stage.database().url());
            starts.spawn(async move { Store::open(&options).await });
        }
        for started in starts.join_all().await {
            started.expect("the store opens").close().await;
        }
    }

    async fn an_sqlite_file_has_one_server(stage: Stage) {
        if stage.engine() == Engine::Postgres {
            return; // a PostgreSQL database may have many
        }
        let options = Options { exclusive: true, ..Options::new(stage.database().url()) };
        let first = Store::open(&options).await.expect("the store opens");
        assert!(Store::open(&options).await.is_err(), "a second server");
        let guest = Store::open(&Options::new(stage.database().url())).await.expect("the command line may come beside");
        guest.close().await;
        first.close().await;
        Store::open(&options).await.expect("the file is free again").close().await;
    }

    async fn a_database_that_is_none_is_refused_in_words(stage: Stage) {
        for url in ["", "nonsense", "mysql://localhost/x", "sqlite:/nowhere/at/all/x.sqlite", "postgres://127.0.0.1:1/x"] {
            assert!(Store::open(&Options::new(url)).await.is_err(), "{url} on {:?}", stage.engine());
        }
    }
}
