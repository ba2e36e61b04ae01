//! A unit of work on its way to a database thread and its answer on the way back.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

use tandem_catalogue::{Error, Result};
use tokio::sync::oneshot;

use crate::{driver::Session, fault::Fault, tx::Tx};

/// What a unit of work asks the driver to do with what it did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Keep it.
    Commit,
    /// Undo it.
    Rollback,
    /// Undo it and run it again: another transaction was in the way.
    Retry,
}

/// A unit of work without its type.
pub trait Work: Send {
    /// Whether nobody waits for it any more; it must not be begun then.
    fn is_abandoned(&self) -> bool;
    /// Runs it once.
    fn run(&mut self, session: &mut dyn Session) -> Verdict;
    /// Answers: with its result if what it wrote is durable, with the fault otherwise.
    fn finish(self: Box<Self>, outcome: Result<(), Fault>);
}

/// How often a unit of work that meets others runs before it is refused.
const MOST_RUNS: u32 = 12;

/// A closure, what it returned and who waits for it.
pub struct Task<F, T> {
    body: F,
    result: Option<Result<T>>,
    runs: u32,
    deadline: Instant,
    reply: oneshot::Sender<Result<T>>,
}

impl<F, T> Task<F, T> {
    pub fn new(body: F, deadline: Instant) -> (Self, oneshot::Receiver<Result<T>>) {
        let (reply, receiver) = oneshot::channel();
        (Self { body, result: None, runs: 0, deadline, reply }, receiver)
    }
}

impl<F, T> Work for Task<F, T>
where
    F: Fn(&mut Tx) -> Result<T> + Send,
    T: Send,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed() || Instant::now() >= self.deadline
    }

    fn run(&mut self, session: &mut dyn Session) -> Verdict {
        self.runs += 1;
        let mut tx = Tx::new(session);
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.body)(&mut tx)));
        let doomed = tx.is_doomed();
        let result = outcome.unwrap_or_else(|_| Err(Error::internal().because("a unit of work panicked")));
        let verdict = match &result {
            Ok(_) if doomed => Verdict::Rollback,
            Ok(_) => Verdict::Commit,
            // Another transaction was first: what was read is stale, so the closure decides anew on what is there now.
            Err(error) if doomed && error.code() == tandem_catalogue::Code::ConcurrentModification && self.runs < MOST_RUNS => {
                Verdict::Retry
            }
            Err(_) => Verdict::Rollback,
        };
        self.result = Some(match result {
            Ok(_) if doomed => Err(Error::internal().because("a unit of work went on after a failed statement")),
            result => result,
        });
        verdict
    }

    fn finish(mut self: Box<Self>, outcome: Result<(), Fault>) {
        let answer = match (outcome, self.result.take()) {
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(Fault::late().into()),
            (Err(_), Some(Err(refusal))) => Err(refusal),
            (Err(fault), _) => Err(fault.into()),
        };
        let _ = self.reply.send(answer); // whoever waited may have given up
    }
}
