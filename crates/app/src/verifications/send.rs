//! Sending a code, for the first time or again.

use tandem_catalogue::{Error, Result};
use tandem_domain::{
    Explanation,
    event::EventKind,
    message::Sender,
    verification::{Channel, LIFE, Locale, Secret, State, Verification, decide, hidden_text, make_code, text},
};
use tandem_kernel::{Caller, Money, PhoneNumber, Scope, Timestamp, VerificationId};
use tandem_store::{
    Tx,
    repo::{
        ledger,
        verifications::{self, Carrier},
    },
};

use super::{
    data,
    end::{EXPIRY_JOB, end},
    mac_of,
    spoken::{Begun, Speaker},
};
use crate::{
    App, Finish,
    app::{Desk, Pen},
    explain,
    messages::{Draft, Terms, send_in},
    permit,
};

/// A code to send.
#[derive(Debug, Clone)]
pub struct SendVerification {
    /// The number to verify.
    pub phone: PhoneNumber,
    /// In whose name.
    pub brand: String,
    /// By which way.
    pub channel: Channel,
    /// In which language.
    pub locale: Locale,
    /// Digits of the code, where there is none yet.
    pub code_length: i64,
}

/// A code that is on its way.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The verification.
    pub verification: Verification,
    /// What this sending costs when it leaves, in millionths.
    pub price: i64,
}

/// What of the platform a sending needs inside its unit of work.
#[derive(Clone)]
struct Means {
    pen: Pen,
    caller: Caller,
    way: Way,
    price: i64,
}

/// By which way a code goes.
#[derive(Clone)]
enum Way {
    /// In a message of this sender's.
    Text(Sender),
    /// In a call.
    Call(Speaker),
}

/// What a unit of work came to: a refusal is kept with its explanation.
type Outcome = std::result::Result<(Sent, Option<Begun>), Refused>;

/// A refusal that was written down.
struct Refused(Error);

/// Sends a code to a number. While a verification of the number lasts, its code is sent again.
///
/// # Errors
/// `insufficient_scope`, `verification_channel_unavailable`, then the refusals of [`decide`], those of a message or of a call, and
/// `insufficient_funds`.
pub async fn send(app: &App, caller: &Caller, command: SendVerification, finish: Finish<Sent>) -> Result<Sent> {
    permit(caller, Scope::Verify)?;
    let way = match command.channel {
        Channel::Sms => Way::Text(sender(app)?),
        Channel::Voice => Way::Call(Speaker::find(app, caller, &command).await?),
    };
    let means = Means { pen: app.pen(), caller: *caller, way: way.clone(), price: app.settings.verification_price };
    let phone = command.phone;
    let outcome = app.store.write(move |tx| send_one(tx, &means, &command, &finish)).await;
    match outcome {
        Ok(Ok((sent, begun))) => {
            app.outbox.ring();
            app.mailbox.ring();
            if let (Way::Call(speaker), Some(begun)) = (way, begun) {
                speaker.carry(begun).await;
            }
            Ok(sent)
        }
        Ok(Err(Refused(error))) => Err(error),
        // What undid the whole unit of work is explained outside it.
        Err(error) => {
            explain::refusal(app, caller, "verification", format!("no code was sent to {phone}"), &error);
            Err(error)
        }
    }
}

fn sender(app: &App) -> Result<Sender> {
    let sender = Sender::parse(&app.settings.verification_sender);
    sender.ok_or_else(|| Error::internal().because("the setting verification_sender is no sender"))
}

fn send_one(tx: &mut Tx, means: &Means, command: &SendVerification, finish: &Finish<Sent>) -> Result<Outcome> {
    let environment = means.caller.environment;
    let desk = means.pen.open(tx, environment)?;
    let policy = verifications::policy(tx, environment)?.unwrap_or_default();
    let latest = verifications::latest(tx, environment, command.phone)?;
    let history =
        verifications::history(tx, environment, means.caller.key, command.phone, latest.as_ref(), &policy.limits, desk.now)?;
    let mut why = Explanation::of("verification", means.caller.request.to_string());
    if let Err(error) = decide(&policy, &history, (command.channel, command.phone), desk.now, &mut why) {
        desk.explain(tx, &why.concluding(format!("no code was sent to {}", command.phone)))?;
        return Ok(Err(Refused(error)));
    }
    let live = over_if_late(tx, &desk, latest)?;
    let (verification, code) = match live {
        Some(verification) => again(&desk, verification, command)?,
        None => begin(&desk, means, command)?,
    };
    let first = verification.sends == 1;
    if first {
        verifications::insert(tx, &verification)?;
        desk.schedule(tx, EXPIRY_JOB, *verification.id.as_bytes(), 0, verification.expires_at)?;
    } else {
        verifications::update(tx, &verification)?;
    }
    let (carrier, begun) = match &means.way {
        Way::Text(sender) => {
            let message = send_in(tx, &desk, draft(means, sender, &verification, &code, desk.now))?;
            (Carrier::Message(message.id), None)
        }
        Way::Call(speaker) => {
            let begun = speaker.call(tx, &desk, &means.pen, &verification, (&code, means.price))?;
            (Carrier::Call(begun.id()), Some(begun))
        }
    };
    verifications::note_sending(tx, &verification, means.caller.key, carrier)?;
    let (member, id) = match carrier {
        Carrier::Message(id) => ("message_id", id.to_string()),
        Carrier::Call(id) => ("call_id", id.to_string()),
    };
    let mut told = data(&verification);
    if let Some(members) = told.as_object_mut() {
        members.insert(member.into(), id.clone().into());
        members.insert("sends".into(), verification.sends.into());
    }
    desk.event(tx, &verification.id.to_string(), EventKind::VerifySent, &told)?;
    why.note("a verification of the number lasts, so that its code is sent again", verification.expires_at.to_string(), !first);
    why.subject = verification.id.to_string();
    let price = Money::new(means.price, ledger::wallet(tx, environment)?.currency);
    desk.explain(tx, &why.concluding(format!("the code was handed over as {id} for {price}")))?;
    let sent = Sent { verification, price: means.price };
    finish(tx, &sent)?;
    Ok(Ok((sent, begun)))
}

/// The number's last verification if its code can still be used; one whose time is over ends now.
fn over_if_late(tx: &mut Tx, desk: &Desk, latest: Option<Verification>) -> Result<Option<Verification>> {
    match latest {
        Some(verification) if verification.is_live(desk.now) => Ok(Some(verification)),
        Some(verification) if matches!(verification.state, State::Pending(_)) => {
            end(tx, desk, verification, State::Expired)?;
            Ok(None)
        }
        _ => Ok(None),
    }
}

fn begin(desk: &Desk, means: &Means, command: &SendVerification) -> Result<(Verification, String)> {
    let id = desk.id(VerificationId::new);
    let code = make_code(command.code_length, &*desk.pen.rng);
    let secret = Secret { mac: mac_of(&desk.pen.vault, id, &code), sealed: desk.pen.vault.seal(code.as_bytes())? };
    let verification = Verification {
        id,
        environment: desk.settings.id,
        key: means.caller.key,
        phone: command.phone,
        channel: command.channel,
        brand: command.brand.clone(),
        locale: command.locale,
        code_length: command.code_length,
        state: State::Pending(secret),
        sends: 1,
        checks: 0,
        created_at: desk.now,
        sent_at: desk.now,
        expires_at: desk.now.plus_seconds(LIFE),
        ended_at: None,
        version: 1,
    };
    Ok((verification, code))
}

fn again(desk: &Desk, verification: Verification, command: &SendVerification) -> Result<(Verification, String)> {
    let State::Pending(secret) = &verification.state else {
        return Err(Error::internal().because("a live verification without its code"));
    };
    let opened = desk.pen.vault.open(&secret.sealed).and_then(|bytes| String::from_utf8(bytes).ok());
    let code = opened.ok_or_else(|| Error::internal().because("another secret key sealed the code"))?;
    Ok((verification.sent_again(command.channel, command.brand.clone(), command.locale, desk.now), code))
}

fn draft(means: &Means, sender: &Sender, verification: &Verification, code: &str, now: Timestamp) -> Draft {
    let Verification { locale, brand, code_length, .. } = verification;
    let minutes = verification.minutes_left(now);
    Draft {
        shown_body: Some(hidden_text(*locale, brand, *code_length, minutes)),
        validity: Some((verification.expires_at.micros() - now.micros()) / 1_000_000),
        terms: Terms::Priced(means.price),
        ..Draft::text(sender.clone(), verification.phone, text(*locale, brand, code, minutes))
    }
}
