//! The months of a number.

use serde_json::json;
use tandem_kernel::Environment::{Live, Test};
use tandem_testkit::{Persona, Server, Stage, on_both};

use super::{LIST, PURCHASE, SEARCH, buy, found, row};

/// The days of what was charged, and the sum.
async fn charged(persona: &Persona, kind: tandem_kernel::Environment) -> (Vec<String>, i64) {
    let charges = persona.charges(kind).await;
    (charges.iter().map(|charge| charge.at.date()).collect(), charges.iter().map(|charge| charge.amount).sum())
}

/// A member of the number's page.
async fn page(persona: &Persona, member: &str) -> serde_json::Value {
    let answer = persona.test().get(LIST).await;
    answer.data()["numbers"][0][member].clone()
}

on_both! {
    async fn thirteen_months_are_charged_once_each_on_their_day(server: Server) {
        let ada = server.account("Ada").await;
        ada.advance_to("2024-01-15T10:30:00Z").await;
        let bought = ada.test().post(PURCHASE, json!({ "number": "+14155550100" })).await;
        assert_eq!(bought.data()["expires_at"], "2025-01-15T10:30:00Z");
        ada.advance_to("2025-02-15T10:29:59Z").await;
        let days: Vec<String> = (1..=12).map(|month| format!("2024-{month:02}-15")).chain(["2025-01-15".to_owned()]).collect();
        assert_eq!(charged(&ada, Test).await, (days.clone(), 13 * 990_000));
        assert_eq!(page(&ada, "expires_at").await, "2026-01-15T10:30:00Z");
        assert_eq!(page(&ada, "billing").await, json!({ "monthly_cost": 0.99, "next_charge": "2025-02-15T10:30:00Z" }));
        ada.advance(1).await;
        assert_eq!(charged(&ada, Test).await.0.len(), 14);
        let first = &ada.charges(Test).await[1];
        assert_eq!((first.description.as_str(), first.at.to_string().as_str()), ("+14155550100: month from 2024-02-15", "2024-02-15T10:30:00Z"));
    }

    async fn a_number_of_the_31st_is_charged_on_the_last_day_of_shorter_months(server: Server) {
        let ada = server.account("Ada").await;
        ada.advance_to("2024-01-31T12:00:00Z").await;
        buy(&ada.test(), "+14155550100").await;
        ada.advance_to("2025-03-31T12:00:00Z").await;
        let days = [
            "2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31", "2024-06-30", "2024-07-31", "2024-08-31",
            "2024-09-30", "2024-10-31", "2024-11-30", "2024-12-31", "2025-01-31", "2025-02-28", "2025-03-31",
        ];
        assert_eq!(charged(&ada, Test).await, (days.map(str::to_owned).to_vec(), 15 * 990_000));
    }

    async fn a_number_of_the_leap_day_expires_in_a_common_year(server: Server) {
        let ada = server.account("Ada").await;
        ada.advance_to("2024-02-29T00:00:00Z").await;
        let bought = ada.test().post(PURCHASE, json!({ "number": "+14155550100" })).await;
        assert_eq!(bought.data()["expires_at"], "2025-02-28T00:00:00Z");
        assert_eq!(bought.data()["billing"]["next_charge"], "2024-03-29T00:00:00Z");
        ada.advance_to("2025-03-29T00:00:00Z").await;
        let (days, sum) = charged(&ada, Test).await;
        assert_eq!((days.len(), days[12].as_str(), days[13].as_str(), sum), (14, "2025-02-28", "2025-03-29", 14 * 990_000));
    }

    async fn only_the_first_month_pays_the_setup(server: Server) {
        let ada = server.account("Ada").await;
        buy(&ada.test(), "+12125550100").await;
        ada.advance_to("2024-02-01T00:00:00Z").await;
        let amounts: Vec<i64> = ada.charges(Test).await.iter().map(|charge| charge.amount).collect();
        assert_eq!(amounts, [2_490_000, 1_490_000]);
    }

    async fn an_unpaid_number_is_suspended_reactivated_released_and_sold_again(server: Server) {
        let (ada, eve) = (server.account("Ada").await, server.account("Eve").await);
        let id = buy(&ada.test(), "+12125550100").await;
        ada.purse(Test, 0).await;
        ada.advance_to("2024-02-01T00:00:00Z").await;
        assert_eq!(page(&ada, "status").await, "suspended");
        eve.test().post(PURCHASE, json!({ "number": "+12125550100" })).await.assert_status(422);
        ada.test().put(&format!("{LIST}/{id}/config"), json!({ "friendly_name": "still mine" })).await.assert_status(200);
        ada.advance_to("2024-02-10T00:00:00Z").await;
        assert_eq!(page(&ada, "status").await, "suspended");
        ada.credit(Test, 1_490_000).await;
        server.run_due().await;
        assert_eq!(page(&ada, "status").await, "active");
        assert_eq!(page(&ada, "billing").await["next_charge"], "2024-03-01T00:00:00Z");
        assert_eq!(ada.wallet(Test).await.available, 0);
        ada.advance_to("2024-03-15T23:59:59Z").await;
        assert_eq!(page(&ada, "status").await, "suspended");
        ada.advance(1).await;
        ada.test().get(&format!("{LIST}/{id}")).await.assert_status(404);
        ada.credit(Test, 1_490_000).await;
        server.run_due().await;
        ada.test().get(&format!("{LIST}/{id}")).await.assert_status(404);
        assert_eq!(ada.wallet(Test).await.available, 1_490_000);
        let offers = format!("{SEARCH}?location=US-NY&limit=1");
        assert_eq!(found(&eve.test().get(&offers).await), (row(12_125_550_101, 1), 9));
        ada.advance_to("2024-04-15T00:00:00Z").await;
        assert_eq!(found(&eve.test().get(&offers).await), (row(12_125_550_100, 1), 10));
        buy(&eve.test(), "+12125550100").await;
        let kinds = server.read(move |tx| {
            let rows = tx.query("SELECT kind FROM events WHERE object = $1 ORDER BY sequence", &[(&id).into()])?;
            rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect::<tandem_catalogue::Result<Vec<String>>>()
        });
        let life = ["purchased", "suspended", "configured", "renewed", "reactivated", "suspended", "released"];
        assert_eq!(kinds.await, life.map(|kind| format!("number.{kind}")));
    }

    async fn what_fell_due_while_the_server_was_down_is_charged_once_each(server: Server) {
        let ada = server.account("Ada").await;
        buy(&ada.live(), "+14155550100").await;
        server.stop().await;
        server.pass_days(60);
        server.restart().await;
        server.run_due().await;
        server.restart().await;
        server.run_due().await;
        let charges = ada.charges(Live).await;
        let described: Vec<&str> = charges.iter().map(|charge| charge.description.as_str()).collect();
        assert_eq!(described, [
            "Purchase of +14155550100: setup and first month", "+14155550100: month from 2024-02-01", "+14155550100: month from 2024-03-01",
        ]);
    }

    async fn two_servers_on_one_database_charge_a_month_once(stage: Stage) {
        if stage.engine() == tandem_testkit::Engine::Sqlite {
            return; // an SQLite file has one server
        }
        let (one, two) = (stage.start().await, stage.start().await);
        let ada = one.account("Ada").await;
        for number in row(14_155_550_100, 20) {
            buy(&ada.live(), &number).await;
        }
        for server in [&one, &two] {
            server.pass_days(31);
        }
        tokio::join!(one.run_due(), two.run_due());
        assert_eq!(charged(&ada, Live).await.1, 40 * 990_000);
    }

    async fn a_running_clock_moves_on_by_itself(server: Server) {
        let ada = server.account("Ada").await;
        buy(&ada.test(), "+14155550100").await;
        ada.advance(10 * 86_400).await;
        server.pass_days(21);
        server.run_due().await;
        assert_eq!(charged(&ada, Test).await.0, ["2024-01-01", "2024-02-01"]);
    }
}
