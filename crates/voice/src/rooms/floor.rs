//! The port that the rest of the platform has to the rooms, and whoever sees to it that they follow the store.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use async_trait::async_trait;
use tandem_app::conferences::{self, RecordConference};
use tandem_catalogue::Result;
use tandem_domain::recording::Recording;
use tandem_kernel::{CallId, ConferenceId};

use super::Room;
use crate::house::House;

/// How often rooms look at the store where nobody says that it has changed: another process may have changed it.
const LOOK: Duration = Duration::from_secs(2);

/// See [`conferences::Rooms`].
pub(crate) struct Floor(pub Weak<House>);

#[async_trait]
impl conferences::Rooms for Floor {
    fn stir(&self, _: ConferenceId) {
        if let Some(house) = self.0.upgrade() {
            house.rooms.stir();
        }
    }

    async fn record(&self, conference: ConferenceId, wanted: RecordConference) -> Result<Option<Recording>> {
        let Some(house) = self.0.upgrade() else { return Ok(None) };
        match house.rooms.get(conference) {
            Some(room) => room.record(&house, wanted).await.map(Some),
            None => Ok(None),
        }
    }

    async fn stop_recording(&self, conference: ConferenceId) -> Result<Option<Recording>> {
        let Some(house) = self.0.upgrade() else { return Ok(None) };
        match house.rooms.get(conference) {
            Some(room) => room.stop_recording().await.map(Some),
            None => Ok(None),
        }
    }
}

/// Has the rooms follow the store, until all is over.
pub(crate) async fn keep(house: Arc<House>) {
    loop {
        let rooms = house.rooms.occupied();
        if !rooms.is_empty()
            && let Err(error) = follow(&house, rooms).await
        {
            tracing::warn!(?error, "the rooms of conferences cannot follow the store");
        }
        let nobody = house.rooms.open().is_empty();
        tokio::select! {
            () = house.over.cancelled() => return,
            () = house.rooms.stirred.notified() => {}
            () = tokio::time::sleep(LOOK), if !nobody => {}
        }
    }
}

async fn follow(house: &House, rooms: Vec<(Arc<Room>, Vec<CallId>)>) -> Result<()> {
    let ids = rooms.iter().map(|(room, _)| room.id).collect();
    let rolls = conferences::rolls(&house.app, ids).await?;
    for (room, asked) in rooms {
        room.follow(rolls.iter().find(|(conference, _)| conference.id == room.id), &asked);
    }
    Ok(())
}
