//! The URLs that messages name for their own receipts and replies.

use std::collections::BTreeMap;

use serde_json::Value;
use tandem_catalogue::Result;
use tandem_domain::{
    event::EventKind,
    message::Callback,
    webhook::{Interest, Method, State, Target, Webhook},
};
use tandem_kernel::{EventId, WebhookId};
use tandem_store::{Tx, repo::webhooks};

use super::fan_out::{News, add, place};
use crate::app::Desk;

/// Something to tell a URL that a message names.
#[derive(Clone, Debug)]
pub(crate) struct MessageWebhook {
    /// The URL, and how it is called.
    pub to: Callback,
    /// What happened.
    pub event: EventKind,
    /// What is told of it, as events tell of messages.
    pub data: Value,
    /// The message that it happened to, by our id.
    pub object: String,
}

/// Tells URLs of messages' own, in the caller's unit of work: as endpoints of Fone Dynamics are told, with the headers of Standard
/// Webhooks beside. The URLs of one host share a place in the queue, so that a host which fails keeps no other waiting.
pub(crate) fn notify_messages_in(tx: &mut Tx, desk: &Desk, news: Vec<MessageWebhook>) -> Result<()> {
    let mut by_host: BTreeMap<(String, &'static str), Vec<MessageWebhook>> = BTreeMap::new();
    for one in news {
        by_host.entry((host(&one.to.url).to_owned(), one.to.method.as_str())).or_default().push(one);
    }
    let mut made = Vec::new();
    for ((host, method), news) in by_host {
        let mut webhook = webhook_of(tx, desk, &host, Method::parse(method).unwrap_or(Method::Post))?;
        let payloads: Vec<String> = news.iter().map(payload).collect();
        let told = news.iter().zip(&payloads).map(|(one, payload)| News {
            event: desk.id(EventId::new),
            kind: one.event.as_str(),
            object: &one.object,
            payload: Some(payload),
            at: desk.now,
        });
        made.extend(place(desk, &mut webhook, &told.collect::<Vec<_>>()));
    }
    if made.is_empty() { Ok(()) } else { add(tx, desk, &made) }
}

/// What is told, and where.
fn payload(news: &MessageWebhook) -> String {
    let mut data = news.data.clone();
    if let Some(members) = data.as_object_mut() {
        members.insert("uri".to_owned(), news.to.url.clone().into());
    }
    data.to_string()
}

/// A URL up to its path.
fn host(url: &str) -> &str {
    let after = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(after..).and_then(|rest| rest.find(['/', '?', '#'])).map_or(url.len(), |at| after + at);
    url.get(..end).unwrap_or(url)
}

fn webhook_of(tx: &mut Tx, desk: &Desk, host: &str, method: Method) -> Result<Webhook> {
    if let Some(known) = webhooks::of_messages(tx, desk.settings.id, host, method)? {
        return Ok(known);
    }
    let webhook = Webhook {
        id: desk.id(WebhookId::new),
        environment: desk.settings.id,
        target: Target::Message,
        url: host.to_owned(),
        description: String::new(),
        method,
        interest: Interest::All,
        state: State::Active,
        secrets: Vec::new(),
        failing_since: None,
        places: 0,
        created_at: desk.now,
        version: 1,
    };
    webhooks::insert(tx, &webhook)?;
    Ok(webhook)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_ends_where_its_path_begins() {
        for (url, expected) in [
            ("https://example.com/a/b?c=d", "https://example.com"),
            ("http://example.com:8080?c=d", "http://example.com:8080"),
            ("https://[::1]", "https://[::1]"),
        ] {
            assert_eq!(host(url), expected);
        }
    }
}
