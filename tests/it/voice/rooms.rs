//! Who has a place in a conference, what is done to those who have, and who is invited how: without a telephone, as whoever carries the
//! calls asks for each step.

use http::Method;
use serde_json::{Map, Value, json};
use tandem_app::{
    calls::{self, BeginCall},
    conferences::{self, Enter},
};
use tandem_catalogue::Code;
use tandem_domain::{
    Explanation,
    call::{Direction, Ending, Reason},
    conference::Presence,
};
use tandem_kernel::{CallId, ConferenceId, Environment::Live, PhoneNumber, RequestId};
use tandem_store::Tx;
use tandem_testkit::{Client, Persona, Server, on_both};
use tokio::task::JoinSet;

use super::patiently;
use crate::{gate::say, numbers::buy};

const CONFERENCES: &str = "/audian/v2/conferences";
const OURS: &str = "+14155550100";

fn phone(text: &str) -> PhoneNumber {
    PhoneNumber::from_e164(text).expect(text)
}

async fn conference(client: &Client, body: Value) -> (String, ConferenceId) {
    let made = client.post(CONFERENCES, body).await;
    let id = made.assert_status(201).body["id"].as_str().expect("an id").to_owned();
    (format!("{CONFERENCES}/{id}"), ConferenceId::parse(&id).expect("an id"))
}

fn enter(server: &Server, ada: &Persona, conference: ConferenceId, from: &str) -> Enter {
    let call = CallId::new(server.now(), &*server.app().rng);
    Enter { environment: ada.test.environment, conference, call, phone: Some(phone(from)), invited: None }
}

async fn kinds(client: &Client, conference: ConferenceId) -> Vec<String> {
    let read = client.get(&format!("/v1/events/{conference}")).await;
    let events = read.assert_status(200).body["data"].as_array().expect("events").clone();
    let names = events.iter().map(|event| event["kind"].as_str().expect("a kind").trim_start_matches("conference.").to_owned());
    names.collect()
}

async fn begun(server: &Server, ada: &Persona, id: CallId) {
    let command = BeginCall {
        id,
        environment: ada.test.environment,
        direction: Direction::Inbound,
        from: Some(phone("+14155550199")),
        to: phone(OURS),
        number: phone(OURS),
        trunk_in: None,
        device: None,
        initiated_by: "trunk".to_owned(),
        from_name: None,
        path: Vec::new(),
        outside: Vec::new(),
        timeout: None,
        max_duration: None,
        fee: None,
        code: None,
        tags: Map::new(),
        custom_fields: Map::new(),
        explanation: Explanation::of("route", ""),
    };
    calls::begin(&server.app(), command).await.expect("begun");
}

on_both! {
    async fn however_many_come_at_once_only_so_many_have_a_place(server: Server) {
        let ada = server.account("Ada").await;
        let (path, id) = conference(&ada.test(), json!({ "name": "Monday", "max_participants": 3, "mute_on_entry": true })).await;
        let mut crowd = JoinSet::new();
        for caller in 0..20 {
            let (app, wanted) = (server.app(), enter(&server, &ada, id, &format!("+141555502{caller:02}")));
            crowd.spawn(async move { patiently(|| conferences::enter(&app, wanted.clone())).await });
        }
        let outcomes = crowd.join_all().await;
        let inside: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
        assert_eq!(inside.len(), 3);
        assert!(inside.iter().all(|entered| entered.participant.muted && entered.participant.presence == Presence::Joined));
        let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(Code::ConferenceFull)));
        assert_eq!(refused.count(), 17);
        let listed = ada.test().get(&format!("{path}/participants")).await;
        let rows = listed.assert_status(200).body["participants"].as_array().expect("a list").clone();
        assert_eq!(rows.iter().filter(|row| row["status"] == "joined").count(), 3);
        // Asked again for a call that is inside, nothing changes; one that leaves makes room for one.
        let (app, call) = (server.app(), inside[0].participant.call.expect("a call"));
        let again = conferences::enter(&app, Enter { call, ..enter(&server, &ada, id, "+14155550199") }).await.expect("the same");
        assert_eq!(again.participant.id, inside[0].participant.id);
        for _ in 0..2 {
            conferences::leave(&app, ada.test.environment, call).await.expect("left");
        }
        let next = enter(&server, &ada, id, "+14155550199");
        assert_eq!(conferences::look(&app, next.clone()).await.expect("there is room").id, id);
        conferences::enter(&app, next).await.expect("there is room");
        let full = conferences::enter(&app, enter(&server, &ada, id, "+14155550198")).await.expect_err("full").code();
        assert_eq!(full, Code::ConferenceFull);
    }

    async fn nobody_comes_before_the_time_nor_after_the_end(server: Server) {
        let ada = server.account("Ada").await;
        let (client, app) = (ada.test(), server.app());
        let soon = server.now().plus_seconds(3_600).to_string();
        let (path, id) = conference(&client, json!({ "name": "Monday", "scheduled_for": soon })).await;
        let wanted = enter(&server, &ada, id, "+14155550199");
        for outcome in [conferences::look(&app, wanted.clone()).await.map(drop), conferences::enter(&app, wanted.clone()).await.map(drop)] {
            assert_eq!(outcome.expect_err("too early").code(), Code::ConferenceNotBegun);
        }
        ada.advance(3_600).await;
        conferences::enter(&app, wanted.clone()).await.expect("it has begun");
        assert_eq!(client.delete(&path).await.assert_status(200).body["status"], "ended");
        assert_eq!(client.get(&format!("{path}/participants")).await.body["participants"][0]["status"], "left");
        let late = conferences::enter(&app, enter(&server, &ada, id, "+14155550199")).await.expect_err("it is over").code();
        assert_eq!(late, Code::ConferenceOver);
        let stranger = Enter { environment: ada.live.environment, ..enter(&server, &ada, id, "+14155550199") };
        assert_eq!(conferences::enter(&app, stranger).await.expect_err("another's").code(), Code::ResourceNotFound);
        assert_eq!(kinds(&client, id).await, ["created", "started", "participant_joined", "ended"]);
    }

    async fn who_was_invited_has_his_place(server: Server) {
        let ada = server.account("Ada").await;
        let (client, app) = (ada.test(), server.app());
        let (path, id) = conference(&client, json!({ "name": "Monday", "max_participants": 1 })).await;
        let grace = json!({ "phone_number": "+14155550199", "name": "Grace", "role": "presenter", "muted": true });
        let added = client.post(&format!("{path}/participants"), grace).await.assert_status(201).body.clone();
        let refused = enter(&server, &ada, id, "+14155550198");
        let error = conferences::enter(&app, refused.clone()).await.expect_err("the place is Grace's");
        conferences::refused(&app, refused, &error).await.expect("told");
        let entered = conferences::enter(&app, enter(&server, &ada, id, "+14155550199")).await.expect("her place");
        assert_eq!((entered.participant.id.to_string(), entered.participant.name.as_deref()), (added["id"].as_str().expect("an id").to_owned(), Some("Grace")));
        let call = entered.participant.call.expect("a call");
        assert!(!conferences::turn_mute(&app, ada.test.environment, call).await.expect("turned"));
        assert!(conferences::turn_mute(&app, ada.test.environment, call).await.expect("turned"));
        conferences::leave(&app, ada.test.environment, call).await.expect("left");
        assert_eq!(kinds(&client, id).await, [
            "created", "participant_added", "participant_refused", "started", "participant_joined", "participant_unmuted", "participant_muted",
            "participant_left", "emptied",
        ]);
    }

    async fn a_call_that_ends_takes_its_participant_along(server: Server) {
        let ada = server.account("Ada").await;
        let (client, app) = (ada.test(), server.app());
        buy(&client, OURS).await;
        let (path, id) = conference(&client, json!({ "name": "Monday" })).await;
        let wanted = enter(&server, &ada, id, "+14155550199");
        begun(&server, &ada, wanted.call).await;
        let entered = conferences::enter(&app, wanted.clone()).await.expect("inside");
        calls::finish(&app, wanted.call, Ending::of(Reason::Lost)).await.expect("over");
        let listed = client.get(&format!("{path}/participants")).await;
        let row = &listed.assert_status(200).body["participants"][0];
        assert_eq!((&row["status"], &row["call_id"]), (&json!("left"), &json!(wanted.call.to_string())));
        assert_eq!(row["id"], entered.participant.id.to_string());
        assert_eq!(kinds(&client, id).await, ["created", "started", "participant_joined", "participant_left", "emptied"]);
    }

    async fn a_conference_is_in_one_process(server: Server) {
        let ada = server.account("Ada").await;
        let (client, app) = (ada.test(), server.app());
        buy(&client, OURS).await;
        let (path, id) = conference(&client, json!({ "name": "Monday" })).await;
        let wanted = enter(&server, &ada, id, "+14155550199");
        begun(&server, &ada, wanted.call).await;
        conferences::enter(&app, wanted.clone()).await.expect("inside");
        let other = |tx: &mut Tx| tx.execute("UPDATE live_calls SET node = $1", &[(&[7_u8; 16]).into()]);
        app.store.write(other).await.expect("it is another's call");
        let second = enter(&server, &ada, id, "+14155550198");
        assert_eq!(conferences::enter(&app, second.clone()).await.expect_err("elsewhere").code(), Code::Unavailable);
        for action in ["start", "stop"] {
            let order = client.post(&format!("{path}/recording/{action}"), json!({})).await;
            assert_eq!(order.assert_status(503).header("retry-after"), Some("5"));
        }
        calls::finish(&app, wanted.call, Ending::of(Reason::Lost)).await.expect("over");
        conferences::enter(&app, second).await.expect("nobody has it any more");
    }

    async fn those_who_take_part_are_muted_held_and_let_go(server: Server) {
        let ada = server.account("Ada").await;
        let (client, app) = (ada.test(), server.app());
        let (path, id) = conference(&client, json!({ "name": "Monday" })).await;
        let grace = json!({ "phone_number": "+14155550199", "role": "presenter" });
        client.post(&format!("{path}/participants"), grace).await.assert_status(201);
        let mut people = Vec::new();
        for from in ["+14155550199", "+14155550198", "+14155550197"] {
            let entered = conferences::enter(&app, enter(&server, &ada, id, from)).await.expect("inside");
            people.push(entered.participant.id.to_string());
        }
        let [leads, listens, other] = people.try_into().expect("three");
        let one = format!("{path}/participants/{listens}");
        for (action, status, at, again) in [
            ("mute", "muted", "muted_at", "invalid_transition"),
            ("unmute", "unmuted", "unmuted_at", "invalid_transition"),
            ("hold", "held", "held_at", "invalid_transition"),
            ("resume", "resumed", "resumed_at", "invalid_transition"),
        ] {
            let done = client.post(&format!("{one}/{action}"), json!({})).await;
            let body = done.assert_status(200).body.clone();
            let expected = json!({ "conference_id": id.to_string(), "participant_id": listens, "status": status, at: server.now().to_string() });
            assert_eq!(body, expected);
            let refused = client.post(&format!("{one}/{action}"), json!({})).await;
            assert_eq!(refused.assert_status(409).header("x-tandem-error"), Some(again), "{action}");
            assert_eq!(refused.body["error"]["code"], "resource_conflict");
        }
        let all = client.post(&format!("{path}/mute-all"), json!({})).await;
        let expected = json!({ "conference_id": id.to_string(), "status": "muted", "participants_muted": 2, "muted_at": server.now().to_string() });
        assert_eq!(all.assert_status(200).body, expected);
        let listed = client.get(&format!("{path}/participants")).await;
        let muted: Vec<bool> = listed.body["participants"].as_array().expect("a list").iter().map(|row| row["muted"].as_bool().expect("a flag")).collect();
        assert_eq!(muted, [false, true, true], "who leads is heard");
        let gone = client.post(&format!("{one}/disconnect"), json!({})).await;
        let expected = json!({ "conference_id": id.to_string(), "participant_id": listens, "status": "disconnected", "disconnected_at": server.now().to_string() });
        assert_eq!(gone.assert_status(200).body, expected);
        for action in ["mute", "unmute", "hold", "resume", "disconnect"] {
            let refused = client.post(&format!("{one}/{action}"), json!({})).await;
            assert_eq!(refused.assert_status(409).header("x-tandem-error"), Some("invalid_transition"), "{action} of somebody who is gone");
        }
        client.delete(&format!("{path}/participants/{other}")).await.assert_status(200);
        assert!(!kinds(&client, id).await.contains(&"emptied".to_owned()));
        let key = format!("once {}", RequestId::new(server.now(), &*app.rng));
        let last = format!("{path}/participants/{leads}/disconnect");
        for replayed in [None, Some("true")] {
            let answer = client.idempotency(&key).post(&last, json!({})).await;
            assert_eq!((answer.assert_status(200).header("idempotent-replayed"), &answer.body["status"]), (replayed, &json!("disconnected")));
        }
        let told = kinds(&client, id).await;
        assert_eq!(told.iter().filter(|kind| *kind == "emptied").count(), 1, "{told:?}");
        let eve = server.account("Eve").await;
        eve.test().post(&last, json!({})).await.assert_status(404);
        eve.test().post(&format!("{path}/mute-all"), json!({})).await.assert_status(404);
        client.delete(&path).await.assert_status(200);
        let rest = ["mute", "unmute", "hold", "resume", "disconnect"].map(|action| format!("participants/{other}/{action}"));
        let whole = ["mute-all", "recording/start", "recording/stop"].map(str::to_owned);
        for action in rest.into_iter().chain(whole) {
            let late = client.post(&format!("{path}/{action}"), json!({})).await;
            assert_eq!(late.assert_status(409).header("x-tandem-error"), Some("conference_over"), "{action}");
        }
    }

    async fn what_is_not_there_is_not_led(server: Server) {
        let ada = server.account("Ada").await;
        let missing = format!("{CONFERENCES}/conf_abc");
        let (path, _) = conference(&ada.test(), json!({ "name": "Monday" })).await;
        let mut cases = Vec::new();
        for action in ["mute", "unmute", "hold", "resume", "disconnect"] {
            cases.push((Method::POST, format!("{path}/participants/part_abc/{action}"), json!({}), "resource_not_found"));
        }
        for action in ["mute-all", "recording/start", "recording/stop"] {
            cases.push((Method::POST, format!("{missing}/{action}"), json!({}), "resource_not_found"));
        }
        for action in ["recording/start", "recording/stop"] {
            cases.push((Method::POST, format!("{path}/{action}"), json!({}), "invalid_transition"));
        }
        cases.push((Method::POST, format!("{path}/recording/start"), json!({ "format": "flac" }), "invalid_choice"));
        say(&ada.test(), &cases).await;
    }

    async fn the_pin_goes_to_whoever_is_invited(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.live();
        let (open, _) = conference(&client, json!({ "name": "Open" })).await;
        let (path, id) = conference(&client, json!({ "name": "Monday", "require_pin": true, "pin": "4711" })).await;
        let people = format!("{path}/participants");
        let invited = |phone: &str| json!({ "phone_number": phone, "send_pin_via_sms": true });
        say(&client, &[
            (Method::POST, format!("{open}/participants"), invited("+14155550199"), "operation_not_allowed"),
            (Method::POST, people.clone(), invited("+14155550199"), "operation_not_allowed"),
        ]).await;
        buy(&client, OURS).await;
        assert_eq!(client.post(&people, invited("+14155550199")).await.assert_status(201).body["status"], "invited");
        let sent = client.get("/v1/messages?to=%2B14155550199").await;
        let message = sent.assert_status(200).body["data"][0].clone();
        assert_eq!((&message["from"], &message["body"]), (&json!(OURS), &json!("Monday: the PIN of the conference is ****")));
        assert!(!sent.body.to_string().contains("4711"));
        let account = format!("/v1/accounts/{}", ada.account);
        server.operator().patch(&account, json!({ "message_countries": ["GB"] })).await.assert_status(200);
        say(&client, &[(Method::POST, people.clone(), invited("+14155550198"), "destination_not_allowed")]).await;
        server.operator().patch(&account, json!({ "message_countries": [] })).await.assert_status(200);
        client.post("/v1/opt-outs", json!({ "from": OURS, "to": "+14155550198" })).await.assert_status(201);
        say(&client, &[(Method::POST, people.clone(), invited("+14155550198"), "recipient_opted_out")]).await;
        let left = ada.wallet(Live).await.available;
        ada.purse(Live, 0).await;
        say(&client, &[(Method::POST, people.clone(), invited("+14155550197"), "insufficient_funds")]).await;
        ada.purse(Live, left).await;
        let limit = json!({ "amount": 0.001, "action": "block" });
        client.put("/audian/v2/billing/limits/monthly", limit).await.assert_status(200);
        say(&client, &[(Method::POST, people.clone(), invited("+14155550197"), "spending_limit_reached")]).await;
        let listed = client.get(&people).await;
        assert_eq!(listed.assert_status(200).body["participants"].as_array().map(Vec::len), Some(1), "whoever gets no PIN is not added");
        assert!(!kinds(&client, id).await.is_empty());
    }
}
