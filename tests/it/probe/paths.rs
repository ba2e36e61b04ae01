//! The wrong paths, queries and methods.

use http::Method;
use serde_json::Value;
use tandem_testkit::{Answer, Client};

use super::{cases::Case, values, world::World};

/// What no path should have in it.
const ODD: &[&str] = &[
    "%2F",
    "%2f%2F",
    "%00",
    "a%00b",
    "%ff",
    "%c3%28",
    "..",
    "%2e%2e",
    ".",
    "+",
    "%20",
    "%",
    "%zz",
    "%F0%9F%98%80",
    "'%20OR%20'1'='1",
    "num_",
    "-1",
    "null",
    "%7B%7D",
    ";",
    "*",
    "%0d%0aX-Injected:%20yes",
];

/// Asks in every wrong way.
pub async fn probe(world: World, case: Case) {
    let client = world.rightful(case.access);
    odd_paths(&world, &case, &client).await;
    odd_queries(&world, &case, &client).await;
    unknown(&world, &case, &client).await;
    for (name, schema) in &case.query {
        wrong_values(&world, &case, &client, name, schema).await;
    }
    methods(&world, &case, &client).await;
}

async fn odd_paths(world: &World, case: &Case, client: &Client) {
    let long = "x".repeat(10_000);
    for wrong in case.parameters() {
        for odd in ODD.iter().copied().chain([long.as_str()]) {
            let path = case.path_with(|parameter| match parameter == wrong {
                true => odd.to_owned(),
                false => world.named(case.access, &case.template, parameter),
            });
            let answer = case.send(client, &path).await;
            let told = case.template == "/lookup/{number}" && answer.body["valid"] == false; // that it is none is the answer
            assert!(told || [400, 404].contains(&answer.status), "nothing has such a name{answer}");
            answer.assert_no_header("x-injected");
        }
        let path = case.path_with(|parameter| match parameter == wrong {
            true => String::new(),
            false => world.named(case.access, &case.template, parameter),
        });
        let body = case.sample().map(|sample| sample.to_string().into_bytes());
        client.send(case.method.clone(), &path, body).await.assert_status(404);
    }
}

/// Queries that no form sends. Operations that would change something are asked about what is not there.
async fn odd_queries(world: &World, case: &Case, client: &Client) {
    let long = format!("{}=1", "x".repeat(10_000));
    let queries = [
        "",
        "&&&",
        "=",
        "==",
        "?",
        "a",
        "%00=%00",
        "%ff=%ff",
        "%=%",
        "%zz=%zz",
        "+=+",
        "a=b=c",
        "[]=1",
        "[][]=[]",
        "a[b][c]=1",
        "%F0%9F%98%80=1",
        ";",
        "a;b",
        "'=%22",
        "%0d%0aX-Injected:%20yes=1",
        &long,
    ];
    for query in queries {
        let path = if case.method == Method::GET {
            case.path_and(world, query)
        } else {
            let path = case.path_with(|_| "nothing".to_owned());
            format!("{path}{}{query}", if path.contains('?') { '&' } else { '?' })
        };
        let answer = case.send_body(client, &path, None).await;
        answer.assert_no_header("x-injected");
        let named = !query.split(['&', ';']).all(|pair| pair.split('=').next().is_none_or(str::is_empty));
        if case.strict() && named {
            case.refused(&answer, 400, &["unknown_parameter"]);
        }
    }
}

/// A parameter of the query that nobody knows, near to one that is known.
async fn unknown(world: &World, case: &Case, client: &Client) {
    let Some((known, _)) = case.query.first() else { return };
    let answer = case.send_body(client, &case.path_and(world, &format!("{known}x=1")), None).await;
    match case.strict() {
        false => {
            let hint = format!("{known}x is ignored; did you mean {known}?");
            answer.assert_status(200).assert_header("x-tandem-hint", &hint);
        }
        true => {
            case.refused(&answer, 400, &["unknown_parameter"]);
            blames(case, &answer, &format!("{known}x"));
            let detail = answer.body["detail"].as_str().unwrap_or("");
            assert!(detail.contains(&format!("'{known}'")), "{detail}{answer}");
        }
    }
}

/// A parameter of the query with values that it does not take, and one that is said several times.
async fn wrong_values(world: &World, case: &Case, client: &Client, name: &str, schema: &Value) {
    let kind = values::kind(schema);
    let mut wrong: Vec<String> = match kind {
        "integer" => ["nonsense", "1.5", "1e2", "0x10", "%2B1", "%201", "%C2%B2", "1000000000000000000000000000000", "-"]
            .map(str::to_owned)
            .into(),
        "array" => vec!["nonsense".to_owned(), "voice,nonsense".to_owned()],
        _ if schema.get("enum").is_some() || schema.get("pattern").is_some() || schema.get("format").is_some() => {
            ["nonsense", "%00", "%ff", "%20"].map(str::to_owned).into()
        }
        _ => vec!["%00".to_owned()],
    };
    wrong.extend(schema["minimum"].as_i64().map(|min| (min - 1).to_string()));
    wrong.extend(schema["maximum"].as_i64().map(|max| (max + 1).to_string()));
    wrong.push("x".repeat(10_000));
    for value in wrong {
        let answer = case.send_body(client, &with(case, world, name, &value), None).await;
        blames(case, &answer, name);
    }
    let word = if kind == "integer" { "1".to_owned() } else { values::word(values::kind_of_items(schema)) };
    for query in [
        format!("{name}[]={word}"),
        format!("{name}={word}&{name}={word}"),
        format!("{name}[]={word}&{name}[]={word}"),
        format!("{name}="),
    ] {
        case.send_body(client, &case.path_and(world, &query), None).await;
    }
}

/// The path with one parameter of the query set, once.
fn with(case: &Case, world: &World, name: &str, value: &str) -> String {
    let path = case.path(world);
    let Some((path, query)) = path.split_once('?') else { return format!("{path}?{name}={value}") };
    let others = query.split('&').filter(|pair| !pair.starts_with(&format!("{name}=")));
    let pairs: Vec<String> = others.map(str::to_owned).chain([format!("{name}={value}")]).collect();
    format!("{path}?{}", pairs.join("&"))
}

fn blames(case: &Case, answer: &Answer, name: &str) {
    answer.assert_status(400);
    let pointer = format!("/{name}");
    let expected = case.spelled(name, &pointer);
    assert!(case.param(answer).as_ref() == Some(&expected), "{expected} is at fault{answer}");
}

/// Methods that the path does not have, and HEAD, which it has where it has GET.
async fn methods(world: &World, case: &Case, client: &Client) {
    let path = case.path(world);
    for method in ["OPTIONS", "TRACE", "BREW", "PATCH2"] {
        let method: Method = method.parse().expect("a method");
        let answer = client.send(method, &path, None).await;
        answer.assert_status(405);
        let allowed = answer.header("allow").unwrap_or_else(|| panic!("Allow was expected{answer}"));
        assert!(allowed.split(", ").any(|allowed| allowed == case.method.as_str()), "{} is allowed{answer}", case.method);
    }
    if case.method == Method::GET {
        let whole = case.send_body(client, &path, None).await;
        let head = client.send(Method::HEAD, &path, None).await;
        head.assert_status(whole.status);
        assert!(head.text().is_empty(), "HEAD has no body{head}");
        assert_eq!(head.header("content-type"), whole.header("content-type"), "{head}");
    }
}
