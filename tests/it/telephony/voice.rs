//! Agents who are connected with leads.

use serde_json::{Value, json};
use tandem_kernel::Environment::Test;
use tandem_testkit::{Exchange, on_both, phone::By, until};

use crate::voice::calls::{OURS, TARGET, books, record, scenery};

const TRIGGER: &str = "/telephony/api/voice/trigger-call";
const LEAD: &str = "+442079461002";

fn body(more: Value) -> Value {
    let mut body = json!({ "agentPhone": TARGET, "leadPhone": LEAD, "leadName": "Ada Lovelace", "source": "Website Form",
                           "metadata": { "propertyId": "4711" } });
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

on_both! {
    async fn an_agent_hears_of_a_lead_and_is_connected(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let before = scenery.ada.wallet(Test).await.available;
        let triggered = scenery.client.post(TRIGGER, body(json!({}))).await.assert_status(200).body.clone();
        let id = triggered["callId"].as_str().expect("an id").to_owned();
        assert_eq!(triggered, json!({ "success": true, "callId": id, "status": "initiated", "agentPhone": TARGET, "leadPhone": LEAD,
                                      "estimatedConnectTime": "2-3 seconds", "creditsUsed": 0.1 }));
        let arriving = scenery.callee.incoming().await;
        assert_eq!((arriving.from().as_str(), arriving.to().as_str()), (OURS, TARGET));
        let agent = arriving.answer().await;
        agent.hears_something().await;
        let lead = scenery.callee.incoming().await;
        assert_eq!((lead.from().as_str(), lead.to().as_str()), (OURS, LEAD));
        let lead = lead.answer().await;
        agent.say(440);
        lead.hears(440).await;
        lead.bye().await;
        assert_eq!(agent.ended().await.by, By::Them);
        record(&scenery.client, 1).await;
        let read = scenery.client.get(&format!("/telephony/api/voice/calls/{id}")).await.assert_status(200).body.clone();
        assert_eq!((&read["status"], &read["agentPhone"], &read["leadPhone"], &read["reason"], &read["cost"], &read["metadata"]),
                   (&json!("completed"), &json!(TARGET), &json!(LEAD), &json!("normal"), &json!(0.1), &json!({ "propertyId": "4711" })), "{read}");
        let after = scenery.ada.wallet(Test).await;
        assert_eq!((before - after.available, after.held), (100_000, 0), "one fee, whoever speaks for how long");
        books(&exchange, &scenery.client).await;
    }

    async fn nothing_is_paid_for_an_agent_who_does_not_answer(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let before = scenery.ada.wallet(Test).await.available;
        let triggered = scenery.client.post(TRIGGER, body(json!({}))).await.assert_status(200).body.clone();
        assert_eq!(scenery.ada.wallet(Test).await.held, 100_000);
        scenery.callee.incoming().await.refuse(486).await;
        record(&scenery.client, 1).await;
        let path = format!("/telephony/api/voice/calls/{}", triggered["callId"].as_str().expect("an id"));
        let read = scenery.client.get(&path).await.assert_status(200).body.clone();
        assert_eq!((&read["status"], &read["reason"], &read["cost"]), (&json!("failed"), &json!("busy"), &json!(0)), "{read}");
        let after = scenery.ada.wallet(Test).await;
        assert_eq!((after.available, after.held), (before, 0));
    }

    async fn what_stands_against_it_is_said_in_the_dialects_words(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let refused = |more: Value, status: u16, code: &'static str| {
            let client = &scenery.client;
            async move {
                let answer = client.post(TRIGGER, body(more)).await;
                assert_eq!((answer.status, answer.body["code"].as_str()), (status, Some(code)), "{}", answer.body);
            }
        };
        for missing in ["agentPhone", "leadPhone", "leadName"] {
            refused(json!({ missing: null }), 400, "invalid_parameter").await;
        }
        refused(json!({ "agentPhone": "0412 345 678" }), 400, "invalid_parameter").await;
        refused(json!({ "leadPhone": "+449999999999" }), 400, "invalid_parameter").await;
        refused(json!({ "leadName": "x".repeat(129) }), 400, "invalid_parameter").await;
        let many: serde_json::Map<String, Value> = (0..51).map(|n| (format!("m{n}"), json!(1))).collect();
        refused(json!({ "metadata": many }), 400, "invalid_parameter").await;
        let unknown = scenery.client.get("/telephony/api/voice/calls/call_unknown").await;
        assert_eq!((unknown.status, &unknown.body["code"]), (404, &json!("not_found")), "{}", unknown.body);
        scenery.ada.purse(Test, 0).await;
        refused(json!({}), 402, "insufficient_balance").await;
        scenery.ada.purse(Test, 100_000_000).await;
        let bert = exchange.account("Bert").await;
        let answer = bert.test().post(TRIGGER, body(json!({}))).await;
        assert_eq!((answer.status, &answer.body["code"]), (403, &json!("forbidden")), "no number calls: {}", answer.body);
        until("nobody was called", || async { scenery.callee.next_within(std::time::Duration::from_millis(1)).await.is_none().then_some(()) }).await;
    }
}
