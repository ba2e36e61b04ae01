//! Two requests that change one thing at the same time.

use std::sync::mpsc::channel;

use serde_json::json;
use tandem_store::repo::smscs;
use tandem_testkit::{Engine, Stage, on_both, until};

use super::says;

on_both! {
    async fn what_another_takes_away_meanwhile_cannot_be_changed(stage: Stage) {
        if stage.engine() == Engine::Sqlite {
            return; // an SQLite file has one writer: units of work come one after the other
        }
        let server = stage.start().await;
        let operator = server.operator();
        let body = json!({ "name": "nowhere", "host": "127.0.0.1", "port": 1, "system_id": "us", "password": "secret" });
        let made = operator.post("/v1/smscs", body).await;
        let id = made.assert_status(201).body["id"].as_str().expect("an id").to_owned();
        let path = format!("/v1/smscs/{id}");
        let smsc = tandem_kernel::SmscId::parse(&id).expect("an id");
        let ((begun, has_begun), (go, may_go)) = (channel(), channel());
        let (begun, may_go) = (std::sync::Mutex::new(begun), std::sync::Mutex::new(may_go));
        let app = server.app();
        let removal = tokio::spawn(async move {
            let work = move |tx: &mut tandem_store::Tx| {
                smscs::remove(tx, smsc)?;
                begun.lock().expect("one at a time").send(()).expect("somebody waits");
                may_go.lock().expect("one at a time").recv().expect("somebody lets it go");
                Ok(())
            };
            app.store.write(work).await
        });
        tokio::task::spawn_blocking(move || has_begun.recv().expect("it begins")).await.expect("it begins");
        // It is still there for whoever reads, and its row is another's to write.
        let change = tokio::spawn(async move { operator.patch(&path, json!({ "name": "elsewhere" })).await });
        until("the change waits for the removal", || async {
            let waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
            (server.count(waiting).await > 0).then_some(())
        }).await;
        go.send(()).expect("the removal waits");
        removal.await.expect("it ends").expect("it is removed");
        let refused = change.await.expect("an answer");
        says(&refused, "concurrent_modification");
        assert_eq!(refused.body["detail"], "The SMSC was changed by another request at the same time");
    }
}
