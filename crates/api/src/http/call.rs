//! A request on its way through a handler.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value};
use tandem_app::{App, Asker, Finish, Operation, Principal, accounts::Operator};
use tandem_catalogue::{Error, Result};
use tandem_kernel::{Caller, RequestId};
use tandem_store::Tx;

use super::{
    field::{Field, Kind},
    form::Form,
    manner::Reading,
    once::Once,
    pairs::form_pairs,
    reply::Reply,
};

/// Unknown names of which a request is told at the most.
const MOST_HINTS: usize = 8;

/// A request that was let in.
pub struct Call {
    /// The platform.
    pub app: App,
    /// Its id, which the answer carries.
    pub request: RequestId,
    /// Whose credential it carries; none where none is needed.
    pub principal: Option<Principal>,
    /// The parameters in the path, decoded.
    pub path: Vec<(String, String)>,
    /// The parameters of the query, decoded.
    pub query: Vec<(String, String)>,
    /// The body.
    pub bytes: Bytes,
    /// Whether only the head of the answer is wanted.
    pub head: bool,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its place among repetitions of the same request.
    pub once: Arc<Once>,
    /// What it takes.
    pub query_fields: &'static [Field],
    /// What its body takes.
    pub body_fields: &'static [Field],
    /// Whether the body is an HTML form.
    pub is_html_form: bool,
    /// Whether a name that nobody knows is refused.
    pub strict: bool,
    /// How names and words are compared.
    pub reading: Reading,
    /// Unknown names, for the hint header.
    pub hints: Arc<Mutex<Vec<String>>>,
}

impl Call {
    /// Who asks.
    ///
    /// # Errors
    /// `invalid_api_key` for a credential that opens no environment.
    pub fn caller(&self) -> Result<Caller> {
        let principal = self.principal.as_ref().ok_or_else(Error::missing_authentication)?;
        let environment = principal.environment.as_ref().ok_or_else(Error::invalid_api_key)?;
        Ok(Caller {
            account: environment.settings.account,
            environment: environment.settings.id,
            kind: environment.settings.kind,
            key: principal.key.id,
            scopes: principal.key.scopes,
            request: self.request,
        })
    }

    /// Who asks, where both operators and accounts may.
    ///
    /// # Errors
    /// As [`Self::caller`].
    pub fn asker(&self) -> Result<Asker> {
        match &self.principal {
            Some(principal) if principal.is_operator() => Ok(Asker::Operator),
            _ => self.caller().map(Asker::Account),
        }
    }

    /// The operator that asks, for the audit.
    #[must_use]
    pub fn operator(&self) -> Operator {
        Operator(self.principal.as_ref().map_or_else(String::new, |principal| principal.key.id.to_string()))
    }

    /// Which request this is among its repetitions.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.once.operation(self.request)
    }

    /// A parameter in the path; empty where the path has none of that name.
    #[must_use]
    pub fn param(&self, name: &str) -> &str {
        self.path.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The query, by the description of its fields.
    ///
    /// # Errors
    /// `unknown_parameter` where unknown names are refused.
    pub fn query_form(&self) -> Result<Form> {
        self.checked(Form::query(&self.query, self.query_fields, self.reading))
    }

    /// The body, by the description of its members. No body is an empty object.
    ///
    /// # Errors
    /// `malformed_body`, `unknown_parameter` where unknown names are refused.
    pub fn body_form(&self) -> Result<Form> {
        if self.is_html_form {
            let pairs = form_pairs(&String::from_utf8_lossy(&self.bytes)).into_iter().filter_map(|pair| self.filled_in(pair));
            return self.checked(Form::query(&pairs.collect::<Vec<_>>(), self.body_fields, self.reading));
        }
        let members = body_members(&self.bytes)?;
        self.checked(Form::body(members, self.body_fields, self.reading))
    }

    /// Refuses names that no field has, where that is the manner: also for an operation that takes no fields at all.
    ///
    /// # Errors
    /// `unknown_parameter`, `malformed_body`.
    pub fn check_names(&self, raw_body: bool) -> Result<()> {
        if self.strict {
            self.query_form()?;
            if !raw_body {
                self.body_form()?;
            }
        }
        Ok(())
    }

    /// Does the work of a changing operation and renders its outcome: the answer is kept in the same unit of work for repetitions.
    ///
    /// # Errors
    /// What the work fails with.
    pub async fn answer<V, R>(
        &self,
        render: impl Fn(&V) -> Reply + Clone + Send + Sync + 'static,
        work: impl FnOnce(Finish<V>) -> R,
    ) -> Result<Reply>
    where
        V: 'static,
        R: Future<Output = Result<V>>,
    {
        self.answer_once(render.clone(), render, work).await
    }

    /// As [`Self::answer`], but repetitions get what `kept` renders: for answers with a secret in them, which is not kept.
    ///
    /// # Errors
    /// What the work fails with.
    pub async fn answer_once<V, R>(
        &self,
        render: impl Fn(&V) -> Reply,
        kept: impl Fn(&V) -> Reply + Send + Sync + 'static,
        work: impl FnOnce(Finish<V>) -> R,
    ) -> Result<Reply>
    where
        V: 'static,
        R: Future<Output = Result<V>>,
    {
        let once = self.once.clone();
        let finish: Finish<V> = Arc::new(move |tx: &mut Tx, view: &V| once.keep(tx, &kept(view)));
        work(finish).await.map(|view| render(&view))
    }

    /// Keeps the answer of an operation that was done outside the store, and gives it.
    pub async fn done(&self, reply: Reply) -> Reply {
        let (once, kept) = (self.once.clone(), reply.clone());
        if let Err(error) = self.app.store.write(move |tx: &mut Tx| once.keep(tx, &kept)).await {
            tracing::warn!(request = %self.request, ?error, "an answer cannot be kept for repetitions");
        }
        reply
    }

    /// A field of a page as it was meant: left empty it is none, and a plus that was not encoded has become a space.
    fn filled_in(&self, (name, value): (String, String)) -> Option<(String, String)> {
        let same = |field: &&Field| field.spellings().any(|known| self.reading.same(&name, known));
        let kind = self.body_fields.iter().find(same).map(|field| field.kind);
        match (kind, value.strip_prefix(' ')) {
            (Some(kind), _) if value.is_empty() && !kind.is_text() => None,
            (Some(Kind::Phone), Some(digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some((name, format!("+{digits}")))
            }
            _ => Some((name, value)),
        }
    }

    fn checked(&self, form: Form) -> Result<Form> {
        let unknown = form.unknown();
        let hint =
            |near: Option<&str>| near.map_or_else(|| "see the documentation".to_owned(), |near| format!("did you mean '{near}'?"));
        if self.strict && !unknown.is_empty() {
            let mut errors = unknown.into_iter().map(|(name, near)| Error::unknown_parameter(name, hint(near)));
            return match errors.next() {
                Some(first) => Err(first.and(errors.collect())),
                None => Ok(form),
            };
        }
        if self.strict {
            return Ok(form);
        }
        let mut hints = self.hints.lock().unwrap_or_else(PoisonError::into_inner);
        hints.extend(unknown.into_iter().chain(form.unknown_within(MOST_HINTS)).take(MOST_HINTS).map(|(name, near)| match near {
            Some(near) => format!("{name} is ignored; did you mean {near}?"),
            None => format!("{name} is ignored"),
        }));
        Ok(form)
    }
}

/// The members of a JSON body.
///
/// # Errors
/// `malformed_body`.
pub fn body_members(bytes: &[u8]) -> Result<Map<String, Value>> {
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Error::malformed_body("it must be a JSON object")),
        Err(fault) => Err(Error::malformed_body(format!("JSON expected, {}", place(&fault)))),
    }
}

fn place(fault: &serde_json::Error) -> String {
    let what = match fault.classify() {
        serde_json::error::Category::Eof => "but the body ends early",
        _ => "something else found",
    };
    format!("{what} at line {} column {}", fault.line(), fault.column())
}
