//! The webhook of a number is asked what is to be done with a call.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tandem_catalogue::Result;
use tandem_domain::{
    Explanation,
    call::{Live, Reason},
    flow::Destination,
    routing::{Otherwise, Plan, Said, Treatment, said},
    webhook::{Happening, Method, Target, render},
};
use tandem_kernel::{DeliveryId, EventId, uuid_text};
use tandem_store::Tx;

use super::switchboard::Spoken;
use crate::{
    App,
    fetch::Question,
    routing::{self, RouteQuery},
    webhooks::number_secrets,
};

/// What the question is called where events have their names.
const EVENT: &str = "call.incoming";
/// How long an answer may take in all, and how large it may be.
const PATIENCE: Duration = Duration::from_secs(5);
const MOST: usize = 16 << 10;
/// Questions that are out at once in this process. Those beyond are not asked.
pub(crate) const AT_ONCE: usize = 512;

/// What is done with a call whose number's webhook was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advice {
    /// What the number's configuration says.
    AsConfigured,
    /// The caller hears something where something is to be said, and is led there; where nothing is said of that, as the configuration says.
    Lead(Option<Spoken>, Option<(Treatment, Otherwise)>),
    /// The caller hears something, and the call ends.
    Farewell(Spoken),
    /// It is refused.
    Refuse(Reason),
}

impl Advice {
    /// The word for its kind.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::AsConfigured => "configured",
            Self::Lead(..) | Self::Farewell(_) => "led",
            Self::Refuse(_) => "refused",
        }
    }
}

/// Asks a number's webhook about a call that has just begun. Whatever is wrong with the answer, the configuration holds, and the call's
/// explanation says why; so does the second member of what comes back. May be dropped at any time.
pub async fn ask(app: &App, live: &Live, plan: &Plan, url: &str) -> (Advice, Option<String>) {
    let mut why = Explanation::of("webhook", live.id.to_string());
    let (advice, fault) = match followed(app, live, plan, url, &mut why).await {
        Ok(advice) => (advice, None),
        Err(fault) => (Advice::AsConfigured, Some(fault)),
    };
    let outcome = match &advice {
        Advice::AsConfigured => format!("the call goes as the number is configured: {}", plan.begin.kind()),
        Advice::Lead(_, Some((treatment, _))) => format!("the call goes as the webhook says: {}", treatment.kind()),
        Advice::Lead(_, None) => format!("the caller hears what the webhook says; then as configured: {}", plan.begin.kind()),
        Advice::Farewell(_) => "the caller hears what the webhook says; then the call ends".to_owned(),
        Advice::Refuse(reason) => format!("the webhook refuses the call: {}", reason.as_str()),
    };
    let (why, pen, environment) = (why.concluding(outcome), app.pen(), live.environment);
    let kept = app.store.write(move |tx: &mut Tx| pen.open(tx, environment)?.explain(tx, &why)).await;
    if let Err(error) = kept {
        tracing::warn!(id = %live.id, ?error, "why a call goes as it does cannot be kept");
    }
    (advice, fault)
}

/// What the webhook says, or why that cannot be done.
async fn followed(app: &App, live: &Live, plan: &Plan, url: &str, why: &mut Explanation) -> std::result::Result<Advice, String> {
    let began = Instant::now();
    let answered = answer(app, live, plan, url).await;
    let took = began.elapsed().as_millis();
    let compared = match &answered {
        Ok(content) => format!("POST {url}: {} bytes after {took} ms", content.len()),
        Err(fault) => format!("POST {url}: {fault}"),
    };
    why.note("the number's webhook answers", compared, answered.is_ok());
    let content = answered?;
    let advice = match Said::read(&content) {
        Ok(said) => advised(app, live, said, why).await,
        Err(fault) => Err(fault),
    };
    let compared = match &advice {
        Ok(_) => shortened(&content),
        Err(fault) => format!("{}: {fault}", shortened(&content)),
    };
    why.note("what it answers can be done", compared, advice.is_ok());
    advice
}

/// The beginning of an answer, as it is shown.
fn shortened(content: &[u8]) -> String {
    let text = String::from_utf8_lossy(content);
    let mut shown: String = text.chars().filter(|c| !c.is_control()).take(300).collect();
    if shown.is_empty() {
        "nothing".clone_into(&mut shown);
    }
    shown
}

async fn answer(app: &App, live: &Live, plan: &Plan, url: &str) -> std::result::Result<Vec<u8>, String> {
    let Ok(_place) = app.questions.try_acquire() else { return Err(format!("{AT_ONCE} other questions have no answer yet")) };
    let fetcher = app.fetcher.get().ok_or_else(|| "nothing here can ask".to_owned())?;
    let question = question(app, live, plan, url).await.map_err(|error| said(&error))?;
    let fetched = fetcher.post(question, MOST, PATIENCE).await;
    fetched.map(|fetched| fetched.content).map_err(|fault| fault.to_string())
}

async fn question(app: &App, live: &Live, plan: &Plan, url: &str) -> Result<Question> {
    let environment = app.directory.environment(live.environment).await?;
    let machine = app.machine_now();
    let event = EventId::new(machine, &*app.rng);
    let happening = Happening {
        id: event,
        account: environment.account.id,
        kind: EVENT.to_owned(),
        object: live.id.to_string(),
        sequence: None,
        data: told(live, plan),
        at: live.started_at,
    };
    Ok(Question {
        url: url.to_owned(),
        body: render(Target::Number, Method::Post, &happening),
        event,
        delivery: DeliveryId::new(machine, &*app.rng),
        timestamp: machine.seconds(),
        secrets: number_secrets(app, live.environment),
    })
}

/// What is told of the call.
fn told(live: &Live, plan: &Plan) -> Map<String, Value> {
    let path: Vec<String> = live.detail.path.iter().map(ToString::to_string).collect();
    let told = json!({
        "call_uuid": uuid_text(*live.id.as_bytes()),
        "number": live.to.to_string(),
        "from": live.caller(),
        "from_name": live.detail.from_name,
        "to": live.to.to_string(),
        "path": path,
        "started_at": live.started_at.to_string(),
        "configured": plan.told(),
    });
    if let Value::Object(told) = told { told } else { Map::new() }
}

async fn advised(app: &App, live: &Live, said: Said, why: &mut Explanation) -> std::result::Result<Advice, String> {
    let (say, to) = match said {
        Said::AsConfigured => return Ok(Advice::AsConfigured),
        Said::Reject(reason) => return Ok(Advice::Refuse(reason)),
        Said::Control { say, to } => (say.map(|(text, language)| Spoken { text, language, times: 1 }), to),
    };
    let Some(to) = to else { return Ok(Advice::Lead(say, None)) };
    if to == Destination::Hangup {
        return Ok(say.map_or(Advice::Refuse(Reason::Rejected), Advice::Farewell));
    }
    let query = RouteQuery { from: live.from, path: live.detail.path.clone(), at: None };
    let routed = routing::onward(app, live.environment, live.to, to, query).await;
    let routed = routed.map_err(|error| tandem_domain::routing::said(&error))?;
    why.steps.extend(routed.explanation.steps);
    let plan = routed.plan.map_err(|error| tandem_domain::routing::said(&error))?;
    Ok(Advice::Lead(say, Some((plan.begin, plan.otherwise))))
}
