//! Properties: parts of an account's environment with numbers, calls and messages of their own. The Fone Dynamics API also calls them
//! projects and sites.

mod windows;

use tandem_kernel::{EnvironmentId, PropertyId, Timestamp};

/// What the property is called that every environment has from the start.
pub const DEFAULT_NAME: &str = "Default";
/// The time zone of that property.
pub const DEFAULT_ZONE: &str = "UTC";

/// A property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// Its id.
    pub id: PropertyId,
    /// Whose it is.
    pub environment: EnvironmentId,
    /// Its name.
    pub name: String,
    /// The domain of its site; empty for the default property until somebody sets it.
    pub main_domain: String,
    /// Its time zone, by Windows' name.
    pub time_zone: &'static str,
    /// Whether it may send text messages.
    pub sms_enabled: bool,
    /// Whether its calls may be recorded.
    pub call_recording_enabled: bool,
    /// Whether its integrations are on.
    pub integrations_enabled: bool,
    /// Whether it is in use.
    pub active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

/// The id of the property that an environment has from the start, to which everything belongs that names no other. It has the
/// environment's own bytes, so that nobody has to look it up.
#[must_use]
pub const fn default_of(environment: EnvironmentId) -> PropertyId {
    PropertyId::from_bytes(*environment.as_bytes())
}

impl Property {
    /// The property that an environment has from the start.
    #[must_use]
    pub fn of_environment(environment: EnvironmentId, now: Timestamp) -> Self {
        Self {
            id: default_of(environment),
            environment,
            name: DEFAULT_NAME.to_owned(),
            main_domain: String::new(),
            time_zone: DEFAULT_ZONE,
            sms_enabled: true,
            call_recording_enabled: false,
            integrations_enabled: false,
            active: true,
            created_at: now,
            version: 1,
        }
    }

    /// Its time zone, by the IANA's name.
    #[must_use]
    pub fn iana_zone(&self) -> &'static str {
        iana_zone(self.time_zone).unwrap_or("Etc/UTC")
    }
}

/// A time zone's name as Windows writes it, if it is one; letters' case does not matter.
#[must_use]
pub fn windows_zone(text: &str) -> Option<&'static str> {
    windows::ZONES.iter().map(|(windows, _)| *windows).find(|windows| windows.eq_ignore_ascii_case(text))
}

/// The IANA's name of a time zone, by Windows' name.
#[must_use]
pub fn iana_zone(windows: &str) -> Option<&'static str> {
    windows::ZONES.iter().find(|(name, _)| *name == windows).map(|(_, iana)| *iana)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_of_windows_is_one_that_clocks_know() {
        for (windows, iana) in windows::ZONES {
            assert!(jiff::tz::TimeZone::get(iana).is_ok(), "{windows} is {iana}");
            assert_eq!(windows_zone(&windows.to_lowercase()), Some(*windows));
        }
        assert_eq!(windows_zone("Australia/Sydney"), None);
        assert_eq!(iana_zone("AUS Eastern Standard Time"), Some("Australia/Sydney"));
    }
}
