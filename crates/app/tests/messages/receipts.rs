//! Receipts that speak for several parts, and those that came before their part was known.

use tandem_app::messages::gateway::part_id;
use tandem_store::repo::message_parts;

use super::*;

/// What an SMSC says of a text that it took as one.
fn whole(parts: &[Outgoing], id: &str) -> Vec<Submitted> {
    parts.iter().map(|part| answer(part, Taken::Accepted { remote_id: part_id(id, part.part) })).collect()
}

async fn kept(desk: &Desk) -> i64 {
    let left = desk.app().store.read(|tx| tx.first("SELECT COUNT(*) FROM early_receipts", &[])).await;
    left.expect("a store").expect("a row").int(0).expect("a count")
}

#[tokio::test]
async fn one_receipt_speaks_for_all_parts_of_a_text_that_went_whole() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        for early in [false, true] {
            let queued = desk.send("+14155550199", &"a".repeat(400)).await;
            let short = desk.send("+14155550198", "short").await;
            let parts = claim(desk.app()).await;
            let (long, one): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| part.message == queued.id);
            let (a, b) = (format!("a{early}"), format!("b{early}"));
            let said = whole(&long, &a).into_iter().chain(whole(&one, &b)).collect();
            let told = vec![receipt(a, ReceiptState::Delivered), receipt(b, ReceiptState::Delivered)];
            if early {
                receipts(desk.app(), told).await;
                assert_eq!(kept(&desk).await, 2);
                record(desk.app(), said).await;
            } else {
                record(desk.app(), said).await;
                receipts(desk.app(), told).await;
            }
            for id in [queued.id, short.id] {
                assert_eq!(desk.state(id).await, MessageState::Delivered);
            }
            assert_eq!(kept(&desk).await, 0);
        }
    }
}

#[tokio::test]
async fn a_receipt_that_a_dead_process_kept_is_found_by_and_by() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        let queued = desk.send("+14155550199", "Hello").await;
        let parts = claim(desk.app()).await;
        record(desk.app(), parts.iter().map(taken).collect()).await;
        let strange = (0..1_200).map(|number| receipt(format!("strange {number}"), ReceiptState::Delivered));
        receipts(desk.app(), strange.collect()).await;
        let name = remote(&parts[0]);
        let keep = move |tx: &mut tandem_store::Tx| {
            let state = tandem_domain::message::PartState::Delivered;
            let early =
                message_parts::Early { id: [255; 16], smsc: SMSC, remote_id: name.clone(), state, error: None, at: at(NOON) };
            message_parts::keep_early(tx, &[early], at(NOON))
        };
        desk.app().store.write(keep).await.expect("kept");
        let next = gateway::sweep(desk.app(), [0; 16]).await.expect("a sweep");
        assert_eq!((next == [0; 16], desk.state(queued.id).await), (false, MessageState::Sent));
        assert_eq!(gateway::sweep(desk.app(), next).await.expect("a sweep"), [0; 16]);
        assert_eq!((kept(&desk).await, desk.state(queued.id).await), (1_200, MessageState::Delivered));
    }
}
