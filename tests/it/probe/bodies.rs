//! The wrong bodies.

use serde_json::{Value, json};
use tandem_catalogue::Dialect;
use tandem_testkit::{Answer, Client};

use super::{
    cases::Case,
    values::{self, Field},
    world::World,
};

/// Fields that the documentation's errors call by another name than its pages, where a request has none of either.
const SPELLED: &[(&str, &str)] = &[("/number", "phone_number")];
const MEBIBYTE: usize = 1024 * 1024;

/// Sends every wrong body.
pub async fn probe(world: World, case: Case) {
    let (client, path) = (world.rightful(case.access), case.path(&world));
    if case.raw {
        files(&case, &client, &path).await;
    }
    let Some(schema) = case.body.clone() else { return };
    let asker = Asker { case: &case, client: &client, path: &path };
    asker.unreadable().await;
    let mut fields = Vec::new();
    values::fields(&schema, "", &mut fields);
    let sample = values::sample(&schema);
    for field in &fields {
        asker.field(&sample, field).await;
    }
    asker.unknown(&fields).await;
}

/// Files that are none: what is wrong in them is reported line by line, or the whole is refused.
async fn files(case: &Case, client: &Client, path: &str) {
    let long = format!("number,features\n{}\n", "x".repeat(100_000));
    let wide = format!("number{}\n+14155550199\n", ",x".repeat(10_000));
    let files: &[&[u8]] = &[
        b"",
        b"\n\n\n",
        b"\0",
        b"\xff\xfe",
        b"{",
        b"[]",
        b"nonsense",
        b"number\n\0\n\xff\n+1\n\n12\n",
        b"number,number\n1,2\n",
        b"number,monthly\n+14155550199,1e308\n+14155550199,-1\n",
        b"\"number\n",
        long.as_bytes(),
        wide.as_bytes(),
    ];
    for format in ["csv", "jsonl"] {
        for file in files {
            let path = format!("{path}&format={format}");
            let answer = case.send_body(client, &path, Some(file.to_vec())).await;
            assert!([200, 400].contains(&answer.status), "{answer}");
        }
    }
}

struct Asker<'a> {
    case: &'a Case,
    client: &'a Client,
    path: &'a str,
}

impl Asker<'_> {
    async fn send(&self, body: &Value) -> Answer {
        self.case.send_body(self.client, self.path, Some(body.to_string().into_bytes())).await
    }

    async fn unreadable(&self) {
        let deep = "[".repeat(100_000);
        let malformed: &[&[u8]] = &[
            b"{",
            b"[]",
            b"\"x\"",
            b"null",
            b"7",
            b"{\"a\":}",
            b"{} {}",
            b"\xff\xfe",
            b"{\"\xff\":1}",
            b"\0",
            b"a=b",
            deep.as_bytes(),
        ];
        for body in malformed {
            if self.case.dialect == Dialect::FoneDynamics && body.starts_with(b"{\"\xff") {
                continue; // Latin-1, which its clients send
            }
            let answer = self.case.send_body(self.client, self.path, Some(body.to_vec())).await;
            self.case.refused(&answer, 400, &["invalid_request_error", "malformed_body", "invalid_parameter", "PARAMETER_INVALID"]);
            assert!(self.case.param(&answer).is_none(), "no parameter is at fault{answer}");
        }
        for body in [&b""[..], b" \n", b"{}"] {
            let answer = self.case.send_body(self.client, self.path, Some(body.to_vec())).await;
            let required = self.case.body.as_ref().is_some_and(|schema| schema["required"].is_array());
            assert!(!required || answer.status == 400, "something is missing{answer}");
        }
        let sample = values::sample(self.case.body.as_ref().expect("a body")).to_string().into_bytes();
        for media_type in ["text/csv", "application/x-www-form-urlencoded", "application/jsonp", "nonsense", "application/json2; x"]
        {
            if media_type == "application/x-www-form-urlencoded" && self.case.takes_html_forms() {
                continue;
            }
            let answer = self.case.send_as(media_type, self.client, self.path, Some(sample.clone())).await;
            answer.assert_status(415);
        }
        if self.case.template.ends_with("/BatchMessages") {
            return; // takes much more
        }
        let mut large = sample;
        large.resize(MEBIBYTE + 1, b' ');
        self.case.send_body(self.client, self.path, Some(large)).await.assert_status(413);
    }

    async fn field(&self, sample: &Value, field: &Field<'_>) {
        if field.required {
            self.blames(&values::without(sample, &field.pointer), field, true).await;
            self.blames(&values::with(sample, &field.pointer, Value::Null), field, false).await;
        } else {
            self.send(&values::with(sample, &field.pointer, Value::Null)).await;
        }
        for value in values::of_other_types(field.schema) {
            if value.is_array() && self.case.template.ends_with("/BatchMessages") {
                continue; // what is wrong with one message is answered in its place
            }
            self.blames(&values::with(sample, &field.pointer, value), field, false).await;
        }
        for value in values::out_of_range(field.schema) {
            self.blames(&values::with(sample, &field.pointer, value), field, false).await;
        }
    }

    /// Sends a body and checks that the answer names the field at fault.
    async fn blames(&self, body: &Value, field: &Field<'_>, left_out: bool) {
        let answer = self.send(body).await;
        assert!([400, 422].contains(&answer.status), "{} is wrong{answer}", field.pointer);
        let named = self.case.param(&answer);
        let audian = left_out && self.case.dialect == Dialect::Audian;
        let spelled = SPELLED.iter().find(|(pointer, _)| audian && *pointer == field.pointer);
        let spelled = spelled.map_or(field.name(), |(_, spelled)| spelled);
        let expected = self.case.spelled(spelled, &field.pointer);
        if self.case.template.ends_with("/trigger-call") && named.as_deref() == Some("phone_number") && expected.ends_with("Phone")
        {
            return; // its dialect has one text for all numbers, whichever of the two is wrong
        }
        let within =
            |named: &str| named == expected || named.strip_prefix(&expected).is_some_and(|rest| rest.starts_with(['/', '.']));
        assert!(named.as_deref().is_some_and(within), "{expected} is at fault{answer}");
    }

    /// A name that nobody knows, near to one that is known.
    async fn unknown(&self, fields: &[Field<'_>]) {
        let known = fields.iter().find(|field| field.pointer.matches('/').count() == 1).expect("a field").name();
        let near = format!("{known}x");
        let answer = self.send(&json!({ near.as_str(): 1, "zzzzzzzzzzzz": { "a": [] } })).await;
        match self.case.strict() {
            false => {
                let hint = answer.header("x-tandem-hint").unwrap_or_else(|| panic!("a hint was expected{answer}"));
                assert!(hint.contains(&format!("{near} is ignored; did you mean {known}?")), "{hint}{answer}");
                assert!(hint.contains("zzzzzzzzzzzz is ignored"), "{hint}{answer}");
            }
            true => {
                self.case.refused(&answer, 400, &["unknown_parameter"]);
                assert_eq!(self.case.param(&answer), Some(format!("/{near}")), "{answer}");
                let detail = answer.body["detail"].as_str().unwrap_or("");
                assert!(detail.contains(&format!("'{known}'")), "{detail}{answer}");
            }
        }
    }
}
