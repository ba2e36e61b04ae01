//! What the client does and does not connect to.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use http::Method;
use tandem_app::fetch::{Fetch, FetchFault, Fetched};
use tandem_testkit::{Reaction, Receiver};
use tandem_webhooks::{Http, Limits, Resolve};

/// A name server that its owner lets say one thing after the other.
#[derive(Default)]
struct Says {
    answers: Mutex<Vec<SocketAddr>>,
    asked: AtomicUsize,
}

#[async_trait]
impl Resolve for Says {
    async fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().expect("no panic");
        let next = if answers.len() > 1 { answers.remove(0) } else { answers[0] };
        Ok(vec![next])
    }
}

fn says(answers: &[SocketAddr]) -> Arc<Says> {
    Arc::new(Says { answers: Mutex::new(answers.to_vec()), asked: AtomicUsize::new(0) })
}

fn client(resolver: &Arc<Says>, allow_private: bool) -> Http {
    Http::new(resolver.clone(), Limits { patience: Duration::from_secs(2), allow_private, ..Limits::default() })
}

fn place(receiver: &Receiver) -> SocketAddr {
    let url = receiver.url("");
    url.trim_start_matches("http://").parse().expect("an address")
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_where_the_connection_is_made() {
    let receiver = Receiver::start().await;
    let port = place(&receiver).port();
    for inside in [
        "127.0.0.1",
        "10.0.0.7",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[fd00::1]",
        "[fe80::1]",
    ] {
        let address: SocketAddr = format!("{inside}:{port}").parse().expect(inside);
        let resolver = says(&[address]);
        let sent = client(&resolver, false).send(Method::POST, "http://hook.example/", &[], b"{}".to_vec()).await;
        let words = format!("no connection: hook.example leads to {}, which is not a public address", address.ip());
        assert_eq!((sent.status, sent.fault), (None, Some(words)));
        assert_eq!(resolver.asked.load(Ordering::SeqCst), 1, "the address that is looked at is the one that would be connected to");
    }
    for url in ["http://127.0.0.1:1/", "http://[::1]:1/", "http://[::ffff:127.0.0.1]:1/"] {
        let sent = client(&says(&[place(&receiver)]), false).send(Method::POST, url, &[], Vec::new()).await;
        assert!(sent.fault.expect("words").ends_with("which is not a public address"), "{url}");
    }
    assert_eq!(receiver.count(), 0);
}

#[tokio::test]
async fn a_name_that_changes_its_mind_is_looked_at_again_for_each_connection() {
    let receiver = Receiver::start().await;
    receiver.react(Reaction::Raw(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".to_vec()));
    // Public at first, though nothing answers from there; then this machine.
    let public: SocketAddr = "[2001:500:ffff::1]:1".parse().expect("an address");
    let resolver = says(&[public, place(&receiver)]);
    let http = client(&resolver, false);
    for _ in 0..3 {
        let sent = http.send(Method::POST, "http://rebinding.example/", &[], Vec::new()).await;
        assert_eq!(sent.status, None);
    }
    assert_eq!((receiver.count(), resolver.asked.load(Ordering::SeqCst)), (0, 3));
}

#[tokio::test]
async fn what_is_inside_is_reached_where_that_is_allowed() {
    let receiver = Receiver::start().await;
    let http = client(&says(&[place(&receiver)]), true);
    let headers = [("X-Test".to_owned(), "1".to_owned())];
    let sent = http.send(Method::POST, "http://hook.example/a?b=c", &headers, b"{}".to_vec()).await;
    assert_eq!((sent.status, sent.answer.as_str(), sent.fault), (Some(200), "ok", None));
    let received = receiver.all().remove(0);
    assert_eq!((received.path.as_str(), received.header("host"), received.header("x-test")), ("/a?b=c", "hook.example", "1"));
    receiver.react(Reaction::Raw(b"HTTP/1.1 503 Busy\r\nretry-after: 17\r\ncontent-length: 0\r\n\r\n".to_vec()));
    let sent = http.send(Method::POST, "http://hook.example/", &[], Vec::new()).await;
    assert_eq!((sent.status, sent.retry_after), (Some(503), Some(17)));
    receiver.react(Reaction::Hang);
    let sent = http.send(Method::POST, "http://hook.example/", &[], Vec::new()).await;
    assert_eq!(sent.fault.as_deref(), Some("no answer within 2 seconds"));
    let sent = http.send(Method::POST, "https://hook.example/", &[], Vec::new()).await;
    assert!(sent.fault.expect("words").starts_with("no connection"), "it speaks no TLS");
}

#[tokio::test]
async fn media_are_fetched_whole_or_not_at_all() {
    let receiver = Receiver::start().await;
    let http = client(&says(&[place(&receiver)]), true);
    let answer = |body: &str| {
        Reaction::Raw(
            format!("HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes(),
        )
    };
    receiver.react(answer("picture"));
    let fetched = http.get("http://media.example/a.png", 7).await.expect("a picture");
    assert_eq!(fetched, Fetched { media_type: "image/png".to_owned(), content: b"picture".to_vec() });
    assert_eq!(http.get("http://media.example/a.png", 6).await, Err(FetchFault::TooLarge));
    receiver.react(Reaction::Status(404));
    assert_eq!(http.get("http://media.example/a.png", 6).await, Err(FetchFault::Status(404)));
    receiver.react(Reaction::Close);
    assert!(matches!(http.get("http://media.example/a.png", 6).await, Err(FetchFault::Unreachable(_))));
    let strict = client(&says(&[place(&receiver)]), false);
    assert!(matches!(strict.get("http://media.example/a.png", 6).await, Err(FetchFault::Refused(_))));
}
