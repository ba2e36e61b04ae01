//! The webhook of a number decides what is done with its calls.

use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tandem_kernel::Environment::Test;
use tandem_testkit::{Client, Exchange, Phone, Reaction, Received, Receiver, Stage, on_both, phone::Refused, until};

use super::calls::{CALLER, OURS, Scenery, TARGET, books, configure, cost, kinds, record, scenery};
use crate::numbers::buy;

/// Another number that the trunk carries calls to, at the same price.
const OTHER: &str = "+442079461002";

async fn exchange(stage: Stage) -> Exchange {
    stage.config(|config| config.webhooks.allow_private = true).exchange().await
}

/// Two telephones, a number that is forwarded, and whoever is asked about its calls.
async fn asked(exchange: &Exchange) -> (Scenery, Receiver) {
    let (scenery, receiver) = (scenery(exchange).await, Receiver::start().await);
    configure(&scenery.client, json!({ "voice_webhook": receiver.url("/voice?of=ours") })).await;
    (scenery, receiver)
}

fn raw(status: &str, headers: &str, body: &str) -> Reaction {
    Reaction::Raw(format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()).into_bytes())
}

/// What is explained of a call's question: how it came out, and what was compared last.
async fn explained(client: &Client, id: &str) -> (String, String) {
    let path = format!("/v1/calls/{id}/explain");
    let found = until("the question is explained", || async {
        let read = client.get(&path).await;
        let all = read.assert_status(200).body["data"].as_array().expect("explanations").clone();
        all.into_iter().find(|one| one["decision"] == "webhook")
    })
    .await;
    let steps = found["steps"].as_array().expect("steps");
    let last = steps.last().expect("a step");
    (found["outcome"].as_str().expect("an outcome").to_owned(), last["compared"].as_str().expect("values").to_owned())
}

fn verified(received: &Received, secret: &str) {
    let at = received.header("webhook-timestamp").parse().expect("seconds");
    let signed = Webhook::new(secret).expect("a secret").sign(received.header("webhook-id"), at, received.body.as_bytes());
    assert_eq!(received.header("webhook-signature"), signed.expect("a signature"));
}

async fn refused(scenery: &Scenery, exchange: &Exchange) -> Refused {
    scenery.caller.call(exchange.sip(), CALLER, OURS).await.refused().await
}

on_both! {
    async fn the_answer_leads_the_call(stage: Stage) {
        let exchange = exchange(stage).await;
        let (scenery, receiver) = asked(&exchange).await;
        receiver.react(Reaction::Json(json!({ "call_control": { "destination": OTHER, "destination_type": "phone_number" } })));
        let calling = scenery.caller.call_with(exchange.sip(), CALLER, OURS, |dial| dial.name = Some("Grace".to_owned())).await;
        let arriving = scenery.callee.incoming().await;
        assert_eq!((arriving.from().as_str(), arriving.to().as_str()), (CALLER, OTHER));
        let there = arriving.answer().await;
        let here = calling.answered().await;
        here.say(440);
        there.hears(440).await;
        here.bye().await;
        there.ended().await;
        let call = scenery.record().await;
        let questions = receiver.all();
        let question = questions[0].json();
        let id = call["id"].as_str().expect("an id");
        assert_eq!((questions.len(), questions[0].path.as_str(), &question["event"]), (1, "/voice?of=ours", &json!("call.incoming")));
        let attempts = json!([{ "number": TARGET, "device_id": null }]);
        assert_eq!(question["data"], json!({
            "call_id": id, "call_uuid": question["data"]["call_uuid"], "number": OURS, "from": CALLER, "from_name": "Grace", "to": OURS,
            "path": [], "started_at": call["started_at"],
            "configured": {
                "treatment": "ring", "target": null, "stages": [{ "ring_seconds": 30, "attempts": attempts }], "otherwise": "no_answer",
                "recorded": false,
            },
        }));
        let secret = scenery.client.get("/v1/number-webhooks/secret").await;
        verified(&questions[0], secret.assert_status(200).body["signing_secret"].as_str().expect("a secret"));
        assert_eq!(questions[0].header("x-audian-signature").len(), 64);
        let (outcome, compared) = explained(&scenery.client, id).await;
        assert_eq!(outcome, "the call goes as the webhook says: ring");
        assert!(compared.contains(OTHER), "{compared}");
        let cost = scenery.client.get(&format!("/audian/v2/calls/{id}")).await.assert_status(200).body["cost"].as_f64().expect("a cost");
        let seconds = call["duration"].as_i64().expect("a duration");
        assert!((cost * 1e6).round() as i64 == self::cost(seconds), "{cost} for {seconds} s");
        books(&exchange, &scenery.client).await;
    }

    async fn the_answer_refuses_the_call(stage: Stage) {
        let exchange = exchange(stage).await;
        let (scenery, receiver) = asked(&exchange).await;
        for (word, status, q850, code) in [("busy", 486, 17, "callee_busy"), ("declined", 603, 21, "call_rejected"), ("unavailable", 480, 20, "callee_unreachable")] {
            receiver.react(Reaction::Json(json!({ "reject": { "reason": word } })));
            let refused = refused(&scenery, &exchange).await;
            assert_eq!((refused.status, refused.q850()), (status, Some(q850)), "{refused:?}");
            assert!(refused.text().starts_with(code), "{refused:?}");
        }
        receiver.react(Reaction::Json(json!({ "call_control": { "destination_type": "hangup" } })));
        assert_eq!(refused(&scenery, &exchange).await.status, 603);
        let calls = record(&scenery.client, 4).await;
        assert_eq!(calls[3]["end"]["reason"], "busy");
        assert_eq!(kinds(&scenery.client, &calls[3]).await, ["call.initiated", "call.failed"]);
        assert_eq!(books(&exchange, &scenery.client).await["cost"], 0.0);
    }

    async fn the_caller_hears_what_is_to_be_said_first(stage: Stage) {
        let exchange = exchange(stage).await;
        let (scenery, receiver) = asked(&exchange).await;
        let said = json!({ "call_control": { "say": "Good morning.", "language": "en-GB" } });
        receiver.react(Reaction::Json(said));
        let here = scenery.caller.call(exchange.sip(), CALLER, OURS).await.answered().await;
        here.hears_something().await;
        let arriving = scenery.callee.incoming().await;
        assert_eq!(arriving.to(), TARGET, "then the configuration holds");
        let there = arriving.answer().await;
        there.say(600);
        here.hears(600).await;
        here.bye().await;
        there.ended().await;
        let goodbye = json!({ "call_control": { "say": "We are closed.", "destination_type": "hangup" } });
        receiver.react(Reaction::Json(goodbye));
        let here = scenery.caller.call(exchange.sip(), CALLER, OURS).await.answered().await;
        here.hears_something().await;
        here.ended().await;
        let calls = record(&scenery.client, 2).await;
        assert_eq!((&calls[0]["end"]["reason"], &calls[0]["status"]), (&json!("normal"), &json!("completed")));
    }

    async fn whatever_is_wrong_the_configuration_holds_and_it_is_said_why(stage: Stage) {
        let exchange = exchange(stage).await;
        let (scenery, receiver) = asked(&exchange).await;
        let elsewhere = format!("location: {}\r\n", receiver.url("/elsewhere"));
        let nobody = json!({ "call_control": { "destination": "conf_00000000000000000000000000", "destination_type": "conference" } });
        let round = json!({ "call_control": { "destination": OURS, "destination_type": "phone_number" } });
        let long = format!("{{\"call_control\": {{\"say\": \"{}\"}}}}", "x".repeat(20_000));
        let cases = [
            (raw("204 Nothing", "", ""), "nothing"),
            (Reaction::Json(json!({})), "{}"),
            (Reaction::Status(500), "the server answered 500"),
            (raw("302 Found", &elsewhere, ""), "the server answered 302, and redirects are not followed"),
            (Reaction::Status(200), "it is no JSON"),
            (Reaction::Json(json!({ "call_control": {}, "then": 1 })), "'then', which nobody knows"),
            (Reaction::Json(nobody), "callee_unreachable"),
            (Reaction::Json(round), "call_loop"),
            (raw("200 OK", "", &long), "there is more than was asked for"),
            (Reaction::Close, "connection"),
        ];
        let count = cases.len();
        for (reaction, why) in cases {
            receiver.react(reaction);
            let calling = scenery.caller.call(exchange.sip(), CALLER, OURS).await;
            let arriving = scenery.callee.incoming().await;
            assert_eq!(arriving.to(), TARGET, "{why}");
            calling.cancel().await;
            arriving.cancelled().await;
            let live = scenery.client.get("/v1/calls?limit=1").await.assert_status(200).body["data"][0]["id"].clone();
            let (outcome, compared) = explained(&scenery.client, live.as_str().expect("an id")).await;
            assert_eq!(outcome, "the call goes as the number is configured: ring");
            assert!(compared.contains(why), "{why}: {compared}");
        }
        record(&scenery.client, count).await;
        assert_eq!(receiver.all().iter().filter(|one| one.path == "/elsewhere").count(), 0);
    }

    async fn one_that_says_nothing_is_not_waited_for(stage: Stage) {
        let exchange = exchange(stage).await;
        let (scenery, receiver) = asked(&exchange).await;
        receiver.react(Reaction::Hang);
        let calling = scenery.caller.call(exchange.sip(), CALLER, OURS).await;
        receiver.wait(1).await;
        calling.cancel().await;
        let call = scenery.record().await;
        assert_eq!(call["end"]["reason"], "canceled");
        let calling = scenery.caller.call(exchange.sip(), CALLER, OURS).await;
        let arriving = scenery.callee.incoming().await;
        let id = scenery.client.get("/v1/calls?limit=1").await.assert_status(200).body["data"][0]["id"].clone();
        let (_, compared) = explained(&scenery.client, id.as_str().expect("an id")).await;
        assert!(compared.ends_with("no answer within 5 seconds"), "{compared}");
        calling.cancel().await;
        arriving.cancelled().await;
        record(&scenery.client, 2).await;
        assert_eq!(scenery.ada.wallet(Test).await.held, 0);
    }

    async fn a_number_may_have_nothing_but_its_webhook(stage: Stage) {
        let exchange = exchange(stage).await;
        let (ada, receiver) = (exchange.account("Ada").await, Receiver::start().await);
        let (client, caller) = (ada.test(), Phone::listen().await);
        exchange.trunk(&caller, super::calls::BEYOND).await;
        buy(&client, OURS).await;
        configure(&client, json!({ "voice_webhook": receiver.url("/") })).await;
        let route = client.post("/v1/simulate/route", json!({ "to": OURS })).await.assert_status(200).body.clone();
        let plan = &route["plan"];
        assert_eq!((&plan["webhook"], &plan["treatment"], &plan["otherwise"]), (&json!(receiver.url("/")), &json!("refuse"), &json!("unreachable")));
        assert_eq!(route["outcome"], "the number's webhook is asked; without its answer: refuse");
        receiver.react(Reaction::Json(json!({})));
        let refused = caller.call(exchange.sip(), CALLER, OURS).await.refused().await;
        assert_eq!((refused.status, refused.q850()), (480, Some(20)));
        receiver.react(Reaction::Json(json!({ "call_control": { "destination_type": "voicemail" } })));
        let here = caller.call(exchange.sip(), CALLER, OURS).await.answered().await;
        here.hears_something().await;
        here.bye().await;
        record(&client, 2).await;
        // A handset of the pocket network, and another account's number, are callers like others.
        receiver.react(Reaction::Json(json!({ "reject": { "reason": "busy" } })));
        let dial = json!({ "from": "+14155550199", "to": OURS });
        client.post("/v1/pocket/calls", dial).await.assert_status(202);
        until("the handset hears that it is busy", || async {
            let listed = client.get("/v1/pocket/calls?number=%2B14155550199").await;
            let last = listed.assert_status(200).body["data"].as_array().expect("calls").last().cloned().unwrap_or_default();
            (last["status"] == 486).then_some(())
        }).await;
        let eve = exchange.account("Eve").await;
        let theirs = eve.test();
        buy(&theirs, "+442079460101").await;
        let called: Value = theirs.post("/audian/v2/calls", json!({ "from": "+442079460101", "to": OURS })).await.assert_status(202).body.clone();
        let path = format!("/audian/v2/calls/{}", called["call_id"].as_str().expect("an id"));
        let over = until("the call between the two has ended", || async {
            let read = theirs.get(&path).await;
            read.assert_status(200).body["ended_at"].is_string().then(|| read.body.clone())
        }).await;
        assert_eq!(over["completion_reason"], "busy", "{over}");
        assert_eq!(receiver.count(), 4);
        assert_eq!(receiver.all()[3].json()["data"]["from"], "+442079460101");
        record(&client, 4).await;
    }
}
