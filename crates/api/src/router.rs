//! All dialects behind one port: by path, or by the host that their clients have built in.

use std::{collections::BTreeMap, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    routing::{MethodFilter, MethodRouter, any},
};
use http::{Response, header, request::Parts};
use tandem_app::App;
use tandem_catalogue::{Dialect, Error};
use tandem_kernel::EnvironmentId;
use tokio::sync::Semaphore;
use tower::ServiceExt;

use crate::{
    audian, fonedynamics,
    http::{
        endpoint::Endpoint,
        manner::Manner,
        openapi::document,
        pipeline::{self, Lost, Shared},
    },
    native, telephony_io,
};

/// What the HTTP side lets the operator choose.
#[derive(Debug, Clone)]
pub struct Options {
    /// Hosts on which a dialect is served under the paths that its clients know.
    pub hosts: Vec<(Dialect, String)>,
    /// Requests that are worked on at once at the most; one more is answered with `overloaded`.
    pub most_at_once: usize,
    /// How long a request's body may take to arrive.
    pub body_patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { hosts: Vec::new(), most_at_once: 4096, body_patience: Duration::from_secs(30) }
    }
}

fn manners() -> Vec<Manner> {
    vec![audian::manner(), fonedynamics::manner(), telephony_io::manner(), native::manner()]
}

/// The OpenAPI document of a dialect; none for one that is not served.
#[must_use]
pub fn openapi(dialect: Dialect) -> Option<serde_json::Value> {
    manners().iter().find(|manner| manner.dialect == dialect).map(document)
}

/// Everything that is served over HTTP.
pub fn router(app: App, options: &Options) -> Router {
    let shared = Arc::new(Shared {
        app,
        slots: Semaphore::new(options.most_at_once),
        flights: Arc::default(),
        body_patience: options.body_patience,
        nobody: EnvironmentId::from_bytes([0; 16]),
    });
    let manners: Vec<Arc<Manner>> = manners().into_iter().map(Arc::new).collect();
    let own = manners.iter().find(|manner| manner.dialect == Dialect::Native);
    let everywhere = paths(&shared, &manners, own);
    let by_host: BTreeMap<String, Router> = options
        .hosts
        .iter()
        .filter_map(|(dialect, host)| {
            let manner = manners.iter().find(|manner| manner.dialect == *dialect)?;
            let own = Router::new().nest(manner.documented, dialect_router(&shared, manner));
            let own = own.route(&format!("{}/", manner.documented), any(lost(&shared, manner)));
            // Whoever has the host built in understands its dialect only: also of what is nowhere.
            Some((host.to_ascii_lowercase(), own.fallback_service(paths(&shared, &manners, Some(manner)))))
        })
        .collect();
    if by_host.is_empty() {
        return everywhere;
    }
    let by_host = Arc::new(by_host);
    Router::new().fallback(any(move |request: Request| {
        let router = host_of(&request).and_then(|host| by_host.get(&host)).unwrap_or(&everywhere).clone();
        async move { answered(router.oneshot(request).await) }
    }))
}

/// All dialects by their prefixes; what is nowhere is told in the manner of one of them.
fn paths(shared: &Arc<Shared>, manners: &[Arc<Manner>], nowhere: Option<&Arc<Manner>>) -> Router {
    let mut router = native::front(shared);
    for manner in manners {
        // Nesting leaves out the prefix with a slash and nothing after it.
        router = router.nest(manner.prefix, dialect_router(shared, manner));
        router = router.route(&format!("{}/", manner.prefix), any(lost(shared, manner)));
    }
    match nowhere {
        Some(manner) => router.fallback(lost(shared, manner)),
        None => router,
    }
}

fn answered(outcome: Result<Response<Body>, Infallible>) -> Response<Body> {
    match outcome {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn host_of(request: &Request) -> Option<String> {
    let header = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().host().or(header)?;
    let name = if host.starts_with('[') { host } else { host.split(':').next().unwrap_or(host) };
    Some(name.to_ascii_lowercase())
}

fn dialect_router(shared: &Arc<Shared>, manner: &Arc<Manner>) -> Router {
    let mut by_path: BTreeMap<&'static str, Vec<Endpoint>> = BTreeMap::new();
    for endpoint in (manner.endpoints)() {
        by_path.entry(endpoint.path).or_default().push(endpoint);
    }
    let mut router = Router::new();
    for (path, endpoints) in by_path {
        router = router.route(path, methods(shared, manner, endpoints));
    }
    router.fallback(lost(shared, manner))
}

/// Says that there is nothing at a path.
fn lost(
    shared: &Arc<Shared>,
    manner: &Arc<Manner>,
) -> impl Fn(Request) -> std::pin::Pin<Box<dyn Future<Output = Response<Body>> + Send>> + Clone + Send + Sync + 'static {
    let nowhere: Lost = Arc::new(|parts: &Parts| Error::path_not_found(parts.uri.path().to_owned()));
    handler(shared, manner, None, nowhere)
}

fn methods(shared: &Arc<Shared>, manner: &Arc<Manner>, endpoints: Vec<Endpoint>) -> MethodRouter {
    let mut allowed: Vec<&str> = endpoints.iter().map(|endpoint| endpoint.method.as_str()).collect();
    if allowed.contains(&"GET") {
        allowed.push("HEAD");
    }
    allowed.sort_unstable();
    let allowed = allowed.join(", ");
    let wrong: Lost = Arc::new(move |parts: &Parts| Error::method_not_allowed(parts.method.to_string(), allowed.clone()));
    let mut methods = MethodRouter::new();
    for endpoint in endpoints {
        if let Ok(filter) = MethodFilter::try_from(endpoint.method.clone()) {
            methods = methods.on(filter, handler(shared, manner, Some(Arc::new(endpoint)), wrong.clone()));
        }
    }
    methods.fallback(handler(shared, manner, None, wrong))
}

/// Serves one operation, or says why there is none.
pub(crate) fn handler(
    shared: &Arc<Shared>,
    manner: &Arc<Manner>,
    endpoint: Option<Arc<Endpoint>>,
    lost: Lost,
) -> impl Fn(Request) -> std::pin::Pin<Box<dyn Future<Output = Response<Body>> + Send>> + Clone + Send + Sync + 'static {
    let (shared, manner) = (shared.clone(), manner.clone());
    move |request: Request| Box::pin(pipeline::serve(shared.clone(), manner.clone(), endpoint.clone(), lost.clone(), request))
}
