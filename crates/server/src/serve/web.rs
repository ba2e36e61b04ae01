//! What is served over HTTP besides the dialects: metrics, and the answer to whether the server is ready.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    extract::{ConnectInfo, Request},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header};
use metrics_exporter_prometheus::PrometheusHandle;
use tandem_api::Options;
use tandem_app::App;
use tandem_catalogue::Dialect;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{config::Config, metrics};

/// Headers by which a proxy on this machine shows that somebody else asks.
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "via"];

/// Everything that the main port serves.
pub fn router(app: &App, config: &Config, recorder: &'static PrometheusHandle, with_metrics: bool) -> Router {
    let hosts = &config.hosts;
    let of = |dialect, hosts: &[String]| hosts.iter().map(move |host| (dialect, host.clone())).collect::<Vec<_>>();
    let options = Options {
        hosts: [
            of(Dialect::Audian, &hosts.audian),
            of(Dialect::FoneDynamics, &hosts.fonedynamics),
            of(Dialect::TelephonyIo, &hosts.telephony_io),
        ]
        .concat(),
        most_at_once: usize::try_from(config.limits.requests.max(1)).unwrap_or(usize::MAX),
        body_patience: Duration::from_secs(config.limits.body_seconds.max(1).into()),
    };
    let router = tandem_api::router(app.clone(), &options);
    if with_metrics { router.merge(metrics(app, recorder, true)) } else { router }
}

/// The metrics: for anybody who reaches a port of their own, and on the main port for this machine alone.
pub fn metrics(app: &App, recorder: &'static PrometheusHandle, local_only: bool) -> Router {
    let app = app.clone();
    let answer = move |request: Request| {
        let allowed = !local_only || is_local(&request);
        let app = app.clone();
        async move {
            if !allowed {
                return Response::builder().status(StatusCode::NOT_FOUND).body(axum::body::Body::empty()).unwrap_or_default();
            }
            metrics::measure_memory(&app);
            ([(header::CONTENT_TYPE, metrics::MEDIA_TYPE)], recorder.render()).into_response()
        }
    };
    Router::new().route("/metrics", get(answer))
}

fn is_local(request: &Request) -> bool {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let forwarded = FORWARDED.iter().any(|name| request.headers().contains_key(*name));
    peer.is_some_and(|peer| peer.0.ip().to_canonical().is_loopback()) && !forwarded
}

/// Asks a server over its socket whether it is ready.
pub async fn is_ready(address: SocketAddr) -> bool {
    let ask = async {
        let ip = match address.ip() {
            ip if !ip.is_unspecified() => ip,
            std::net::IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            std::net::IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        };
        let mut stream = TcpStream::connect((ip, address.port())).await?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        stream.take(4096).read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer.starts_with("HTTP/1.1 200 "))
    };
    let patience = std::time::Duration::from_secs(5);
    matches!(tokio::time::timeout(patience, ask).await, Ok(Ok(true)))
}
