//! The way of a request: id, credential, limits, body, repetition, work, log.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::Body,
    extract::{ConnectInfo, MatchedPath, OriginalUri, RawPathParams, Request},
};
use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tandem_app::{Allowance, App, JournalEntry, Principal};
use tandem_catalogue::{Error, Result};
use tandem_domain::key::KeyText;
use tandem_kernel::{EnvironmentId, RequestId, Timestamp};
use tandem_store::repo::requests::Logged;
use tokio::sync::Semaphore;

use super::{
    call::Call,
    endpoint::{Access, Endpoint, LARGEST_BODY},
    manner::{Manner, Shown},
    once::{Claim, Guard, InFlight, Once},
    pairs::pairs,
    redact,
    reply::{JSON, Reply, Streamed},
};

/// The media type of HTML forms.
const HTML_FORM: &str = "application/x-www-form-urlencoded";
/// Seconds after which another server, or this one anew, is likely to answer.
const AFTER_STOPPING: i64 = 5;
/// The header of a refusal that names the catalogue's code: dialects say several codes in the same way.
pub const CODE_HEADER: &str = "x-tandem-error";
/// How much longer than one of the usual size a body may take to arrive for each mebibyte beyond it.
const PATIENCE_PER_MEBIBYTE: Duration = Duration::from_secs(4);

/// What all requests share.
pub struct Shared {
    /// The platform.
    pub app: App,
    /// Requests that are worked on at once at the most.
    pub slots: Semaphore,
    /// Repeatable requests that are being worked on.
    pub flights: Arc<InFlight>,
    /// How long a body of the usual size may take to arrive.
    pub body_patience: Duration,
    /// Unknown credentials of operators' requests are kept apart by this.
    pub nobody: EnvironmentId,
}

/// Why no operation was found for a request.
pub type Lost = Arc<dyn Fn(&Parts) -> Error + Send + Sync>;

/// What is learnt of a request on its way, for the answer and the log.
#[derive(Default)]
struct Trail {
    principal: Option<Principal>,
    allowance: Option<Allowance>,
    body: Bytes,
    hints: Arc<Mutex<Vec<String>>>,
    code: &'static str,
}

/// Takes one request from its arrival to its answer. `endpoint` is none where the path or the method is not known: `lost` says why.
pub async fn serve(
    shared: Arc<Shared>,
    manner: Arc<Manner>,
    endpoint: Option<Arc<Endpoint>>,
    lost: Lost,
    request: Request,
) -> Response<Body> {
    let arrived = shared.app.machine_now();
    let id = RequestId::new(arrived, &*shared.app.rng);
    let (mut parts, body) = request.into_parts();
    if let Some(OriginalUri(whole)) = parts.extensions.remove::<OriginalUri>() {
        parts.uri = whole; // routing cuts the dialect's prefix off; messages, the log and repetitions need all of it
    }
    let mut trail = Trail::default();
    let walk = AssertUnwindSafe(walk(&shared, &manner, endpoint.as_deref(), lost, id, &mut parts, body, &mut trail)).catch_unwind();
    let outcome = walk.await.unwrap_or_else(|_| Err(Error::internal().because("a handler panicked")));
    let reply = outcome.unwrap_or_else(|error| refuse(&manner, &error, id, &parts, &mut trail));
    conclude(&shared, &manner, endpoint.as_deref(), id, arrived, &parts, trail, reply)
}

#[expect(clippy::too_many_arguments, reason = "the stations of one walk; a struct would only rename them")]
async fn walk(
    shared: &Shared,
    manner: &Manner,
    endpoint: Option<&Endpoint>,
    lost: Lost,
    id: RequestId,
    parts: &mut Parts,
    body: Body,
    trail: &mut Trail,
) -> Result<Reply> {
    let app = &shared.app;
    let Some(endpoint) = endpoint else {
        app.directory.count_anonymous(address(parts))?;
        return Err(lost(parts));
    };
    let _slot = shared.slots.try_acquire().map_err(|_| Error::overloaded(1))?;
    if endpoint.access == Access::Anybody {
        app.directory.count_anonymous(address(parts))?;
    } else {
        authenticate(app, manner, endpoint, parts, trail).await?;
    }
    trail.body = read_body(shared.body_patience, manner, endpoint, parts, body).await?;
    if app.is_stopping() {
        return Err(Error::shutting_down(AFTER_STOPPING));
    }
    let path = path_params(parts).await;
    if path.iter().any(|(_, value)| value.is_empty()) {
        return Err(Error::path_not_found(parts.uri.path().to_owned())); // `//` names nothing, whatever would be beyond it
    }
    let principal = trail.principal.clone();
    let environment = principal.as_ref().and_then(|principal| principal.key.environment).unwrap_or(shared.nobody);
    let whole_path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let (once, guard) = if endpoint.is_once() {
        let what = (&parts.method, whole_path, &trail.body[..]);
        match shared.flights.claim(app, environment, &parts.headers, what, endpoint.media_type).await? {
            Claim::Do(once, guard) => (once, guard),
            Claim::Replay(reply) => return Ok(reply),
        }
    } else {
        (Once::default(), None)
    };
    let once = Arc::new(once);
    let call = Call {
        app: app.clone(),
        request: id,
        principal,
        path,
        query: pairs(parts.uri.query().unwrap_or("")),
        bytes: trail.body.clone(),
        head: parts.method == Method::HEAD,
        headers: parts.headers.clone(),
        once: once.clone(),
        query_fields: endpoint.query,
        body_fields: endpoint.body.unwrap_or_default(),
        is_html_form: manner.lenient_bodies && media_type(&parts.headers) == HTML_FORM,
        strict: manner.strict,
        reading: manner.reading,
        hints: trail.hints.clone(),
    };
    let outcome = work(endpoint, call, guard).await;
    let reply = outcome.unwrap_or_else(|error| refuse(manner, &error, id, parts, trail));
    once.keep_refusal(app, &reply).await;
    Ok(reply)
}

/// Runs the handler. One that changes something runs to its end, even if the client goes away meanwhile.
async fn work(endpoint: &Endpoint, call: Call, guard: Option<Guard>) -> Result<Reply> {
    call.check_names(endpoint.raw_body)?;
    let app = call.app.clone();
    let work = (endpoint.handler)(call);
    if !endpoint.is_once() {
        return work.await;
    }
    let task = tokio::spawn(async move {
        let outcome = work.await;
        app.mailbox.ring(); // whatever changed, somebody may want to hear of it
        drop(guard);
        outcome
    });
    task.await.unwrap_or_else(|fault| Err(Error::internal().because(fault)))
}

async fn authenticate(app: &App, manner: &Manner, endpoint: &Endpoint, parts: &Parts, trail: &mut Trail) -> Result<()> {
    let shown = match (manner.credential)(&parts.headers) {
        Shown::Key(key) => app.directory.authenticate(&key).await,
        Shown::Pair { account, key } => app.directory.authenticate_for(&account, &key).await,
        Shown::Nothing => Err(Error::missing_authentication()),
        Shown::Nonsense => Err(Error::invalid_api_key()),
    };
    let principal = match shown {
        Ok(principal) => principal,
        Err(error) => {
            app.directory.count_anonymous(address(parts))?;
            return Err(error);
        }
    };
    let entry = principal.environment.clone();
    let fits = match endpoint.access {
        Access::Operator => principal.is_operator(),
        Access::Either => principal.is_operator() || entry.is_some(),
        Access::Account | Access::Anybody => entry.is_some(),
    };
    let known_here = entry.is_some() || principal.is_operator();
    trail.principal = Some(principal);
    if let Some(entry) = entry {
        let (allowance, within) = entry.take(app.machine_now());
        trail.allowance = Some(allowance);
        within?;
        entry.check_status()?;
    }
    match (fits, known_here, endpoint.access) {
        (true, ..) => Ok(()),
        (false, true, Access::Operator) => Err(Error::insufficient_scope("operator")),
        _ => Err(Error::invalid_api_key()),
    }
}

async fn read_body(patience: Duration, manner: &Manner, endpoint: &Endpoint, parts: &Parts, body: Body) -> Result<Bytes> {
    if !endpoint.is_unsafe() || endpoint.raw_body && parts.headers.get(header::CONTENT_LENGTH).is_some_and(|length| length == "0") {
        return Ok(Bytes::new());
    }
    let largest = endpoint.largest_body;
    let beyond = u32::try_from(largest.saturating_sub(LARGEST_BODY) / LARGEST_BODY).unwrap_or(u32::MAX);
    let patience = patience + PATIENCE_PER_MEBIBYTE.saturating_mul(beyond);
    let read = tokio::time::timeout(patience, Limited::new(body, largest).collect()).await;
    let patience = i64::try_from(patience.as_secs()).unwrap_or(i64::MAX);
    let bytes = match read {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(fault)) if fault.downcast_ref::<LengthLimitError>().is_some() => {
            return Err(Error::body_too_large(i64::try_from(largest).unwrap_or(i64::MAX)));
        }
        Ok(Err(fault)) => return Err(Error::malformed_body("it was cut off").because(fault)),
        Err(_) => return Err(Error::request_timeout(patience)),
    };
    check_media_type(manner, endpoint, &parts.headers, &bytes)?;
    Ok(if manner.lenient_bodies && !endpoint.raw_body { as_utf8(bytes) } else { bytes })
}

/// A text that is not UTF-8 is taken for Latin-1 (ISO 8859-1), whose 256 characters are the first of Unicode.
fn as_utf8(bytes: Bytes) -> Bytes {
    if std::str::from_utf8(&bytes).is_ok() {
        return bytes;
    }
    bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into()
}

/// What a body is said to be, without parameters, in lower case; empty for nothing.
fn media_type(headers: &HeaderMap) -> String {
    let text = headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes())).unwrap_or_default();
    text.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

fn check_media_type(manner: &Manner, endpoint: &Endpoint, headers: &HeaderMap, bytes: &Bytes) -> Result<()> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    if bytes.is_empty() || endpoint.raw_body {
        return Ok(());
    }
    let essence = media_type(headers);
    let fits = match essence.as_str() {
        "" => true,
        sent if endpoint.body_type != JSON => sent == endpoint.body_type,
        HTML_FORM => manner.lenient_bodies && endpoint.takes_html_form(),
        sent => sent == JSON || (sent.starts_with("application/") && sent.ends_with("+json")),
    };
    let received = || String::from_utf8_lossy(value.as_bytes()).into_owned();
    if fits { Ok(()) } else { Err(Error::unsupported_media_type(received(), endpoint.body_type)) }
}

async fn path_params(parts: &mut Parts) -> Vec<(String, String)> {
    use axum::extract::FromRequestParts;
    match RawPathParams::from_request_parts(parts, &()).await {
        // No name has a null character, and not every database takes one.
        Ok(params) => params.iter().map(|(name, value)| (name.to_owned(), value.replace('\0', "\u{fffd}"))).collect(),
        Err(_) => Vec::new(), // not UTF-8: it names nothing that exists
    }
}

fn refuse(manner: &Manner, error: &Error, id: RequestId, parts: &Parts, trail: &mut Trail) -> Reply {
    trail.code = error.code().name();
    let mut reply = (manner.refuse)(error, &id.to_string()).with(CODE_HEADER, trail.code);
    if let Some(seconds) = error.retry_after() {
        reply = reply.with("retry-after", seconds.max(1).to_string());
    }
    if reply.status == StatusCode::UNAUTHORIZED {
        reply = reply.with("www-authenticate", manner.challenge);
    }
    if let (StatusCode::RANGE_NOT_SATISFIABLE, Some(tandem_catalogue::Value::Integer(size))) = (reply.status, error.value("size")) {
        reply = reply.with("content-range", format!("bytes */{size}"));
    }
    if let Some(tandem_catalogue::Value::Text(allowed)) = error.value("allowed") {
        reply = reply.with("allow", allowed.to_string());
    }
    if let Some(report) = error.internal_report() {
        let (path, code) = (parts.uri.path(), trail.code);
        match reply.status.is_server_error() {
            true => tracing::error!(request = %id, path, code, report, "a request failed"),
            false => tracing::debug!(request = %id, path, code, report, "a request was refused"),
        }
    }
    reply
}

#[expect(clippy::too_many_arguments, reason = "all that the log and the head of the answer need to know")]
fn conclude(
    shared: &Shared,
    manner: &Manner,
    endpoint: Option<&Endpoint>,
    id: RequestId,
    arrived: Timestamp,
    parts: &Parts,
    trail: Trail,
    reply: Reply,
) -> Response<Body> {
    let hint = trail.hints.lock().unwrap_or_else(PoisonError::into_inner).join("; ");
    let duration = (shared.app.machine_now().micros() - arrived.micros()).max(0);
    let route = endpoint.map_or("", |endpoint| endpoint.path);
    let status = reply.status.as_u16();
    count(manner, route, status, duration);
    let whole_path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let key = trail.principal.as_ref().map(|principal| &principal.key);
    shared.app.journal.note(JournalEntry {
        key: key.map(|key| key.id),
        request: Logged {
            id,
            environment: key.and_then(|key| key.environment),
            dialect: manner.dialect.as_str(),
            key_last_four: key.map_or_else(|| last_four(manner, parts), |key| key.last_four.clone()),
            method: parts.method.to_string(),
            route: parts.extensions.get::<MatchedPath>().map_or(route, MatchedPath::as_str).to_owned(),
            path: redact::path(whole_path),
            status: i64::from(status),
            code: trail.code,
            duration,
            hint: hint.clone(),
            body: redact::body(&trail.body),
            at: arrived,
        },
    });
    let mut response = response(reply, &parts.method);
    let headers = response.headers_mut();
    put(headers, "x-request-id", &id.to_string());
    if !hint.is_empty() {
        put(headers, "x-tandem-hint", &hint);
    }
    if let Some(allowance) = trail.allowance {
        put(headers, "x-ratelimit-limit", &allowance.limit.to_string());
        put(headers, "x-ratelimit-remaining", &allowance.remaining.to_string());
        put(headers, "x-ratelimit-reset", &allowance.reset.to_string());
    }
    response
}

fn last_four(manner: &Manner, parts: &Parts) -> String {
    match (manner.credential)(&parts.headers) {
        Shown::Key(key) | Shown::Pair { key, .. } if key.is_ascii() => KeyText::last_four(&key).to_owned(),
        _ => String::new(),
    }
}

fn count(manner: &Manner, route: &'static str, status: u16, duration: i64) {
    let labels = [("dialect", manner.dialect.as_str().to_owned()), ("route", route.to_owned()), ("status", status.to_string())];
    metrics::counter!("tandem_http_requests_total", &labels).increment(1);
    #[expect(clippy::cast_precision_loss, reason = "a histogram of seconds")]
    metrics::histogram!("tandem_http_request_seconds", "dialect" => manner.dialect.as_str()).record(duration as f64 / 1e6);
}

fn response(reply: Reply, method: &Method) -> Response<Body> {
    let length = reply.stream.as_ref().map_or(reply.body.len() as u64, |stream| stream.length);
    let streamed = reply.stream.as_ref().and_then(Streamed::take);
    let body = match streamed {
        _ if method == Method::HEAD => Body::empty(),
        Some(bytes) => Body::from_stream(bytes),
        None => Body::from(reply.body),
    };
    let mut response = Response::new(body);
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    if !reply.media_type.is_empty() && length > 0 {
        put(headers, "content-type", reply.media_type);
    }
    put(headers, "cache-control", "no-store");
    if method == Method::HEAD || reply.stream.is_some() {
        put(headers, "content-length", &length.to_string());
    }
    for (name, value) in &reply.headers {
        put(headers, name, value);
    }
    response
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    let printable: String = value.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect();
    if let Ok(value) = HeaderValue::from_str(&printable) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

fn address(parts: &Parts) -> IpAddr {
    let info = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    info.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip())
}
