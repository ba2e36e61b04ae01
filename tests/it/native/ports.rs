//! The queue of ports, worked by hand.

use http::Method;
use serde_json::{Value, json};
use tandem_kernel::Environment::Live;
use tandem_testkit::{Answer, Persona, Server, on_both};

use super::{refused, refuses, text, walk};

const QUEUE: &str = "/v1/ports";
const PDF: &[u8] = b"%PDF-1.4 a letter";

async fn ask(persona: &Persona, number: &str) -> String {
    let body = json!({
        "number": number, "account_number": "A-1", "account_pin": "4321", "billing_phone": number, "end_user_name": "Ada Lovelace",
        "end_user_address": { "street": "1 Main", "city": "San Francisco", "state": "CA", "postal_code": "94103", "country": "US" },
    });
    persona.live().post("/audian/v2/ports", body).await.assert_status(202).data_text("id")
}

async fn step(server: &Server, id: &str, step: &str, body: Value) -> Answer {
    server.operator().post(&format!("{QUEUE}/{id}/{step}"), body).await
}

on_both! {
    async fn a_port_is_worked_by_hand(server: Server) {
        let ada = server.account("Ada").await;
        let id = ask(&ada, "+14155551234").await;
        let queue = walk(&server.operator(), QUEUE, 1).await;
        assert_eq!(queue.len(), 1);
        assert_eq!(queue[0]["owner"], json!({ "account_id": ada.account.to_string(), "environment": "live" }));
        assert_eq!(queue[0]["losing"]["account_pin"], "4321");
        let path = format!("{QUEUE}/{id}");
        server.operator().get(&path).await.assert(200, &queue[0]);
        refused(&step(&server, &id, "schedule", json!({ "date": "2024-01-05" })).await, 409, "invalid_transition", None);
        assert_eq!(step(&server, &id, "submit", json!({})).await.assert_status(200).body["status"], "submitted");
        refused(&step(&server, &id, "submit", json!({})).await, 409, "invalid_transition", None);
        let scheduled = step(&server, &id, "schedule", json!({ "date": "2024-01-05" })).await;
        assert_eq!(text(&scheduled, "/scheduled_for"), "2024-01-05T00:00:00Z");
        let completed = step(&server, &id, "complete", json!({})).await;
        assert_eq!(completed.assert_status(200).body["status"], "completed");
        assert_eq!(completed.body["losing"]["account_pin"], Value::Null);
        let numbers = ada.live().get("/audian/v2/numbers").await;
        assert_eq!(numbers.data()["numbers"][0]["status"], "active");
        assert!(walk(&server.operator(), QUEUE, 100).await.is_empty());
        assert_eq!(walk(&server.operator(), &format!("{QUEUE}?status=completed"), 100).await.len(), 1);
        let explained = walk(&ada.live(), &format!("/v1/ports/{id}/explain"), 2).await;
        assert!(explained.len() >= 4, "{explained:?}");
        let fee = ada.charges(Live).await.into_iter().find(|transfer| transfer.kind.as_str() == "capture").expect("the fee");
        let charge = ada.live().get(&format!("/v1/charges/{}/explain", fee.id)).await;
        assert_eq!(charge.body["object"], json!({ "id": id, "explained_at": format!("/v1/ports/{id}/explain") }));
    }

    async fn a_port_is_rejected_with_the_reason(server: Server) {
        let ada = server.account("Ada").await;
        let id = ask(&ada, "+14155551234").await;
        let rejected = step(&server, &id, "reject", json!({ "reason": "The PIN is wrong" })).await;
        assert_eq!((&rejected.assert_status(200).body["status"], text(&rejected, "/reason").as_str()), (&json!("rejected"), "The PIN is wrong"));
        assert_eq!(ada.wallet(Live).await.held, 0);
        for (name, body) in [("submit", json!({})), ("reject", json!({ "reason": "again" })), ("complete", json!({}))] {
            refused(&step(&server, &id, name, body).await, 409, "invalid_transition", None);
        }
    }

    async fn wrong_steps_are_named(server: Server) {
        let ada = server.account("Ada").await;
        let id = ask(&ada, "+14155551234").await;
        let operator = server.operator();
        refuses(&operator, Method::POST, &format!("{QUEUE}/{id}/reject"), &[
            (json!({}), 400, "missing_parameter", Some("/reason")),
            (json!({ "reason": 1 }), 400, "wrong_type", Some("/reason")),
            (json!({ "reason": "x".repeat(129) }), 400, "too_long", Some("/reason")),
            (json!({ "reason": "a\nb" }), 400, "invalid_value", Some("/reason")),
        ]).await;
        step(&server, &id, "submit", json!({})).await.assert_status(200);
        refuses(&operator, Method::POST, &format!("{QUEUE}/{id}/schedule"), &[
            (json!({}), 400, "missing_parameter", Some("/date")),
            (json!({ "date": "soon" }), 400, "invalid_value", Some("/date")),
            (json!({ "date": "2023-12-31" }), 400, "invalid_value", Some("/date")),
            (json!({ "date": "2025-12-31" }), 400, "invalid_value", Some("/date")),
        ]).await;
        refused(&step(&server, &id, "submit", json!({ "date": "2024-01-05" })).await, 400, "unknown_parameter", Some("/date"));
        for name in ["submit", "complete"] {
            refused(&step(&server, "port_abc123", name, json!({})).await, 404, "port_not_found", None);
        }
        refused(&operator.get(&format!("{QUEUE}?status=lost")).await, 400, "invalid_choice", Some("/status"));
    }

    async fn a_step_is_answered_again(server: Server) {
        let ada = server.account("Ada").await;
        let id = ask(&ada, "+14155551234").await;
        let operator = server.operator().idempotency("submit");
        let first = operator.post(&format!("{QUEUE}/{id}/submit"), json!({})).await;
        first.assert_status(200);
        operator.post(&format!("{QUEUE}/{id}/submit"), json!({})).await.assert_replay_of(&first);
    }

    async fn the_documents_of_a_port_are_fetched(server: Server) {
        let ada = server.account("Ada").await;
        let id = ask(&ada, "+14155551234").await;
        let body = json!({ "type": "loa", "name": "loa \"1\".pdf", "content": "JVBERi0xLjQgYSBsZXR0ZXI=" });
        let added = ada.live().post(&format!("/audian/v2/ports/{id}/documents"), body).await;
        added.assert_status(201);
        let listed = server.operator().get(&format!("{QUEUE}/{id}/documents")).await;
        assert_eq!(listed.body["data"][0]["id"].as_str(), Some(added.data_text("id").as_str()));
        assert_eq!((&listed.body["data"][0]["kind"], &listed.body["data"][0]["size"]), (&json!("loa"), &json!(PDF.len())));
        let path = format!("{QUEUE}/{id}/documents/{}", added.data_text("id"));
        let file = server.operator().get(&path).await;
        file.assert_status(200).assert_header("content-disposition", r#"attachment; filename="loa _1_.pdf""#);
        assert_eq!(file.text().as_bytes(), PDF);
        refused(&server.operator().get(&format!("{QUEUE}/{id}/documents/doc_abc123")).await, 404, "resource_not_found", None);
    }

    async fn a_number_leaves_or_stays(server: Server) {
        let ada = server.account("Ada").await;
        let bought = ada.live().post("/audian/v2/numbers/purchase", json!({ "number": "+14155550100" })).await;
        let id = bought.assert_status(201).data_text("id");
        let (operator, path) = (server.operator(), format!("/v1/numbers/{id}/port-out"));
        refused(&operator.delete(&path).await, 409, "invalid_transition", None);
        let leaving = operator.post(&path, json!({})).await;
        assert_eq!(leaving.assert_status(200).body["status"], "porting_out");
        ada.live().delete(&format!("/audian/v2/numbers/{id}")).await.assert_status(409);
        assert_eq!(operator.delete(&path).await.assert_status(200).body["status"], "active");
        operator.post(&path, json!({})).await.assert_status(200);
        let left = operator.post(&format!("{path}/complete"), json!({})).await;
        left.assert(200, &json!({
            "id": id, "number": "+14155550100", "environment_id": ada.live.environment.to_string(), "status": "released",
        }));
        refused(&operator.post(&path, json!({})).await, 404, "number_not_found", None);
        refused(&operator.post("/v1/numbers/num_abc123/port-out", json!({})).await, 404, "number_not_found", None);
    }
}
