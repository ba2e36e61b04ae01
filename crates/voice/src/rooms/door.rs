//! The PIN of a conference: asked for three times.

use std::time::Duration;

use tandem_app::{App, conferences};
use tandem_domain::conference::Conference;
use tandem_media::dtmf::Key;
use tokio::time::Instant;

/// How often it may be tried.
pub(crate) const TRIES: i64 = 3;
/// Digits of the longest PIN.
const LONGEST: usize = 6;
/// How long is waited for the first digit, and for the next.
const FIRST: Duration = Duration::from_secs(12);
const NEXT: Duration = Duration::from_secs(4);

/// What came of a digit, or of none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// There is more to come.
    More,
    /// It is right.
    Open,
    /// It was wrong, and may be tried again.
    Again,
    /// It was wrong too often.
    Shut,
}

/// Whoever presses digits before a conference.
pub(crate) struct Door {
    typed: String,
    tries: i64,
    until: Instant,
}

impl Door {
    /// Nothing was pressed yet.
    pub fn new() -> Self {
        Self { typed: String::new(), tries: 0, until: Instant::now() + FIRST }
    }

    /// When [`Self::late`] is to be asked.
    pub const fn deadline(&self) -> Instant {
        self.until
    }

    /// The prompt is over, or was interrupted: time counts from now.
    pub fn asked(&mut self) {
        if self.typed.is_empty() {
            self.until = Instant::now() + FIRST;
        }
    }

    /// A key: `#` ends the PIN, `*` begins it anew. A right one needs no end; a wrong one ends with as many digits as the longest has.
    pub fn pressed(&mut self, key: Key, app: &App, conference: &Conference) -> Verdict {
        self.until = Instant::now() + NEXT;
        match key.name() {
            '#' => return self.tried(app, conference),
            '*' => self.typed.clear(),
            digit if digit.is_ascii_digit() => self.typed.push(digit),
            _ => {}
        }
        let is_right = self.typed.len() >= 4 && conferences::check_pin(app, conference, &self.typed);
        if is_right || self.typed.len() >= LONGEST { self.tried(app, conference) } else { Verdict::More }
    }

    /// Nothing more was pressed in time.
    pub fn late(&mut self, app: &App, conference: &Conference) -> Verdict {
        self.tried(app, conference)
    }

    fn tried(&mut self, app: &App, conference: &Conference) -> Verdict {
        let typed = std::mem::take(&mut self.typed);
        self.until = Instant::now() + FIRST;
        if conferences::check_pin(app, conference, &typed) {
            return Verdict::Open;
        }
        self.tries += 1;
        if self.tries < TRIES { Verdict::Again } else { Verdict::Shut }
    }
}
