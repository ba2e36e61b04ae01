//! Our own API, `/v1`.

mod accounts;
mod audit;
mod clock;
mod inventory;
mod keys;
mod logs;
mod ports;
mod verifications;
mod wallets;

use http::Method;
use serde_json::{Value, json};
use tandem_testkit::{Answer, Client, Persona, Server, on_both};

/// Checks a refusal: status, code, and the place of the first fault if there is one.
#[track_caller]
fn refused<'a>(answer: &'a Answer, status: u16, code: &str, pointer: Option<&str>) -> &'a Answer {
    answer.assert_status(status).assert_header("content-type", "application/problem+json");
    assert_eq!(answer.body["code"], code, "{answer}");
    let first = answer.body["errors"][0]["pointer"].as_str();
    assert_eq!(first, pointer, "{answer}");
    assert_eq!(answer.body["request_id"].as_str(), answer.header("x-request-id"), "{answer}");
    answer
}

/// Checks that each body is refused with a code at a place.
async fn refuses(client: &Client, method: Method, path: &str, cases: &[(Value, u16, &str, Option<&str>)]) {
    for (body, status, code, pointer) in cases {
        let answer = client.send(method.clone(), path, Some(body.to_string().into_bytes())).await;
        refused(&answer, *status, code, *pointer);
    }
}

fn text(answer: &Answer, pointer: &str) -> String {
    let found = answer.body.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("there is no text at {pointer}{answer}")).to_owned()
}

/// Walks a list to its end, `limit` items at a time.
async fn walk(client: &Client, path: &str, limit: usize) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    let join = if path.contains('?') { '&' } else { '?' };
    loop {
        let page = client.get(&format!("{path}{join}limit={limit}{cursor}")).await;
        let data = page.assert_status(200).body["data"].as_array().expect("a list").clone();
        assert!(data.len() <= limit, "{page}");
        items.extend(data);
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

/// The path of one of an account's environments.
fn of(persona: &Persona, environment: &str, rest: &str) -> String {
    format!("/v1/accounts/{}/environments/{environment}/{rest}", persona.account)
}

/// Buys a number in the test environment and hands back what the account sees of it.
async fn buy(persona: &Persona, number: &str) -> Value {
    let bought = persona.test().post("/audian/v2/numbers/purchase", json!({ "number": number })).await;
    bought.assert_status(201).data().clone()
}

/// Every operation of the document with its access, parameters filled in with what names nothing.
async fn operations(server: &Server) -> Vec<(Method, String, String)> {
    let document = server.client().get("/openapi/native.json").await;
    let mut operations = Vec::new();
    for (path, methods) in document.body["paths"].as_object().expect("paths") {
        let filled: Vec<_> = path.split('/').map(|part| if part.starts_with('{') { "nothing" } else { part }).collect();
        for (method, operation) in methods.as_object().expect("operations") {
            let method = method.to_ascii_uppercase().parse().expect("a method");
            let access = operation["x-access"].as_str().unwrap_or("anybody").to_owned();
            operations.push((method, format!("/v1{}", filled.join("/")), access));
        }
    }
    assert!(operations.len() > 40, "the document names {operations:?}");
    operations
}

on_both! {
    async fn every_operation_asks_who_calls(server: Server) {
        let ada = server.account("Ada").await;
        ada.unlimited(tandem_kernel::Environment::Test).await;
        let altered = format!("{}x", ada.test.key);
        for (method, path, access) in operations(&server).await {
            let send = |client: Client| {
                let (method, path) = (method.clone(), path.clone());
                async move { client.send(method, &path, Some(b"{".to_vec())).await }
            };
            if access == "anybody" {
                continue;
            }
            refused(&send(server.client()).await, 401, "missing_authentication", None);
            refused(&send(server.client_with(altered.as_str())).await, 401, "invalid_api_key", None);
            match access.as_str() {
                "operator" => {
                    refused(&send(ada.test()).await, 403, "insufficient_scope", None);
                }
                "account" => {
                    refused(&send(server.operator()).await, 401, "invalid_api_key", None);
                }
                _ => {}
            }
        }
    }

    async fn what_nobody_has_is_not_found(server: Server) {
        let ada = server.account("Ada").await;
        ada.unlimited(tandem_kernel::Environment::Test).await;
        for (method, path, access) in operations(&server).await {
            if method != Method::GET || !path.contains("nothing") || access == "anybody" {
                continue;
            }
            let client = if access == "account" { ada.test() } else { server.operator() };
            let answer = client.get(&path).await;
            // Whoever looks something up is told what it is not.
            let told = path.starts_with("/v1/lookup/") && answer.body["valid"] == false;
            assert!(told || answer.status == 404, "404 was expected{answer}");
        }
    }

    async fn unknown_names_are_refused_with_the_nearest_known(server: Server) {
        let operator = server.operator();
        let opened = operator.post("/v1/accounts", json!({ "nane": "Ada", "email": "ada@example.com", "name": "Ada" })).await;
        refused(&opened, 400, "unknown_parameter", Some("/nane"));
        assert_eq!(opened.body["detail"], "There is no parameter 'nane'; did you mean 'name'?");
        refused(&operator.get("/v1/accounts?limits=3").await, 400, "unknown_parameter", Some("/limits"));
        refused(&operator.get("/v1/ledger/verification?full=1").await, 400, "unknown_parameter", Some("/full"));
        refused(&server.client().get("/v1/errors?code=internal").await, 400, "unknown_parameter", Some("/code"));
    }

    async fn every_change_is_answered_again(server: Server) {
        let ada = server.account("Ada").await;
        let number = buy(&ada, "+14155550100").await;
        let (operator, own, port_out) =
            (server.operator(), ada.test(), format!("/v1/numbers/{}/port-out", number["id"].as_str().expect("an id")));
        let spare = ada.mint(tandem_kernel::Environment::Test, &[tandem_kernel::Scope::NumbersRead], None).await;
        let changes = [
            (&operator, Method::PATCH, format!("/v1/accounts/{}", ada.account), json!({ "name": "Ada & Co" })),
            (&operator, Method::PATCH, of(&ada, "test", "limits"), json!({ "burst": 50 })),
            (&operator, Method::PATCH, "/v1/inventory/test/+14155550101".to_owned(), json!({ "monthly": 2 })),
            (&operator, Method::POST, port_out.clone(), json!({})),
            (&operator, Method::DELETE, port_out.clone(), json!({})),
            (&operator, Method::POST, port_out.clone(), json!({})),
            (&operator, Method::POST, format!("{port_out}/complete"), json!({})),
            (&own, Method::DELETE, format!("/v1/account/keys/{}", spare.id), json!({})),
        ];
        for (place, (client, method, path, body)) in changes.into_iter().enumerate() {
            let (client, body) = (client.idempotency(&format!("change {place}")), body.to_string().into_bytes());
            let first = client.send(method.clone(), &path, Some(body.clone())).await;
            first.assert_status(200);
            client.send(method, &path, Some(body)).await.assert_replay_of(&first);
        }
    }

    async fn magic_numbers_are_listed_for_anybody(server: Server) {
        let listed = server.client().get("/v1/magic-numbers").await;
        let scenarios = listed.assert_status(200).body["data"].as_array().expect("a list");
        let rejected = scenarios.iter().find(|scenario| scenario["name"] == "port_rejected_pin").expect("a scenario");
        assert_eq!((&rejected["purpose"], &rejected["numbers"][0]), (&json!("port"), &json!("+16282010050")));
    }

    async fn a_page_has_bounds(server: Server) {
        let operator = server.operator();
        for (query, code, pointer) in [
            ("limit=0", "out_of_range", "/limit"),
            ("limit=101", "out_of_range", "/limit"),
            ("limit=x", "wrong_type", "/limit"),
            ("cursor=x", "invalid_value", "/cursor"),
            ("cursor=8zzzzzzzzzzzzzzzzzzzzzzzzz", "invalid_value", "/cursor"),
        ] {
            refused(&operator.get(&format!("/v1/accounts?{query}")).await, 400, code, Some(pointer));
        }
        let beyond = operator.get("/v1/accounts?cursor=7zzzzzzzzzzzzzzzzzzzzzzzzz").await;
        beyond.assert(200, &json!({ "data": [], "next_cursor": null }));
    }
}
