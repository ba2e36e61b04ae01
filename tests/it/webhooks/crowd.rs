//! Ten thousand events for a hundred endpoints, ten of which hang: the others are not delayed.

use std::time::{Duration, Instant};

use serde_json::json;
use tandem_domain::event::EventKind;
use tandem_kernel::Environment;
use tandem_store::repo::accounts;
use tandem_testkit::{Persona, Reaction, Receiver, Server, Stage, on_both};

use super::serve;

const ACCOUNTS: usize = 50;
const EVENTS: usize = 100;
const HANGING: usize = 10;
/// How long both runs together may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(240);

/// An endpoint in each environment of each account.
async fn crowd(server: &Server) -> Vec<(Persona, Environment, Receiver)> {
    let mut all = Vec::new();
    for number in 0..ACCOUNTS {
        let persona = server.account(&format!("Customer {number}")).await;
        for kind in [Environment::Live, Environment::Test] {
            let receiver = Receiver::start().await;
            let client = if kind == Environment::Live { persona.live() } else { persona.test() };
            let body = json!({ "url": receiver.url("/"), "events": ["account.updated"] });
            client.post("/v1/webhooks", body).await.assert_status(201);
            all.push((persona.clone(), kind, receiver));
        }
    }
    all
}

/// A hundred events in each environment, written at once.
async fn happen(server: &Server, crowd: &[(Persona, Environment, Receiver)]) {
    let app = server.app();
    for (persona, kind, _) in crowd {
        let (pen, environment) = (app.pen(), persona.side(*kind).environment);
        let written = app.store.write(move |tx| {
            let desk = pen.open(tx, environment)?;
            assert!(accounts::environment(tx, environment)?.is_some_and(|settings| settings.has_webhooks));
            for event in 0..EVENTS {
                desk.event(tx, &format!("thing_{environment}_{event}"), EventKind::AccountUpdated, &json!({ "event": event }))?;
            }
            Ok(())
        });
        written.await.expect("written");
    }
    app.mailbox.ring();
}

/// How long it takes until everything has arrived at those that answer.
async fn run(
    server: &Server,
    crowd: &[(Persona, Environment, Receiver)],
    answering: &[(Persona, Environment, Receiver)],
) -> Duration {
    crowd.iter().for_each(|(_, _, receiver)| drop(receiver.take()));
    let began = Instant::now();
    happen(server, crowd).await;
    while answering.iter().any(|(_, _, receiver)| receiver.count() < EVENTS) {
        assert!(began.elapsed() < PATIENCE, "not everything arrived in {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    began.elapsed()
}

on_both! {
    async fn ten_endpoints_that_hang_do_not_delay_ninety(stage: Stage) {
        let server = serve(&stage).await;
        let crowd = crowd(&server).await;
        let (hanging, answering) = crowd.split_at(HANGING);
        // The better of two, as other work on the machine comes and goes.
        let undisturbed = run(&server, &crowd, answering).await.min(run(&server, &crowd, answering).await);
        hanging.iter().for_each(|(_, _, receiver)| receiver.react(Reaction::Hang));
        let disturbed = run(&server, &crowd, answering).await.min(run(&server, &crowd, answering).await);
        let ratio = disturbed.as_secs_f64() / undisturbed.as_secs_f64();
        let events = crowd.len() * EVENTS;
        assert!(ratio < 3.0, "{events} events: {undisturbed:?} without, {disturbed:?} with {HANGING} endpoints that hang");
        assert!(answering.iter().all(|(_, _, receiver)| receiver.count() == EVENTS), "each event arrived once");
        server.stop().await;
    }
}
