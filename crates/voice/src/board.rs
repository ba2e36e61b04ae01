//! Who carries which call, so that orders find it.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use tandem_app::calls::{Obeyed, Order};
use tandem_catalogue::{Error, Result};
use tandem_kernel::CallId;
use tokio::sync::{mpsc, oneshot};

use crate::call::Join;

/// Orders that wait for one call at the most.
const WAITING: usize = 8;

/// An order to a call. Whoever drops it unanswered says that the call is over.
pub(crate) struct Asked {
    pub order: Order,
    reply: oneshot::Sender<Result<Obeyed>>,
}

impl Asked {
    /// It was done.
    pub fn done(self) {
        self.answer(Ok(Obeyed::Done));
    }

    /// It cannot be done.
    pub fn refuse(self, error: Error) {
        self.answer(Err(error));
    }

    pub fn answer(self, said: Result<Obeyed>) {
        let _ = self.reply.send(said); // whoever asked may have gone
    }
}

/// What a call is told.
pub(crate) struct Told {
    pub orders: mpsc::Receiver<Asked>,
    pub joins: mpsc::Receiver<Join>,
}

struct Ways {
    orders: mpsc::Sender<Asked>,
    joins: mpsc::Sender<Join>,
}

type Places = Mutex<HashMap<CallId, Ways>>;

/// The calls that this process carries.
#[derive(Clone, Default)]
pub(crate) struct Board(Arc<Places>);

/// The calls that this process is about to begin, carries, or is writing the end of.
#[derive(Clone, Default)]
pub(crate) struct Carried(Arc<Mutex<HashSet<CallId>>>);

/// That a call is carried, until this is dropped.
pub(crate) struct Carrying(Carried, CallId);

impl Carried {
    /// It is from now on.
    pub fn note(&self, id: CallId) -> Carrying {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        Carrying(self.clone(), id)
    }

    /// Whether it is.
    pub fn has(&self, id: CallId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&id)
    }
}

impl Drop for Carrying {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

/// A call's place, given back when it is dropped.
pub(crate) struct Place {
    board: Board,
    id: CallId,
}

impl Board {
    /// A place for a call, and what it is told.
    pub fn sit(&self, id: CallId) -> (Place, Told) {
        let ((orders, asked), (joins, joined)) = (mpsc::channel(WAITING), mpsc::channel(1));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Ways { orders, joins });
        (Place { board: self.clone(), id }, Told { orders: asked, joins: joined })
    }

    /// Asks a call to be joined with another; one that is gone, or is asked already, says nothing.
    pub fn join(&self, id: CallId, wish: Join) {
        let places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ways) = places.get(&id) {
            drop(ways.joins.try_send(wish));
        }
    }

    /// Gives an order to a call.
    ///
    /// # Errors
    /// `call_over` for one that is not carried here, and what the call answers.
    pub async fn order(&self, id: CallId, order: Order) -> Result<Obeyed> {
        let over = || Error::call_over(id.to_string());
        let orders =
            self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id).map(|ways| ways.orders.clone()).ok_or_else(over)?;
        let (reply, said) = oneshot::channel();
        orders.send(Asked { order, reply }).await.map_err(|_| over())?;
        said.await.map_err(|_| over())?
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.board.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
