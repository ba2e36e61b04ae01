//! Finding messages.

use serde_json::{Value, json};
use tandem_app::messages::gateway::ReceiptState;
use tandem_kernel::Environment::Live;
use tandem_testkit::{Answer, Client, Server, on_both};

use super::{BASE, messages_of, shop};
use crate::messages::{OURS, THEIRS, incoming, report, sender, take_all};

const DAWN: i64 = 1_704_067_200;

fn texts(answer: &Answer) -> Vec<String> {
    let found = answer.assert_status(200).body["Messages"].as_array().expect("a list").iter();
    found.map(|message| message["Text"].as_str().expect("a text").to_owned()).collect()
}

async fn send(client: &Client, path: &str, text: &str) {
    client.post(path, json!({ "From": OURS, "To": THEIRS, "Text": text })).await.assert_status(200);
}

on_both! {
    async fn messages_are_found_by_time_status_and_direction(server: Server) {
        let (ada, client) = sender(&server).await;
        let path = messages_of(&ada, Live);
        send(&client, &path, "one").await;
        let one = take_all(&server).await;
        server.pass_seconds(10);
        send(&client, &path, "two").await;
        let two = take_all(&server).await;
        report(&server, &one, ReceiptState::Delivered, None).await;
        report(&server, &two, ReceiptState::Undelivered, None).await;
        server.pass_seconds(10);
        incoming(&server, "three", "1").await;
        send(&client, &path, "four").await;
        take_all(&server).await;
        server.pass_seconds(10);
        send(&client, &path, "five").await;
        for (query, expected) in [
            (String::new(), vec!["one", "two", "three", "four", "five"]),
            ("&Status=Delivered".into(), vec!["one"]),
            ("&Status=failed".into(), vec!["two"]),
            ("&Status=Received".into(), vec!["three"]),
            ("&Status=Submitted".into(), vec!["four"]),
            ("&Status=Processing".into(), vec!["five"]),
            ("&Direction=Receive".into(), vec!["three"]),
            ("&Direction=Transmit".into(), vec!["one", "two", "four", "five"]),
            ("&Direction=Receive&Status=Delivered".into(), vec![]),
            ("&Results_Count=2".into(), vec!["one", "two"]),
            ("&Results_Count=2&Results_Skip=3".into(), vec!["four", "five"]),
        ] {
            let found = client.get(&format!("{path}?Date_From={DAWN}&Date_To={}{query}", DAWN + 100)).await;
            assert_eq!(texts(&found), expected, "{query}");
        }
        for (from, to, expected) in [(DAWN + 10, DAWN + 20, vec!["two"]), (DAWN, DAWN + 10, vec!["one"]), (DAWN + 31, DAWN + 99, vec![])] {
            assert_eq!(texts(&client.get(&format!("{path}?date_from={from}&DATE_TO={to}")).await), expected);
        }
        let other = shop(&client, true).await;
        let empty = client.get(&format!("{BASE}/Properties/{other}/Messages?Date_From={DAWN}&Date_To={}", DAWN + 100)).await;
        empty.assert(200, &json!({ "Messages": [], "NextPageToken": null }));
    }

    async fn pages_lead_on(server: Server) {
        let (ada, client) = sender(&server).await;
        let path = messages_of(&ada, Live);
        let all = ["a", "b", "c", "d", "e"];
        for text in all {
            send(&client, &path, text).await;
        }
        let query = format!("{path}?Date_From={DAWN}&Date_To={}&Results_Count=2", DAWN + 1);
        let (mut found, mut next) = (Vec::new(), query.clone());
        loop {
            let page = client.get(&next).await;
            found.extend(texts(&page));
            let Some(token) = page.body["NextPageToken"].as_str() else { break };
            next = format!("{query}&PageToken={token}");
        }
        assert_eq!(found, all);
        let token = "0".repeat(26);
        client.get(&format!("{query}&PageToken={token}")).await
            .assert_fone_error(400, "PARAMETER_INVALID", "The PageToken parameter must be one of an earlier answer", Some("PageToken"));
    }

    async fn what_is_wrong_is_named(server: Server) {
        let (ada, client) = sender(&server).await;
        let path = messages_of(&ada, Live);
        for (query, code, field) in [
            ("", "PARAMETER_REQUIRED", "Date_From"),
            ("Date_From=1", "PARAMETER_REQUIRED", "Date_To"),
            ("Date_From=1&Date_To=1", "PARAMETER_INVALID", "Date_To"),
            ("Date_From=x&Date_To=2", "PARAMETER_INVALID", "Date_From"),
            ("Date_From=1&Date_To=2&Status=Lost", "PARAMETER_INVALID", "Status"),
            ("Date_From=1&Date_To=2&Direction=Up", "PARAMETER_INVALID", "Direction"),
            ("Date_From=1&Date_To=2&Results_Count=201", "PARAMETER_INVALID", "Results_Count"),
            ("Date_From=1&Date_To=2&Results_Skip=-1", "PARAMETER_INVALID", "Results_Skip"),
            ("Date_From=1&Date_To=2&PageToken=x", "PARAMETER_INVALID", "PageToken"),
        ] {
            let refused = client.get(&format!("{path}?{query}")).await;
            let status: &Value = &refused.body["ResponseStatus"];
            assert_eq!((refused.status, &status["ErrorCode"], &status["Errors"][0]["FieldName"]), (400, &json!(code), &json!(field)), "{refused}");
        }
    }
}
