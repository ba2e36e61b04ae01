//! What the gate asks for and no topic's tests provoke on their way: each code that operations share, in each dialect, and the codes
//! of single operations that are the same everywhere.

mod conflicts;
mod numbers;
mod own;
mod shared;
mod voice;

use http::Method;
use serde_json::{Value, json};
use tandem_testkit::{Answer, Client};

/// How one dialect is entered: something to read, and something that is written.
#[derive(Clone, Copy)]
struct Door {
    name: &'static str,
    list: &'static str,
    write: &'static str,
    body: fn() -> Value,
}

const DOORS: [Door; 4] = [
    Door {
        name: "audian",
        list: "/audian/v2/numbers",
        write: "/audian/v2/numbers/purchase",
        body: || json!({ "number": "+14155550100" }),
    },
    Door {
        name: "fonedynamics",
        list: "/fonedynamics/v2/Properties",
        write: "/fonedynamics/v2/Properties",
        body: || json!({ "Name": "Shop", "MainDomain": "www.example.com", "TimeZone": "UTC" }),
    },
    Door {
        name: "telephony_io",
        list: "/telephony/api/account/balance",
        write: "/telephony/api/verify/send",
        body: || json!({ "phone_number": "+61412345678" }),
    },
    Door {
        name: "native",
        list: "/v1/opt-outs",
        write: "/v1/opt-outs",
        body: || json!({ "from": "+14155550100", "to": "+14155550199" }),
    },
];

impl Door {
    async fn write(&self, client: &Client) -> Answer {
        client.post(self.write, (self.body)()).await
    }
}

/// Checks which code of the catalogue is behind a refusal.
#[track_caller]
fn says(answer: &Answer, code: &str) {
    assert!(answer.header("x-tandem-error") == Some(code), "{code} was expected{answer}");
}

/// Sends each request and checks the code behind its refusal. A body of null is none.
pub(crate) async fn say(client: &Client, cases: &[(Method, String, Value, &str)]) {
    for (method, path, body, code) in cases {
        let bytes = (!body.is_null()).then(|| body.to_string().into_bytes());
        says(&client.send(method.clone(), path, bytes).await, code);
    }
}
