//! Deliveries a second through the whole path (event, fan-out, signature, request, outcome written down), beside the same client sending
//! the same body with nothing around it.
//!
//! `webhooks [EVENTS [ENDPOINTS [DATABASE]]]`
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a measurement is read from its output and ends where it cannot be made"
)]

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, extract::State, routing::any};
use http::Method;
use serde_json::json;
use tandem_app::{
    App,
    accounts::{self, OpenAccount, Operator},
    nothing_more,
    webhooks::{self, CreateWebhook, Owner, Who},
};
use tandem_catalogue::Dialect;
use tandem_domain::{event::EventKind, webhook};
use tandem_kernel::{Currency, Environment, EnvironmentId};
use tandem_server::{config::Config, serve};
use tandem_webhooks::{Http, Limits, System};
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Events that one unit of work writes.
const TOGETHER: usize = 500;
/// Requests under way to one endpoint.
const EACH: usize = 16;

#[tokio::main]
async fn main() {
    let mut arguments = env::args().skip(1);
    let mut number = |usual: usize| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (events, endpoints) = (number(10_000), number(10));
    let (folder, arrived) = (tempfile::tempdir().expect("a folder"), Arc::new(AtomicUsize::new(0)));
    let url = sink(arrived.clone()).await;
    let mut config = Config { listen: "127.0.0.1:0".to_owned(), data_dir: folder.path().to_owned(), ..Config::default() };
    config.database = env::args().nth(3);
    config.webhooks.allow_private = true;
    let running = serve::start(config).await.expect("a server");
    let app = running.app.clone();
    let environment = crowd(&app, &url, endpoints).await;
    for round in 1..=3 {
        let bare = bare(&url, &arrived, events * endpoints).await;
        let ours = whole(&app, environment, &arrived, (events, endpoints, round)).await;
        println!("bare client {bare:8.0}/s   deliveries {ours:8.0}/s   ratio {:.2}", ours / bare);
    }
    running.stop().await;
}

/// A server that counts what it receives.
async fn sink(arrived: Arc<AtomicUsize>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let count = |State(arrived): State<Arc<AtomicUsize>>, _: axum::body::Bytes| async move {
        arrived.fetch_add(1, Ordering::Relaxed);
    };
    let router = Router::new().fallback(any(count)).with_state(arrived);
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| drop(stream.set_nodelay(true)));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/")
}

async fn crowd(app: &App, url: &str, endpoints: usize) -> EnvironmentId {
    let operator = Operator("bench".to_owned());
    let command = OpenAccount { name: "Bench".to_owned(), email: "bench@example.com".to_owned(), currency: Currency::USD };
    let opened = accounts::open(app, operator.clone(), command, nothing_more()).await.expect("an account");
    for _ in 0..endpoints {
        let command = CreateWebhook {
            owner: Owner { account: Some(opened.account.id.to_string()), kind: Some(Environment::Live) },
            dialect: Dialect::Native,
            url: url.to_owned(),
            description: String::new(),
            events: vec!["*".to_owned()],
            method: webhook::Method::Post,
        };
        webhooks::create(app, Who::Operator(operator.clone()), command, nothing_more()).await.expect("a webhook");
    }
    opened.environments.iter().find(|(settings, _)| settings.kind == Environment::Live).expect("an environment").0.id
}

async fn bare(url: &str, arrived: &AtomicUsize, count: usize) -> f64 {
    let limits = Limits { allow_private: true, ..Limits::default() };
    let (http, left) = (Arc::new(Http::new(Arc::new(System), limits)), Arc::new(AtomicUsize::new(count)));
    arrived.store(0, Ordering::Relaxed);
    let began = Instant::now();
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..EACH * 4 {
        let (http, left, url) = (http.clone(), left.clone(), url.to_owned());
        senders.spawn(async move {
            let headers = [("Content-Type".to_owned(), "application/json".to_owned())];
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                http.send(Method::POST, &url, &headers, vec![b'x'; 200]).await;
            }
        });
    }
    senders.join_all().await;
    rate(count, began)
}

async fn whole(
    app: &App,
    environment: EnvironmentId,
    arrived: &AtomicUsize,
    (events, endpoints, round): (usize, usize, usize),
) -> f64 {
    arrived.store(0, Ordering::Relaxed);
    let began = Instant::now();
    for batch in 0..events.div_ceil(TOGETHER) {
        let (pen, first) = (app.pen(), batch * TOGETHER);
        let written = app.store.write(move |tx| {
            let desk = pen.open(tx, environment)?;
            for event in first..(first + TOGETHER).min(events) {
                let data = json!({ "number": "+14155550123", "monthly": 0.99, "event": event });
                desk.event(tx, &format!("num_{round}_{event}"), EventKind::NumberPurchased, &data)?;
            }
            Ok(())
        });
        written.await.expect("written");
        app.mailbox.ring();
    }
    while arrived.load(Ordering::Relaxed) < events * endpoints {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    rate(events * endpoints, began)
}

#[expect(clippy::cast_precision_loss, reason = "a rate is read by eye")]
fn rate(count: usize, began: Instant) -> f64 {
    count as f64 / began.elapsed().as_secs_f64()
}
