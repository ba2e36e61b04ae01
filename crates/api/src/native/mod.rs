//! Our own API, `/v1`: for operators, and for accounts that want more than the dialects show.

mod account;
mod accounts;
mod audit;
mod calls;
mod catalogue;
mod clock;
mod devices;
mod events;
mod explain;
mod front;
mod handsets;
mod inventory;
mod keys;
mod lookup;
mod magic;
mod messages;
mod optouts;
mod page;
mod place;
mod pocket;
mod ports;
mod problem;
mod recordings;
mod requests;
mod smscs;
mod trunks;
mod verifications;
mod voicemails;
mod wallet;
mod webhooks;

use serde_json::json;
use tandem_catalogue::Dialect;

use crate::http::{
    Endpoint, Manner,
    manner::{Reading, bearer},
    reply::PROBLEM,
};

pub(crate) use front::front;

/// How this dialect reads and speaks.
#[must_use]
pub fn manner() -> Manner {
    Manner {
        dialect: Dialect::Native,
        prefix: "/v1",
        documented: "/v1",
        title: "Tandem API v1",
        credential: bearer,
        refuse: problem::refuse,
        error_type: PROBLEM,
        challenge: r#"Bearer realm="Tandem""#,
        strict: true,
        reading: Reading::Exact,
        lenient_bodies: false,
        security: || ("Bearer", json!({ "type": "http", "scheme": "bearer" })),
        error_schema: problem::schema,
        endpoints,
    }
}

fn endpoints() -> Vec<Endpoint> {
    let resources = [
        catalogue::endpoints,
        accounts::endpoints,
        keys::endpoints,
        wallet::endpoints,
        inventory::endpoints,
        ports::endpoints,
        audit::endpoints,
        account::endpoints,
        clock::endpoints,
        events::endpoints,
        requests::endpoints,
        explain::endpoints,
        lookup::endpoints,
        verifications::endpoints,
        handsets::endpoints,
        magic::endpoints,
        webhooks::endpoints,
        pocket::endpoints,
        smscs::endpoints,
        messages::endpoints,
        optouts::endpoints,
        trunks::endpoints,
        devices::endpoints,
        calls::endpoints,
        recordings::endpoints,
        voicemails::endpoints,
    ];
    resources.into_iter().flat_map(|resource| resource()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::{Router, routing::any};
    use serde_json::Value;

    use super::*;
    use crate::openapi;

    fn parameters(path: &str) -> Vec<&str> {
        path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect()
    }

    fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_operation_is_described() {
        let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
        for endpoint in endpoints() {
            let id = endpoint.id;
            assert!(ids.insert(id), "{id} is there twice");
            assert!(places.insert((endpoint.path, endpoint.method.to_string())), "{id} has another's method and path");
            assert!(!endpoint.tag.is_empty(), "{id} has no tag");
            assert!(endpoint.summary.ends_with('.') && endpoint.summary.len() > 10, "{id}: {}", endpoint.summary);
            let documented: Vec<_> = endpoint.path_docs.iter().map(|(name, _)| *name).collect();
            assert_eq!(parameters(endpoint.path), documented, "{id}");
            assert!(endpoint.path_docs.iter().all(|(_, doc)| doc.ends_with('.')), "{id}");
            assert!(endpoint.answer.is_some(), "{id} answers something undocumented");
            assert!(endpoint.body.is_none() || endpoint.is_unsafe(), "{id} reads no body");
        }
    }

    #[test]
    fn the_document_is_whole() {
        let document = openapi(Dialect::Native).expect("this dialect is served");
        let operations: usize =
            document["paths"].as_object().expect("paths").values().map(|path| path.as_object().map_or(0, |path| path.len())).sum();
        assert_eq!(operations, endpoints().len());
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        for reference in found {
            let pointer = reference.strip_prefix('#').expect("a reference within the document");
            assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
        }
    }

    #[test]
    fn no_path_is_in_the_way_of_another() {
        let paths: BTreeSet<_> = endpoints().into_iter().map(|endpoint| endpoint.path).collect();
        let routed = paths.iter().fold(Router::<()>::new(), |router, path| router.route(path, any(|| async {})));
        assert!(routed.has_routes());
    }
}
