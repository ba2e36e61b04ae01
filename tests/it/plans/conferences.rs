//! Those who take part in a conference that very many took part in before.

use serde_json::json;
use tandem_domain::conference::{Participant, Presence, Role};
use tandem_kernel::{CallId, ConferenceId, OsRng, ParticipantId};
use tandem_store::{Tx, repo::conferences};
use tandem_testkit::{DAWN, Server, on_both};

use super::{analyze, looks};

/// Those who have left, and those who are there.
const LEFT: u64 = 4_000;
const THERE: u64 = 3;

fn participant(conference: ConferenceId, place: u64) -> Participant {
    let left = place < LEFT;
    Participant {
        id: ParticipantId::new(DAWN, &OsRng),
        conference,
        phone: None,
        name: None,
        role: Role::Listener,
        presence: if left { Presence::Left } else { Presence::Joined },
        muted: false,
        on_hold: false,
        call: Some(CallId::from_bytes(u128::from(place).to_be_bytes())),
        added_at: DAWN,
        joined_at: Some(DAWN),
        left_at: left.then_some(DAWN),
    }
}

on_both! {
    async fn those_who_are_there_are_found_among_those_who_were(server: Server) {
        let ada = server.account("Ada").await;
        let made = ada.test().post("/audian/v2/conferences", json!({ "name": "Daily" })).await;
        let id = ConferenceId::parse(made.assert_status(201).body["id"].as_str().expect("an id")).expect("an id");
        let fill = move |tx: &mut Tx| (0..LEFT + THERE).try_for_each(|place| conferences::add(tx, &participant(id, place)));
        server.app().store.write(fill).await.expect("filled");
        analyze(&server);
        let (present, seen) = looks(&server, move |tx| conferences::present(tx, &[id])).await;
        assert_eq!(present.len(), 3);
        seen[0].assert_bounded("participants", &["participants_present"], 3.0);
        let call = CallId::from_bytes(u128::from(LEFT).to_be_bytes());
        let (found, seen) = looks(&server, move |tx| conferences::of_call(tx, call)).await;
        assert_eq!(found.map(|found| found.presence), Some(Presence::Joined));
        seen[0].assert_bounded("participants", &["participants_by_call"], 1.0);
    }
}
