//! Whoever sends requests.

use std::convert::Infallible;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use tandem_domain::sid::account_sid;
use tandem_kernel::AccountId;

use crate::{Answer, Server, answer::Exchange, contract, record};

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Sends requests with one credential and, where asked, further headers. Each request is a new value: nothing is remembered.
#[derive(Clone)]
pub struct Client {
    server: Server,
    key: Option<String>,
    account: Option<AccountId>,
    headers: Vec<(String, String)>,
    pool: Pool<HttpConnector, Body>,
}

impl Client {
    pub(crate) fn new(server: Server, key: Option<String>) -> Self {
        Self { server, key, account: None, headers: Vec::new(), pool: pool() }
    }

    /// The same client, which names this account where a dialect wants that beside the key.
    #[must_use]
    pub fn of(mut self, account: AccountId) -> Self {
        self.account = Some(account);
        self
    }

    /// The same client with a header more.
    #[must_use]
    pub fn header(&self, name: &str, value: impl Into<String>) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.into()));
        client
    }

    /// The same client, whose requests carry this `Idempotency-Key`.
    #[must_use]
    pub fn idempotency(&self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// Creates, or does something.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body.to_string().into_bytes())).await
    }

    /// Changes.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body.to_string().into_bytes())).await
    }

    /// Changes parts.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body.to_string().into_bytes())).await
    }

    /// Takes away.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// Sends a body as it is, announced as JSON unless a header says otherwise.
    pub async fn send(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Answer {
        let whole = Full::from(body.clone().unwrap_or_default()).boxed_unsync();
        let request = self.request(&method, path, body.is_some(), whole);
        self.exchange(request, method, path, body.unwrap_or_default()).await
    }

    /// Sends the head and half of a body, waits, and sends the rest if there is no answer by then.
    pub async fn send_in_two(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        meanwhile: impl Future<Output = ()> + Send + 'static,
    ) -> Answer {
        let (first, rest) = body.split_at(body.len() / 2);
        let frame = |bytes: &[u8]| Ok::<_, Infallible>(hyper::body::Frame::data(Bytes::copy_from_slice(bytes)));
        let (first, rest) = (frame(first), frame(rest));
        let later = stream::once(async move {
            meanwhile.await;
            rest
        });
        let halves = StreamBody::new(stream::iter([first]).chain(later)).boxed_unsync();
        let request = self.request(&method, path, true, halves);
        self.exchange(request, method, path, body).await
    }

    async fn exchange(&self, request: Request<Body>, method: Method, path: &str, body: Vec<u8>) -> Answer {
        let engine = self.server.engine().as_str();
        let sent = request.headers().clone();
        let response = self.pool.request(request).await.unwrap_or_else(|fault| panic!("{method} {path}: {fault:?}"));
        let (head, incoming) = response.into_parts();
        let bytes = incoming.collect().await.unwrap_or_else(|fault| panic!("{method} {path}: {fault:?}")).to_bytes();
        let exchange = Exchange {
            engine,
            method,
            path: path.to_owned(),
            sent,
            sent_body: body,
            status: head.status.as_u16(),
            headers: head.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes,
        };
        let answer = Answer::new(exchange);
        if let Some(origin) = contract::check(&answer) {
            record::keep(&answer, &origin);
        }
        answer
    }

    fn request(&self, method: &Method, path: &str, has_body: bool, body: Body) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.server.address()));
        if let Some(key) = &self.key {
            request = if path.starts_with("/fonedynamics") {
                let account = self.account.map(account_sid).unwrap_or_default();
                request.header(header::AUTHORIZATION, format!("Basic {}", STANDARD.encode(format!("{account}:{key}"))))
            } else if path.starts_with("/v1") || path.starts_with("/telephony") {
                request.header(header::AUTHORIZATION, format!("Bearer {key}"))
            } else {
                request.header("x-auth-token", key)
            };
        }
        let typed = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if has_body && !typed {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(body).unwrap_or_else(|fault| panic!("{method} {path}: {fault}"))
    }
}

fn pool() -> Pool<HttpConnector, Body> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Pool::builder(TokioExecutor::new()).build(connector)
}
