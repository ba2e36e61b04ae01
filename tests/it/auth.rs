//! Who is let in, and what those hear who are not.

use serde_json::json;
use tandem_testkit::{Server, on_both};

on_both! {
    async fn a_key_opens_its_environment(server: Server) {
        let ada = server.account("Ada").await;
        ada.test().get("/audian/v2/numbers").await.assert(200, &json!({
            "success": true, "data": { "numbers": [], "total": 0, "limit": 20, "offset": 0 },
        }));
    }
}
