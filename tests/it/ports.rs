//! Numbers that come from other carriers, over the Audian dialect.

use serde_json::{Value, json};
use tandem_app::accounts::ChangeAccount;
use tandem_kernel::{Environment::Test, Scope};
use tandem_ledger::TransferKind::{Capture, Charge, Hold, Release};
use tandem_testkit::{Answer, Client, Persona, Server, on_both};

use crate::{
    examples,
    numbers::{LIST, PURCHASE, buy, found},
};

const PORTS: &str = "/audian/v2/ports";
/// A number that its carrier lets go.
const NUMBER: &str = "+12065550123";
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// What a port needs.
fn request(number: &str) -> Value {
    json!({
        "number": number,
        "account_number": "A-1234567",
        "account_pin": "4321",
        "carrier_name": "Example Telecom",
        "billing_phone": "+12065550199",
        "end_user_name": "Ada Lovelace",
        "end_user_address": { "street": "1 Main St", "city": "Seattle", "state": "WA", "postal_code": "98101", "country": "US" },
    })
}

async fn port(client: &Client, number: &str) -> String {
    client.post(PORTS, request(number)).await.assert_status(202).data_text("id")
}

async fn read(client: &Client, id: &str) -> Value {
    client.get(&format!("{PORTS}/{id}")).await.assert_status(200).data().clone()
}

/// Status and what the carrier says.
async fn state(client: &Client, id: &str) -> (String, String) {
    let port = read(client, id).await;
    (port["status"].as_str().expect("a status").to_owned(), port["carrier_status"].as_str().expect("a status").to_owned())
}

fn pair(status: &str, carrier: &str) -> (String, String) {
    (status.to_owned(), carrier.to_owned())
}

async fn movements(persona: &Persona) -> Vec<(tandem_ledger::TransferKind, i64)> {
    persona.charges(Test).await.iter().map(|transfer| (transfer.kind, transfer.amount)).collect()
}

#[track_caller]
fn assert_cannot_port<'a>(answer: &'a Answer, message: &str) -> &'a Answer {
    answer.assert_audian_error(422, "cannot_port_number", "validation_error", message, None)
}

on_both! {
    async fn a_port_is_described_field_by_field(server: Server) {
        let ada = server.account("Ada").await;
        let created = ada.test().post(PORTS, request(NUMBER)).await;
        let (id, number) = (created.data_text("id"), created.data_text("number_id"));
        assert!(id.starts_with("port_") && number.starts_with("num_"));
        created.assert(202, &json!({ "success": true, "data": {
            "id": id,
            "number": NUMBER,
            "number_id": number,
            "status": "pending",
            "carrier_status": "pending_transfer",
            "carrier_name": "Example Telecom",
            "created_at": "2024-01-01T00:00:00Z",
            "createdAt": "2024-01-01T00:00:00Z",
            "updated_at": "2024-01-01T00:00:00Z",
            "estimated_completion": "2024-01-06T00:00:00Z",
            "fee": 25,
        } }));
        ada.test().get(&format!("{PORTS}/{id}")).await.assert(200, &created.body);
        assert_eq!(movements(&ada).await, [(Hold, 25_000_000)]);
        assert!(!created.text().contains("4321"), "the PIN is not shown");
    }

    async fn a_port_goes_its_way_by_the_environments_clock(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        let id = port(&client, NUMBER).await;
        ada.advance(HOUR - 1).await;
        assert_eq!(state(&client, &id).await, pair("pending", "pending_transfer"));
        ada.advance(1).await;
        assert_eq!(state(&client, &id).await, pair("submitted", "submitted_to_carrier"));
        ada.advance(DAY - HOUR).await;
        assert_eq!(state(&client, &id).await, pair("scheduled", "foc_received"));
        let scheduled = read(&client, &id).await;
        assert_eq!((&scheduled["scheduled_for"], &scheduled["estimated_completion"]), (&json!("2024-01-05T00:00:00Z"), &json!("2024-01-05T00:00:00Z")));
        ada.advance(3 * DAY).await;
        assert_eq!(state(&client, &id).await, pair("completed", "transferred"));
        let completed = read(&client, &id).await;
        assert_eq!(completed["completed_at"], "2024-01-05T00:00:00Z");
        let number = client.get(&format!("{LIST}/{NUMBER}")).await;
        assert_eq!((&number.data()["status"], &number.data()["purchased_at"]), (&json!("active"), &json!("2024-01-05T00:00:00Z")));
        assert_eq!(number.data()["id"], completed["number_id"]);
        assert_eq!(number.data()["billing"], json!({ "monthly_cost": 0.99, "next_charge": "2024-02-05T00:00:00Z" }));
        assert_eq!(movements(&ada).await, [(Hold, 25_000_000), (Capture, 25_000_000), (Charge, 990_000)]);
        ada.advance_to("2024-03-05T00:00:00Z").await;
        assert_eq!(movements(&ada).await.len(), 5);
        client.put(&format!("{LIST}/{NUMBER}/config"), json!({ "friendly_name": "Moved in" })).await.assert_status(200);
    }

    async fn a_number_on_its_way_is_seen_and_not_touched(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        port(&client, NUMBER).await;
        let listed = client.get(&format!("{LIST}?status=porting")).await;
        assert_eq!(found(&listed), (vec![NUMBER.to_owned()], 1));
        let number = listed.data()["numbers"][0]["id"].as_str().expect("an id").to_owned();
        assert_eq!(client.get(&format!("{LIST}/{number}")).await.data()["status"], "porting");
        for _ in 0..2 {
            client.put(&format!("{LIST}/{number}/config"), json!({ "friendly_name": "x" })).await
                .assert(409, examples::by_code("resource_conflict"));
            client.delete(&format!("{LIST}/{number}")).await.assert(409, examples::by_code("resource_conflict"));
            ada.advance(DAY).await;
        }
        client.get(&format!("{LIST}/{number}/config")).await.assert_status(200);
    }

    async fn a_number_that_cannot_come_is_refused_with_the_reason(server: Server) {
        let (ada, eve) = (server.account("Ada").await, server.account("Eve").await);
        ada.test().post(PORTS, request("+16282010070")).await.assert(422, examples::by_code("cannot_port_number"));
        let carrier = ada.test().post(PORTS, request("+16282010080")).await;
        assert_cannot_port(&carrier, "The number cannot be ported from its current carrier: Prairie Mutual Telephone");
        port(&eve.test(), NUMBER).await;
        for persona in [&ada, &eve] {
            let pending = persona.test().post(PORTS, request(NUMBER)).await;
            assert_cannot_port(&pending, &format!("{NUMBER} is already pending port"));
        }
        ada.test().post(PORTS, request("+14155550100")).await.assert(422, examples::by_status(422));
        buy(&ada.test(), "+14155550101").await;
        ada.test().post(PORTS, request("+14155550101")).await.assert(409, examples::by_code("already_exists"));
        eve.test().post(PORTS, request("+14155550101")).await.assert(422, examples::by_status(422));
        ada.change(ChangeAccount { verified: Some(false), ..ChangeAccount::default() }).await;
        let unverified = ada.test().post(PORTS, request("+12065550124")).await;
        assert_cannot_port(&unverified, "The number cannot be ported before the account is verified");
        assert_eq!(movements(&ada).await, [(Charge, 990_000)]);
        assert_eq!(found(&ada.test().get(LIST).await).1, 1);
    }

    async fn a_port_that_is_rejected_gives_everything_back(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        for (number, reason) in [
            ("+16282010020", "The end user's name does not match the losing carrier's record"),
            ("+16282010050", "The account PIN is wrong or missing"),
        ] {
            let id = port(&client, number).await;
            ada.advance(2 * DAY).await;
            assert_eq!(state(&client, &id).await, pair("rejected", "rejected_by_carrier"));
            assert_eq!(read(&client, &id).await["rejection_reason"], reason);
            client.get(&format!("{LIST}/{number}")).await.assert(404, examples::by_status(404));
            port(&client, number).await;
        }
        // The first number was asked for and refused a second time meanwhile.
        assert_eq!(movements(&ada).await.iter().filter(|(kind, _)| *kind == Release).count(), 3);
        assert_eq!(ada.wallet(Test).await.held, 25_000_000);
    }

    async fn slow_and_silent_carriers_end_too(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        let (slow, silent) = (port(&client, "+16282010090").await, port(&client, "+16282010100").await);
        let (nonsense, down) = (port(&client, "+16282010130").await, port(&client, "+16282010140").await);
        ada.advance(13 * DAY).await;
        assert_eq!(state(&client, &slow).await.0, "scheduled");
        assert_eq!((state(&client, &nonsense).await.0, state(&client, &down).await.0), ("completed".to_owned(), "completed".to_owned()));
        ada.advance(DAY).await;
        assert_eq!(state(&client, &slow).await.0, "completed");
        assert_eq!(state(&client, &silent).await.0, "pending");
        ada.advance(17 * DAY).await;
        assert_eq!(state(&client, &silent).await.0, "rejected");
        assert_eq!(ada.wallet(Test).await.held, 0);
    }

    async fn a_carrier_that_fails_when_asked_makes_no_port(server: Server) {
        let ada = server.account("Ada").await;
        let message = "The carrier gave an answer that could not be understood";
        ada.test().post(PORTS, request("+16282010110")).await
            .assert_audian_error(502, "bad_gateway_error", "server_error", message, None);
        ada.test().post(PORTS, request("+16282010120")).await
            .assert(503, examples::by_code("service_unavailable_error")).assert_header("retry-after", "5");
        assert_eq!(ada.test().get(PORTS).await.data()["total"], 0);
        assert_eq!(movements(&ada).await, []);
    }

    async fn a_port_may_be_called_off_until_it_is_done(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        for pause in [0, 2 * HOUR, 2 * DAY] {
            let id = port(&client, NUMBER).await;
            ada.advance(pause).await;
            let canceled = client.delete(&format!("{PORTS}/{id}")).await;
            assert_eq!(canceled.assert_status(200).data()["status"], "canceled");
            client.get(&format!("{PORTS}/{id}")).await.assert(200, &canceled.body);
            client.get(&format!("{LIST}/{NUMBER}")).await.assert_status(404);
            let message = "The port is canceled and cannot be canceled";
            client.delete(&format!("{PORTS}/{id}")).await
                .assert_audian_error(409, "resource_conflict", "conflict_error", message, None);
        }
        assert_eq!(ada.wallet(Test).await.available, 100_000_000);
        let id = port(&client, NUMBER).await;
        ada.advance(4 * DAY).await;
        let message = "The port is completed and cannot be canceled";
        client.delete(&format!("{PORTS}/{id}")).await
            .assert_audian_error(409, "resource_conflict", "conflict_error", message, None);
        client.get(&format!("{LIST}/{NUMBER}")).await.assert_status(200);
    }

    async fn a_port_without_funds_for_its_fee_is_refused(server: Server) {
        let ada = server.account("Ada").await;
        ada.purse(Test, 24_999_999).await;
        ada.test().post(PORTS, request(NUMBER)).await.assert(402, examples::by_status(402));
        ada.purse(Test, 25_000_000).await;
        let id = port(&ada.test(), NUMBER).await;
        ada.advance(4 * DAY).await;
        assert_eq!(state(&ada.test(), &id).await.0, "completed");
        let number = ada.test().get(&format!("{LIST}/{NUMBER}")).await;
        assert_eq!(number.data()["status"], "suspended", "its first month is not paid for");
    }

    async fn what_is_missing_or_wrong_is_named_as_it_was_spelled(server: Server) {
        let ada = server.account("Ada").await;
        let mut body = request(NUMBER);
        for (name, spelled) in [("number", "phone_number"), ("account_number", "account_number"), ("billing_phone", "billing_phone"),
            ("end_user_name", "end_user_name"), ("end_user_address", "end_user_address")]
        {
            let mut without = body.clone();
            without.as_object_mut().expect("an object").shift_remove(name);
            let message = format!("The '{spelled}' parameter is required");
            let refused = ada.test().post(PORTS, without).await;
            refused.assert_audian_error(400, "missing_required_parameter", "invalid_request_error", &message, Some(spelled));
        }
        body["end_user_address"]["country"] = json!("Atlantis");
        let refused = ada.test().post(PORTS, body).await;
        assert_eq!((refused.assert_status(400).body["error"]["param"].as_str()), Some("country"));
        let camel = json!({
            "phoneNumber": NUMBER, "accountNumber": "A", "billingPhone": NUMBER, "endUserName": "Ada",
            "endUserAddress": { "street": "1 Main St", "city": "Seattle", "state": "WA", "postalCode": "98101", "country": "US" },
        });
        ada.test().post(PORTS, camel).await.assert_status(202).assert_no_header("x-tandem-hint");
    }

    async fn ports_are_listed_oldest_first_and_by_status(server: Server) {
        let ada = server.account("Ada").await;
        let mut ids = Vec::new();
        for number in ["+12065550121", "+12065550122", "+12065550123"] {
            ids.push(port(&ada.test(), number).await);
            server.pass_seconds(1);
        }
        ada.test().delete(&format!("{PORTS}/{}", ids[1])).await.assert_status(200);
        let listed = |query: &'static str| {
            let client = ada.test();
            async move {
                let page = client.get(&format!("{PORTS}{query}")).await;
                let ids: Vec<String> =
                    page.data()["ports"].as_array().expect("ports").iter().map(|port| port["id"].as_str().expect("an id").to_owned()).collect();
                (ids, page.data()["total"].as_i64().expect("a total"))
            }
        };
        assert_eq!(listed("").await, (ids.clone(), 3));
        assert_eq!(listed("?limit=1&offset=1").await, (vec![ids[1].clone()], 3));
        assert_eq!(listed("?status=canceled").await, (vec![ids[1].clone()], 1));
        assert_eq!(listed("?status=completed").await, (Vec::new(), 0));
        let message = "The status parameter must be one of: pending, submitted, scheduled, completed, rejected, canceled";
        ada.test().get(&format!("{PORTS}?status=done")).await
            .assert_audian_error(400, "invalid_parameter", "invalid_request_error", message, Some("status"));
    }

    async fn documents_are_taken_while_the_port_is_open(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        let id = port(&client, NUMBER).await;
        let path = format!("{PORTS}/{id}/documents");
        let pdf = json!({ "type": "loa", "name": "loa.pdf", "content": "JVBERi0xLjQK" });
        let added = client.post(&path, pdf.clone()).await;
        assert!(added.assert_status(201).data_text("id").starts_with("doc_"));
        assert!(!added.text().contains("JVBERi0"), "the content is not sent back");
        for (content, rule) in [("!!!", "must be base64 (RFC 4648, with padding)"), ("bm90aGluZw==", "must be a PDF, PNG or JPEG")] {
            let mut body = pdf.clone();
            body["content"] = content.into();
            let refused = client.post(&path, body).await;
            refused.assert_status(400);
            assert_eq!(refused.body["error"]["message"], format!("The content parameter {rule}"), "{refused}");
        }
        client.post(&format!("{PORTS}/port_abc123/documents"), pdf.clone()).await.assert_status(404);
        client.delete(&format!("{PORTS}/{id}")).await.assert_status(200);
        client.post(&path, pdf).await.assert_status(409);
    }

    async fn others_ports_do_not_exist(server: Server) {
        let (ada, eve) = (server.account("Ada").await, server.account("Eve").await);
        let id = port(&ada.test(), NUMBER).await;
        for (client, id) in [(eve.test(), id.as_str()), (ada.live(), &id), (ada.test(), "port_abc123")] {
            let message = format!("The port '{id}' was not found");
            for answer in [client.get(&format!("{PORTS}/{id}")).await, client.delete(&format!("{PORTS}/{id}")).await] {
                answer.assert_audian_error(404, "not_found_error", "not_found_error", &message, None);
            }
        }
        let reader = ada.test_with(&[Scope::PortsRead]).await;
        assert_eq!(state(&reader, &id).await.0, "pending");
        reader.delete(&format!("{PORTS}/{id}")).await.assert(403, examples::by_status(403));
        reader.post(PORTS, request("+12065550124")).await.assert(403, examples::by_status(403));
    }

    async fn a_port_repeated_with_its_key_is_one(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test().idempotency("port");
        let first = client.post(PORTS, request(NUMBER)).await;
        first.assert_status(202);
        client.post(PORTS, request(NUMBER)).await.assert_replay_of(&first);
        server.restart().await;
        client.post(PORTS, request(NUMBER)).await.assert_replay_of(&first);
        assert_eq!(movements(&ada).await, [(Hold, 25_000_000)]);
    }

    async fn of_fifty_that_want_one_number_one_ports_it(server: Server) {
        let mut ports = tokio::task::JoinSet::new();
        for index in 0..50 {
            let client = server.account(&format!("Porter {index}")).await.test();
            ports.spawn(async move { client.post(PORTS, request(NUMBER)).await.status });
        }
        let mut statuses = ports.join_all().await;
        statuses.sort_unstable();
        assert_eq!((statuses[0], statuses[1], statuses[49]), (202, 422, 422));
        assert_eq!(server.count("SELECT COUNT(*) FROM holds WHERE remaining > 0").await, 1);
    }

    async fn a_number_that_is_ported_cannot_be_bought(server: Server) {
        let (ada, eve) = (server.account("Ada").await, server.account("Eve").await);
        port(&ada.test(), NUMBER).await;
        ada.test().post(PURCHASE, json!({ "number": NUMBER })).await.assert(409, examples::by_code("already_exists"));
        eve.test().post(PURCHASE, json!({ "number": NUMBER })).await.assert_status(422);
        ada.advance(4 * DAY).await;
        eve.test().post(PURCHASE, json!({ "number": NUMBER })).await.assert_status(422);
        ada.test().delete(&format!("{LIST}/{NUMBER}")).await.assert_status(200);
        ada.advance(30 * DAY).await;
        buy(&eve.test(), NUMBER).await;
    }
}
