//! Session timers (RFC 4028): who refreshes, and when a session without a refresh is over.

use std::time::{Duration, Instant};

use rsipstack::sip::Headers;

use crate::{
    SessionConfig,
    message::{field, lists},
};

/// A session with a timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Session {
    /// How long it holds after a refresh.
    pub expires: u32,
    /// Whether refreshing is our part.
    pub ours: bool,
    /// When it was last refreshed.
    pub since: Instant,
}

/// What is to be done when a session's time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// It is to be refreshed.
    Refresh,
    /// It is over.
    Over,
}

impl Session {
    /// When something is due, and what (section 10: a refresh at half of the time, the end a little before all of it).
    pub fn due(&self) -> (Instant, Due) {
        let whole = Duration::from_secs(u64::from(self.expires));
        match self.ours {
            true => (self.since + whole / 2, Due::Refresh),
            false => (self.since + whole.saturating_sub((whole / 3).min(Duration::from_secs(32))), Due::Over),
        }
    }
}

/// A `Session-Expires`: the seconds and who refreshes.
fn expires(headers: &Headers) -> Option<(u32, Option<bool>)> {
    let value = field(headers, "Session-Expires")?;
    let mut parts = value.split(';');
    let seconds = parts.next()?.trim().parse().ok()?;
    let refresher = parts.filter_map(|part| part.split_once('=')).find(|(name, _)| name.trim().eq_ignore_ascii_case("refresher"));
    let uac = refresher.map(|(_, who)| who.trim().eq_ignore_ascii_case("uac"));
    Some((seconds, uac))
}

fn least(headers: &Headers) -> u32 {
    field(headers, "Min-SE").and_then(|value| value.split(';').next()?.trim().parse().ok()).unwrap_or(0)
}

/// What a request of ours asks for. `least` is what the other side asked for before, with 422.
pub(crate) fn ask(config: &SessionConfig, least: u32, refresher: Option<bool>) -> Vec<(String, String)> {
    if config.expires == 0 {
        return Vec::new();
    }
    let least = least.max(config.least);
    let who = match refresher {
        Some(true) => ";refresher=uac",
        Some(false) => ";refresher=uas",
        None => "",
    };
    let expires = format!("{}{who}", config.expires.max(least));
    vec![("Session-Expires".to_owned(), expires), ("Min-SE".to_owned(), least.to_string())]
}

/// What a 422 asks for (section 6).
pub(crate) fn asked(headers: &Headers) -> Option<u32> {
    Some(least(headers)).filter(|least| *least > 0)
}

/// Whether a request asks for less than we take: then the answer is 422 with this `Min-SE`.
pub(crate) fn too_short(config: &SessionConfig, headers: &Headers) -> Option<u32> {
    let (seconds, _) = expires(headers)?;
    (lists(headers, "Supported", "timer") && seconds < config.least).then_some(config.least)
}

/// What our answer to a request says (section 9), and the session that comes of it. `ours` is who refreshed before.
pub(crate) fn accept(config: &SessionConfig, headers: &Headers) -> (Vec<(String, String)>, Option<Session>) {
    let knows = lists(headers, "Supported", "timer") || lists(headers, "Require", "timer");
    let (seconds, uac) = match (expires(headers), config.expires) {
        (None, 0) => return (Vec::new(), None),
        (None, ours) => (ours, None),
        (Some((seconds, uac)), 0) => (seconds, uac),
        (Some((seconds, uac)), ours) => (seconds.min(ours), uac),
    };
    let seconds = seconds.max(config.least).max(least(headers));
    // Who does not know timers cannot refresh by them.
    let uac = knows && uac.unwrap_or(true);
    let who = if uac { "uac" } else { "uas" };
    let mut fields = vec![("Session-Expires".to_owned(), format!("{seconds};refresher={who}"))];
    if uac {
        fields.push(("Require".to_owned(), "timer".to_owned()));
    }
    (fields, Some(Session { expires: seconds, ours: !uac, since: Instant::now() }))
}

/// The session that comes of the answer to our request (section 7.2).
pub(crate) fn accepted(headers: &Headers) -> Option<Session> {
    let (expires, uac) = expires(headers).filter(|(seconds, _)| *seconds > 0)?;
    Some(Session { expires, ours: uac.unwrap_or(true), since: Instant::now() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::header;

    fn headers(fields: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::default();
        fields.iter().for_each(|(name, value)| headers.push(header(name, value)));
        headers
    }

    #[test]
    fn who_asks_refreshes_unless_it_says_otherwise() {
        let config = SessionConfig { expires: 600, least: 90 };
        let (fields, session) = accept(&config, &headers(&[("Supported", "timer"), ("Session-Expires", "1800")]));
        assert_eq!(fields.first().map(|(_, value)| value.as_str()), Some("600;refresher=uac"));
        assert_eq!(session.map(|session| (session.expires, session.ours)), Some((600, false)));
        let (fields, session) = accept(&config, &headers(&[]));
        assert_eq!(fields, [("Session-Expires".to_owned(), "600;refresher=uas".to_owned())]);
        assert_eq!(session.map(|session| session.ours), Some(true));
    }

    #[test]
    fn what_is_too_short_is_refused_only_to_who_knows_timers() {
        let config = SessionConfig::default();
        assert_eq!(too_short(&config, &headers(&[("Supported", "timer"), ("Session-Expires", "60")])), Some(90));
        assert_eq!(too_short(&config, &headers(&[("Session-Expires", "60")])), None);
    }
}
