//! Messages with media.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tandem_app::{
    due,
    fetch::{Fetch, FetchFault, Fetched, Question},
};
use tandem_store::repo::jobs::{self, Job};

use super::{house::UNANSWERED, *};

/// Serves every picture after a while, and counts.
#[derive(Default)]
struct Gallery(AtomicUsize);

#[async_trait::async_trait]
impl Fetch for Gallery {
    async fn get(&self, _url: &str, _most: usize) -> std::result::Result<Fetched, FetchFault> {
        self.0.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(200)).await;
        Ok(Fetched { media_type: "image/png".into(), content: vec![1] })
    }

    async fn post(&self, _: Question, _: usize, _: Duration) -> std::result::Result<Fetched, FetchFault> {
        Err(FetchFault::Status(405))
    }
}

fn picture(to: &str) -> Draft {
    Draft { media: vec!["https://example.com/a.png".into()], ..text(to, "Look") }
}

async fn mms_job(desk: &Desk) -> Option<Job> {
    let now = desk.app().machine_now();
    let due = desk.app().store.read(move |tx| jobs::due(tx, now, 100)).await.expect("jobs");
    due.into_iter().find(|job| job.kind == messages::MMS_JOB)
}

#[tokio::test]
async fn two_processes_send_a_picture_once() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        desk.house.tamper("UPDATE accounts SET mms_enabled = TRUE").await;
        let (other, gallery) = (desk.house.another().await, Arc::new(Gallery::default()));
        for app in [desk.app(), &other] {
            app.fetcher.set(gallery.clone());
        }
        let queued = desk.try_send(picture("+14155550199")).await.expect("queued");
        let job = mms_job(&desk).await.expect("due work");
        tokio::join!(due::perform(desk.app(), job.clone()), due::perform(&other, job.clone()));
        assert_eq!((gallery.0.load(Ordering::SeqCst), desk.state(queued.id).await), (1, MessageState::Sent));
        due::perform(&other, job.clone()).await;
        let left = desk.app().store.read(move |tx| tx.first("SELECT 1 FROM jobs WHERE id = $1", &[job.id.as_bytes().into()])).await;
        assert!(left.expect("a store").is_none());
        assert_eq!(desk.events(queued.id).await, ["message.queued", "message.sent"]);
    }
}

#[tokio::test]
async fn a_picture_whose_carrier_says_nothing_ends_with_its_time() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        desk.house.tamper("UPDATE accounts SET mms_enabled = TRUE").await;
        desk.app().fetcher.set(Arc::new(Gallery::default()));
        let queued = desk.try_send(picture(UNANSWERED)).await.expect("queued");
        due::perform(desk.app(), mms_job(&desk).await.expect("due work")).await;
        assert_eq!(desk.state(queued.id).await, MessageState::Sending);
        desk.house.sleep_until("2024-01-04T12:00:30Z");
        desk.house.work().await;
        let ended = desk.read(queued.id).await;
        assert_eq!((ended.state, ended.failure.expect("a reason").code.as_str()), (MessageState::Expired, "no_answer"));
        let kinds = desk.movements(queued.id).await.into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
        assert_eq!(kinds, [TransferKind::Hold, TransferKind::Release]);
        assert!(mms_job(&desk).await.is_none());
        desk.house.assert_sound().await;
    }
}
