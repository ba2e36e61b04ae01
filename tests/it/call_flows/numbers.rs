//! Numbers that lead to call flows.

use serde_json::json;
use tandem_kernel::Scope;
use tandem_testkit::{Server, on_both};

use super::{FLOWS, all_to, assert_unroutable, flow};
use crate::numbers::{LIST, buy};

const OURS: &str = "+14155550100";

on_both! {
    async fn a_number_names_a_flow_of_its_environment(server: Server) {
        let (ada, bob) = (server.account("Ada").await, server.account("Bob").await);
        let client = ada.test();
        buy(&client, OURS).await;
        let (id, theirs) = (flow(&client, "Main", json!([all_to("voicemail", "")])).await, flow(&bob.test(), "Main", json!([all_to("hangup", "")])).await);
        let config = format!("{LIST}/{OURS}/config");
        let refused = client.put(&config, json!({ "call_flow_id": theirs })).await;
        assert_unroutable(&refused, &format!("The call flow '{theirs}' does not exist"), "call_flow_id");
        let set = client.put(&config, json!({ "call_flow_id": id })).await;
        assert_eq!(set.assert_status(200).data()["call_flow_id"], json!(id));
        let message = format!("The call flow '{id}' is used by {OURS} and cannot be deleted");
        let kept = client.delete(&format!("{FLOWS}/{id}")).await;
        kept.assert_audian_error(409, "resource_conflict", "conflict_error", &message, None);
        let back = client.put(&format!("{FLOWS}/{id}"), json!({ "routing": [all_to("phone_number", OURS)] })).await;
        assert_unroutable(&back, &format!("Forwarding to {OURS} would loop: {id} → {OURS} → {id}"), "destination");
        client.delete(&format!("{LIST}/{OURS}")).await.assert_status(200);
        client.delete(&format!("{FLOWS}/{id}")).await.assert_status(200);
    }

    async fn a_flow_that_names_a_number_has_it_lead_there(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        for number in [OURS, "+14155550101"] {
            buy(&client, number).await;
        }
        let routing = json!([all_to("voicemail", "")]);
        let made = client.post(FLOWS, json!({ "name": "Main", "phone_number": OURS, "routing": routing })).await;
        assert_eq!(made.assert_status(201).body["phone_number"], OURS);
        let id = made.body["call_flow_id"].as_str().expect("an id").to_owned();
        let flow_of = |number: &'static str| {
            let client = client.clone();
            async move { client.get(&format!("{LIST}/{number}/config")).await.data().get("call_flow_id").cloned() }
        };
        assert_eq!(flow_of(OURS).await, Some(json!(id)));
        let twice = client.post(FLOWS, json!({ "name": "Other", "phone_number": OURS, "routing": routing })).await;
        twice.assert_audian_error(409, "already_exists", "conflict_error", &format!("{OURS} leads to the call flow '{id}' already"), None);
        let moved = client.put(&format!("{FLOWS}/{id}"), json!({ "phone_number": "+14155550101" })).await;
        assert_eq!(moved.assert_status(200).body["phone_number"], "+14155550101");
        assert_eq!((flow_of(OURS).await, flow_of("+14155550101").await), (None, Some(json!(id))));
        client.put(&format!("{LIST}/+14155550101/config"), json!({ "call_flow_id": null })).await.assert_status(200);
        assert_eq!(client.get(&format!("{FLOWS}/{id}")).await.body["phone_number"], json!(null));
        client.put(&format!("{FLOWS}/{id}"), json!({ "name": "Still none" })).await.assert_status(200);
        assert_eq!(flow_of("+14155550101").await, None);
        let own = client.post(FLOWS, json!({ "name": "Round", "phone_number": OURS, "routing": [all_to("phone_number", OURS)] })).await;
        own.assert_status(422);
        assert_eq!(own.body["error"]["code"], "invalid_routing_configuration", "{own}");
        let foreign = client.post(FLOWS, json!({ "name": "x", "phone_number": "+14155550105", "routing": routing })).await;
        assert_unroutable(&foreign, "The number '+14155550105' does not exist", "phone_number");
        let caller = ada.test_with(&[Scope::CallsWrite]).await;
        caller.post(FLOWS, json!({ "name": "x", "phone_number": OURS, "routing": routing })).await.assert_status(403);
        caller.post(FLOWS, json!({ "name": "x", "routing": routing })).await.assert_status(201);
    }
}
