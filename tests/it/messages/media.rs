//! Messages with media, through the pocket network's carrier, with an internet that does as the test says.

use std::sync::Arc;

use serde_json::{Value, json};
use tandem_app::accounts::ChangeAccount;
use tandem_kernel::Environment::Test;
use tandem_ledger::TransferKind::{Capture, Hold, Release};
use tandem_testkit::{Internet, POCKET, Persona, Receiver, Server, Stage, offer, on_both, shelf, until};

use super::{MESSAGES, OURS, THEIRS};
use crate::numbers::buy;

/// A number of the simulated carrier.
const SIMULATED: &str = "+15035550120";
const PICTURE: &str = "https://example.com/menu.jpg";

async fn build(stage: Stage) -> (Server, Persona, Internet) {
    let offers = |kind| {
        let mut offers = shelf(kind);
        offers.push(offer(SIMULATED, POCKET, &["voice", "sms", "mms"]));
        offers
    };
    let server = stage.offers(offers).start().await;
    let internet = Internet::default();
    server.app().fetcher.set(Arc::new(internet.clone()));
    let ada = server.account("Ada").await;
    ada.change(ChangeAccount { mms_enabled: Some(true), ..ChangeAccount::default() }).await;
    buy(&ada.test(), SIMULATED).await;
    (server, ada, internet)
}

fn picture(to: &str, urls: &[&str]) -> Value {
    json!({ "from": SIMULATED, "to": to, "body": "The menu", "media_urls": urls })
}

async fn send(ada: &Persona, to: &str, urls: &[&str]) -> String {
    ada.test().post(MESSAGES, picture(to, urls)).await.assert_status(201).data_text("id")
}

/// Waits until a message is in a state.
async fn becomes(ada: &Persona, id: &str, status: &str) -> Value {
    until(&format!("{id} is {status}"), || async {
        let read = ada.test().get(&format!("{MESSAGES}/{id}")).await;
        (read.data()["status"] == status).then(|| read.data().clone())
    })
    .await
}

async fn movements(ada: &Persona, id: &str) -> Vec<(tandem_ledger::TransferKind, i64)> {
    let all = ada.charges(Test).await.into_iter();
    all.filter(|transfer| transfer.reference == id).map(|transfer| (transfer.kind, transfer.amount)).collect()
}

on_both! {
    async fn media_are_fetched_and_delivered(stage: Stage) {
        let (_server, ada, internet) = build(stage).await;
        let sent = ada.test().post(MESSAGES, picture(THEIRS, &[PICTURE, "https://example.com/a.png"])).await;
        let (id, data) = (sent.data_text("id"), sent.assert_status(201).data());
        assert_eq!((&data["type"], &data["price"], &data["media_urls"][0]), (&json!("mms"), &json!(0.05), &json!(PICTURE)));
        let delivered = becomes(&ada, &id, "delivered").await;
        assert_eq!(delivered["body"], "The menu");
        assert_eq!(internet.asked(), [PICTURE, "https://example.com/a.png"]);
        assert_eq!(movements(&ada, &id).await, [(Hold, 50_000), (Capture, 50_000)]);
    }

    async fn media_that_cannot_go_cost_nothing(stage: Stage) {
        let (_server, ada, _) = build(stage).await;
        for (urls, code, reason) in [
            (vec!["https://example.com/page.html"], "media_refused", "https://example.com/page.html: 'text/html' is no picture, sound, film or card"),
            (vec![PICTURE, "https://example.com/gone.jpg"], "media_refused", "https://example.com/gone.jpg: the server answered 404"),
            (vec!["https://example.com/inside.jpg"], "media_refused", "https://example.com/inside.jpg: 10.0.0.1 is not a public address"),
            (vec!["https://example.com/film.mp4", "https://example.org/film.mp4"], "media_refused", "https://example.org/film.mp4: there is more than was asked for"),
        ] {
            let id = send(&ada, THEIRS, &urls).await;
            let failed = becomes(&ada, &id, "failed").await;
            assert_eq!((&failed["error_code"], &failed["error_message"]), (&json!(code), &json!(reason)));
            assert_eq!(movements(&ada, &id).await, [(Hold, 50_000), (Release, 50_000)]);
        }
        let id = send(&ada, "+16282030010", &[PICTURE]).await;
        let failed = becomes(&ada, &id, "failed").await;
        assert_eq!((&failed["error_code"], &failed["error_message"]), (&json!("carrier_refused"), &json!("The handset cannot show the message")));
    }

    async fn a_place_that_never_answers_keeps_no_other_work_waiting(stage: Stage) {
        let (server, ada, internet) = build(stage).await;
        let eve = server.account("Eve").await;
        for (client, number) in [(ada.test(), OURS), (ada.live(), OURS), (eve.test(), "+14155550101")] {
            buy(&client, number).await;
        }
        ada.unlimited(Test).await;
        for number in 0..80 {
            send(&ada, &format!("+1415555{:04}", 2_000 + number), &["https://example.com/silent.jpg"]).await;
        }
        until("the place is asked", || async { (!internet.asked().is_empty()).then_some(()) }).await;
        server.pass_days(31);
        until("every month is paid", || async {
            let renewed = "SELECT COUNT(*) FROM transfers WHERE description LIKE '%: month from %'";
            (server.count(renewed).await == 4).then_some(())
        }).await;
    }

    async fn whoever_does_not_answer_is_asked_again(stage: Stage) {
        let (server, ada, internet) = build(stage).await;
        let asleep = send(&ada, THEIRS, &["https://example.com/asleep.jpg"]).await;
        until("the place is asked", || async { (!internet.asked().is_empty()).then_some(()) }).await;
        becomes(&ada, &asleep, "queued").await;
        ada.advance(1_000).await;
        server.run_due().await;
        let failed = becomes(&ada, &asleep, "failed").await;
        assert_eq!(failed["error_code"], "media_unreachable");
        let (silent, down) = (send(&ada, "+16282030020", &[PICTURE]).await, send(&ada, "+16282030030", &[PICTURE]).await);
        becomes(&ada, &silent, "sent").await;
        ada.advance(3 * 86_400 + 60).await;
        becomes(&ada, &silent, "expired").await;
        becomes(&ada, &down, "expired").await;
        assert_eq!(movements(&ada, &silent).await, [(Hold, 50_000), (Capture, 50_000)]);
        assert_eq!(movements(&ada, &down).await, [(Hold, 50_000), (Release, 50_000)]);
    }

    async fn media_are_not_fetched_from_within(stage: Stage) {
        let receiver = Receiver::start().await;
        let offers = |kind| {
            let mut offers = shelf(kind);
            offers.push(offer(SIMULATED, POCKET, &["voice", "sms", "mms"]));
            offers
        };
        let server = stage.offers(offers).start().await;
        let ada = server.account("Ada").await;
        ada.change(ChangeAccount { mms_enabled: Some(true), ..ChangeAccount::default() }).await;
        buy(&ada.test(), SIMULATED).await;
        let id = send(&ada, THEIRS, &[&receiver.url("/menu.jpg")]).await;
        assert_eq!(becomes(&ada, &id, "failed").await["error_code"], "media_refused");
        assert_eq!(receiver.count(), 0);
    }

    async fn what_can_be_said_at_once_is(stage: Stage) {
        let (_server, ada, _) = build(stage).await;
        let refused = async |urls: Value| {
            let mut body = picture(THEIRS, &[]);
            body["media_urls"] = urls;
            ada.test().post(MESSAGES, body).await
        };
        let ftp = refused(json!(["ftp://example.com/a.jpg"])).await;
        let said = "ftp://example.com/a.jpg: it must begin with https:// or http://";
        ftp.assert_audian_error(400, "invalid_parameter", "invalid_request_error", said, Some("media_urls"));
        refused(json!(vec![PICTURE; 11])).await.assert_status(400);
        refused(json!([1])).await.assert_status(400);
        buy(&ada.test(), "+14155550100").await;
        let mut local = picture(THEIRS, &[PICTURE]);
        local["from"] = json!("+14155550100");
        let refused = ada.test().post(MESSAGES, local).await;
        let said = "The carrier of +14155550100 does not offer MMS";
        refused.assert_audian_error(403, "operation_not_allowed", "forbidden_error", said, None);
    }
}
