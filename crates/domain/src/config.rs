//! What happens when a number is called or written to.

use tandem_catalogue::{Dialect, Error, Result};
use tandem_kernel::{DeviceId, PhoneNumber, Timestamp};

use crate::{
    flow::Hours,
    webhook::{Method, check_url},
    words::words,
};

/// The longest friendly name, in characters.
pub const LONGEST_NAME: i64 = 128;
const MOST_RULES: usize = 32;
/// Telephones that a number can ring.
pub const MOST_RING_TARGETS: usize = 20;
/// Seconds that one of them rings where nothing else is said, and the least and the most.
pub const RING_SECONDS: (i64, i64, i64) = (20, 5, 120);
const VOICEMAIL_DAYS: i64 = 30;

/// A number's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct NumberConfig {
    /// Telephones that ring before a call is forwarded.
    pub ring: Option<Ring>,
    /// Where calls go.
    pub call_forwarding: Option<Forwarding>,
    /// What becomes of calls that nobody takes.
    pub voicemail: Option<Voicemail>,
    /// Who is told of incoming messages.
    pub sms_webhook: Option<String>,
    /// How that is called where it is spoken to as Fone Dynamics' webhooks are; none where it is as Audian's.
    pub sms_webhook_method: Option<Method>,
    /// Who is asked about incoming calls.
    pub voice_webhook: Option<String>,
    /// The conference that callers join.
    pub conference_id: Option<String>,
    /// The call flow that answers.
    pub call_flow_id: Option<String>,
    /// Forward targets by time of day.
    pub schedule: Option<Schedule>,
    /// Whether calls are recorded.
    pub recording: Option<Recording>,
    /// What calls to the number are put down to.
    pub attribution: Attribution,
    /// Where messages that come in are sent on to.
    pub sms_forwarding: SmsForwarding,
}

/// What calls and messages are put down to in the owner's statistics.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Attribution {
    /// Where people found the number.
    pub source: Option<String>,
    /// By what means.
    pub medium: Option<String>,
    /// In which campaign.
    pub campaign: Option<String>,
    /// By which content of it.
    pub content: Option<String>,
}

/// Where messages that come in are sent on to.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SmsForwarding {
    /// Whom a message that is sent on comes from; whoever wrote it, if none.
    pub sms_from: Option<String>,
    /// The number that gets it as a message.
    pub sms_to: Option<PhoneNumber>,
    /// Whom an e-mail comes from.
    pub email_from: Option<String>,
    /// Who gets it as an e-mail.
    pub email_to: Option<String>,
}

/// Telephones that ring when a number is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    /// In which order.
    pub strategy: Strategy,
    /// Which.
    pub targets: Vec<RingTarget>,
}

words! {
    /// In which order telephones ring.
    Strategy {
        /// One after the other.
        InTurn = "in_turn",
        /// All together.
        AtOnce = "at_once",
    }
}

/// One telephone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingTarget {
    /// Which.
    pub to: RingTo,
    /// How long it rings, in seconds.
    pub seconds: i64,
}

/// Which telephone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RingTo {
    /// A SIP device.
    Device(DeviceId),
    /// A number.
    Number(PhoneNumber),
}

/// Where calls are forwarded.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Forwarding {
    /// Whether they are.
    pub enabled: bool,
    /// The target.
    pub forward_to: Option<PhoneNumber>,
    /// Only when the number's own devices cannot be reached.
    pub when_unavailable: Option<bool>,
    /// Rings before the call goes on, 1 to 12.
    pub rings_before_forward: Option<i64>,
}

/// What becomes of calls that nobody takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voicemail {
    /// Whether callers may leave a message.
    pub enabled: bool,
    /// Whether messages are written down.
    pub transcription: bool,
    /// Days that messages are kept, 1 to 365.
    pub delete_after_days: i64,
    /// The recording that callers hear before the tone; a spoken sentence if none.
    pub greeting: Option<String>,
}

impl Default for Voicemail {
    fn default() -> Self {
        Self { enabled: false, transcription: false, delete_after_days: VOICEMAIL_DAYS, greeting: None }
    }
}

/// Forward targets by time of day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// An IANA time zone.
    pub time_zone: String,
    /// Looked at in order; the first that fits wins.
    pub rules: Vec<ScheduleRule>,
}

/// One stretch of the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleRule {
    /// Days, 1 for Monday to 7 for Sunday.
    pub days: Vec<i64>,
    /// `HH:MM`, inclusive.
    pub from: String,
    /// `HH:MM`, exclusive; before `from` it runs past midnight.
    pub to: String,
    /// The target.
    pub forward_to: PhoneNumber,
}

/// Whether calls are recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Whether they are.
    pub enabled: bool,
    /// `wav`, `mp3` or `opus`.
    pub format: String,
    /// `all`, `caller` or `callee`.
    pub participant: String,
}

impl Default for Recording {
    fn default() -> Self {
        Self { enabled: false, format: "wav".to_owned(), participant: "all".to_owned() }
    }
}

/// What a change does to one member.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// Nothing.
    #[default]
    Keep,
    /// Takes it away.
    Clear,
    /// Puts it in.
    Set(T),
}

impl<T> Patch<T> {
    fn apply(self, to: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *to = None,
            Self::Set(value) => *to = Some(value),
        }
    }
}

/// A change of a number's configuration: members that are not named stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigChange {
    /// The owner's name for the number.
    pub friendly_name: Patch<String>,
    /// See [`NumberConfig`].
    pub ring: Patch<Ring>,
    /// Members of the forwarding.
    pub call_forwarding: Patch<ForwardingChange>,
    /// Members of the voicemail.
    pub voicemail: Patch<VoicemailChange>,
    /// See [`NumberConfig`].
    pub sms_webhook: Patch<String>,
    /// See [`NumberConfig`].
    pub sms_webhook_method: Patch<Method>,
    /// See [`NumberConfig`].
    pub voice_webhook: Patch<String>,
    /// See [`NumberConfig`].
    pub conference_id: Patch<String>,
    /// See [`NumberConfig`].
    pub call_flow_id: Patch<String>,
    /// See [`NumberConfig`].
    pub schedule: Patch<Schedule>,
    /// See [`NumberConfig`].
    pub recording: Patch<Recording>,
    /// Switches recording on or off and leaves the rest of it as it is.
    pub is_recorded: Option<bool>,
    /// Switches forwarding off and leaves its target as it is.
    pub stops_forwarding: bool,
    /// See [`Attribution`].
    pub attribution: AttributionChange,
    /// See [`SmsForwarding`].
    pub sms_forwarding: SmsForwardingChange,
}

/// A change of the attribution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttributionChange {
    /// See [`Attribution`].
    pub source: Patch<String>,
    /// See [`Attribution`].
    pub medium: Patch<String>,
    /// See [`Attribution`].
    pub campaign: Patch<String>,
    /// See [`Attribution`].
    pub content: Patch<String>,
}

/// A change of where messages are sent on to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SmsForwardingChange {
    /// See [`SmsForwarding`].
    pub sms_from: Patch<String>,
    /// See [`SmsForwarding`].
    pub sms_to: Patch<PhoneNumber>,
    /// See [`SmsForwarding`].
    pub email_from: Patch<String>,
    /// See [`SmsForwarding`].
    pub email_to: Patch<String>,
}

impl AttributionChange {
    fn apply(&self, to: &mut Attribution) {
        self.source.clone().apply(&mut to.source);
        self.medium.clone().apply(&mut to.medium);
        self.campaign.clone().apply(&mut to.campaign);
        self.content.clone().apply(&mut to.content);
    }
}

impl SmsForwardingChange {
    fn apply(&self, to: &mut SmsForwarding) {
        self.sms_from.clone().apply(&mut to.sms_from);
        self.sms_to.clone().apply(&mut to.sms_to);
        self.email_from.clone().apply(&mut to.email_from);
        self.email_to.clone().apply(&mut to.email_to);
    }
}

/// A change of the forwarding. The target is still the caller's text: what is wrong with it is a routing fault, not a format one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForwardingChange {
    /// See [`Forwarding`].
    pub enabled: Patch<bool>,
    /// See [`Forwarding`].
    pub forward_to: Patch<String>,
    /// See [`Forwarding`].
    pub when_unavailable: Patch<bool>,
    /// See [`Forwarding`].
    pub rings_before_forward: Patch<i64>,
}

/// A change of the voicemail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VoicemailChange {
    /// See [`Voicemail`].
    pub enabled: Patch<bool>,
    /// See [`Voicemail`].
    pub transcription: Patch<bool>,
    /// See [`Voicemail`].
    pub delete_after_days: Patch<i64>,
    /// See [`Voicemail`].
    pub greeting: Patch<String>,
}

impl ConfigChange {
    /// Checks the URLs that are to be called: as those of webhooks, but that plain HTTP will do.
    ///
    /// # Errors
    /// `invalid_value`, with its field.
    pub fn check_urls(&self, allow_private: bool) -> Result<()> {
        for (field, url) in [("sms_webhook", &self.sms_webhook), ("voice_webhook", &self.voice_webhook)] {
            if let Patch::Set(url) = url {
                check_url(field, url, Dialect::Native, allow_private)?;
            }
        }
        Ok(())
    }
}

impl NumberConfig {
    /// The configuration after `change`, checked member by member; whether targets can be reached is [`crate::routing`]'s question.
    ///
    /// # Errors
    /// `out_of_range`, `too_long`, `invalid_value`, `invalid_choice` and the codes of invalid routing, each with its field.
    pub fn merged(&self, change: &ConfigChange) -> Result<Self> {
        let mut next = self.clone();
        match &change.call_forwarding {
            Patch::Keep => {}
            Patch::Clear => next.call_forwarding = None,
            Patch::Set(change) => next.call_forwarding = Some(next.call_forwarding.unwrap_or_default().merged(change)?),
        }
        match &change.voicemail {
            Patch::Keep => {}
            Patch::Clear => next.voicemail = None,
            Patch::Set(change) => next.voicemail = Some(next.voicemail.unwrap_or_default().merged(change)?),
        }
        change.ring.clone().apply(&mut next.ring);
        change.sms_webhook.clone().apply(&mut next.sms_webhook);
        change.sms_webhook_method.clone().apply(&mut next.sms_webhook_method);
        if next.sms_webhook.is_none() {
            if matches!(change.sms_webhook_method, Patch::Set(_)) {
                return Err(Error::missing_parameter("sms_webhook"));
            }
            next.sms_webhook_method = None;
        }
        change.voice_webhook.clone().apply(&mut next.voice_webhook);
        change.conference_id.clone().apply(&mut next.conference_id);
        change.call_flow_id.clone().apply(&mut next.call_flow_id);
        change.schedule.clone().apply(&mut next.schedule);
        change.recording.clone().apply(&mut next.recording);
        if let Some(enabled) = change.is_recorded {
            next.recording = Some(Recording { enabled, ..next.recording.unwrap_or_default() });
        }
        if let (true, Some(forwarding)) = (change.stops_forwarding, &mut next.call_forwarding) {
            forwarding.enabled = false;
        }
        change.attribution.apply(&mut next.attribution);
        change.sms_forwarding.apply(&mut next.sms_forwarding);
        next.check()?;
        Ok(next)
    }

    /// All numbers to which calls may be forwarded, each with the field that names it.
    pub fn forward_targets(&self) -> impl Iterator<Item = (&'static str, PhoneNumber)> {
        let forwarding = self.call_forwarding.iter().filter(|forwarding| forwarding.enabled);
        let direct = forwarding.filter_map(|forwarding| forwarding.forward_to).map(|target| ("forward_to", target));
        let scheduled = self.schedule.iter().flat_map(|schedule| &schedule.rules).map(|rule| ("schedule", rule.forward_to));
        direct.chain(scheduled)
    }

    /// All telephones that ring.
    pub fn rings(&self) -> impl Iterator<Item = RingTo> {
        self.ring.iter().flat_map(|ring| &ring.targets).map(|target| target.to)
    }

    fn check(&self) -> Result<()> {
        if let Some(schedule) = &self.schedule {
            schedule.check()?;
        }
        if let Some(ring) = &self.ring
            && (ring.targets.is_empty() || ring.targets.len() > MOST_RING_TARGETS)
        {
            return Err(Error::invalid_routing("ring", format!("it has 1 to {MOST_RING_TARGETS} targets")));
        }
        if let Some(recording) = &self.recording {
            check_choice("format", &recording.format, &["wav", "mp3", "opus"])?;
            check_choice("participant", &recording.participant, &["all", "caller", "callee"])?;
        }
        Ok(())
    }
}

impl Forwarding {
    fn merged(mut self, change: &ForwardingChange) -> Result<Self> {
        match &change.forward_to {
            Patch::Keep => {}
            Patch::Clear => self.forward_to = None,
            Patch::Set(text) => self.forward_to = Some(target("forward_to", text)?),
        }
        if let Patch::Set(rings) = change.rings_before_forward {
            check_range("rings_before_forward", rings, 1, 12)?;
        }
        match change.enabled {
            Patch::Keep => {}
            Patch::Clear => self.enabled = false,
            Patch::Set(enabled) => self.enabled = enabled,
        }
        change.when_unavailable.clone().apply(&mut self.when_unavailable);
        change.rings_before_forward.clone().apply(&mut self.rings_before_forward);
        if self.enabled && self.forward_to.is_none() {
            return Err(Error::forward_target_invalid("forward_to", ""));
        }
        Ok(self)
    }
}

impl Voicemail {
    fn merged(mut self, change: &VoicemailChange) -> Result<Self> {
        let usual = Self::default();
        let or = |patch: &Patch<bool>, old, usual| match patch {
            Patch::Keep => old,
            Patch::Clear => usual,
            Patch::Set(value) => *value,
        };
        self.enabled = or(&change.enabled, self.enabled, usual.enabled);
        self.transcription = or(&change.transcription, self.transcription, usual.transcription);
        match change.delete_after_days {
            Patch::Keep => {}
            Patch::Clear => self.delete_after_days = usual.delete_after_days,
            Patch::Set(days) => {
                check_range("delete_after_days", days, 1, 365)?;
                self.delete_after_days = days;
            }
        }
        change.greeting.clone().apply(&mut self.greeting);
        Ok(self)
    }
}

impl ScheduleRule {
    /// Whether an instant is within. A stretch that runs past midnight belongs to the day on which it began.
    #[must_use]
    pub fn covers(&self, time_zone: &str, at: Timestamp) -> bool {
        let (time_zone, days) = (time_zone.to_owned(), self.days.clone());
        Hours { time_zone, days, from: self.from.clone(), to: self.to.clone() }.cover(at)
    }
}

impl Schedule {
    fn check(&self) -> Result<()> {
        let wrong = |reason: String| Error::invalid_routing("schedule", reason);
        if jiff::tz::TimeZone::get(&self.time_zone).is_err() {
            return Err(wrong(format!("'{}' is no IANA time zone", self.time_zone)));
        }
        if self.rules.is_empty() || self.rules.len() > MOST_RULES {
            return Err(wrong(format!("a schedule has 1 to {MOST_RULES} rules")));
        }
        for rule in &self.rules {
            if rule.days.is_empty() || rule.days.iter().any(|day| !(1..=7).contains(day)) {
                return Err(wrong("days are 1 (Monday) to 7 (Sunday)".to_owned()));
            }
            for time in [&rule.from, &rule.to] {
                if time.len() != 5 || jiff::civil::Time::strptime("%H:%M", time).is_err() {
                    return Err(wrong(format!("'{time}' is no time of day as HH:MM")));
                }
            }
        }
        Ok(())
    }
}

/// Reads a forward target.
///
/// # Errors
/// `forward_target_invalid`.
pub fn target(field: &str, text: &str) -> Result<PhoneNumber> {
    PhoneNumber::parse(text).map_err(|_| Error::forward_target_invalid(field.to_owned(), text.to_owned()))
}

/// Checks a friendly name's length.
///
/// # Errors
/// `too_short`, `too_long`, `invalid_value` for control characters.
pub fn check_name(field: &str, name: &str) -> Result<()> {
    if name.chars().any(char::is_control) {
        return Err(Error::invalid_value(field.to_owned(), "must not have control characters"));
    }
    match i64::try_from(name.chars().count()).unwrap_or(i64::MAX) {
        0 => Err(Error::too_short(field.to_owned(), 1)),
        length if length > LONGEST_NAME => Err(Error::too_long(field.to_owned(), LONGEST_NAME)),
        _ => Ok(()),
    }
}

fn check_range(field: &'static str, value: i64, min: i64, max: i64) -> Result<()> {
    if (min..=max).contains(&value) { Ok(()) } else { Err(Error::out_of_range(field, min, max)) }
}

fn check_choice(field: &'static str, value: &str, choices: &[&str]) -> Result<()> {
    if choices.contains(&value) { Ok(()) } else { Err(Error::invalid_choice(field, choices.join(", "))) }
}
