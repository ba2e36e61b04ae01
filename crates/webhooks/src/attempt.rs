//! One attempt to deliver.

use http::Method;
use metrics::{counter, histogram};
use tandem_app::{
    App,
    webhooks::{Outcome, happening},
};
use tandem_catalogue::Result;
use tandem_domain::webhook::{self, Answer, Attempt, Webhook, render};
use tandem_kernel::{AttemptId, Timestamp};
use tandem_store::repo::deliveries::Told;

use crate::{
    http_client::{Http, Sent},
    sign::{Envelope, headers},
};

/// A webhook as it is while something is sent to it.
pub(crate) struct Place {
    pub webhook: Webhook,
    pub secrets: Vec<String>,
}

/// Sends a delivery once.
pub(crate) async fn attempt(app: &App, http: &Http, place: &Place, told: Told) -> Result<Outcome> {
    let environment = app.directory.environment(told.delivery.environment).await?;
    let machine = app.machine_now();
    let at = environment.settings.clock.at(machine);
    let happening = happening(&told, environment.account.id)?;
    let Webhook { target, method, url, .. } = &place.webhook;
    let body = render(*target, *method, &happening);
    let named = happening.data.get("uri").and_then(|uri| uri.as_str()).filter(|_| *target == webhook::Target::Message);
    let url = with_query(named.unwrap_or(url), &body.query);
    let envelope = Envelope { event: told.delivery.event, delivery: told.delivery.id, timestamp: machine.seconds() };
    let headers = headers(*target, envelope, &body, &place.secrets);
    let method = match method {
        webhook::Method::Post => Method::POST,
        webhook::Method::Get => Method::GET,
    };
    let sent = http.send(method, &url, &headers, body.bytes).await;
    count(target.as_str(), &sent);
    let answer = Answer { status: sent.status, retry_after: sent.retry_after };
    let attempt = Attempt {
        id: AttemptId::new(machine, &*app.rng),
        delivery: told.delivery.id,
        number: told.delivery.attempts + 1,
        url,
        headers,
        status: sent.status,
        answer: sent.answer,
        fault: sent.fault,
        duration: i64::try_from(sent.duration.as_micros()).unwrap_or(i64::MAX),
        at: at.max(Timestamp::default()),
    };
    Ok(Outcome { delivery: told.delivery, answer, attempt })
}

fn with_query(url: &str, query: &str) -> String {
    match query {
        "" => url.to_owned(),
        query => format!("{url}{}{query}", if url.contains('?') { '&' } else { '?' }),
    }
}

fn count(target: &'static str, sent: &Sent) {
    let outcome = match sent.status {
        Some(200..=299) => "delivered",
        Some(_) => "refused",
        None => "unreachable",
    };
    counter!("tandem_webhook_attempts_total", "target" => target, "outcome" => outcome).increment(1);
    histogram!("tandem_webhook_attempt_seconds", "target" => target).record(sent.duration.as_secs_f64());
}
