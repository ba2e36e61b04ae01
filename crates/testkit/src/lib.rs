//! What the tests stand on: servers that are thrown away, accounts as personas, a clock that moves when told to, faults of the
//! parts outside, and a check of every answer against the OpenAPI document.
//!
//! A test is a scenario on both engines:
//!
//! ```ignore
//! on_both! {
//!     async fn a_number_is_bought_once(server: Server) {
//!         let ada = server.account("Ada").await;
//!         let answer = ada.test().post("/audian/v2/numbers/purchase", json!({ "number": "+14155550100" })).await;
//!         answer.assert_status(201);
//!     }
//! }
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a test fails by panicking; there is nobody to answer an error to"
)]

mod answer;
mod audit;
pub mod carrier;
mod client;
mod clock;
mod contract;
mod database;
mod exchange;
mod fault;
mod fixture;
mod handset;
mod internet;
mod lock;
mod mail;
mod papers;
mod persona;
pub mod phone;
mod poll;
mod process;
mod receiver;
mod record;
mod recording;
mod scene;
mod server;

pub use answer::Answer;
pub use client::Client;
pub use database::{Database, Engine};
pub use exchange::Exchange;
pub use fault::{Outage, Proxy, SqliteLock};
pub use fixture::{LOCAL, NOWHERE, POCKET, UPSTREAM, call, offer, shelf};
pub use handset::Text;
pub use internet::Internet;
pub use lock::WriteLock;
pub use mail::{MailRelay, Posted};
pub use papers::{Authority, Papers};
pub use persona::{MintedKey, Persona, Side};
pub use phone::{Phone, PhoneOptions, Talk};
pub use poll::until;
pub use process::{Sender, Tandem, tandem_binary};
pub use receiver::{Reaction, Received, Receiver};
pub use recording::{recorded, recording, to_record, wav, whole};
pub use scene::{Scene, Stage, run, with_runtime};
pub use server::{DAWN, Server};

/// Makes of each scenario a test on SQLite and one on PostgreSQL. The argument is a running [`Server`], or a [`Stage`] where the
/// scenario wants to say how its servers are built.
#[macro_export]
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($argument:ident: $scene:ty) $body:block)*) => {
        $($(#[$meta])* async fn $name($argument: $scene) $body)*

        mod sqlite {
            #[allow(unused_imports, reason = "the scenes are named where the scenarios are")]
            use super::*;
            $(#[test] fn $name() { $crate::run::<$scene, _>($crate::Engine::Sqlite, super::$name) })*
        }

        mod postgres {
            #[allow(unused_imports, reason = "the scenes are named where the scenarios are")]
            use super::*;
            $(#[test] fn $name() { $crate::run::<$scene, _>($crate::Engine::Postgres, super::$name) })*
        }
    };
}
