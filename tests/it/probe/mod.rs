//! Every operation of the OpenAPI documents, asked in every wrong way that can be thought of: by the wrong caller, with a wrong body,
//! a wrong query, a wrong path, a wrong method. Each answer is one that the document allows, none says that the server failed, and
//! each names the field at fault.

mod bodies;
mod callers;
mod cases;
mod paths;
pub mod values;
mod world;

use tandem_testkit::{Stage, on_both};

use self::{cases::Case, world::World};

on_both! {
    async fn whoever_asks_is_who_the_operation_is_for(stage: Stage) {
        each(stage, callers::probe).await;
    }

    async fn whatever_is_sent_is_looked_at_field_by_field(stage: Stage) {
        each(stage, bodies::probe).await;
    }

    async fn whatever_path_query_and_method_is_answered(stage: Stage) {
        each(stage, paths::probe).await;
    }
}

/// Probes each operation in a task of its own, so that one run tells of all that is wrong.
async fn each<F, R>(stage: Stage, probe: F)
where
    F: Fn(World, Case) -> R,
    R: Future<Output = ()> + Send + 'static,
{
    let world = World::build(stage).await;
    let mut wrong = Vec::new();
    for case in cases::all(&world).await {
        let name = case.name();
        if let Err(fault) = tokio::spawn(probe(world.clone(), case)).await {
            let text = fault.try_into_panic().ok().and_then(|panic| panic.downcast::<String>().ok());
            wrong.push(format!("{name}: {}", text.map_or_else(|| "it panicked".to_owned(), |text| *text)));
        }
    }
    assert!(wrong.is_empty(), "{} operations answer wrongly:\n{}", wrong.len(), wrong.join("\n\n"));
}
