//! Claims whose answer this process does not have. A unit of work that was given up, or whose connection broke, may have been committed:
//! then messages are this process's that it does not know of. They are looked for by the claim that took them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tandem_kernel::{Environment, Rng, Timestamp};

/// Seconds for which a claim is looked for that is not there: a commit may be under way for so long.
const LOOKED_FOR: i64 = 600;

/// The claims of this process that have not been answered.
#[derive(Default)]
pub struct Claims(Mutex<Vec<Open>>);

struct Open {
    id: [u8; 16],
    kind: Environment,
    again: bool,
    since: Timestamp,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Its answer is waited for.
    Running,
    /// Its answer did not come.
    Unanswered,
    /// Neither did it, and it was looked for since.
    LookedFor,
}

/// A claim that is being made. Unless [`Self::answered`] it counts as unanswered when this is dropped.
pub(super) struct Claim<'a> {
    claims: &'a Claims,
    /// What the messages that it takes are marked with.
    pub id: [u8; 16],
}

impl Claims {
    /// Begins a claim. `again` says whether its messages may have been submitted before.
    pub(super) fn begin(&self, kind: Environment, again: bool, rng: &dyn Rng, since: Timestamp) -> Claim<'_> {
        let mut id = [0; 16];
        rng.fill(&mut id);
        self.open().push(Open { id, kind, again, since, state: State::Running });
        Claim { claims: self, id }
    }

    /// Whether there are any that nobody has looked for yet.
    pub(super) fn are_open(&self, kind: Environment) -> bool {
        self.open().iter().any(|open| open.kind == kind && open.state == State::Unanswered)
    }

    /// Those to look for.
    pub(super) fn unanswered(&self, kind: Environment, again: bool) -> Vec<[u8; 16]> {
        let open = self.open();
        let wanted = open.iter().filter(|open| (open.kind, open.again) == (kind, again) && open.state != State::Running);
        wanted.map(|open| open.id).collect()
    }

    /// Notes that these were looked for, and which of them were found: what they took is handed out.
    pub(super) fn looked_for(&self, claims: &[[u8; 16]], found: &[[u8; 16]], now: Timestamp) {
        self.open().retain_mut(|open| {
            if !claims.contains(&open.id) {
                return true;
            }
            open.state = State::LookedFor;
            !found.contains(&open.id) && now < open.since.plus_seconds(LOOKED_FOR)
        });
    }

    fn open(&self) -> MutexGuard<'_, Vec<Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim<'_> {
    /// Its messages are handed out.
    pub fn answered(self) {
        self.claims.open().retain(|open| open.id != self.id);
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        for open in self.claims.open().iter_mut().filter(|open| open.id == self.id) {
            open.state = State::Unanswered;
        }
    }
}
