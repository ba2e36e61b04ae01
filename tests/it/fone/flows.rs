//! Flows: Audian's call flows, as this API lists them.

use serde_json::json;
use tandem_kernel::Scope;
use tandem_testkit::{DAWN, Server, on_both};

use super::{BASE, first_project};
use crate::call_flows::{FLOWS, all_to, flow};

on_both! {
    async fn the_call_flows_of_an_account_are_listed(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        let mut ids = Vec::new();
        for name in ["First", "Second", "Third"] {
            ids.push(flow(&client, name, json!([all_to("voicemail", "")])).await);
        }
        ada.advance(60).await;
        client.put(&format!("{FLOWS}/{}", ids[1]), json!({ "active": false })).await.assert_status(200);
        let project = first_project(&ada);
        let shown = |place: usize, name: &str, revision: &str, seconds: i64| json!({
            "PropertySid": project, "ConfigId": ids[place], "Revision": revision, "Name": name, "Type": "CallFlow",
            "LastUpdated": DAWN.seconds() + seconds,
        });
        let all = [shown(0, "First", "1", 0), shown(1, "Second", "2", 60), shown(2, "Third", "1", 0)];
        let path = format!("{BASE}/Properties/{project}/Flows");
        client.get(&path).await.assert(200, &json!({ "Flows": all, "TotalCount": 3, "NextPageToken": null }));
        let page = client.get(&format!("{path}?Results_Count=2")).await;
        assert_eq!(page.body["Flows"], json!(all[..2]), "{page}");
        let next = page.body["NextPageToken"].as_str().expect("a token");
        client.get(&format!("{path}?Results_Count=2&PageToken={next}")).await
            .assert(200, &json!({ "Flows": all[2..], "TotalCount": 3, "NextPageToken": null }));
        client.get(&format!("{path}?Results_Skip=2")).await.assert(200, &json!({ "Flows": all[2..], "TotalCount": 3, "NextPageToken": null }));
        let empty = json!({ "Flows": [], "TotalCount": 0, "NextPageToken": null });
        let live = tandem_domain::sid::sid('S', ada.live.environment.as_bytes());
        ada.live().get(&format!("{BASE}/Properties/{live}/Flows")).await.assert(200, &empty);
    }

    async fn what_is_wrong_is_named(server: Server) {
        let (ada, bob) = (server.account("Ada").await, server.account("Bob").await);
        let project = first_project(&ada);
        let path = format!("{BASE}/Properties/{project}/Flows");
        let message = format!("The property '{project}' was not found");
        bob.test().get(&path).await.assert_fone_error(400, "PROPERTY_NOT_FOUND", &message, None);
        let message = "The Results_Count parameter must be between 1 and 200";
        ada.test().get(&format!("{path}?Results_Count=201")).await
            .assert_fone_error(400, "PARAMETER_INVALID", message, Some("Results_Count"));
        let message = "You do not have permission to access this resource";
        ada.test_with(&[Scope::NumbersRead]).await.get(&path).await.assert_fone_error(403, "FORBIDDEN", message, None);
    }
}
