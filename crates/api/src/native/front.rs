//! What is served outside any dialect: whether the server lives, whether it is ready, and the OpenAPI documents.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::Path,
    response::{IntoResponse, Redirect},
    routing::get,
};
use http::{Response, StatusCode, header};
use tandem_catalogue::{Code, Dialect, Error};

use super::problem;
use crate::{
    http::{pipeline::Shared, reply::Reply},
    router::openapi,
};

/// The routes outside any dialect.
pub fn front(shared: &Arc<Shared>) -> Router {
    let app = shared.app.clone();
    let ready = move || {
        let app = app.clone();
        async move {
            let answers = app.store.read(|tx| tx.query("SELECT 1", &[]).map(drop)).await;
            match answers {
                Ok(()) => said(Reply::json(StatusCode::OK, &serde_json::json!({ "ready": true }))),
                Err(error) => said(problem::refuse(&error, "")),
            }
        }
    };
    Router::new()
        .route("/healthz", get(|| async { said(Reply::json(StatusCode::OK, &serde_json::json!({ "alive": true }))) }))
        .route("/readyz", get(ready))
        .route("/openapi/{dialect}", get(document))
        .route("/errors/{code}", get(page))
}

async fn document(Path(name): Path<String>) -> Response<Body> {
    let dialect = Dialect::parse(name.strip_suffix(".json").unwrap_or(&name));
    match dialect.and_then(openapi) {
        Some(document) => said(Reply::json(StatusCode::OK, &document)),
        None => said(problem::refuse(&Error::resource_not_found("OpenAPI document", name), "")),
    }
}

/// What the `type` of a problem leads to.
async fn page(Path(name): Path<String>) -> Response<Body> {
    match Code::parse(&name) {
        Some(code) => Redirect::permanent(&format!("/v1/errors/{}", code.name())).into_response(),
        None => said(problem::refuse(&Error::resource_not_found("error", name), "")),
    }
}

fn said(reply: Reply) -> Response<Body> {
    (reply.status, [(header::CONTENT_TYPE, reply.media_type)], reply.body).into_response()
}
