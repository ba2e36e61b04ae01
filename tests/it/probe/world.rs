//! Who asks, and what there is to ask for.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Value, json};
use tandem_app::recordings::StartRecording;
use tandem_domain::{
    recording::RecordingKind,
    sid::{account_sid, letter, sid},
};
use tandem_kernel::{
    ConferenceId,
    Environment::{self, Live, Test},
    PhoneNumber,
};
use tandem_testkit::{Client, Persona, Server, Stage, to_record};

use super::cases::Access;

/// The parties of the probe. Ada asks and has one of everything; Vic is whom operators act upon; Eve wants what is Ada's.
#[derive(Clone)]
pub struct World(Arc<Inner>);

pub struct Inner {
    pub server: Server,
    pub ada: Client,
    pub ada_live: Client,
    pub ada_publishable: Client,
    pub ada_powerless: Client,
    pub eve: Client,
    pub operator: Client,
    pub revoked: Client,
    adas: HashMap<&'static str, String>,
    vics: HashMap<&'static str, String>,
}

impl std::ops::Deref for World {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl World {
    /// Sets it up on a server that lets everybody ask as much as they like.
    pub async fn build(stage: Stage) -> Self {
        let server = stage.config(|config| config.limits.anonymous_per_minute = 10_000_000).start().await;
        let (ada, vic, eve) = (server.account("Ada").await, server.account("Vic").await, server.account("Eve").await);
        for persona in [&ada, &vic, &eve] {
            persona.unlimited(Test).await;
            persona.unlimited(Live).await;
        }
        let mut adas = possessions(&server, &ada, ["+14155550100", "+16282010100"]).await;
        let mut vics = possessions(&server, &vic, ["+14155550101", "+16282010101"]).await;
        for ids in [&mut adas, &mut vics] {
            ids.extend([
                ("environment", "test".to_owned()),
                ("number", "+14155550139".to_owned()),
                ("code", "rate_limited".to_owned()),
            ]);
        }
        let operators_key = server.operator().post("/v1/operator-keys", json!({})).await;
        vics.insert("operator_key_id", text(&operators_key.body, "/id"));
        let gone = ada.mint(Test, &[], None).await;
        ada.revoke(Test, gone.id).await;
        Self(Arc::new(Inner {
            ada: ada.test(),
            ada_live: ada.live(),
            ada_publishable: server.client_with(&ada.test.publishable).of(ada.account),
            ada_powerless: ada.test_with(&[]).await,
            eve: eve.test(),
            operator: server.operator(),
            revoked: server.client_with(gone.text).of(ada.account),
            server,
            adas,
            vics,
        }))
    }

    /// Who may ask for an operation of this kind.
    pub fn rightful(&self, access: Access) -> Client {
        match access {
            Access::Account | Access::Either => self.ada.clone(),
            Access::Operator => self.operator.clone(),
            Access::Anybody => self.server.client(),
        }
    }

    /// What a parameter in a path names: something that is there.
    pub fn named(&self, access: Access, path: &str, parameter: &str) -> String {
        let (ids, parameter) = match (access, parameter) {
            (Access::Operator, "key_id") if path.starts_with("/operator-keys") => (&self.vics, "operator_key_id"),
            (Access::Operator, parameter) => (&self.vics, parameter),
            (_, parameter) => (&self.adas, parameter),
        };
        ids.get(parameter).cloned().unwrap_or_else(|| panic!("{path}: say in the world of the probe what a {parameter} is"))
    }
}

/// A number, a port that stays open, a document of it, an invoice, a key to spare, a request, a charge,
/// a verification.
async fn possessions(server: &Server, persona: &Persona, [number, port]: [&str; 2]) -> HashMap<&'static str, String> {
    let client = persona.test();
    let bought = client.post("/audian/v2/numbers/purchase", json!({ "number": number })).await;
    bought.assert_status(201);
    let ported = client.post("/audian/v2/ports", super::values::port_of(port)).await;
    ported.assert_status(202);
    let documents = format!("/audian/v2/ports/{}/documents", ported.data_text("id"));
    let document = json!({ "type": "bill", "name": "bill.pdf", "content": "JVBERi0xLjQK" });
    let document = client.post(&documents, document).await;
    let verification = client.post("/telephony/api/verify/send", json!({ "phone_number": "+61412345678" })).await;
    verification.assert_status(200);
    let invoices = client.get("/audian/v2/billing/invoices").await;
    let webhook = json!({ "url": "https://hooks.customer.example/", "events": ["*"] });
    let webhook = text(&client.post("/audian/v2/webhooks", webhook).await.body, "/id");
    let tested = client.post(&format!("/audian/v2/webhooks/{webhook}/test"), json!({})).await;
    let office = json!({ "Line1": "1 Main St", "City": "Town", "CountryCode": "US" });
    let address = client.post(&format!("/fonedynamics/v2/Accounts/{}/Addresses", account_sid(persona.account)), office).await;
    let spare = persona.mint(Environment::Test, &[], None).await;
    let charge = persona.charges(Test).await.first().expect("the number was paid for").id;
    let message = json!({ "from": number, "to": "+14155550199", "body": "Hello" });
    let message = client.post("/audian/v2/messages", message).await;
    let opt_out = client.post("/v1/opt-outs", json!({ "from": number, "to": "+14155550198" })).await;
    let fault = client.post("/v1/faults", json!({ "effect": "duplicate", "on": "receipt", "probability": 0 })).await;
    let smsc = json!({ "name": "nowhere", "host": "127.0.0.1", "port": 1, "system_id": "us", "password": "secret" });
    let smsc = server.operator().post("/v1/smscs", smsc).await;
    let trunk = json!({ "name": "nowhere", "host": "127.0.0.1", "port": 1, "addresses": ["127.0.0.1"], "credentials": true });
    let trunk = server.operator().post("/v1/trunks", trunk).await;
    let device = client.post("/v1/devices", json!({ "label": "Desk" })).await;
    let menu = json!({ "name": "Main", "prompt": "Press 1.", "options": [{ "digit": "1", "destination_type": "voicemail" }] });
    let menu = client.post("/audian/v2/ivr-menus", menu).await;
    let flow = json!({ "name": "Main", "routing": [{ "pattern": "*", "destination_type": "voicemail" }] });
    let flow = client.post("/audian/v2/call-flows", flow).await;
    let environment = persona.test.environment;
    let project = sid(letter::PROPERTY, environment.as_bytes());
    let online = json!({
        "Email": "desk@example.com", "Password": "Correct-horse-7", "FirstName": "A", "LastName": "B", "Scopes": "Manage",
    });
    let online = client.post(&format!("/fonedynamics/v2/Properties/{project}/OnlineLogins"), online).await;
    let text_message = json!({ "From": number, "To": "+14155550199", "Text": "Hello" });
    let text_message = client.post(&format!("/fonedynamics/v2/Properties/{project}/Messages"), text_message).await;
    let call = tandem_testkit::call(environment, "+61412345678", number, server.now());
    let call = persona.write_calls(Test, vec![call]).await.remove(0);
    let conference = client.post("/audian/v2/conferences", json!({ "name": "Monday" })).await;
    let conference = text(&conference.body, "/id");
    let people = format!("/audian/v2/conferences/{conference}/participants");
    let participant = client.post(&people, json!({ "phone_number": "+14155550199" })).await;
    let recording = recorded(server, persona, &conference).await;
    let left = StartRecording { number: PhoneNumber::parse(number).ok(), ..to_record(environment, RecordingKind::Voicemail) };
    let voicemail = tandem_testkit::recorded(server, left, &[0; 160]).await.id.to_string();
    server.settle().await;
    HashMap::from([
        ("call_id", call.id.to_string()),
        ("callId", call.id.to_string()),
        ("conference_id", conference),
        ("participant_id", text(&participant.body, "/id")),
        ("recording_id", recording),
        ("voicemail_id", voicemail),
        ("day", server.now().date()),
        ("CallSid", sid(letter::CALL, call.id.as_bytes())),
        ("PropertySid", project),
        ("OnlineLoginSid", text(&online.body, "/OnlineLogin/OnlineLoginSid")),
        ("MessageSid", text(&text_message.body, "/Message/MessageSid")),
        ("AccountSid", account_sid(persona.account)),
        ("AddressSid", text(&address.body, "/Address/AddressSid")),
        ("CountryCode", "US".to_owned()),
        ("Number", number.trim_start_matches('+').to_owned()),
        ("menu_id", text(&menu.body, "/menu_id")),
        ("call_flow_id", text(&flow.body, "/call_flow_id")),
        ("fault_id", text(&fault.body, "/id")),
        ("trunk_id", text(&trunk.body, "/id")),
        ("device_id", text(&device.body, "/id")),
        ("smsc_id", text(&smsc.body, "/id")),
        ("opt_out_id", text(&opt_out.body, "/id")),
        ("message_id", message.data_text("id")),
        ("number_id", bought.data_text("id")),
        ("object_id", bought.data_text("id")),
        ("request_id", bought.header("x-request-id").expect("an id").to_owned()),
        ("verification_id", text(&verification.body, "/verification_id")),
        ("port_id", ported.data_text("id")),
        ("document_id", document.data_text("id")),
        ("webhook_id", webhook),
        ("delivery_id", text(&tested.body, "/delivery_id")),
        ("invoice_id", text(invoices.data(), "/invoices/0/id")),
        ("key_id", spare.id.to_string()),
        ("transfer_id", charge.to_string()),
        ("account_id", persona.account.to_string()),
    ])
}

/// A conference's recording that is whole.
async fn recorded(server: &Server, persona: &Persona, conference: &str) -> String {
    let start = to_record(persona.test.environment, RecordingKind::Conference);
    let start = StartRecording { conference: ConferenceId::parse(conference), ..start };
    tandem_testkit::recorded(server, start, &[0; 160]).await.id.to_string()
}

fn text(value: &Value, pointer: &str) -> String {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no text at {pointer} of {value}")).to_owned()
}
