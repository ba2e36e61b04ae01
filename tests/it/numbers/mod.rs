//! Numbers of the Audian dialect: search, purchase, configuration, release, renewal.

mod config;
mod own;
mod purchase;
mod races;
mod release;
mod renewal;
mod search;

use serde_json::{Value, json};
use tandem_testkit::{Answer, Client};

pub const LIST: &str = "/audian/v2/numbers";
pub const SEARCH: &str = "/audian/v2/numbers/search";
pub const PURCHASE: &str = "/audian/v2/numbers/purchase";

/// Buys a number and answers its id.
pub async fn buy(client: &Client, number: &str) -> String {
    let bought = client.post(PURCHASE, json!({ "number": number })).await;
    bought.assert_status(201).data_text("id")
}

/// The numbers of a page of the search, in order, and the total.
pub fn found(answer: &Answer) -> (Vec<String>, u64) {
    answer.assert_status(200);
    let numbers = answer.data()["numbers"].as_array().expect("a list").iter();
    let numbers = numbers.map(|offer| offer["number"].as_str().expect("a number").to_owned()).collect();
    (numbers, answer.data()["total"].as_u64().expect("a total"))
}

/// `count` neighbouring numbers.
pub fn row(first: u64, count: u64) -> Vec<String> {
    (first..first + count).map(|digits| format!("+{digits}")).collect()
}

/// A body with one member.
pub fn one(name: &str, value: Value) -> Value {
    Value::Object([(name.to_owned(), value)].into_iter().collect())
}
