//! What a dialog consists of (RFC 3261 section 12).

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use rsipstack::sip::{Headers, Method, Request, Response};

use super::DialogId;
use crate::{
    Login, Source, Target,
    core::{Core, Outcome},
    message::{self, Draft, field, list, lists, tag, untagged},
    net::Flow,
};

/// A dialog's state.
#[derive(Clone)]
pub(crate) struct State {
    pub id: DialogId,
    /// Our address, as it stands in our requests' From, without the tag.
    pub local: String,
    /// Theirs.
    pub remote: String,
    /// Where they want requests: the Request-URI.
    pub target: String,
    pub routes: Vec<String>,
    pub flow: Flow,
    pub contact: String,
    pub login: Option<Login>,
    /// Whether they take UPDATE.
    pub update: bool,
    seq: Arc<AtomicU32>,
    /// The last number of theirs.
    pub remote_seq: Option<u32>,
}

/// A contact as it can be used: one of a private network that came from outside of it stands for where it came from.
pub(crate) fn fixed(contact: &str, source: Source) -> String {
    let Some((host, port)) = message::host(contact) else { return contact.to_owned() };
    let Ok(address) = host.parse::<std::net::IpAddr>() else { return contact.to_owned() };
    let private = match address {
        std::net::IpAddr::V4(four) => {
            four.is_private()
                || four.is_link_local()
                || four.is_unspecified()
                || four.is_loopback()
                || (four.octets()[0] == 100 && four.octets()[1] & 0xc0 == 64)
        }
        std::net::IpAddr::V6(six) => {
            six.is_loopback() || six.is_unspecified() || six.is_unique_local() || six.is_unicast_link_local()
        }
    };
    if !private || address == source.address.ip() {
        return contact.to_owned();
    }
    let written = if address.is_ipv6() { format!("[{host}]") } else { host };
    let written = port.map_or_else(|| written.clone(), |port| format!("{written}:{port}"));
    contact.replacen(&written, &source.address.to_string(), 1)
}

impl State {
    /// The called side's (section 12.1.1).
    pub fn of_request(request: &Request, source: Source, flow: Flow, contact: String, local_tag: String) -> Option<Self> {
        let headers = &request.headers;
        let (from, to) = (field(headers, "From")?, field(headers, "To")?);
        let routes: Vec<String> = list(headers, "Record-Route").map(str::to_owned).collect();
        // RFC 2543 knew calls without a contact: they are reached where they came from.
        let said = list(headers, "Contact").next().and_then(message::uri).map(str::to_owned);
        let target = said.unwrap_or_else(|| format!("sip:{};transport={}", source.address, source.transport));
        let target = if routes.is_empty() { fixed(&target, source) } else { target };
        let id = DialogId { call_id: field(headers, "Call-ID")?.to_owned(), local_tag, remote_tag: tag(from)?.to_owned() };
        let (local, remote) = (untagged(to), untagged(from));
        let remote_seq = sequence(headers);
        let update = lists(headers, "Allow", "UPDATE");
        let seq = Arc::new(AtomicU32::new(message::random_below(1 << 30)));
        Some(Self { id, local, remote, target, routes, flow, contact, login: None, update, seq, remote_seq })
    }

    /// The calling side's (section 12.1.2).
    pub fn of_response(
        sent: &Request,
        response: &Response,
        flow: Flow,
        contact: String,
        login: Option<Login>,
        seq: Arc<AtomicU32>,
    ) -> Option<Self> {
        let (from, to) = (field(&sent.headers, "From")?, field(&response.headers, "To")?);
        let routes: Vec<String> =
            list(&response.headers, "Record-Route").map(str::to_owned).collect::<Vec<_>>().into_iter().rev().collect();
        let target =
            list(&response.headers, "Contact").next().and_then(message::uri).map_or_else(|| sent.uri.to_string(), str::to_owned);
        let target = if routes.is_empty() { fixed(&target, flow.peer) } else { target };
        let id = DialogId {
            call_id: field(&sent.headers, "Call-ID")?.to_owned(),
            local_tag: tag(from)?.to_owned(),
            remote_tag: tag(to).unwrap_or_default().to_owned(),
        };
        let (local, remote) = (untagged(from), untagged(to));
        let update = lists(&response.headers, "Allow", "UPDATE");
        Some(Self { id, local, remote, target, routes, flow, contact, login, update, seq, remote_seq: None })
    }

    /// Takes what a re-INVITE, an UPDATE or the answer to one changes (section 12.2).
    pub fn refresh(&mut self, headers: &Headers, source: Source) {
        if let Some(target) = list(headers, "Contact").next().and_then(message::uri) {
            self.target = if self.routes.is_empty() { fixed(target, source) } else { target.to_owned() };
        }
        if field(headers, "Allow").is_some() {
            self.update = lists(headers, "Allow", "UPDATE");
        }
    }

    /// The next number of ours.
    pub fn next(&self) -> u32 {
        self.seq.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// A request within the dialog.
    pub fn draft(&self, fields: Vec<(String, String)>, body: Option<(String, Vec<u8>)>) -> Draft {
        let bare = |address: &str, tag: &str| if tag.is_empty() { address.to_owned() } else { format!("{address};tag={tag}") };
        Draft {
            uri: self.target.clone(),
            from: bare(&self.local, &self.id.local_tag),
            to: bare(&self.remote, &self.id.remote_tag),
            call_id: self.id.call_id.clone(),
            cseq: self.next(),
            routes: self.routes.clone(),
            contact: Some(self.contact.clone()),
            max_forwards: 70,
            fields,
            body,
        }
    }

    /// Where requests go: the next hop's address, by the connection that is open where there is one.
    pub async fn way(&self, core: &Core) -> Option<Flow> {
        if self.flow.peer.transport != crate::Transport::Udp && !self.flow.closed.is_cancelled() {
            return Some(self.flow.clone());
        }
        let next = self.routes.first().and_then(|route| message::uri(route)).unwrap_or(&self.target);
        // What says nothing of a transport is reached as before: a device's contact often does not.
        let transport = crate::desk::transport_of(next).unwrap_or(self.flow.peer.transport);
        let (host, port) = message::host(next)?;
        core.reach(&Target::Host { transport, host, port }, next).await
    }

    /// Sends a request within the dialog and waits for its end.
    pub async fn send(
        &self,
        core: &Core,
        method: Method,
        fields: Vec<(String, String)>,
        body: Option<(String, Vec<u8>)>,
    ) -> Outcome {
        let Some(flow) = self.way(core).await else { return Outcome::Unreachable };
        let Some(request) = self.draft(fields, body).write(method, &core.config.product, &flow) else {
            return Outcome::Unreachable;
        };
        core.send(&flow, request, self.login.as_ref(), || self.next()).await
    }
}

/// The number of a request.
pub(crate) fn sequence(headers: &Headers) -> Option<u32> {
    field(headers, "CSeq")?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Transport;

    #[test]
    fn a_private_contact_from_outside_stands_for_where_it_came_from() {
        let source = Source { transport: Transport::Udp, address: "203.0.113.9:40000".parse().expect("an address") };
        assert_eq!(fixed("sip:a@192.168.1.2:5060;ob", source), "sip:a@203.0.113.9:40000;ob");
        assert_eq!(fixed("sip:a@100.64.0.1", source), "sip:a@203.0.113.9:40000");
        assert_eq!(fixed("sip:a@198.51.100.1:5060", source), "sip:a@198.51.100.1:5060");
        assert_eq!(fixed("sip:a@phone.example", source), "sip:a@phone.example");
    }
}
