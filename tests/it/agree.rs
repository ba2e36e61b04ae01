//! The dialects agree: random operations through random dialects, and what each shows of the same objects, beside a small model.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};
use tandem_domain::sid::account_sid;
use tandem_kernel::Environment::Test;
use tandem_testkit::{Persona, Server, on_both};

use crate::fone::{BASE, first_project, purchase::project};

const CASES: usize = 3;
const STEPS: usize = 25;
/// The numbers that are fought over: +1 415 555 0100 and the next.
const NUMBERS: usize = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Audian,
    Fone,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Buy,
    Release,
    Name(u8),
    Forward(u8),
    Record(bool),
    Send(u8),
}

/// Who does what through which dialect to which number; a project for those dialects that name one.
type Step = (usize, Dialect, What, usize, usize);

fn step() -> impl Strategy<Value = Step> {
    let what = prop_oneof![
        4 => Just(What::Buy),
        1 => Just(What::Release),
        1 => (0..4_u8).prop_map(What::Name),
        1 => (0..4_u8).prop_map(What::Forward),
        1 => any::<bool>().prop_map(What::Record),
        2 => (0..200_u8).prop_map(What::Send),
    ];
    (0..2_usize, prop_oneof![Just(Dialect::Audian), Just(Dialect::Fone)], what, 0..NUMBERS, 0..2_usize)
}

/// What the model knows of a number.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    owner: usize,
    project: usize,
    bought: usize,
    name: Option<String>,
    forward: Option<String>,
    records: bool,
}

#[derive(Default)]
struct Model {
    kept: BTreeMap<String, Kept>,
    resting: BTreeSet<String>,
    /// Texts by owner and project.
    sent: BTreeMap<(usize, usize), Vec<String>>,
    clock: usize,
}

struct Party {
    persona: Persona,
    projects: [String; 2],
}

fn number(case: usize, place: usize) -> String {
    format!("+141555501{:02}", case * NUMBERS + place)
}

/// Does a step and says what was answered, in words that all dialects share.
async fn act(parties: &[Party; 2], case: usize, (who, dialect, what, place, project): Step) -> &'static str {
    let (client, number) = (parties[who].persona.test(), number(case, place));
    let (digits, projects) = (number.trim_start_matches('+'), &parties[who].projects);
    let theirs = format!("/audian/v2/numbers/%2B{digits}");
    let ours = format!("{BASE}/Numbers/{digits}");
    let answer = match (dialect, what) {
        (Dialect::Audian, What::Buy) => client.post("/audian/v2/numbers/purchase", json!({ "number": number })).await,
        (Dialect::Fone, What::Buy) => {
            client.post(&format!("{BASE}/Properties/{}/Numbers", projects[project]), json!({ "Number": number })).await
        }
        (Dialect::Audian, What::Release) => client.delete(&theirs).await,
        (Dialect::Fone, What::Release) => client.delete(&ours).await,
        (Dialect::Audian, What::Name(name)) => {
            client.put(&format!("{theirs}/config"), json!({ "friendly_name": format!("name {name}") })).await
        }
        (Dialect::Fone, What::Name(name)) => client.post(&ours, json!({ "Friendly": format!("name {name}") })).await,
        (Dialect::Audian, What::Forward(to)) => {
            client
                .put(&format!("{theirs}/config"), json!({ "call_forwarding": { "enabled": true, "forward_to": target(to) } }))
                .await
        }
        (Dialect::Fone, What::Forward(to)) => {
            client.post(&ours, json!({ "RoutingMethod": "Endpoint", "EndpointNumber": target(to) })).await
        }
        (Dialect::Audian, What::Record(on)) => {
            client.put(&format!("{theirs}/config"), json!({ "recording": { "enabled": on } })).await
        }
        (Dialect::Fone, What::Record(on)) => client.post(&ours, json!({ "Recording": if on { "Call" } else { "Off" } })).await,
        (Dialect::Audian, What::Send(text)) => {
            client
                .post("/audian/v2/messages", json!({ "from": number, "to": "+61412345678", "body": format!("text {text}") }))
                .await
        }
        (Dialect::Fone, What::Send(text)) => {
            let body = json!({ "From": number, "To": "+61412345678", "Text": format!("text {text}") });
            client.post(&format!("{BASE}/Properties/{}/Messages", projects[project]), body).await
        }
    };
    match (answer.status, answer.body["ResponseStatus"]["ErrorCode"].as_str(), answer.body["error"]["code"].as_str()) {
        (200..=202, ..) => "done",
        (_, Some("NUMBER_NOT_FOUND"), _) | (_, _, Some("not_found_error" | "number_not_available" | "operation_not_allowed")) => {
            "nothing"
        }
        (_, Some("ALREADY_EXISTS"), _) | (_, _, Some("already_exists")) => "had",
        (_, Some("NUMBER_BELONGS_TO_DIFFERENT_PROPERTY"), _) => "elsewhere",
        other => panic!("{other:?}{answer}"),
    }
}

fn target(place: u8) -> String {
    format!("+1415555019{place}")
}

impl Model {
    /// What a step does to the model, and what it ought to be answered.
    fn expect(&mut self, case: usize, (who, dialect, what, place, project): Step) -> &'static str {
        let number = number(case, place);
        let project = if dialect == Dialect::Fone { project } else { 0 };
        let gone = self.kept.contains_key(&number) || self.resting.contains(&number);
        let own = self.kept.get_mut(&number).filter(|kept| kept.owner == who);
        match (what, own) {
            (What::Buy, Some(own)) if dialect == Dialect::Fone && own.project != project => return "elsewhere",
            (What::Buy, Some(_)) => return "had",
            (What::Buy, None) if gone => return "nothing",
            (What::Buy, None) => {
                self.clock += 1;
                let bought = self.clock;
                self.kept.insert(number, Kept { owner: who, project, bought, name: None, forward: None, records: false });
            }
            (_, None) => return "nothing",
            (What::Release, Some(_)) => {
                self.kept.remove(&number);
                self.resting.insert(number);
            }
            (What::Name(name), Some(own)) => own.name = Some(format!("name {name}")),
            (What::Forward(to), Some(own)) => own.forward = Some(target(to)),
            (What::Record(on), Some(own)) => own.records = on,
            (What::Send(_), Some(own)) if dialect == Dialect::Fone && own.project != project => return "elsewhere",
            (What::Send(text), Some(own)) => {
                let project = own.project;
                self.sent.entry((who, project)).or_default().push(format!("text {text}"));
            }
        }
        "done"
    }

    /// An owner's numbers, oldest first.
    fn of(&self, who: usize, project: Option<usize>) -> Vec<(&String, &Kept)> {
        let own = |kept: &Kept| kept.owner == who && project.is_none_or(|project| kept.project == project);
        let mut found: Vec<_> = self.kept.iter().filter(|(_, kept)| own(kept)).collect();
        found.sort_by_key(|(_, kept)| kept.bought);
        found
    }
}

/// Compares what each dialect shows with the model.
async fn compare(parties: &[Party; 2], model: &Model) {
    for (who, party) in parties.iter().enumerate() {
        let client = party.persona.test();
        let shown = client.get("/audian/v2/numbers?limit=100").await;
        let theirs: Vec<Value> =
            shown.data()["numbers"].as_array().unwrap().iter().map(|one| json!([one["number"], one["friendly_name"]])).collect();
        let expected: Vec<Value> = model.of(who, None).iter().map(|(number, kept)| json!([number, kept.name])).collect();
        assert_eq!(theirs, expected, "{shown}");
        assert_eq!(shown.data()["total"], expected.len());
        let everywhere = format!("{BASE}/Accounts/{}/Numbers", account_sid(party.persona.account));
        let lists = [
            (everywhere, None),
            (format!("{BASE}/Properties/{}/Numbers", party.projects[0]), Some(0)),
            (format!("{BASE}/Properties/{}/Numbers", party.projects[1]), Some(1)),
        ];
        for (path, project) in lists {
            let shown = client.get(&path).await;
            let one = |one: &Value| {
                json!([
                    one["Number"],
                    one["Friendly"],
                    one["PropertySid"],
                    one["RoutingMethod"],
                    one["EndpointNumber"],
                    one["Recording"]
                ])
            };
            let ours: Vec<Value> = shown.body["Numbers"].as_array().unwrap().iter().map(one).collect();
            let one = |(number, kept): &(&String, &Kept)| {
                let method = kept.forward.as_ref().map(|_| "Endpoint");
                json!([
                    number,
                    kept.name,
                    party.projects[kept.project],
                    method,
                    kept.forward,
                    if kept.records { "Call" } else { "Off" }
                ])
            };
            let expected: Vec<Value> = model.of(who, project).iter().map(one).collect();
            assert_eq!(ours, expected, "{shown}");
            assert_eq!(shown.body["TotalCount"], expected.len(), "{shown}");
        }
        for (number, kept) in model.of(who, None) {
            let config = client.get(&format!("/audian/v2/numbers/%2B{}/config", number.trim_start_matches('+'))).await;
            assert_eq!(config.data()["call_forwarding"]["forward_to"], json!(kept.forward), "{config}");
            assert_eq!(config.data()["recording"]["enabled"].as_bool().unwrap_or(false), kept.records, "{config}");
        }
        let mut all = Vec::new();
        for (place, project) in party.projects.iter().enumerate() {
            let shown = client.get(&format!("{BASE}/Properties/{project}/Messages?Date_From=0&Date_To=4102444800")).await;
            let mut texts: Vec<String> = shown.body["Messages"]
                .as_array()
                .unwrap_or_else(|| panic!("{shown}"))
                .iter()
                .map(|message| message["Text"].as_str().unwrap().to_owned())
                .collect();
            let mut expected = model.sent.get(&(who, place)).cloned().unwrap_or_default();
            texts.sort();
            expected.sort();
            assert_eq!(texts, expected, "{shown}");
            all.extend(expected);
        }
        let shown = client.get("/audian/v2/messages?limit=100").await;
        let mut texts: Vec<String> = shown.data()["messages"]
            .as_array()
            .unwrap_or_else(|| panic!("{shown}"))
            .iter()
            .map(|one| one["body"].as_str().unwrap().to_owned())
            .collect();
        texts.sort();
        all.sort();
        assert_eq!(texts, all, "{shown}");
    }
}

async fn party(server: &Server, name: &str) -> Party {
    let persona = server.account(name).await;
    persona.unlimited(Test).await;
    let second = project(&persona, "Second").await;
    let body = json!({ "SmsEnabled": true });
    let merge = persona.test().header("content-type", "application/merge-patch+json");
    merge.patch(&format!("{BASE}/Properties/{second}"), body).await.assert_status(204);
    let projects = [first_project(&persona), second];
    Party { persona, projects }
}

on_both! {
    async fn what_one_dialect_does_the_others_show(server: Server) {
        let mut runner = TestRunner::deterministic();
        for case in 0..CASES {
            let parties = [party(&server, &format!("Ada {case}")).await, party(&server, &format!("Bob {case}")).await];
            let steps = proptest::collection::vec(step(), STEPS).new_tree(&mut runner).expect("steps").current();
            let mut model = Model::default();
            for (done, step) in steps.iter().enumerate() {
                let expected = model.expect(case, *step);
                let answered = act(&parties, case, *step).await;
                assert_eq!(answered, expected, "step {done} of {steps:#?}");
                if done % 5 == 4 {
                    compare(&parties, &model).await;
                }
            }
            compare(&parties, &model).await;
        }
        server.settle().await;
    }
}
