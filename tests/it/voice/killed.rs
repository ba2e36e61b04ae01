//! The process is killed while telephones ring, speak, listen to menus, confer and are handed on, and again while others tidy up after
//! it: their calls are ended by what is known.

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use http::Method;
use serde_json::{Value, json};
use tandem_store::{Options, Store};
use tandem_testkit::{Database, Engine, Phone, Talk, Tandem, phone::Arriving, phone::Calling, until, with_runtime};

use super::calls::{BEYOND, CALLER, TARGET};

/// Calls of each kind.
const EACH: usize = 20;
/// Kinds: speaking, in a menu, in a conference, handed on (blindly and after a word, half each), on their way, ringing.
const CALLS: usize = 6 * EACH;
/// Those that somebody or something took.
const TAKEN: usize = 4 * EACH;

struct House {
    database: Database,
    tandem: Tandem,
    caller: Phone,
    callee: Phone,
}

/// What is up when the process dies. Dropping it would tell the other side.
#[derive(Default)]
struct Up {
    talks: Vec<Talk>,
    waiting: Vec<(Arriving, Calling)>,
    ringing: Vec<Arriving>,
}

/// Who calls in the place of so many.
fn caller(place: usize) -> String {
    format!("+44207946{:04}", 2_000 + place)
}

impl House {
    async fn ask(&self, method: Method, path: &str, body: Value) -> Value {
        let account = &self.tandem.ready["accounts"][0];
        let key = if path.starts_with("/v1/trunks") || path.starts_with("/v1/accounts") {
            &self.tandem.ready["operator_key"]
        } else {
            &account["test_key"]
        };
        let key = key.as_str().expect("a key");
        let bearer = format!("Bearer {key}");
        let header = if path.starts_with("/v1") { ("authorization", bearer.as_str()) } else { ("x-auth-token", key) };
        let asked = || async {
            let (status, answer, _) = self.tandem.try_send(method.clone(), path, &[header], &body).await.expect("an answer");
            if status == 429 {
                tokio::time::sleep(Duration::from_secs(1)).await; // as the answer asks
                return None;
            }
            assert!((200..300).contains(&status), "{path}: {status} {answer}");
            Some(answer)
        };
        until("a request is answered", asked).await
    }

    async fn list(&self, path: &str) -> Vec<Value> {
        self.ask(Method::GET, path, Value::Null).await["data"].as_array().expect("a list").clone()
    }

    async fn kinds(&self, id: &str) -> Vec<String> {
        let events = self.list(&format!("/v1/events/{id}?limit=100")).await;
        events.iter().map(|event| event["kind"].as_str().expect("a kind").to_owned()).collect()
    }

    /// All calls, by pages.
    async fn calls(&self) -> Vec<Value> {
        let (mut all, mut rest) = (Vec::new(), String::new());
        loop {
            let page = self.ask(Method::GET, &format!("/v1/calls?limit=100{rest}"), Value::Null).await;
            all.extend(page["data"].as_array().expect("calls").iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => rest = format!("&cursor={next}"),
                None => return all,
            }
        }
    }

    fn sip(&self) -> SocketAddr {
        self.tandem.ready["sip"].as_str().and_then(|sip| sip.parse().ok()).expect("an address for SIP")
    }

    async fn open(engine: Engine) -> Self {
        let database = Database::new(engine);
        let tandem = Tandem::start(database.folder(), &database.url()).await;
        let house = Self { database, tandem, caller: Phone::listen().await, callee: Phone::listen().await };
        let trunk = json!({
            "name": "beyond", "serves": "test", "direction": "outbound", "host": "127.0.0.1", "port": house.callee.address().port(),
            "routes": [{ "prefix": BEYOND }],
        });
        house.ask(Method::POST, "/v1/trunks", trunk).await;
        let account = house.tandem.ready["accounts"][0]["id"].as_str().expect("an id").to_owned();
        let policy = format!("/v1/accounts/{account}/environments/test/calling-policy");
        house.ask(Method::PATCH, &policy, json!({ "most_concurrent": 1_000, "calls_per_minute": 10_000 })).await;
        house
    }

    /// Buys a number that is configured so.
    async fn number(&self, config: Value) -> String {
        let found = self.ask(Method::GET, "/audian/v2/numbers/search?location=US&features=voice&limit=1", Value::Null).await;
        let number = found["data"]["numbers"][0]["number"].as_str().expect("a number").to_owned();
        self.ask(Method::POST, "/audian/v2/numbers/purchase", json!({ "number": number })).await;
        self.ask(Method::PUT, &format!("/audian/v2/numbers/{number}/config"), config).await;
        number
    }

    /// A call that is answered at once by whatever has the number.
    async fn taken(&self, place: usize, number: &str) -> Talk {
        self.caller.call(self.sip(), &caller(place), number).await.answered().await
    }

    /// A call that the callee takes.
    async fn talk(&self, up: &mut Up, place: usize, number: &str) {
        let calling = self.caller.call(self.sip(), &caller(place), number).await;
        up.talks.push(self.callee.incoming().await.answer().await);
        up.talks.push(calling.answered().await);
    }

    /// Brings up all that is taken: the places of the kinds follow each other.
    async fn bring_up(&self, forwarded: &str, menu: &str, conference: &str) -> Up {
        let mut up = Up::default();
        for place in 0..EACH {
            self.talk(&mut up, place, forwarded).await;
        }
        for place in EACH..2 * EACH {
            up.talks.push(self.taken(place, menu).await);
        }
        for place in 2 * EACH..3 * EACH {
            up.talks.push(self.taken(place, conference).await);
        }
        for place in 3 * EACH..4 * EACH {
            self.talk(&mut up, place, forwarded).await;
        }
        up
    }

    /// Brings up what rings, and what is on its way: at last, as it is given up after half a minute.
    async fn ring(&self, up: &mut Up, forwarded: &str) {
        for place in 4 * EACH..CALLS {
            let mut call = self.caller.call(self.sip(), &caller(place), forwarded).await;
            let arriving = self.callee.incoming().await;
            if place >= 5 * EACH {
                arriving.ring().await;
                call.ringing().await;
            }
            up.waiting.push((arriving, call));
        }
    }

    /// Hands the last of them on: half of them blindly, half after a word with whoever is rung.
    async fn hand_on(&self, up: &mut Up, ids: &HashMap<String, String>) {
        for place in 3 * EACH..4 * EACH {
            let blind = place % 2 == 0;
            let kind = if blind { "blind" } else { "attended" };
            let id = &ids[&caller(place)];
            let order = json!({ "destination": TARGET, "transfer_type": kind });
            self.ask(Method::POST, &format!("/audian/v2/calls/{id}/transfer"), order).await;
            let arriving = self.callee.incoming().await;
            if blind {
                arriving.ring().await;
                up.ringing.push(arriving);
            } else {
                up.talks.push(arriving.answer().await);
            }
        }
    }

    /// Waits until the process has said that it is there after the calls that were taken had been up for a second: that is what is
    /// known of them when it dies.
    async fn known(&self) {
        const KNOWN: &str =
            "SELECT COUNT(*) FROM live_calls c JOIN voice_nodes n ON n.node = c.node WHERE n.seen_at >= c.answered_at + 1000000";
        let store = Store::open(&Options { exclusive: false, ..Options::new(self.database.url()) }).await.expect("the store opens");
        until("it is known that the calls are up", || async {
            let row = store.read(|tx| Ok(tx.first(KNOWN, &[])?.expect("a row").int(0)?)).await.expect("counted");
            (usize::try_from(row) == Ok(TAKEN)).then_some(())
        })
        .await;
        store.close().await;
    }

    async fn restart(&mut self) {
        self.tandem.kill();
        self.tandem = Tandem::start(self.database.folder(), &self.database.url()).await;
    }

    /// Waits until at least so many calls have ended.
    async fn ended(&self, count: usize) -> Vec<Value> {
        until(&format!("{count} calls have their record"), || async {
            let calls = self.calls().await;
            (calls.iter().filter(|call| !call["end"].is_null()).count() >= count).then_some(calls)
        })
        .await
    }

    async fn agree(&self, calls: &[Value]) {
        let (mut answered, mut paying) = (0, 0);
        for call in calls {
            let kinds = self.kinds(call["id"].as_str().expect("an id")).await;
            let terminal = kinds.iter().filter(|kind| ["call.completed", "call.failed"].contains(&kind.as_str())).count();
            assert_eq!((terminal, &call["end"]["reason"]), (1, &json!("lost")), "{kinds:?} {call}");
            let (taken, paid) = (kinds.iter().any(|kind| kind == "call.answered"), call["cost"].as_f64().expect("a cost") > 0.0);
            assert_eq!(call["duration"].as_i64() > Some(0), paid, "{call}");
            assert!(taken || !paid, "who was not answered pays nothing: {call}");
            answered += usize::from(taken);
            paying += usize::from(paid);
        }
        assert_eq!(answered, TAKEN);
        assert!(paying >= TAKEN / 2, "{paying} calls have cost something");
        let day = calls[0]["started_at"].as_str().expect("a time")[..10].to_owned();
        let books = self.ask(Method::GET, &format!("/v1/reconciliation/{day}"), Value::Null).await;
        assert_eq!((&books["agrees"], &books["live"], &books["held"]), (&json!(true), &json!(0), &json!(0)), "{books}");
        assert_eq!(
            (&books["closed"], &books["terminal_events"], &books["repeated_events"]),
            (&json!(CALLS), &json!(CALLS), &json!(0))
        );
        let said = Tandem::command(self.database.folder(), &self.database.url(), &["admin", "verify-ledger"]);
        assert!(!said.is_empty());
    }

    /// Nobody is in the conference any more, of which was told once for each.
    async fn nobody_is_in(&self, conference: &str) {
        let listed = self.ask(Method::GET, &format!("/audian/v2/conferences/{conference}/participants"), Value::Null).await;
        let people = listed["participants"].as_array().expect("a list");
        assert!(people.len() == EACH && people.iter().all(|one| one["status"] == "left"), "{people:?}");
        let kinds = self.kinds(conference).await;
        let of = |kind: &str| kinds.iter().filter(|known| known.trim_start_matches("conference.") == kind).count();
        assert_eq!((of("participant_joined"), of("participant_left"), of("emptied")), (EACH, EACH, 1), "{kinds:?}");
    }

    /// What was recorded is whole, or is said to have failed; of each recording is told once.
    async fn recordings_are_whole(&self) {
        let recordings = until("no recording is being made any more", || async {
            let all = self.list("/v1/recordings?limit=100").await;
            let over = |one: &Value| one["status"] == "completed" || one["status"] == "failed";
            (all.len() == 2 * EACH + 1 && all.iter().all(over)).then_some(all)
        })
        .await;
        for recording in &recordings {
            let kinds = self.kinds(recording["id"].as_str().expect("an id")).await;
            let expected: &[&str] =
                if recording["status"] == "completed" { &["recording.completed"] } else { &["recording.failed"] };
            assert!(kinds == expected || (recording["status"] == "failed" && kinds.is_empty()), "{kinds:?} {recording}");
        }
        let of_the_room = recordings.iter().find(|one| !one["conference_id"].is_null()).expect("the conference's");
        assert_eq!(of_the_room["status"], "completed", "it was long enough: {of_the_room}");
    }
}

async fn survive(engine: Engine) {
    let mut house = House::open(engine).await;
    let forward = json!({ "call_forwarding": { "enabled": true, "forward_to": TARGET }, "recording": { "enabled": true } });
    let forwarded = house.number(forward).await;
    let option = json!({ "digit": "1", "destination": TARGET, "destination_type": "phone_number" });
    let menu = json!({ "name": "Main", "prompt": "Press one.", "options": [option], "timeout_seconds": 60, "max_attempts": 3 });
    let menu = house.ask(Method::POST, "/audian/v2/ivr-menus", menu).await;
    let rule = json!({ "pattern": "*", "destination": menu["menu_id"], "destination_type": "ivr_menu" });
    let flow = house.ask(Method::POST, "/audian/v2/call-flows", json!({ "name": "Office", "routing": [rule] })).await;
    let menu = house.number(json!({ "call_flow_id": flow["call_flow_id"] })).await;
    let room =
        house.ask(Method::POST, "/audian/v2/conferences", json!({ "name": "All", "record": true, "max_participants": 50 })).await;
    let room = room["id"].as_str().expect("an id").to_owned();
    let conference = house.number(json!({ "conference": { "conference_id": room } })).await;
    let mut up = house.bring_up(&forwarded, &menu, &conference).await;
    let begun = house.calls().await;
    assert_eq!(begun.len(), TAKEN);
    let text = |call: &Value, member: &str| call[member].as_str().expect(member).to_owned();
    let ids: HashMap<String, String> = begun.iter().map(|call| (text(call, "from"), text(call, "id"))).collect();
    house.hand_on(&mut up, &ids).await;
    house.ring(&mut up, &forwarded).await;
    assert_eq!(house.calls().await.len(), CALLS);
    house.known().await;
    // It dies; the next one before it has looked around, and the one after it amidst its tidying up.
    house.restart().await;
    house.restart().await;
    house.ended(1).await;
    house.restart().await;
    let calls = house.ended(CALLS).await;
    assert_eq!(calls.len(), CALLS);
    drop(up);
    house.agree(&calls).await;
    house.nobody_is_in(&room).await;
    house.recordings_are_whole().await;
    // It carries calls as before.
    let call = house.caller.call(house.sip(), CALLER, &forwarded).await;
    let there = house.callee.incoming().await.answer().await;
    let here = call.answered().await;
    here.say(440);
    there.hears(440).await;
    here.bye().await;
}

#[test]
fn on_sqlite() {
    with_runtime(survive(Engine::Sqlite));
}

#[test]
fn on_postgres() {
    with_runtime(survive(Engine::Postgres));
}
