//! Giving a number back.

use serde_json::json;
use tandem_kernel::Environment::Test;
use tandem_testkit::{Server, on_both};

use super::{LIST, PURCHASE, SEARCH, buy, found, row};

on_both! {
    async fn a_released_number_is_gone_and_rests_thirty_days(server: Server) {
        let (ada, eve) = (server.account("Ada").await, server.account("Eve").await);
        let bought = ada.test().post(PURCHASE, json!({ "number": "+12125550100" })).await;
        let id = bought.data_text("id");
        let released = ada.test().delete(&format!("{LIST}/{id}")).await;
        let mut data = bought.data().clone();
        data["status"] = "released".into();
        released.assert(200, &json!({ "success": true, "data": data }));
        assert_eq!(found(&ada.test().get(LIST).await).1, 0);
        ada.test().delete(&format!("{LIST}/{id}")).await.assert_status(404);
        for persona in [&ada, &eve] {
            persona.test().post(PURCHASE, json!({ "number": "+12125550100" })).await.assert_status(422);
        }
        let offers = format!("{SEARCH}?location=US-NY&limit=1");
        assert_eq!(found(&eve.test().get(&offers).await), (row(12_125_550_101, 1), 9));
        ada.advance(30 * 86_400 - 1).await;
        assert_eq!(found(&eve.test().get(&offers).await), (row(12_125_550_101, 1), 9));
        ada.advance(1).await;
        assert_eq!(found(&eve.test().get(&offers).await), (row(12_125_550_100, 1), 10));
        let again = buy(&eve.test(), "+12125550100").await;
        assert_ne!(again, id);
        ada.test().get(&format!("{LIST}/{id}")).await.assert_status(404);
    }

    async fn its_owner_may_have_it_back_after_the_rest(server: Server) {
        let ada = server.account("Ada").await;
        let first = buy(&ada.test(), "+14155550100").await;
        ada.test().delete(&format!("{LIST}/+14155550100")).await.assert_status(200);
        ada.advance(30 * 86_400).await;
        let second = buy(&ada.test(), "+14155550100").await;
        assert_ne!(first, second);
        assert_eq!(ada.charges(Test).await.len(), 2);
    }

    async fn nothing_is_refunded_and_nothing_more_is_charged(server: Server) {
        let ada = server.account("Ada").await;
        let id = buy(&ada.test(), "+14155550100").await;
        ada.test().delete(&format!("{LIST}/{id}")).await.assert_status(200);
        ada.advance(400 * 86_400).await;
        assert_eq!(ada.charges(Test).await.len(), 1);
        assert_eq!(ada.wallet(Test).await.available, 100_000_000 - 990_000);
    }

    async fn a_release_repeated_with_its_key_is_answered_again(server: Server) {
        let ada = server.account("Ada").await;
        let id = buy(&ada.test(), "+14155550100").await;
        let client = ada.test().idempotency("release");
        let first = client.delete(&format!("{LIST}/{id}")).await;
        first.assert_status(200);
        client.delete(&format!("{LIST}/{id}")).await.assert_replay_of(&first);
        ada.test().delete(&format!("{LIST}/{id}")).await.assert_status(404);
    }

    async fn releases_at_once_are_one(server: Server) {
        let ada = server.account("Ada").await;
        let id = buy(&ada.test(), "+14155550100").await;
        let mut releases = tokio::task::JoinSet::new();
        for _ in 0..30 {
            let (client, path) = (ada.test(), format!("{LIST}/{id}"));
            releases.spawn(async move { client.delete(&path).await.status });
        }
        let mut statuses = releases.join_all().await;
        statuses.sort_unstable();
        assert_eq!((statuses[0], statuses[1], statuses[29]), (200, 404, 404));
    }

    async fn a_restart_does_not_forget_the_rest(server: Server) {
        let ada = server.account("Ada").await;
        let id = buy(&ada.live(), "+12125550100").await;
        ada.live().delete(&format!("{LIST}/{id}")).await.assert_status(200);
        server.stop().await;
        server.pass_days(30);
        server.restart().await;
        server.run_due().await;
        assert_eq!(found(&ada.live().get(&format!("{SEARCH}?location=US-NY")).await), (row(12_125_550_100, 10), 10));
    }
}
