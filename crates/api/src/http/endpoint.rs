//! An operation of a dialect: what it is called, what it takes, what it may answer, and the function that does it.

use std::{future::Future, pin::Pin, sync::Arc};

use http::{Method, StatusCode};
use tandem_catalogue::{Code, Result};
use utoipa::openapi::{RefOr, schema::Schema};

use super::{
    call::Call,
    field::{Field, Kind},
    reply::Reply,
};

/// The largest body that an operation reads unless it says otherwise, in bytes.
pub const LARGEST_BODY: usize = 1024 * 1024;

/// Who may call an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// An account's key.
    Account,
    /// An operator's key.
    Operator,
    /// Either: an operator about anybody's objects, an account about its own.
    Either,
    /// Anybody, without a key.
    Anybody,
}

impl Access {
    /// The word that documents use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Operator => "operator",
            Self::Either => "either",
            Self::Anybody => "anybody",
        }
    }
}

/// What an operation does, boxed.
pub type Handler = Arc<dyn Fn(Call) -> Pin<Box<dyn Future<Output = Result<Reply>> + Send>> + Send + Sync>;

/// An operation.
#[derive(Clone)]
pub struct Endpoint {
    /// Its name in the OpenAPI document: `searchNumbers`.
    pub id: &'static str,
    /// The method.
    pub method: Method,
    /// The path within the dialect, with `{parameters}`.
    pub path: &'static str,
    /// A sentence about it.
    pub summary: &'static str,
    /// The heading under which it is listed.
    pub tag: &'static str,
    /// Who may call it.
    pub access: Access,
    /// What each parameter in the path is.
    pub path_docs: &'static [(&'static str, &'static str)],
    /// The query's parameters.
    pub query: &'static [Field],
    /// The body's members; none for operations without a body.
    pub body: Option<&'static [Field]>,
    /// The media type of such a body.
    pub body_type: &'static str,
    /// Whether the body is taken as it comes, of any media type.
    pub raw_body: bool,
    /// The media types that such a body is meant to have.
    pub raw_types: &'static [&'static str],
    /// The largest body that it reads, in bytes.
    pub largest_body: usize,
    /// The status of success.
    pub success: StatusCode,
    /// The media type of success.
    pub media_type: &'static str,
    /// The schema of success, and those that it refers to; none for an empty body.
    pub answer: Option<Shape>,
    /// Whether it answers sound, whole or in part, and what `answer` describes only where JSON is asked for.
    pub audio: bool,
    /// The errors that are its own, beside those of every operation.
    pub codes: &'static [Code],
    /// Whether it is new design and not the dialect's.
    pub ours: bool,
    /// Whether it costs something though it changes nothing: then its answers are kept for repetitions too.
    pub priced: bool,
    /// What it does.
    pub handler: Handler,
}

/// A schema by name, and how to gather all that it refers to.
#[derive(Clone, Copy)]
pub struct Shape {
    /// Adds the schema and those that it refers to.
    pub gather: fn(&mut Vec<(String, RefOr<Schema>)>),
    /// The schema itself, or a reference to it.
    pub schema: fn() -> RefOr<Schema>,
}

impl Shape {
    /// The shape of a wire type.
    #[must_use]
    pub fn of<T: utoipa::ToSchema>() -> Self {
        Self { gather: T::schemas, schema: T::schema }
    }
}

impl Endpoint {
    /// An operation that answers 200 to an account's key.
    #[must_use]
    pub fn new<F, R>(id: &'static str, method: Method, path: &'static str, summary: &'static str, handler: F) -> Self
    where
        F: Fn(Call) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Reply>> + Send + 'static,
    {
        Self {
            id,
            method,
            path,
            summary,
            tag: "",
            access: Access::Account,
            path_docs: &[],
            query: &[],
            body: None,
            body_type: super::reply::JSON,
            raw_body: false,
            raw_types: &["application/octet-stream"],
            largest_body: LARGEST_BODY,
            success: StatusCode::OK,
            media_type: super::reply::JSON,
            answer: None,
            audio: false,
            codes: &[],
            ours: false,
            priced: false,
            handler: Arc::new(move |call| Box::pin(handler(call))),
        }
    }

    /// The heading.
    #[must_use]
    pub fn tag(self, tag: &'static str) -> Self {
        Self { tag, ..self }
    }

    /// Who may call it.
    #[must_use]
    pub fn access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// The parameters in the path.
    #[must_use]
    pub fn path_docs(self, path_docs: &'static [(&'static str, &'static str)]) -> Self {
        Self { path_docs, ..self }
    }

    /// The query's parameters.
    #[must_use]
    pub fn query(self, query: &'static [Field]) -> Self {
        Self { query, ..self }
    }

    /// The body's members.
    #[must_use]
    pub fn body(self, body: &'static [Field]) -> Self {
        Self { body: Some(body), ..self }
    }

    /// A body of JSON of another media type.
    #[must_use]
    pub fn body_type(self, body_type: &'static str) -> Self {
        Self { body_type, ..self }
    }

    /// Whether the body may be an HTML form: such a form has no lists of objects and no objects.
    #[must_use]
    pub fn takes_html_form(&self) -> bool {
        let flat = |field: &Field| {
            !matches!(field.kind, Kind::Object(_) | Kind::Exact(_) | Kind::Objects(..) | Kind::Each(..) | Kind::Free)
        };
        self.body_type == super::reply::JSON && self.body.is_some_and(|fields| fields.iter().all(flat))
    }

    /// A body of any media type, handed on as it comes.
    #[must_use]
    pub fn raw_body(self) -> Self {
        Self { raw_body: true, ..self }
    }

    /// The media types that a body of any type is meant to have.
    #[must_use]
    pub fn raw_types(self, raw_types: &'static [&'static str]) -> Self {
        Self { raw_types, ..self }
    }

    /// The largest body, where the usual limit is too low.
    #[must_use]
    pub fn largest_body(self, largest_body: usize) -> Self {
        Self { largest_body, ..self }
    }

    /// The status and shape of success.
    #[must_use]
    pub fn answers<T: utoipa::ToSchema>(self, success: StatusCode) -> Self {
        Self { success, answer: Some(Shape::of::<T>()), ..self }
    }

    /// The status of success without a body.
    #[must_use]
    pub fn succeeds(self, success: StatusCode) -> Self {
        Self { success, ..self }
    }

    /// An answer of another media type.
    #[must_use]
    pub fn media_type(self, media_type: &'static str) -> Self {
        Self { media_type, ..self }
    }

    /// Sound, whole or in part; what [`Self::answers`] describes, if anything, only where JSON is asked for.
    #[must_use]
    pub fn audio(self) -> Self {
        Self { audio: true, ..self }
    }

    /// Its own errors.
    #[must_use]
    pub fn codes(self, codes: &'static [Code]) -> Self {
        Self { codes, ..self }
    }

    /// New design.
    #[must_use]
    pub fn ours(self) -> Self {
        Self { ours: true, ..self }
    }

    /// A price for reading.
    #[must_use]
    pub fn priced(self) -> Self {
        Self { priced: true, ..self }
    }

    /// Whether its answers are kept for repetitions: it changes something, or costs something.
    #[must_use]
    pub fn is_once(&self) -> bool {
        self.priced || self.is_unsafe()
    }

    /// Whether it changes anything.
    #[must_use]
    pub fn is_unsafe(&self) -> bool {
        !matches!(self.method, Method::GET | Method::HEAD)
    }
}
