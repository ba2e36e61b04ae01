//! Where flows and menus send calls, as this dialect writes it.

use serde::Serialize;
use tandem_catalogue::{Error, Result};
use tandem_domain::flow::Destination;
use utoipa::ToSchema;

use crate::http::{Field, Form, Kind};

/// The field that names where a call goes.
pub const DESTINATION: Field = Field::new(
    "destination",
    Kind::Text { min: 0, max: 64 },
    "The id of the menu, flow, conference or recording, or the telephone number in E.164; none for voicemail and hangup.",
    r#""+14155550199""#,
);
/// The field that says what it names.
pub const DESTINATION_TYPE: Field = Field::new(
    "destination_type",
    Kind::Choice(Destination::KINDS),
    "What the destination is. All but ivr_menu and phone_number are ours.",
    r#""phone_number""#,
)
.required();

/// A destination that still has to be read: which of its faults comes first depends on all others of the request.
pub struct Raw {
    kind: Option<&'static str>,
    target: Option<String>,
}

/// Reads the two members.
pub fn read(form: &mut Form) -> Raw {
    Raw { kind: form.choice("destination_type"), target: form.text("destination") }
}

impl Raw {
    /// The destination; `field` is the path of the member that names it.
    ///
    /// # Errors
    /// `missing_parameter` and the codes of invalid routing.
    pub fn destination(&self, field: &str) -> Result<Destination> {
        let kind = self.kind.ok_or_else(|| Error::missing_parameter(format!("{field}_type")))?;
        Destination::read(kind, self.target.as_deref(), field)
    }
}

/// Where a call goes.
#[derive(Serialize, ToSchema)]
pub struct DestinationDto {
    /// What it names; null for voicemail and hangup.
    #[schema(example = "+14155550199")]
    pub destination: Option<String>,
    /// `ivr_menu`, `phone_number`, `call_flow`, `conference`, `recording`, `voicemail` or `hangup`.
    #[schema(example = "phone_number")]
    pub destination_type: &'static str,
}

impl DestinationDto {
    /// Renders a destination.
    pub fn of(to: &Destination) -> Self {
        Self { destination: to.target(), destination_type: to.kind() }
    }
}
