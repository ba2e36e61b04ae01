//! Codes of the Fone Dynamics API's numbers and addresses that come about by carriers, limits and numbers on their way.

use http::Method;
use serde_json::{Value, json};
use tandem_domain::{
    address::{Address, MOST_ADDRESSES},
    flow::MOST_PLACES,
    sid::account_sid,
};
use tandem_kernel::{AddressId, Country, MenuId};
use tandem_store::{Param, repo::addresses};
use tandem_testkit::{DAWN, Server, carrier::Trouble, on_both};

use super::{say, says};
use crate::{
    call_flows::flow,
    fone::{BASE, first_project, purchase::buy},
};

on_both! {
    async fn a_purchase_depends_on_carriers_and_limits(server: Server) {
        let ada = server.account("Ada").await;
        let project = first_project(&ada);
        let want = |number: &str| json!({ "Number": number });
        server.upstream().trouble(Trouble::Down);
        says(&buy(&ada, &project, want("+13105550100")).await, "carrier_unavailable");
        server.upstream().trouble(Trouble::Nonsense);
        says(&buy(&ada, &project, want("+13105550101")).await, "bad_gateway");
        says(&buy(&ada, &project, want("+13105550101")).await, "purchase_in_progress");
        server.upstream().trouble(Trouble::None);
        server.pass_seconds(60);
        server.run_due().await;
        let limit = json!({ "amount": 1.00, "action": "block" });
        ada.test().put("/audian/v2/billing/limits/monthly", limit).await.assert_status(200);
        says(&buy(&ada, &project, want("+14155550100")).await, "spending_limit_reached");
    }

    async fn a_number_on_its_way_is_left_alone(server: Server) {
        let ada = server.account("Ada").await;
        ada.test().post("/audian/v2/ports", crate::seeds::port_of("+16282010100")).await.assert_status(202);
        let path = format!("{BASE}/Numbers/16282010100");
        let shown = ada.test().get(&path).await;
        assert_eq!(shown.assert_status(200).body["Number"]["Status"], "Porting");
        say(&ada.test(), &[
            (Method::POST, path.clone(), json!({ "Friendly": "x" }), "number_porting"),
            (Method::DELETE, path, Value::Null, "number_porting"),
        ]).await;
    }

    async fn digits_in_a_path_are_a_number(server: Server) {
        let ada = server.account("Ada").await;
        let (short, nobodys) = (format!("{BASE}/Numbers/12"), format!("{BASE}/Numbers/10005551234"));
        let change = || json!({ "Friendly": "x" });
        say(&ada.test(), &[
            (Method::GET, nobodys.clone(), Value::Null, "unassigned_phone_number"),
            (Method::POST, nobodys.clone(), change(), "unassigned_phone_number"),
            (Method::DELETE, nobodys, Value::Null, "unassigned_phone_number"),
            (Method::POST, short.clone(), change(), "invalid_phone_number"),
            (Method::DELETE, short, Value::Null, "invalid_phone_number"),
        ]).await;
    }

    async fn there_is_a_limit_to_addresses_and_to_where_calls_are_led(server: Server) {
        let ada = server.account("Ada").await;
        let environment = ada.test.environment;
        let flow = flow(&ada.test(), "Wide", json!([{ "pattern": "*", "destination_type": "voicemail" }])).await;
        let source = flow.clone();
        let store = server.app().store.clone();
        for begin in (0..MOST_ADDRESSES).step_by(1_000) {
            let filled = store.write(move |tx| {
                (begin..begin + 1_000).try_for_each(|place| {
                    addresses::insert(tx, &Address {
                        id: AddressId::from_bytes(i128::from(place).to_be_bytes()),
                        environment,
                        friendly: None,
                        reference: None,
                        line1: "1 Main St".to_owned(),
                        line2: None,
                        city: "Town".to_owned(),
                        region: None,
                        country: Country::US,
                        postal_code: None,
                        created_at: DAWN,
                    })
                })
            });
            filled.await.expect("filled");
        }
        let filled = store.write(move |tx| {
            let menus: Vec<String> = (0..=MOST_PLACES as u128).map(|place| MenuId::from_bytes(place.to_be_bytes()).to_string()).collect();
            let rows: Vec<Vec<Param>> =
                menus.iter().map(|menu| vec![environment.as_bytes().into(), (&source).into(), menu.into(), true.into()]).collect();
            tx.insert_many("INSERT INTO flow_links (environment_id, source, target, certain)", "", &rows)
        });
        filled.await.expect("filled");
        let address = json!({ "Line1": "1 Main St", "City": "Town", "CountryCode": "US" });
        let path = format!("{BASE}/Accounts/{}/Addresses", account_sid(ada.account));
        ada.test().post(&path, address).await
            .assert_fone_error(403, "FORBIDDEN", "There can be at most 10000 addresses", None);
        buy(&ada, &first_project(&ada), json!({ "Number": "+14155550100" })).await.assert_status(200);
        let wide = ada.test().post(&format!("{BASE}/Numbers/14155550100"), json!({ "Flow": flow })).await;
        wide.assert_fone_error(400, "PARAMETER_INVALID", "The routing configuration is invalid: it leads on to more than 1000 places", Some("Flow"));
    }
}
