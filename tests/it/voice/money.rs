//! Calls with their money, records and terminal events, without a telephone: as whoever carries them asks for each step.

use serde_json::{Map, Value, json};
use tandem_app::calls::{self, Answer, BeginCall};
use tandem_catalogue::Code;
use tandem_domain::{
    Explanation,
    call::{Direction, Disposition, Ending, Reason},
};
use tandem_kernel::{CallId, Environment::Test, PhoneNumber};
use tandem_testkit::{Client, Exchange, Persona, Server, on_both};

use super::calls::scenery;
use super::patiently;
use crate::numbers::buy;

const OURS: &str = "+14155550100";
const THEIRS: &str = "+14155550199";
/// A minute to `THEIRS` costs 0.014, paid by six seconds: a tenth of a minute is 0.0014.
const TENTH: i64 = 1_400;

fn phone(text: &str) -> PhoneNumber {
    PhoneNumber::from_e164(text).expect(text)
}

fn outbound(server: &Server, ada: &Persona) -> BeginCall {
    BeginCall {
        id: CallId::new(server.now(), &*server.app().rng),
        environment: ada.test.environment,
        direction: Direction::Outbound,
        from: Some(phone(OURS)),
        to: phone(THEIRS),
        number: phone(OURS),
        trunk_in: None,
        device: None,
        initiated_by: "api".to_owned(),
        from_name: None,
        path: Vec::new(),
        outside: vec![phone(THEIRS)],
        timeout: Some(30),
        max_duration: None,
        fee: None,
        code: None,
        tags: Map::from_iter([("team".to_owned(), json!("sales"))]),
        custom_fields: Map::new(),
        explanation: Explanation::of("route", ""),
    }
}

fn taken() -> Answer {
    Answer { endpoint: Some(phone(THEIRS)), ..Answer::default() }
}

/// Leaves a wallet with so many millionths.
async fn leave(ada: &Persona, amount: i64) {
    ada.credit(Test, amount - ada.wallet(Test).await.available).await;
}

async fn books(client: &Client, server: &Server) -> Value {
    let day = server.now().date();
    client.get(&format!("/v1/reconciliation/{day}")).await.assert_status(200).body.clone()
}

async fn kinds(client: &Client, id: CallId) -> Vec<String> {
    let read = client.get(&format!("/v1/events/{id}")).await;
    let events = read.assert_status(200).body["data"].as_array().expect("events").clone();
    events.iter().map(|event| event["kind"].as_str().expect("a kind").to_owned()).collect()
}

on_both! {
    async fn a_call_is_held_extended_and_paid_by_the_second(server: Server) {
        let ada = server.account("Ada").await;
        let (client, app) = (ada.test(), server.app());
        buy(&client, OURS).await;
        leave(&ada, 1_000_000).await;
        let command = outbound(&server, &ada);
        let id = command.id;
        let (live, grant) = calls::begin(&app, command.clone()).await.expect("begun");
        assert_eq!((live.held, grant.until, grant.extend_at, grant.warn_at), (10 * TENTH, 60, Some(40), None));
        let (again, _) = calls::begin(&app, command.clone()).await.expect("the same");
        assert_eq!((again.id, ada.wallet(Test).await.held), (id, 10 * TENTH), "the same call begins once");
        calls::ring(&app, id).await.expect("rings");
        calls::ring(&app, id).await.expect("rings");
        let read = client.get(&format!("/audian/v2/calls/{id}")).await;
        assert_eq!((&read.assert_status(200).body["status"], &read.body["tags"]), (&json!("ringing"), &json!({ "team": "sales" })));
        calls::answer(&app, id, taken()).await.expect("answered");
        assert_eq!(calls::extend(&app, id).await.expect("too early").until, 60);
        server.pass_seconds(45);
        let grant = calls::extend(&app, id).await.expect("extended");
        assert_eq!((grant.until, ada.wallet(Test).await.held), (120, 20 * TENTH));
        server.pass_seconds(16);
        let call = calls::finish(&app, id, Ending::of(Reason::Normal)).await.expect("finished");
        assert_eq!((call.duration, call.disposition, call.endpoint), (61, Disposition::Answered, Some(phone(THEIRS))));
        let wallet = ada.wallet(Test).await;
        assert_eq!((wallet.available, wallet.held), (1_000_000 - 11 * TENTH, 0), "61 seconds are eleven tenths of a minute");
        let replayed = calls::finish(&app, id, Ending::of(Reason::Busy)).await.expect("a replay");
        assert_eq!((replayed.id, ada.wallet(Test).await), (call.id, wallet));
        assert_eq!(kinds(&client, id).await, ["call.initiated", "call.ringing", "call.answered", "call.completed"]);
        assert_eq!(calls::begin(&app, command).await.expect_err("over").code(), Code::CallOver);
        assert_eq!(calls::ring(&app, id).await.expect_err("over").code(), Code::CallOver);
        let native = client.get(&format!("/v1/calls/{id}")).await;
        let native = &native.assert_status(200).body;
        assert_eq!((&native["status"], &native["cost"], &native["end"]), (&json!("completed"), &json!(0.0154),
                   &json!({ "reason": "normal", "code": null, "sip_status": 200, "q850": 16 })));
        let why = client.get(&format!("/v1/calls/{id}/explain")).await;
        let why = why.assert_status(200).body["data"].as_array().expect("decisions").clone();
        assert_eq!(why.iter().map(|one| one["decision"].clone()).collect::<Vec<_>>(), [json!("route"), json!("charge")]);
        let charged = books(&client, &server).await;
        assert_eq!((&charged["agrees"], &charged["begun"], &charged["terminal_events"], &charged["cost"], &charged["captured"]),
                   (&json!(true), &json!(1), &json!(1), &json!(0.0154), &json!(0.0154)), "{charged}");
        server.run_due().await;
    }

    async fn who_chose_from_a_menu_first_pays_for_the_way_out_from_then_on(server: Server) {
        let ada = server.account("Ada").await;
        let (client, app) = (ada.test(), server.app());
        buy(&client, OURS).await;
        leave(&ada, 1_000_000).await;
        let command = BeginCall {
            direction: Direction::Inbound, from: Some(phone("+14155550198")), to: phone(OURS), outside: Vec::new(),
            initiated_by: "pocket".to_owned(), ..outbound(&server, &ada)
        };
        let id = calls::begin(&app, command).await.expect("begun").0.id;
        calls::answer(&app, id, Answer::default()).await.expect("the menu");
        server.pass_seconds(30);
        calls::dial(&app, id, vec![phone(THEIRS)]).await.expect("dialled");
        server.pass_seconds(10);
        let grant = calls::answer(&app, id, taken()).await.expect("connected");
        assert_eq!((grant.until, grant.extend_at), (100, Some(80)), "a minute from now on");
        assert_eq!(calls::answer(&app, id, taken()).await.expect("the same").until, 100);
        server.pass_seconds(20);
        let call = calls::finish(&app, id, Ending::of(Reason::Normal)).await.expect("finished");
        assert_eq!((call.duration, call.endpoint), (60, Some(phone(THEIRS))));
        let inbound = 8_500; // a minute
        assert_eq!(ada.wallet(Test).await.available, 1_000_000 - inbound - 4 * TENTH, "twenty seconds out are four tenths of a minute");
        assert_eq!(kinds(&client, id).await, ["call.initiated", "call.answered", "call.completed"]);
        assert_eq!(books(&client, &server).await["agrees"], true);
    }

    async fn a_price_for_agent_and_lead_covers_nobody_else(server: Server) {
        let ada = server.account("Ada").await;
        let (client, app) = (ada.test(), server.app());
        buy(&client, OURS).await;
        leave(&ada, 1_000_000).await;
        let command = BeginCall { fee: Some(100_000), ..outbound(&server, &ada) };
        let id = calls::begin(&app, command).await.expect("begun").0.id;
        calls::answer(&app, id, taken()).await.expect("the agent");
        server.pass_seconds(10);
        let (lead, other) = (phone("+14155550197"), phone("+14155550196"));
        calls::dial(&app, id, vec![lead]).await.expect("dialled");
        calls::answer(&app, id, Answer { endpoint: Some(lead), ..Answer::default() }).await.expect("the lead");
        server.pass_seconds(10);
        // The agent hands the lead on: whoever takes the call from there is paid for as everybody is.
        calls::dial(&app, id, vec![other]).await.expect("dialled");
        calls::answer(&app, id, Answer { endpoint: Some(other), ..Answer::default() }).await.expect("handed on");
        calls::part(&app, id, Some(phone(THEIRS))).await.expect("the agent is gone");
        server.pass_seconds(12);
        calls::finish(&app, id, Ending::of(Reason::Normal)).await.expect("finished");
        assert_eq!(ada.wallet(Test).await.available, 1_000_000 - 100_000 - 2 * TENTH, "twelve seconds are two tenths of a minute");
        assert_eq!(books(&client, &server).await["agrees"], true);
    }

    async fn nobody_pays_for_what_nobody_answered(server: Server) {
        let ada = server.account("Ada").await;
        let (client, app) = (ada.test(), server.app());
        buy(&client, OURS).await;
        leave(&ada, 100_000).await;
        let command = outbound(&server, &ada);
        let id = command.id;
        calls::begin(&app, command).await.expect("begun");
        let call = calls::finish(&app, id, Ending::of(Reason::Busy)).await.expect("finished");
        assert_eq!((call.duration, call.disposition, call.answered_at), (0, Disposition::Busy, None));
        let wallet = ada.wallet(Test).await;
        assert_eq!((wallet.available, wallet.held), (100_000, 0));
        assert_eq!(kinds(&client, id).await, ["call.initiated", "call.failed"]);
        let read = client.get("/audian/v2/calls?limit=1").await;
        let first = &read.assert_status(200).body["calls"][0];
        assert_eq!((&first["status"], &first["completion_reason"], &first["cost"]), (&json!("failed"), &json!("busy"), &json!(0)));
        assert_eq!(books(&client, &server).await["agrees"], true);
    }

    async fn the_money_ends_the_call_and_warns_before(server: Server) {
        let ada = server.account("Ada").await;
        let (client, app) = (ada.test(), server.app());
        buy(&client, OURS).await;
        leave(&ada, 5 * TENTH + 1).await; // pays for thirty seconds
        let command = outbound(&server, &ada);
        let id = command.id;
        let (_, grant) = calls::begin(&app, command).await.expect("begun");
        assert_eq!((grant.until, grant.extend_at, grant.warn_at), (30, None, Some(15)));
        calls::answer(&app, id, taken()).await.expect("answered");
        server.pass_seconds(15);
        assert_eq!(calls::extend(&app, id).await.expect("nothing more").until, 30);
        server.pass_seconds(17); // hanging up has taken a moment
        let call = calls::finish(&app, id, Ending::of(Reason::FundsEnded)).await.expect("finished");
        assert_eq!((call.duration, ada.wallet(Test).await.available), (30, 1));
        assert_eq!(call.answered_at.map(|answered| answered.plus_seconds(30)), Some(call.ended_at), "what is paid for is what is written down");
        let poor = calls::begin(&app, outbound(&server, &ada)).await.expect_err("no money");
        assert_eq!(poor.code(), Code::InsufficientFunds);
        assert_eq!(books(&client, &server).await["agrees"], true);
    }

    async fn a_hundred_calls_at_once_never_overspend(server: Server) {
        let ada = server.account("Ada").await;
        let (client, app) = (ada.test(), server.app());
        ada.unlimited(Test).await;
        buy(&client, OURS).await;
        let policy = format!("/v1/accounts/{}/environments/test/calling-policy", ada.account);
        server.operator().patch(&policy, json!({ "calls_per_minute": 1000, "most_concurrent": 1000 })).await.assert_status(200);
        leave(&ada, 205 * TENTH).await; // twenty calls of a minute, and half of another
        let begun: Vec<_> = (0..100)
            .map(|_| {
                let (app, command) = (app.clone(), outbound(&server, &ada));
                tokio::spawn(async move { patiently(|| calls::begin(&app, command.clone())).await.map(|(live, _)| live.id) })
            })
            .collect();
        let mut up = Vec::new();
        for one in begun {
            match one.await.expect("no panic") {
                Ok(id) => up.push(id),
                Err(code) => assert_eq!(code, Code::InsufficientFunds),
            }
        }
        assert_eq!(up.len(), 21);
        assert_eq!(ada.wallet(Test).await.available, 0);
        for id in &up {
            calls::answer(&app, *id, taken()).await.expect("answered");
        }
        server.pass_seconds(500); // nobody ended them in time: they cost what was set aside, and no more
        let ended: Vec<_> = up
            .iter()
            .flat_map(|id| [*id, *id])
            .map(|id| {
                let app = app.clone();
                tokio::spawn(async move { patiently(|| calls::finish(&app, id, Ending::of(Reason::FundsEnded))).await.expect("finished") })
            })
            .collect();
        for one in ended {
            let call = one.await.expect("no panic");
            assert!([30, 60].contains(&call.duration), "{call:?}");
        }
        let wallet = ada.wallet(Test).await;
        assert_eq!((wallet.available, wallet.held), (0, 0));
        let books = books(&client, &server).await;
        assert_eq!((&books["agrees"], &books["closed"], &books["terminal_events"], &books["repeated_events"]),
                   (&json!(true), &json!(21), &json!(21), &json!(0)), "{books}");
    }

    async fn brakes_hold_calls_back(server: Server) {
        let ada = server.account("Ada").await;
        let (client, app) = (ada.test(), server.app());
        buy(&client, OURS).await;
        let policy = format!("/v1/accounts/{}/environments/test/calling-policy", ada.account);
        let operator = server.operator();
        let begin = || calls::begin(&app, outbound(&server, &ada));
        operator.patch(&policy, json!({ "calls_per_minute": 2 })).await.assert_status(200);
        let mut ids = Vec::new();
        for _ in 0..2 {
            ids.push(begin().await.expect("begun").0.id);
        }
        assert_eq!(begin().await.expect_err("too fast").code(), Code::CallLimitReached);
        calls::finish(&app, ids[0], Ending::of(Reason::NoAnswer)).await.expect("finished");
        assert_eq!(begin().await.expect_err("one that is over counts").code(), Code::CallLimitReached);
        server.pass_seconds(61);
        operator.patch(&policy, json!({ "most_concurrent": 1 })).await.assert_status(200);
        assert_eq!(begin().await.expect_err("one is up").code(), Code::CallLimitReached);
        calls::finish(&app, ids[1], Ending::of(Reason::NoAnswer)).await.expect("finished");
        operator.patch(&policy, json!({ "most_per_day": 0.007 })).await.assert_status(200);
        let (live, grant) = begin().await.expect("begun");
        assert_eq!((live.held, grant.until, grant.warn_at), (5 * TENTH, 30, Some(15)), "the day's cap ends it as the money would");
        calls::answer(&app, live.id, taken()).await.expect("answered");
        server.pass_seconds(30);
        calls::finish(&app, live.id, Ending::of(Reason::FundsEnded)).await.expect("finished");
        server.pass_seconds(61);
        assert_eq!(begin().await.expect_err("the day is spent").code(), Code::CallLimitReached);
        assert_eq!(books(&client, &server).await["agrees"], true);
    }

    async fn calls_whose_process_is_gone_are_ended_by_what_is_known(server: Server) {
        let ada = server.account("Ada").await;
        let (client, app) = (ada.test(), server.app());
        buy(&client, OURS).await;
        leave(&ada, 1_000_000).await;
        calls::pulse(&app).await.expect("said");
        let (silent, spoken) = (outbound(&server, &ada), outbound(&server, &ada));
        let (silent, spoken) = (calls::begin(&app, silent).await.expect("begun").0.id, calls::begin(&app, spoken).await.expect("begun").0.id);
        calls::answer(&app, spoken, taken()).await.expect("answered");
        server.pass_seconds(12);
        assert_eq!(calls::reconcile(&app).await.expect("looked"), 0, "it was seen twelve seconds ago");
        calls::pulse(&app).await.expect("said");
        client.post("/v1/clock/advance", json!({ "by": "P40D" })).await.assert_status(200);
        assert_eq!(ada.wallet(Test).await.held, 20 * TENTH, "an environment's clock gives nothing back while people speak");
        server.pass_seconds(14);
        assert_eq!(calls::reconcile(&app).await.expect("looked"), 0);
        server.pass_seconds(600);
        assert_eq!(calls::reconcile(&app).await.expect("looked"), 2);
        assert_eq!(calls::reconcile(&app).await.expect("looked"), 0);
        let wallet = ada.wallet(Test).await;
        assert_eq!((wallet.available, wallet.held), (1_000_000 - 2 * TENTH, 0), "twelve seconds, until it was last seen");
        assert_eq!(kinds(&client, silent).await, ["call.initiated", "call.failed"]);
        assert_eq!(kinds(&client, spoken).await, ["call.initiated", "call.answered", "call.completed"]);
        let late = calls::finish(&app, spoken, Ending::of(Reason::Normal)).await.expect("the record");
        assert_eq!(late.duration, 12);
        for day in ["", "2024"] {
            client.get(&format!("/v1/reconciliation/{day}x")).await.assert_status(404);
        }
        let today = client.get("/v1/clock").await.body["now"].as_str().expect("a time")[..10].to_owned();
        let books = client.get(&format!("/v1/reconciliation/{today}")).await;
        assert_eq!((&books.assert_status(200).body["agrees"], &books.body["closed"]), (&json!(true), &json!(2)), "{books}");
    }

    async fn calls_are_paged_the_newest_first(server: Server) {
        let (ada, eve) = (server.account("Ada").await, server.account("Eve").await);
        let (client, app) = (ada.test(), server.app());
        buy(&client, OURS).await;
        let mut ids = Vec::new();
        for place in 0..5 {
            let id = calls::begin(&app, outbound(&server, &ada)).await.expect("begun").0.id;
            if place % 2 == 0 {
                calls::finish(&app, id, Ending::of(Reason::NoAnswer)).await.expect("finished");
            }
            ids.push(id.to_string());
            server.pass_seconds(1);
        }
        ids.reverse();
        let (mut native, mut audian, mut cursor, mut before) = (Vec::new(), Vec::new(), String::new(), String::new());
        for _ in 0..3 {
            let page = client.get(&format!("/v1/calls?limit=2{cursor}")).await.assert_status(200).body.clone();
            native.extend(page["data"].as_array().expect("calls").iter().map(|call| call["id"].as_str().expect("an id").to_owned()));
            cursor = page["next_cursor"].as_str().map(|next| format!("&cursor={next}")).unwrap_or_default();
            let page = client.get(&format!("/audian/v2/calls?limit=2{before}")).await.assert_status(200).body.clone();
            audian.extend(page["calls"].as_array().expect("calls").iter().map(|call| call["call_id"].as_str().expect("an id").to_owned()));
            before = page["next"].as_str().map(|next| format!("&before={next}")).unwrap_or_default();
        }
        assert_eq!((&native, &audian), (&ids, &ids));
        assert_eq!((cursor, before), (String::new(), String::new()));
        for path in [format!("/audian/v2/calls/{}", ids[0]), format!("/v1/calls/{}", ids[1]), format!("/v1/calls/{}/explain", ids[1])] {
            eve.test().get(&path).await.assert_status(404);
            ada.test_with(&[]).await.get(&path).await.assert_status(403);
        }
        eve.test().get(&format!("/audian/v2/calls?before={}", ids[0])).await.assert_status(404);
        eve.test().get(&format!("/v1/calls?cursor={}", &ids[0][5..])).await.assert_status(404);
        for id in [&ids[1], &ids[3]] {
            calls::finish(&app, CallId::parse(id).expect("an id"), Ending::of(Reason::Canceled)).await.expect("finished");
        }
    }

    async fn a_call_that_nobody_carries_is_ended_and_others_go_on(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let (here, there) = scenery.talk(&exchange).await;
        // Another begins in the store, and whoever began it never heard of that: the connection to the database broke just then.
        let mut command = outbound(&exchange, &scenery.ada);
        command.number = phone(super::calls::OURS);
        let (app, id) = (exchange.app(), command.id);
        let held = scenery.ada.wallet(Test).await.held;
        calls::begin(&app, command).await.expect("begun");
        assert!(scenery.ada.wallet(Test).await.held > held);
        assert_eq!(calls::end_strays(&app, 60).await.expect("looked"), 0, "it may still be told");
        assert_eq!(calls::end_strays(&app, 0).await.expect("looked"), 1);
        assert_eq!((kinds(&scenery.client, id).await, scenery.ada.wallet(Test).await.held),
                   (vec!["call.initiated".to_owned(), "call.failed".to_owned()], held));
        here.say(440);
        there.hears(440).await;
        here.bye().await;
        there.ended().await;
        super::calls::record(&scenery.client, 2).await;
        super::calls::books(&exchange, &scenery.client).await;
    }
}
