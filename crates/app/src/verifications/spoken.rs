//! Codes that are said in calls. Such a call is one of ours: it has its money, its record and its events, and begins in the unit of work
//! that sends the code, so that there is one however often that is asked for, and whatever dies.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    Explanation, Features,
    call::{Direction, Live, Reason, money::Grant},
    event::EventKind,
    message::Sender,
    routing::Plan,
    verification::{Dictation, State, Verification},
};
use tandem_kernel::{CallId, Caller, PhoneNumber, VerificationId};
use tandem_store::{
    Tx,
    repo::{numbers, verifications},
};

use super::{SendVerification, data};
use crate::{
    App,
    app::{Desk, Pen},
    calls::{BeginCall, MadeCall, Next, Switchboard, Then, begin_in},
    routing::{self, Known},
};

/// Seconds that such a call may last.
const LONGEST: i64 = 120;
/// Who makes these calls, as their records say.
const BY: &str = "verification";

/// Whoever says codes.
#[derive(Clone)]
pub(super) struct Speaker {
    board: Arc<dyn Switchboard>,
    known: Known,
    /// The platform's number, where it has one.
    own: Option<PhoneNumber>,
}

/// A call that was begun and is to be carried.
pub(super) struct Begun {
    live: Live,
    grant: Grant,
    plan: Plan,
    dictation: Dictation,
}

impl Speaker {
    /// Whoever says codes here.
    ///
    /// # Errors
    /// `verification_channel_unavailable` where nothing carries calls, or nothing speaks the language.
    pub async fn find(app: &App, caller: &Caller, command: &SendVerification) -> Result<Self> {
        let silent = || Error::verification_channel_unavailable("channel", command.channel.as_str());
        let board = app.switchboard.get().cloned().ok_or_else(silent)?;
        if !board.speaks(command.locale).await {
            return Err(silent());
        }
        let own = Sender::parse(&app.settings.verification_sender).and_then(|sender| sender.number());
        Ok(Self { board, known: Known::of(app, caller.environment).await?, own })
    }

    /// Begins the call that says a code: its price is set aside, and paid once somebody takes it.
    ///
    /// # Errors
    /// Those of routing, and of [`crate::calls::begin`].
    pub fn call(
        &self,
        tx: &mut Tx,
        desk: &Desk,
        pen: &Pen,
        verification: &Verification,
        (code, price): (&str, i64),
    ) -> Result<Begun> {
        let to = verification.phone;
        let shown = match self.own {
            Some(own) => Some(own),
            None => numbers::oldest_with(tx, verification.environment, Features::VOICE)?.map(|number| number.phone),
        };
        let routed = routing::on_behalf_in(tx, pen, &self.known, shown, to)?;
        let plan = routed.plan?;
        let begin = BeginCall {
            id: desk.id(CallId::new),
            environment: verification.environment,
            direction: Direction::Outbound,
            from: shown,
            to,
            number: shown.unwrap_or(to),
            trunk_in: None,
            device: None,
            initiated_by: BY.to_owned(),
            from_name: None,
            path: Vec::new(),
            outside: plan.begin.outside().collect(),
            timeout: None,
            max_duration: Some(LONGEST),
            fee: Some(price),
            code: Some(verification.id),
            tags: Map::from_iter([("verification_id".to_owned(), Value::from(verification.id.to_string()))]),
            custom_fields: Map::new(),
            explanation: routed.explanation,
        };
        let (live, grant) = begin_in(tx, desk, &begin)?;
        let dictation = Dictation::of(verification.locale, &verification.brand, code);
        Ok(Begun { live, grant, plan, dictation })
    }

    /// Has a call carried that was begun.
    pub async fn carry(&self, begun: Begun) {
        let Begun { live, grant, plan, dictation } = begun;
        let then = Then { say: None, next: Next::Dictate(dictation) };
        self.board.carry(MadeCall { live, grant, plan, then }).await;
    }
}

impl Begun {
    /// The call.
    pub const fn id(&self) -> CallId {
        self.live.id
    }
}

/// Tells of a call that is over without that anybody has heard its code. The verification goes on: the same code can be sent again.
pub(crate) fn unheard(tx: &mut Tx, desk: &Desk, id: VerificationId, (call, reason): (CallId, Reason)) -> Result<()> {
    let Some(verification) = verifications::by_id(tx, id)? else { return Ok(()) };
    if !matches!(verification.state, State::Pending(_)) {
        return Ok(());
    }
    let code = reason.code().map_or(reason.as_str(), |code| code.name());
    let mut told = data(&verification);
    if let Some(members) = told.as_object_mut() {
        members.insert("call_id".into(), json!(call.to_string()));
        members.insert("error_code".into(), json!(code));
        members.insert("error_message".into(), json!(format!("nobody heard the code: {}", reason.as_str())));
    }
    desk.event(tx, &id.to_string(), EventKind::VerifyUndelivered, &told)?;
    let mut why = Explanation::of("verification", id.to_string());
    why.note("somebody takes the call and hears the code", format!("{call} ended: {}", reason.as_str()), false);
    let until = verification.expires_at;
    desk.explain(tx, &why.concluding(format!("the code was not heard; until {until} it can be sent again or come back")))
}
