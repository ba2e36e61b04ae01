//! The yardstick of `bench/http`: an axum server that does nothing but return a body of a given size.
//!
//! `bare ADDRESS SIZE`

use std::{env, sync::Arc};

use axum::{Router, extract::State, http::header, routing::any};
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let mut arguments = env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let size: usize = arguments.next().and_then(|size| size.parse().ok()).unwrap_or(1000);
    let body: Arc<str> = format!("{{\"data\":\"{}\"}}", "x".repeat(size.saturating_sub(11))).into();
    let answer = |State(body): State<Arc<str>>| async move { ([(header::CONTENT_TYPE, "application/json")], body.to_string()) };
    let router = Router::new().fallback(any(answer)).with_state(body);
    let listener = axum::serve::ListenerExt::tap_io(TcpListener::bind(address).await?, |stream| {
        let _ = stream.set_nodelay(true); // a socket that is gone already needs none
    });
    axum::serve(listener, router).await
}
