//! The wrong callers.

use serde_json::Value;
use tandem_kernel::{Environment::Test, KeyKind, SeededRng};
use tandem_testkit::Answer;

use super::{
    cases::{Access, Case},
    world::World,
};

const MISSING: &[&str] = &["missing_authentication", "unauthorized", "UNAUTHORIZED"];
const INVALID: &[&str] = &["invalid_api_key", "revoked_api_key", "unauthorized", "UNAUTHORIZED"];
const FORBIDDEN: &[&str] = &["forbidden_error", "insufficient_scope", "forbidden", "FORBIDDEN"];
/// What any valid key may ask for: who it is. This list may only shrink.
const WITHOUT_SCOPE: &[&str] = &["/account"];

/// What a key may ask for that is safe to publish.
const PUBLISHED: &[&str] = &["/verify/send", "/verify/check"];

/// Asks as everybody who may not.
pub async fn probe(world: World, case: Case) {
    if case.access == Access::Anybody {
        case.send(&world.server.client_with("nonsense"), &case.path(&world)).await.assert_status(200);
        return;
    }
    strangers(&world, &case).await;
    match case.access {
        Access::Account => {
            let answer = case.send(&world.operator, &case.path(&world)).await;
            case.refused(&answer, 401, INVALID);
            powerless(&world, &case).await;
        }
        Access::Operator => {
            for client in [&world.ada, &world.ada_powerless, &world.ada_publishable] {
                let answer = case.send(client, &case.path(&world)).await;
                case.refused(&answer, 403, FORBIDDEN);
            }
        }
        Access::Either | Access::Anybody => powerless(&world, &case).await,
    }
    if case.access != Access::Operator {
        others(&world, &case).await;
    }
}

async fn strangers(world: &World, case: &Case) {
    let path = case.path(world);
    let nobody = world.server.client();
    for client in [nobody.clone(), nobody.header("x-auth-token", ""), nobody.header("authorization", "Bearer ")] {
        let answer = case.send(&client, &path).await;
        case.refused(&answer, 401, MISSING);
        answer.assert_no_header("x-ratelimit-limit");
    }
    let foreign = tandem_domain::key::KeyText::mint(KeyKind::Secret, Some(Test), &SeededRng::new(7));
    let clients = [world.server.client_with("sk_test_nonsense"), world.server.client_with(foreign.as_str()), world.revoked.clone()];
    for client in clients {
        let answer = case.send(&client, &path).await;
        case.refused(&answer, 401, INVALID);
        answer.assert_no_header("x-ratelimit-limit");
    }
}

/// Keys of the right account that may do nothing of this sort.
async fn powerless(world: &World, case: &Case) {
    if WITHOUT_SCOPE.contains(&case.template.as_str()) {
        case.send(&world.ada_powerless, &case.path(world)).await.assert_status(200);
        return;
    }
    let published = PUBLISHED.contains(&case.template.as_str());
    for client in [Some(&world.ada_powerless), (!published).then_some(&world.ada_publishable)].into_iter().flatten() {
        let answer = case.send(client, &case.path(world)).await;
        case.refused(&answer, 403, FORBIDDEN);
    }
}

/// What is another's is answered as what does not exist.
async fn others(world: &World, case: &Case) {
    if !case.parameters().iter().any(|parameter| parameter.ends_with("_id") || parameter.ends_with("Sid")) {
        return;
    }
    let real = case.path(world);
    let made_up = case.path_with(|parameter| altered(&world.named(case.access, &case.template, parameter)));
    let nowhere = case.send(&world.ada, &made_up).await;
    nowhere.assert_status(case.not_there());
    let by_account = case.parameters() == ["AccountSid"]; // an account's name is the same in both environments
    for client in [Some(&world.eve), (!by_account).then_some(&world.ada_live)].into_iter().flatten() {
        let hidden = case.send(client, &real).await;
        hidden.assert_status(case.not_there());
        let (hidden, nowhere) = (without_ids(world, case, &hidden), without_ids(world, case, &nowhere));
        assert_eq!(hidden, nowhere, "what is another's differs from what does not exist");
    }
}

/// An id of the same form that nothing has.
fn altered(id: &str) -> String {
    let (head, last) = id.split_at(id.len() - 1);
    format!("{head}{}", if last == "0" { "1" } else { "0" })
}

fn without_ids(world: &World, case: &Case, answer: &Answer) -> String {
    let mut body = answer.body.clone();
    if let Some(request) = body.get_mut("request_id") {
        *request = Value::Null;
    }
    let mut text = body.to_string();
    for parameter in case.parameters() {
        let id = world.named(case.access, &case.template, parameter);
        text = text.replace(&altered(&id), "ID").replace(&id, "ID");
    }
    text
}
