//! Every condition of Telephony.io's page of errors.

use serde_json::json;
use tandem_domain::environment::RateLimit;
use tandem_kernel::{
    Environment::{Live, Test},
    Scope,
};
use tandem_testkit::{Server, Stage};

use super::book::{Book, telephony};
use crate::{
    examples::of_telephony_status,
    telephony::verify::{CHECK, SEND, check, send, sent},
};

const BALANCE: &str = "/telephony/api/account/balance";
const PHONE: &str = "+61412345678";

/// What is taken and what is malformed.
pub async fn requests(server: Server, book: Book) {
    let ada = server.account("Ada").await;
    let successful = telephony(200, "The request was successful");
    book.show("A code is sent to a number.", &send(&ada.live(), PHONE).await, &[successful]);
    let [text] = server.deliver(Live).await.try_into().expect("one message");
    check(&ada.live(), PHONE, &text.code()).await.assert_status(200);
    ada.purse(Test, 0).await;
    book.show("The balance is told also where it is 0.", &ada.test().get(BALANCE).await, &[successful]);

    let missing = telephony(400, "Missing required parameters");
    book.show("The body is an empty object.", &ada.test().post(SEND, json!({})).await, &[missing]);
    let answer = ada.test().post(CHECK, json!({ "phone_number": PHONE })).await;
    book.show("There is no code to check.", &answer, &[missing]);
    let answer = ada.test().post(SEND, json!({ "phone_number": "0412 345 678" })).await;
    answer.assert(400, of_telephony_status(400).expect("an example"));
    let format = telephony(400, "Invalid phone number format");
    book.show("The number is written as people write it at home.", &answer, &[format]);
    let length = telephony(400, "Invalid verification code length");
    let answer = ada.test().post(SEND, json!({ "phone_number": PHONE, "code_length": 3 })).await;
    book.show("A code of three digits is asked for.", &answer, &[length]);
    let answer = ada.test().post(CHECK, json!({ "phone_number": PHONE, "code": "123" })).await;
    book.show("No code is as short as what was typed.", &answer, &[length]);
}

/// Who is not let in.
pub async fn credentials(server: Server, book: Book) {
    let ada = server.account("Ada").await;
    let missing = server.client().get(BALANCE).await;
    book.show("The request has no `Authorization`.", &missing, &[telephony(401, "The API key is missing")]);
    let invalid = server.client_with("sk_live_your_api_key_here").get(BALANCE).await;
    book.show("The key is the documentation's own.", &invalid, &[telephony(401, "The API key is invalid")]);
    let key = ada.mint(Test, &[Scope::BillingRead], None).await;
    server.client_with(&key.text).get(BALANCE).await.assert_status(200);
    ada.revoke(Test, key.id).await;
    let revoked = server.client_with(&key.text).get(BALANCE).await;
    let shows = [telephony(401, "The API key has been revoked")];
    book.show("The key worked a moment ago and was revoked.", &revoked, &shows);
}

/// No money.
pub async fn funds(stage: Stage, book: Book) {
    let server = stage.config(|config| config.business.verification.0 = 1_500_000).start().await;
    let ada = server.account("Ada").await;
    ada.purse(Live, 250_000).await;
    let broke = send(&ada.live(), PHONE).await;
    broke.assert(402, of_telephony_status(402).expect("an example"));
    let shows = [telephony(402, "Insufficient wallet balance")];
    book.show("The operator set the price of a code to 1.50, and the wallet has 0.25.", &broke, &shows);
    ada.purse(Live, 1_500_000).await;
    sent(&server, &ada.live(), PHONE).await;
}

/// Too much at once.
pub async fn limits(server: Server, book: Book) {
    let ada = server.account("Ada").await;
    let shows = [telephony(429, "The rate limit for the account was exceeded")];
    send(&ada.live(), PHONE).await.assert_status(200);
    let again = send(&ada.live(), PHONE).await;
    book.show("A code was sent to the number this very second.", again.assert_header("retry-after", "30"), &shows);
    ada.limit(Test, RateLimit { limit: 1000, period: 60_000, burst: 1, monthly_quota: None }).await;
    ada.test().get(BALANCE).await.assert_status(200);
    let rate = ada.test().get(BALANCE).await;
    book.show("The limit allows one request a minute.", rate.assert_header("retry-after", "60"), &shows);
}

/// What nobody foresaw.
pub async fn internal(server: Server, book: Book) {
    let ada = server.account("Ada").await;
    server.database().tamper("ALTER TABLE verifications RENAME TO verifications_away");
    let broken = send(&ada.live(), PHONE).await;
    server.database().tamper("ALTER TABLE verifications_away RENAME TO verifications");
    let shows = [telephony(500, "Something went wrong on our end")];
    book.show("Somebody has renamed a table in the database; it works again when it has its name back.", &broken, &shows);
    sent(&server, &ada.live(), PHONE).await;
}
