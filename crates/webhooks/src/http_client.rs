//! The HTTP client: public addresses only, no redirects, answers up to a limit, and an end to every wait.

use std::{
    error::Error as _,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use metrics::{counter, histogram};
use tandem_app::fetch::{Fetch, FetchFault, Fetched, Question};
use tandem_domain::webhook::Target;

use crate::{
    connect::{Connector, Refused, Resolve},
    sign::{self, Envelope},
};

/// How long an idle connection is kept for the next delivery, and how many to one host.
const IDLE: (Duration, usize) = (Duration::from_secs(20), 16);
/// Bytes of an answer that are read on so that its connection can be used again; a longer one is cut off.
const DRAINED: usize = 64 * 1024;
/// How long the rest of an answer is waited for once its status is known.
const REST: Duration = Duration::from_secs(5);

/// What the client is held to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a connection, and how long a whole request may take.
    pub patience: Duration,
    /// Bytes of an answer that are kept.
    pub kept: usize,
    /// Whether addresses that are not public may be connected to.
    pub allow_private: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { patience: Duration::from_secs(30), kept: 2048, allow_private: false }
    }
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The answer's status; none where there was no answer.
    pub status: Option<u16>,
    /// Seconds that the answer asks us to wait.
    pub retry_after: Option<i64>,
    /// The beginning of the answer's body.
    pub answer: String,
    /// What went wrong, in words.
    pub fault: Option<String>,
    /// How long it took.
    pub duration: Duration,
}

/// The client.
pub struct Http {
    pool: Client<Connector, Full<Bytes>>,
    limits: Limits,
}

impl Http {
    /// A client that looks names up with `resolver`.
    #[must_use]
    pub fn new(resolver: Arc<dyn Resolve>, limits: Limits) -> Self {
        let connector = Connector::new(resolver, limits.allow_private, limits.patience);
        let (idle, most) = IDLE;
        let mut builder = Client::builder(TokioExecutor::new());
        let pool = builder.pool_timer(TokioTimer::new()).pool_idle_timeout(idle).pool_max_idle_per_host(most).build(connector);
        Self { pool, limits }
    }

    /// Sends a request and reads the beginning of its answer.
    pub async fn send(&self, method: Method, url: &str, headers: &[(String, String)], body: Vec<u8>) -> Sent {
        let began = Instant::now();
        let mut sent = match self.request(method, url, headers, body) {
            Ok(request) => match self.ask(request).await {
                Ok(response) => self.read(response, began).await,
                Err(fault) => failed(fault),
            },
            Err(fault) => failed(fault),
        };
        sent.duration = began.elapsed();
        sent
    }

    fn request(
        &self,
        method: Method,
        url: &str,
        headers: &[(String, String)],
        body: Vec<u8>,
    ) -> Result<Request<Full<Bytes>>, String> {
        let uri: Uri = url.parse().map_err(|fault| format!("the URL cannot be used: {fault}"))?;
        let mut request = Request::new(Full::from(body));
        (*request.method_mut(), *request.uri_mut()) = (method, uri);
        for (name, value) in headers {
            let pair = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str()));
            let (Ok(name), Ok(value)) = pair else { return Err(format!("the header {name} cannot be sent")) };
            request.headers_mut().append(name, value);
        }
        Ok(request)
    }

    async fn ask(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, String> {
        let asked = tokio::time::timeout(self.limits.patience, self.pool.request(request)).await;
        asked
            .map_err(|_| format!("no answer within {} seconds", self.limits.patience.as_secs_f64()))?
            .map_err(|fault| words(&fault))
    }

    async fn read(&self, response: Response<Incoming>, began: Instant) -> Sent {
        let (head, body) = response.into_parts();
        let status = head.status.as_u16();
        let left = self.limits.patience.saturating_sub(began.elapsed()).min(REST);
        let bytes = beginning(body, self.limits.kept, left).await;
        let fault = match status {
            200..=299 => None,
            300..=399 => Some(redirect(status, &head.headers)),
            _ => Some(format!("it answered {}", head.status)),
        };
        let answer = String::from_utf8_lossy(&bytes).replace('\0', "\u{fffd}");
        Sent { status: Some(status), retry_after: retry_after(&head.headers), answer, fault, duration: Duration::ZERO }
    }
}

/// The first bytes of a body; the rest is read and dropped as long as it is short and comes soon.
async fn beginning(mut body: Incoming, most: usize, patience: Duration) -> Vec<u8> {
    let (mut kept, mut seen) = (Vec::new(), 0);
    let read = async {
        while let Some(Ok(frame)) = body.frame().await {
            let Ok(data) = frame.into_data() else { continue };
            seen += data.len();
            let room = most.saturating_sub(kept.len()).min(data.len());
            kept.extend_from_slice(data.get(..room).unwrap_or_default());
            if seen > DRAINED {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(patience, read).await; // what came in time is what there is
    kept
}

fn failed(fault: String) -> Sent {
    Sent { status: None, retry_after: None, answer: String::new(), fault: Some(fault), duration: Duration::ZERO }
}

fn redirect(status: u16, headers: &HeaderMap) -> String {
    let place = headers.get(header::LOCATION).and_then(|place| place.to_str().ok());
    let place = place.map_or_else(String::new, |place| format!(" to {}", place.chars().take(200).collect::<String>()));
    format!("it answered {status} with a redirect{place}, and redirects are not followed")
}

fn retry_after(headers: &HeaderMap) -> Option<i64> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().filter(|seconds| *seconds >= 0)
}

/// What went wrong, from what lies beneath: the upper layers only say that it did.
fn words(fault: &hyper_util::client::legacy::Error) -> String {
    let mut said = fault.to_string();
    let mut source = fault.source();
    while let Some(beneath) = source {
        said = beneath.to_string();
        source = beneath.source();
    }
    if fault.is_connect() { format!("no connection: {said}") } else { format!("the connection failed: {said}") }
}

fn is_refused(fault: &hyper_util::client::legacy::Error) -> Option<String> {
    let mut source = fault.source();
    while let Some(beneath) = source {
        let inner = beneath.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(Refused(why)) = inner.and_then(|inner| inner.downcast_ref()) {
            return Some(why.clone());
        }
        source = beneath.source();
    }
    None
}

#[async_trait]
impl Fetch for Http {
    async fn get(&self, url: &str, most: usize) -> Result<Fetched, FetchFault> {
        let agent = [("User-Agent".to_owned(), "Tandem/1.0".to_owned())];
        let request = self.request(Method::GET, url, &agent, Vec::new()).map_err(FetchFault::Refused)?;
        self.answer(request, most, self.limits.patience).await
    }

    async fn post(&self, question: Question, most: usize, patience: Duration) -> Result<Fetched, FetchFault> {
        let Question { url, body, event, delivery, timestamp, secrets } = question;
        let headers = sign::headers(Target::Number, Envelope { event, delivery, timestamp }, &body, &secrets);
        let request = self.request(Method::POST, &url, &headers, body.bytes).map_err(FetchFault::Refused)?;
        let began = Instant::now();
        let answer = self.answer(request, most, patience).await;
        let outcome = match &answer {
            Ok(_) => "delivered",
            Err(FetchFault::Status(_) | FetchFault::TooLarge) => "refused",
            Err(FetchFault::Refused(_) | FetchFault::Unreachable(_)) => "unreachable",
        };
        counter!("tandem_webhook_attempts_total", "target" => "call", "outcome" => outcome).increment(1);
        histogram!("tandem_webhook_attempt_seconds", "target" => "call").record(began.elapsed().as_secs_f64());
        answer
    }
}

impl Http {
    /// The whole answer to a request, of at most so many bytes, within a time.
    async fn answer(&self, request: Request<Full<Bytes>>, most: usize, patience: Duration) -> Result<Fetched, FetchFault> {
        let work = async {
            let asked = self.pool.request(request).await;
            let response = asked.map_err(|fault| match is_refused(&fault) {
                Some(why) => FetchFault::Refused(why),
                None => FetchFault::Unreachable(words(&fault)),
            })?;
            whole(response, most).await
        };
        let late = || FetchFault::Unreachable(format!("no answer within {} seconds", patience.as_secs_f64()));
        tokio::time::timeout(patience, work).await.unwrap_or_else(|_| Err(late()))
    }
}

async fn whole(response: Response<Incoming>, most: usize) -> Result<Fetched, FetchFault> {
    let (head, mut body) = response.into_parts();
    if !head.status.is_success() {
        return Err(FetchFault::Status(head.status.as_u16()));
    }
    let media_type = head.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("").to_owned();
    let mut content = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|fault| FetchFault::Unreachable(format!("the connection failed: {fault}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if content.len() + data.len() > most {
            return Err(FetchFault::TooLarge);
        }
        content.extend_from_slice(&data);
    }
    Ok(Fetched { media_type, content })
}
