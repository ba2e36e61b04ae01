//! The dialects agree: whatever is done through one of them, each shows the same of the same objects, as a small model expects.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};
use tandem_domain::sid::account_sid;
use tandem_kernel::Environment::Test;
use tandem_testkit::{Answer, Client, Engine, Persona, Server, run};

use crate::fone::{BASE, first_project};

const NUMBERS: &str = "/audian/v2/numbers";
const MESSAGES: &str = "/audian/v2/messages";
/// What a number costs at once, a message of one segment to +1, and a lookup, in millionths.
const NUMBER: i64 = 990_000;
const MESSAGE: i64 = 10_000;
const LOOKUP: i64 = 10_000;
/// What a new account has.
const WELCOME: i64 = 100_000_000;
const CASES: u32 = 10;

#[derive(Clone, Copy, Debug)]
enum Through {
    Audian,
    Fone,
}

#[derive(Clone, Debug)]
enum Op {
    Project,
    Buy { through: Through, number: usize, project: usize },
    Rename { through: Through, number: usize, name: usize },
    Forward { through: Through, number: usize, to: usize },
    Release { through: Through, number: usize },
    Send { through: Through, number: usize, text: usize },
    LookUp,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let through = || prop_oneof![Just(Through::Audian), Just(Through::Fone)];
    let number = || 0..4_usize;
    let op = prop_oneof![
        1 => Just(Op::Project),
        6 => (through(), number(), 0..3_usize).prop_map(|(through, number, project)| Op::Buy { through, number, project }),
        3 => (through(), number(), 0..3_usize).prop_map(|(through, number, name)| Op::Rename { through, number, name }),
        3 => (through(), number(), 0..2_usize).prop_map(|(through, number, to)| Op::Forward { through, number, to }),
        2 => (through(), number()).prop_map(|(through, number)| Op::Release { through, number }),
        4 => (through(), number(), 0..3_usize).prop_map(|(through, number, text)| Op::Send { through, number, text }),
        1 => Just(Op::LookUp),
    ];
    vec(op, 4..20)
}

/// A number as every dialect should show it.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
struct Owned {
    project: String,
    name: Option<String>,
    forward: Option<String>,
}

/// What there should be.
struct Model {
    projects: Vec<String>,
    numbers: BTreeMap<String, Owned>,
    gone: BTreeSet<String>,
    /// Project, sender and text of each message.
    messages: Vec<(String, String, String)>,
    money: i64,
}

struct Player {
    ada: Persona,
    client: Client,
    model: Model,
}

fn number(index: usize) -> String {
    format!("+1415555010{index}")
}

fn digits(index: usize) -> String {
    format!("1415555010{index}")
}

fn target(index: usize) -> String {
    format!("+1415555019{index}")
}

fn code(answer: &Answer) -> Option<String> {
    let body = &answer.body;
    let said = body["error"]["code"].as_str().or(body["ResponseStatus"]["ErrorCode"].as_str());
    said.map(str::to_owned)
}

#[track_caller]
fn expect(answer: &Answer, through: Through, refusal: Option<(&str, &str)>) {
    let wanted = refusal.map(|(audian, fone)| match through {
        Through::Audian => audian.to_owned(),
        Through::Fone => fone.to_owned(),
    });
    assert!(code(answer) == wanted && (wanted.is_some() || answer.status < 300), "{wanted:?} was expected{answer}");
}

impl Player {
    async fn new(server: &Server) -> Self {
        let ada = server.account("Ada").await;
        ada.unlimited(Test).await;
        let model = Model {
            projects: vec![first_project(&ada)],
            numbers: BTreeMap::new(),
            gone: BTreeSet::new(),
            messages: Vec::new(),
            money: WELCOME,
        };
        Self { client: ada.test(), ada, model }
    }

    async fn play(&mut self, op: &Op) {
        match *op {
            Op::Project => self.project().await,
            Op::Buy { through, number, project } => self.buy(through, number, project).await,
            Op::Rename { through, number, name } => self.rename(through, number, &format!("Name {name}")).await,
            Op::Forward { through, number, to } => self.forward(through, number, target(to)).await,
            Op::Release { through, number } => self.release(through, number).await,
            Op::Send { through, number, text } => self.send(through, number, format!("Text {text}")).await,
            Op::LookUp => {
                self.client.get("/telephony/api/lookup/+61412345678").await.assert_status(200);
                self.model.money -= LOOKUP;
            }
        }
        self.compare().await;
    }

    async fn project(&mut self) {
        let body = json!({ "Name": "Another", "MainDomain": "www.example.com", "TimeZone": "UTC", "SmsEnabled": true });
        let made = self.client.post(&format!("{BASE}/Properties"), body).await;
        let sid = made.assert_status(200).body["Property"]["PropertySid"].as_str().expect("a sid").to_owned();
        self.model.projects.push(sid);
    }

    async fn buy(&mut self, through: Through, index: usize, project: usize) {
        let phone = number(index);
        let project = match through {
            Through::Audian => self.model.projects[0].clone(),
            Through::Fone => self.model.projects[project % self.model.projects.len()].clone(),
        };
        let answer = match through {
            Through::Audian => self.client.post(&format!("{NUMBERS}/purchase"), json!({ "number": phone })).await,
            Through::Fone => self.client.post(&format!("{BASE}/Properties/{project}/Numbers"), json!({ "Number": phone })).await,
        };
        let refusal = match self.model.numbers.get(&phone) {
            Some(owned) if owned.project == project => Some(("already_exists", "ALREADY_EXISTS")),
            Some(_) => Some(("already_exists", "NUMBER_BELONGS_TO_DIFFERENT_PROPERTY")),
            None if self.model.gone.contains(&phone) => Some(("number_not_available", "NUMBER_NOT_FOUND")),
            None => None,
        };
        expect(&answer, through, refusal);
        if refusal.is_none() {
            self.model.numbers.insert(phone, Owned { project, ..Owned::default() });
            self.model.money -= NUMBER;
        }
    }

    /// Changes a number's configuration in one dialect or the other.
    async fn configure(&mut self, through: Through, index: usize, audian: Value, fone: Value) -> bool {
        let answer = match through {
            Through::Audian => self.client.put(&format!("{NUMBERS}/{}/config", number(index)), audian).await,
            Through::Fone => self.client.post(&format!("{BASE}/Numbers/{}", digits(index)), fone).await,
        };
        let owned = self.model.numbers.contains_key(&number(index));
        expect(&answer, through, (!owned).then_some(("not_found_error", "NUMBER_NOT_FOUND")));
        owned
    }

    async fn rename(&mut self, through: Through, index: usize, name: &str) {
        if self.configure(through, index, json!({ "friendly_name": name }), json!({ "Friendly": name })).await {
            self.model.numbers.entry(number(index)).or_default().name = Some(name.to_owned());
        }
    }

    async fn forward(&mut self, through: Through, index: usize, to: String) {
        let audian = json!({ "call_forwarding": { "enabled": true, "forward_to": to } });
        let fone = json!({ "RoutingMethod": "Endpoint", "EndpointNumber": to });
        if self.configure(through, index, audian, fone).await {
            self.model.numbers.entry(number(index)).or_default().forward = Some(to);
        }
    }

    async fn release(&mut self, through: Through, index: usize) {
        let answer = match through {
            Through::Audian => self.client.delete(&format!("{NUMBERS}/{}", number(index))).await,
            Through::Fone => self.client.delete(&format!("{BASE}/Numbers/{}", digits(index))).await,
        };
        let owned = self.model.numbers.remove(&number(index)).is_some();
        expect(&answer, through, (!owned).then_some(("not_found_error", "NUMBER_NOT_FOUND")));
        if owned {
            self.model.gone.insert(number(index));
        }
    }

    async fn send(&mut self, through: Through, index: usize, text: String) {
        let (from, to) = (number(index), "+14155550142");
        let owned = self.model.numbers.get(&from).cloned();
        let project = owned.as_ref().map_or_else(|| self.model.projects[0].clone(), |owned| owned.project.clone());
        let answer = match through {
            Through::Audian => self.client.post(MESSAGES, json!({ "from": from, "to": to, "body": text })).await,
            Through::Fone => {
                let body = json!({ "From": from, "To": to, "Text": text });
                self.client.post(&format!("{BASE}/Properties/{project}/Messages"), body).await
            }
        };
        expect(&answer, through, owned.is_none().then_some(("operation_not_allowed", "NUMBER_NOT_FOUND")));
        if owned.is_some() {
            self.model.messages.push((project, from, text));
            self.model.money -= MESSAGE;
        }
    }

    /// Asks every dialect for everything.
    async fn compare(&self) {
        self.compare_numbers().await;
        self.compare_messages().await;
        let balance = self.client.get("/telephony/api/account/balance").await;
        let shown = balance.assert_status(200).body["balance"].as_f64().expect("a balance");
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let wanted = self.model.money as f64 / 1e6;
        assert!((shown - wanted).abs() < 1e-9, "{wanted} was expected{balance}");
    }

    async fn compare_numbers(&self) {
        let mut by_audian = BTreeMap::new();
        let list = self.client.get(&format!("{NUMBERS}?limit=100")).await;
        for shown in list.data()["numbers"].as_array().expect("numbers") {
            let phone = shown["number"].as_str().expect("a number").to_owned();
            let config = self.client.get(&format!("{NUMBERS}/{phone}/config")).await;
            let forward = config.data()["call_forwarding"]["forward_to"].as_str().map(str::to_owned);
            by_audian.insert(phone, (shown["friendly_name"].as_str().map(str::to_owned), forward));
        }
        let wanted: BTreeMap<_, _> =
            self.model.numbers.iter().map(|(phone, owned)| (phone.clone(), (owned.name.clone(), owned.forward.clone()))).collect();
        assert!(by_audian == wanted, "{wanted:?} was expected{list}");
        assert_eq!(list.data()["total"], wanted.len());

        let everywhere = self.client.get(&format!("{BASE}/Accounts/{}/Numbers", account_sid(self.ada.account))).await;
        assert!(owned_of(&everywhere) == self.model.numbers, "{:?} was expected{everywhere}", self.model.numbers);
        for project in &self.model.projects {
            let within = self.client.get(&format!("{BASE}/Properties/{project}/Numbers")).await;
            let mut wanted = self.model.numbers.clone();
            wanted.retain(|_, owned| owned.project == *project);
            assert!(owned_of(&within) == wanted, "{wanted:?} was expected{within}");
        }
    }

    async fn compare_messages(&self) {
        let list = self.client.get(&format!("{MESSAGES}?limit=100&direction=outbound")).await;
        let mut by_audian: Vec<(String, String)> = list.data()["messages"]
            .as_array()
            .expect("messages")
            .iter()
            .map(|shown| (words(&shown["from"]), words(&shown["body"])))
            .collect();
        by_audian.sort();
        let mut wanted: Vec<_> = self.model.messages.iter().map(|(_, from, text)| (from.clone(), text.clone())).collect();
        wanted.sort();
        assert!(by_audian == wanted, "{wanted:?} was expected{list}");

        let mut by_fone = Vec::new();
        for project in &self.model.projects {
            let path = format!("{BASE}/Properties/{project}/Messages?Date_From=0&Date_To=4000000000&Direction=Transmit");
            let found = self.client.get(&path).await;
            let shown = found.assert_status(200).body["Messages"].as_array().expect("messages").clone();
            by_fone.extend(shown.iter().map(|shown| (project.clone(), words(&shown["From"]), words(&shown["Text"]))));
        }
        by_fone.sort();
        let mut wanted = self.model.messages.clone();
        wanted.sort();
        assert_eq!(by_fone, wanted);
    }
}

fn words(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn owned_of(list: &Answer) -> BTreeMap<String, Owned> {
    let numbers = list.assert_status(200).body["Numbers"].as_array().expect("numbers").iter();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    numbers
        .map(|shown| {
            let forward = text(&shown["EndpointNumber"]).filter(|_| shown["RoutingMethod"] == "Endpoint");
            (words(&shown["Number"]), Owned { project: words(&shown["PropertySid"]), name: text(&shown["Friendly"]), forward })
        })
        .collect()
}

fn agree(engine: Engine) {
    let config = Config { cases: CASES, failure_persistence: None, max_shrink_iters: 40, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&ops(), |ops| {
        run(engine, |server: Server| async move {
            let mut player = Player::new(&server).await;
            for op in &ops {
                player.play(op).await;
            }
        });
        Ok(())
    });
    if let Err(fault) = outcome {
        panic!("the dialects disagree: {fault}");
    }
}

#[test]
fn the_dialects_show_the_same_on_sqlite() {
    agree(Engine::Sqlite);
}

#[test]
fn the_dialects_show_the_same_on_postgres() {
    agree(Engine::Postgres);
}
