//! Where calls go: configurations that are checked, and `POST /v1/simulate/route`.

use serde_json::{Value, json};
use tandem_app::devices::{self, Binding};
use tandem_kernel::{
    DeviceId,
    Environment::{Live, Test},
};
use tandem_testkit::{Client, Server, on_both};

use crate::numbers::buy;

const OURS: &str = "+14155550100";
const THEIRS: &str = "+14155550199";
const BRITISH: &str = "+442079460123";

async fn configure(client: &Client, config: Value) -> tandem_testkit::Answer {
    client.put(&format!("/audian/v2/numbers/{OURS}/config"), config).await
}

async fn asked(client: &Client, body: Value) -> Value {
    client.post("/v1/simulate/route", body).await.assert_status(200).body.clone()
}

fn refused(route: &Value) -> (&str, u64, u64) {
    let refusal = &route["refusal"];
    let number = |member: &str| refusal[member].as_u64().unwrap_or_else(|| panic!("{member} in {route}"));
    (refusal["code"].as_str().expect("a code"), number("sip_status"), number("q850"))
}

async fn device(server: &Server, client: &Client, label: &str, registered: bool) -> String {
    let added = client.post("/v1/devices", json!({ "label": label })).await;
    let id = added.assert_status(201).body["id"].as_str().expect("an id").to_owned();
    if registered {
        let binding = Binding {
            contact: format!("sip:{label}@192.0.2.7"),
            source: "192.0.2.7:5060".to_owned(),
            transport: "udp".to_owned(),
            user_agent: "Telephone".to_owned(),
            path: String::new(),
            call_id: label.to_owned(),
            cseq: 1,
            q: 1000,
            expires: 3600,
        };
        devices::register(&server.app(), DeviceId::parse(&id).expect("an id"), binding).await.expect("registered");
    }
    id
}

on_both! {
    async fn a_call_is_planned_from_the_configuration(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        buy(&client, OURS).await;
        let (desk, door) = (device(&server, &client, "desk", true).await, device(&server, &client, "door", false).await);
        let ring = json!({ "strategy": "in_turn", "targets": [{ "device_id": desk, "ring_seconds": 15 }, { "device_id": door }] });
        let config = json!({
            "ring": ring, "call_forwarding": { "enabled": true, "forward_to": THEIRS, "rings_before_forward": 4 },
            "voicemail": { "enabled": true }, "recording": { "enabled": true, "format": "wav" },
            "voice_webhook": "https://example.com/voice",
        });
        let set = configure(&client, config).await;
        assert_eq!(set.assert_status(200).data()["ring"],
                   json!({ "strategy": "in_turn", "targets": [{ "device_id": desk, "ring_seconds": 15 }, { "device_id": door, "ring_seconds": 20 }] }));
        let route = asked(&client, json!({ "to": OURS, "from": THEIRS, "path": [BRITISH] })).await;
        assert_eq!(refused(&asked(&client, json!({ "to": OURS, "path": [THEIRS, OURS] })).await), ("call_loop", 482, 25));
        assert_eq!((&route["direction"], &route["number"], &route["refusal"]), (&json!("inbound"), &json!(OURS), &Value::Null));
        let plan = &route["plan"];
        assert_eq!((&plan["webhook"], &plan["treatment"], &plan["otherwise"], &plan["recorded"]),
                   (&json!("https://example.com/voice"), &json!("ring"), &json!("voicemail"), &json!(true)));
        let expected = json!([
            { "ring_seconds": 24, "attempts": [{ "kind": "device", "number": null, "device_id": desk, "trunks": 0, "caller_id": THEIRS, "diverted_by": null }] },
            { "ring_seconds": 30, "attempts": [{ "kind": "pocket", "number": THEIRS, "device_id": null, "trunks": 0, "caller_id": THEIRS, "diverted_by": OURS }] },
        ]);
        assert_eq!(plan["stages"], expected);
        let missed = route["steps"].as_array().expect("steps").iter().find(|step| step["met"] == false).expect("the nearest miss");
        assert_eq!(missed["rule"], "device 'door' can be reached");
        client.patch(&format!("/v1/devices/{desk}"), json!({ "enabled": false })).await.assert_status(200);
        configure(&client, json!({ "call_forwarding": { "when_unavailable": true } })).await.assert_status(200);
        let route = asked(&client, json!({ "to": OURS })).await;
        assert_eq!(route["plan"]["stages"][0]["attempts"][0]["kind"], "pocket", "only where nobody can be reached");
        configure(&client, json!({ "call_forwarding": null })).await.assert_status(200);
        assert_eq!(asked(&client, json!({ "to": OURS })).await["plan"]["treatment"], "voicemail");
        configure(&client, json!({ "voicemail": null })).await.assert_status(200);
        assert_eq!(asked(&client, json!({ "to": OURS })).await["plan"]["treatment"], "refuse", "the webhook alone could have it taken");
        configure(&client, json!({ "voice_webhook": null })).await.assert_status(200);
        assert_eq!(refused(&asked(&client, json!({ "to": OURS })).await), ("callee_unreachable", 480, 20));
        assert_eq!(client.get("/audian/v2/calls").await.assert_status(200).body["calls"], json!([]), "nothing was done");
    }

    async fn calls_out_go_by_brakes_and_trunks(server: Server) {
        let ada = server.account("Ada").await;
        let (operator, client) = (server.operator(), ada.live());
        buy(&client, OURS).await;
        let ask = |to: &str| { let (client, body) = (client.clone(), json!({ "from": OURS, "to": to })); async move { asked(&client, body).await } };
        assert_eq!(refused(&ask(BRITISH).await), ("no_route", 404, 3));
        assert_eq!(refused(&asked(&client, json!({ "from": THEIRS, "to": BRITISH })).await), ("caller_id_not_allowed", 403, 57));
        let trunk = json!({ "name": "all", "host": "sip.example.com", "direction": "outbound", "routes": [{ "prefix": "" }] });
        let trunk = operator.post("/v1/trunks", trunk).await;
        let id = trunk.assert_status(201).body["id"].as_str().expect("an id").to_owned();
        let near = json!({ "name": "british", "host": "sip.example.com", "direction": "outbound", "routes": [{ "country": "GB" }] });
        operator.post("/v1/trunks", near).await.assert_status(201);
        let attempt = &ask(BRITISH).await["plan"]["stages"][0]["attempts"][0];
        assert_eq!((&attempt["kind"], &attempt["trunks"], &attempt["caller_id"]), (&json!("trunk"), &json!(2), &json!(OURS)));
        operator.patch(&format!("/v1/trunks/{id}"), json!({ "state": "drained" })).await.assert_status(200);
        assert_eq!(refused(&ask(THEIRS).await), ("trunks_unavailable", 503, 34));
        operator.patch(&format!("/v1/trunks/{id}"), json!({ "state": "active" })).await.assert_status(200);
        assert_eq!(refused(&ask("+18765550100").await), ("call_country_not_allowed", 403, 57));
        let policy = format!("/v1/accounts/{}/environments/live/calling-policy", ada.account);
        let usual = client.get("/v1/calling-policy").await;
        assert_eq!((&usual.assert_status(200).body["usual"], &usual.body["most_per_minute"]), (&json!(true), &json!(0.5)));
        let set = operator.patch(&policy, json!({ "most_per_minute": 0.001, "countries": ["US", "GB"] })).await;
        assert_eq!((&set.assert_status(200).body["usual"], &set.body["countries"]), (&json!(false), &json!(["GB", "US"])));
        assert_eq!(operator.get(&policy).await.assert_status(200).body, set.body);
        assert_eq!(refused(&ask(BRITISH).await), ("call_too_dear", 403, 57));
        operator.patch(&policy, json!({ "most_per_minute": 1, "most_concurrent": 0 })).await.assert_status(200);
        assert_eq!(refused(&ask(BRITISH).await), ("call_limit_reached", 503, 42));
        operator.patch(&policy, json!({ "most_concurrent": 5 })).await.assert_status(200);
        ada.credit(Live, -ada.wallet(Live).await.available).await;
        assert_eq!(refused(&ask(BRITISH).await), ("insufficient_funds", 402, 50));
        let powerless = ada.test_with(&[]).await;
        powerless.post("/v1/simulate/route", json!({ "to": OURS })).await.assert_status(403);
    }

    async fn what_cannot_be_reached_is_no_configuration(server: Server) {
        let ada = server.account("Ada").await;
        let (operator, live, test) = (server.operator(), ada.live(), ada.test());
        for client in [&live, &test] {
            buy(client, OURS).await;
        }
        let forward = |to: &str| json!({ "call_forwarding": { "enabled": true, "forward_to": to } });
        let code = |answer: &tandem_testkit::Answer| answer.header("x-tandem-error").expect("a code").to_owned();
        let unreached = configure(&live, forward(BRITISH)).await;
        assert_eq!(unreached.assert_status(422).body["error"]["code"], "invalid_routing_configuration", "no trunk at all");
        let trunk = json!({ "name": "us", "host": "sip.example.com", "direction": "outbound", "routes": [{ "country": "US" }] });
        operator.post("/v1/trunks", trunk).await.assert_status(201);
        configure(&live, forward(THEIRS)).await.assert_status(200);
        let unreached = configure(&live, forward(BRITISH)).await;
        assert_eq!(code(unreached.assert_status(422)), "forward_target_unreachable");
        let own = server.account("Eve").await;
        buy(&own.live(), "+14155550101").await;
        configure(&live, forward("+14155550101")).await.assert_status(200);
        configure(&test, forward(BRITISH)).await.assert_status(200);
        let nobody = configure(&test, json!({ "ring": { "targets": [{ "device_id": "dev_sip_00000000000000000000000000" }] } })).await;
        assert_eq!(code(nobody.assert_status(422)), "routing_target_missing");
        let both = configure(&test, json!({ "ring": { "targets": [{ "device_id": "dev_sip_00000000000000000000000000", "number": THEIRS }] } })).await;
        assert_eq!(code(both.assert_status(422)), "invalid_routing");
        let round = configure(&test, json!({ "ring": { "targets": [{ "number": OURS }] } })).await;
        assert_eq!(code(round.assert_status(422)), "forward_loop");
        let conference = test.post("/audian/v2/conferences", json!({ "name": "Monday" })).await;
        let id = conference.assert_status(201).body["id"].clone();
        configure(&test, json!({ "conference": { "conference_id": id } })).await.assert_status(200);
        let route = asked(&test, json!({ "to": OURS })).await;
        assert_eq!((&route["plan"]["treatment"], &route["plan"]["target"]), (&json!("conference"), &id));
        let id = id.as_str().expect("an id");
        test.delete(&format!("/audian/v2/conferences/{id}")).await.assert_status(200);
        let gone = configure(&test, json!({ "conference": { "conference_id": id } })).await;
        assert_eq!(code(gone.assert_status(422)), "routing_target_missing");
        assert_eq!(ada.wallet(Test).await.held, 0);
    }
}
