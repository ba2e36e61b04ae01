//! Who asks: credentials of a request, and what follows where they are missing or wrong (RFC 3261 section 22).

use rsipstack::{sip::Method, transaction::transaction::Transaction};

use crate::{
    Fault, Notice, OwnerId, Source,
    core::Core,
    digest::Verified,
    message::{self, Answer, field, values},
};

/// Who a request is from, or what it is answered with.
pub(crate) async fn authenticate(core: &Core, transaction: &Transaction, source: Source) -> Result<(OwnerId, String), Answer> {
    let request = &transaction.original;
    let shown: Vec<&str> =
        values(&request.headers, "Authorization").chain(values(&request.headers, "Proxy-Authorization")).collect();
    let method = request.method.to_string();
    let fault = match core.digests.verify(&*core.desk, &method, &shown).await {
        Verified::Yes { owner, username } => {
            core.admission.prove(source.address.ip());
            return Ok((owner, username));
        }
        Verified::Stale => return Err(challenge(core, true)),
        Verified::Missing => {
            unknown(core, transaction, source).await;
            return Err(challenge(core, false));
        }
        Verified::Replayed { username } => (Fault::Replay, 1, username),
        Verified::Wrong { username, known: true } => (Fault::WrongCredentials, 1, username),
        Verified::Wrong { username, known: false } => (Fault::UnknownUser, 2, username),
    };
    let (fault, weight, user) = fault;
    // A replay may be an answer that was lost: it is asked again, and says so.
    let answer = challenge(core, fault == Fault::Replay);
    refused(core, source, &method, Some(user), fault, answer.status);
    strike(core, source, weight, fault);
    Err(answer)
}

/// Whether a request shows credentials, or its From is a user's. Numbers are nobody's user name, so that trunks' calls ask nothing.
pub(crate) async fn names_a_user(core: &Core, transaction: &Transaction) -> bool {
    let headers = &transaction.original.headers;
    if field(headers, "Authorization").is_some() || field(headers, "Proxy-Authorization").is_some() {
        return true;
    }
    match field(headers, "From").and_then(message::uri).and_then(message::user) {
        Some(user) if user.bytes().any(|octet| octet.is_ascii_alphabetic()) => {
            core.desk.credentials(&core.config.realm, &user).await.is_some()
        }
        _ => false,
    }
}

/// Who asks for one unknown user after another is looking for those that exist. All get the same challenge.
async fn unknown(core: &Core, transaction: &Transaction, source: Source) {
    let request = &transaction.original;
    let name = if request.method == Method::Register { "To" } else { "From" };
    let Some(user) = field(&request.headers, name).and_then(message::uri).and_then(message::user) else { return };
    if core.desk.credentials(&core.config.realm, &user).await.is_none() {
        refused(core, source, &request.method.to_string(), Some(user), Fault::UnknownUser, 401);
        strike(core, source, 1, Fault::UnknownUser);
    }
}

/// Tells the owner of a refusal.
pub(crate) fn refused(core: &Core, source: Source, method: &str, user: Option<String>, fault: Fault, status: u16) {
    tracing::debug!(%source, method, ?fault, status, "refused");
    core.desk.notice(Notice::Refused { source, method: method.to_owned(), user, fault, status });
}

fn strike(core: &Core, source: Source, weight: u32, fault: Fault) {
    let address = source.address.ip();
    if let Some(ban) = core.admission.strike(address, weight) {
        tracing::warn!(%address, ?fault, seconds = ban.seconds, "an address is not listened to for a while");
        core.desk.notice(Notice::Banned { address, seconds: ban.seconds, fault, strikes: ban.strikes });
    }
}

fn challenge(core: &Core, stale: bool) -> Answer {
    let fields = core.digests.challenges(stale).into_iter().map(|challenge| ("WWW-Authenticate".to_owned(), challenge)).collect();
    Answer { status: 401, fields, sdp: None }
}
