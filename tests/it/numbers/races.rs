//! Many at once.

use serde_json::json;
use tandem_domain::purchase::Offer;
use tandem_kernel::Environment::{self, Test};
use tandem_testkit::{Answer, Client, LOCAL, Server, Stage, UPSTREAM, offer, on_both};
use tokio::task::JoinSet;

use super::{LIST, PURCHASE, found, row};

const MANY: u64 = 200;

/// Sends all purchases at once.
async fn at_once(purchases: impl Iterator<Item = (Client, String)>) -> Vec<Answer> {
    let mut requests = JoinSet::new();
    for (client, number) in purchases {
        requests.spawn(async move { client.post(PURCHASE, json!({ "number": number })).await });
    }
    requests.join_all().await
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

on_both! {
    async fn two_hundred_accounts_want_one_number(server: Server) {
        let mut personas = Vec::new();
        for index in 0..MANY {
            personas.push(server.account(&format!("Buyer {index}")).await);
        }
        for number in ["+14155550100", "+13105550100"] {
            let answers = at_once(personas.iter().map(|persona| (persona.test(), number.to_owned()))).await;
            assert_eq!((count(&answers, 201), count(&answers, 422)), (1, 199), "{number}");
        }
        let charged = server.count("SELECT COUNT(*) FROM transfers WHERE kind IN ('charge', 'capture')").await;
        assert_eq!((charged, server.upstream().times_asked()), (2, 1));
    }

    async fn one_account_wants_one_number_two_hundred_times(server: Server) {
        let ada = server.account("Ada").await;
        ada.unlimited(Test).await;
        for number in ["+14155550100", "+13105550100"] {
            let answers = at_once((0..MANY).map(|_| (ada.test(), number.to_owned()))).await;
            assert_eq!((count(&answers, 201), count(&answers, 409)), (1, 199), "{number}");
        }
        assert_eq!(ada.wallet(Test).await.available, 100_000_000 - 2 * 990_000);
        assert_eq!(server.upstream().times_asked(), 1);
    }

    async fn two_hundred_purchases_and_money_for_three(stage: Stage) {
        let server = stage.offers(two_shelves).start().await;
        for (first, fresh) in [(14_155_550_100, "Ada"), (13_105_550_100, "Eve")] {
            let persona = server.account(fresh).await;
            persona.unlimited(Test).await;
            persona.purse(Test, 3 * 990_000 + 1).await;
            let answers = at_once(row(first, MANY).into_iter().map(|number| (persona.test(), number))).await;
            assert_eq!((count(&answers, 201), count(&answers, 402)), (3, 197));
            let wallet = persona.wallet(Test).await;
            assert_eq!((wallet.available, wallet.held), (1, 0));
            assert_eq!(found(&persona.test().get(LIST).await).1, 3);
        }
    }
}

/// Two hundred numbers of our own and two hundred of a carrier that is asked.
fn two_shelves(_: Environment) -> Vec<Offer> {
    let own = row(14_155_550_100, MANY).into_iter().map(|number| offer(&number, LOCAL, &["voice"]));
    let foreign = row(13_105_550_100, MANY).into_iter().map(|number| offer(&number, UPSTREAM, &["voice"]));
    own.chain(foreign).collect()
}
