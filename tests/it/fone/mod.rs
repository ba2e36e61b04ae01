//! The Fone Dynamics API.

mod addresses;
mod available;
mod credentials;
mod logins;
mod numbers;
mod projects;
mod purchase;

use tandem_domain::sid::{letter, sid};
use tandem_testkit::Persona;

/// Where the dialect is served.
pub const BASE: &str = "/fonedynamics/v2";

/// The sid of the project that the test environment has from the start.
pub fn first_project(persona: &Persona) -> String {
    sid(letter::PROPERTY, persona.test.environment.as_bytes())
}
