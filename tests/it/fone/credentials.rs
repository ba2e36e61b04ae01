//! Who may ask, and in which forms requests come.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::Method;
use serde_json::json;
use tandem_domain::sid::account_sid;
use tandem_kernel::{Environment::Test, Scope};
use tandem_testkit::{Server, Stage, on_both};

use super::{BASE, first_project};

const PROJECTS: &str = "/fonedynamics/v2/Properties";
const CREDENTIALS: &str = "Wrong or missing credentials.";

on_both! {
    async fn a_sid_and_its_key_are_asked_for(server: Server) {
        let (ada, bob) = (server.account("Ada").await, server.account("Bob").await);
        ada.test().get(PROJECTS).await.assert_status(200);
        let stranger = server.client_with(&ada.test.key).of(bob.account);
        let nobody = server.client_with(&ada.test.key);
        let wrong = server.client_with("tk_test_nonsense").of(ada.account);
        let bearer = server.client().header("authorization", format!("Bearer {}", ada.test.key));
        let undecodable = server.client().header("authorization", "Basic !!");
        for client in [server.client(), stranger, nobody, wrong, bearer, undecodable] {
            client.get(PROJECTS).await
                .assert_fone_error(401, "UNAUTHORIZED", CREDENTIALS, None)
                .assert_header("www-authenticate", r#"Basic realm="Tandem", charset="UTF-8""#);
        }
        let gone = ada.mint(Test, &[Scope::PropertiesRead], None).await;
        server.client_with(&gone.text).of(ada.account).get(PROJECTS).await.assert_status(200);
        ada.revoke(Test, gone.id).await;
        server.client_with(&gone.text).of(ada.account).get(PROJECTS).await.assert_fone_error(401, "UNAUTHORIZED", CREDENTIALS, None);
    }

    async fn what_a_credential_may_not_do_is_forbidden(server: Server) {
        let ada = server.account("Ada").await;
        let message = "You do not have permission to access this resource";
        let reader = ada.test_with(&[Scope::NumbersRead]).await;
        reader.get(PROJECTS).await.assert_fone_error(403, "FORBIDDEN", message, None);
        // What does not exist is said first, so that nothing can be learnt of what a credential may not see.
        let missing = format!("{BASE}/Properties/S123");
        reader.get(&missing).await.assert_fone_error(400, "PROPERTY_NOT_FOUND", "The property 'S123' was not found", None);
        reader.get(&format!("{PROJECTS}/{}", first_project(&ada))).await.assert_fone_error(403, "FORBIDDEN", message, None);
    }

    async fn unknown_paths_and_methods_are_refused_in_this_dialects_words(server: Server) {
        let ada = server.account("Ada").await;
        let path = format!("{BASE}/Nothing");
        let message = "There is nothing at /fonedynamics/v2/Nothing";
        ada.test().get(&path).await.assert_fone_error(404, "NOT_FOUND", message, None);
        let message = "DELETE is not allowed here; allowed: GET, HEAD, POST";
        ada.test().delete(PROJECTS).await
            .assert_fone_error(405, "METHOD_NOT_ALLOWED", message, None)
            .assert_header("allow", "GET, HEAD, POST");
    }

    async fn what_the_official_clients_send_breaks_nothing(server: Server) {
        let ada = server.account("Ada").await;
        let body = json!({ "Name": "Café", "MainDomain": "www.example.com", "TimeZone": "UTC" });
        ada.test().header("content-type", "").header("accept-encoding", "utf-8").header("accept", "application/json")
            .get(PROJECTS).await.assert_status(200);
        let latin: Vec<u8> = body.to_string().chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        let made = ada.test().send(Method::POST, PROJECTS, Some(latin)).await;
        assert!(made.assert_status(200).body["Property"]["Name"] == "Café", "{made}");
        let form = ada.test().header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        let pairs = b"name=Caf%C3%A9+2&MAINDOMAIN=www.example.com&TimeZone=utc&SmsEnabled=True".to_vec();
        let made = form.send(Method::POST, PROJECTS, Some(pairs)).await;
        let property = &made.assert_status(200).body["Property"];
        assert!(property["Name"] == "Café 2" && property["TimeZone"] == "UTC" && property["SmsEnabled"] == true, "{made}");
        let message = "The content type 'text/plain' is not supported; send application/json";
        ada.test().header("content-type", "text/plain").post(PROJECTS, body).await
            .assert_fone_error(415, "UNSUPPORTED_MEDIA_TYPE", message, None);
    }

    async fn it_is_served_on_its_own_host_under_the_documented_path(stage: Stage) {
        let server = stage.config(|config| config.hosts.fonedynamics = vec!["api.fonedynamics.example".to_owned()]).start().await;
        let ada = server.account("Ada").await;
        let credentials = STANDARD.encode(format!("{}:{}", account_sid(ada.account), ada.test.key));
        let host = server.client().header("host", "api.fonedynamics.example").header("authorization", format!("Basic {credentials}"));
        host.get("/v2/Properties").await.assert_status(200);
        host.get(PROJECTS).await.assert_status(200);
        server.client().header("authorization", format!("Basic {credentials}")).get("/v2/Properties").await.assert_status(404);
        for path in ["/", "/v2/", "/v2", "/v3/x", "/Properties"] {
            let lost = host.get(path).await;
            lost.assert_fone_error(404, "NOT_FOUND", &format!("There is nothing at {path}"), None);
            assert!(lost.header("x-request-id").is_some_and(|id| id.starts_with("req_")), "{lost}");
        }
    }

    async fn a_prefix_with_nothing_behind_is_the_dialects_own(server: Server) {
        let client = server.client();
        for path in ["/fonedynamics/v2/", "/fonedynamics/v2"] {
            let lost = client.get(path).await;
            lost.assert_fone_error(404, "NOT_FOUND", &format!("There is nothing at {path}"), None);
            client.post(path, json!({})).await.assert_fone_error(404, "NOT_FOUND", &format!("There is nothing at {path}"), None);
        }
        assert!(client.get("/audian/v2/").await.assert_status(404).body["error"]["code"].is_string());
        assert!(client.get("/telephony/api/").await.assert_status(404).body["error"].is_string());
        for path in ["/v1/", "/nowhere"] {
            let lost = client.get(path).await;
            assert_eq!(lost.assert_status(404).body["request_id"].as_str(), lost.header("x-request-id"));
        }
    }
}
