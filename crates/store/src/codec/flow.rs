//! How rules of flows and choices of menus are kept.

use serde::{Deserialize, Serialize};
use tandem_domain::flow::{Choice, Conditions, Destination, Hours, IvrMenu, Pattern, Rule};

use super::{from_text, to_text};
use crate::Fault;

/// A destination: its kind and what it names.
#[derive(Serialize, Deserialize)]
pub struct DestinationRow {
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct RuleRow {
    pattern: String,
    to: DestinationRow,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    callers: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hours: Option<HoursRow>,
}

#[derive(Serialize, Deserialize)]
struct HoursRow {
    time_zone: String,
    days: Vec<i64>,
    from: String,
    to: String,
}

#[derive(Serialize, Deserialize)]
struct ChoiceRow {
    digit: String,
    to: DestinationRow,
}

/// What a menu has beside its name, prompt and choices.
#[derive(Serialize, Deserialize)]
pub struct MenuSettingsRow {
    pub language: String,
    pub voice: String,
    pub max_digits: i64,
    pub timeout_seconds: i64,
    pub max_attempts: i64,
    pub fallback: DestinationRow,
}

fn destination_row(to: &Destination) -> DestinationRow {
    DestinationRow { kind: to.kind().to_owned(), target: to.target() }
}

/// Reads a destination.
pub fn destination(row: DestinationRow) -> Result<Destination, Fault> {
    let read = Destination::read(&row.kind, row.target.as_deref(), "destination");
    read.map_err(|_| Fault::data(format!("a destination of the kind '{}'", row.kind)))
}

/// Writes the rules of a flow.
pub fn routing_to_text(rules: &[Rule]) -> String {
    let hours = |hours: &Hours| HoursRow {
        time_zone: hours.time_zone.clone(),
        days: hours.days.clone(),
        from: hours.from.clone(),
        to: hours.to.clone(),
    };
    let rows = rules.iter().map(|rule| RuleRow {
        pattern: rule.pattern.to_string(),
        to: destination_row(&rule.to),
        callers: rule.conditions.callers.clone(),
        hours: rule.conditions.hours.as_ref().map(hours),
    });
    to_text(&rows.collect::<Vec<_>>())
}

/// Reads the rules of a flow.
pub fn routing_from_text(text: &str) -> Result<Vec<Rule>, Fault> {
    let rows: Vec<RuleRow> = from_text(text)?;
    let hours = |row: HoursRow| Hours { time_zone: row.time_zone, days: row.days, from: row.from, to: row.to };
    let rules = rows.into_iter().map(|row| {
        Ok(Rule {
            pattern: Pattern::parse(&row.pattern).map_err(Fault::data)?,
            to: destination(row.to)?,
            conditions: Conditions { callers: row.callers, hours: row.hours.map(hours) },
        })
    });
    rules.collect()
}

/// Writes the choices of a menu.
pub fn choices_to_text(choices: &[Choice]) -> String {
    let rows = choices.iter().map(|choice| ChoiceRow { digit: choice.digit.clone(), to: destination_row(&choice.to) });
    to_text(&rows.collect::<Vec<_>>())
}

/// Reads the choices of a menu.
pub fn choices_from_text(text: &str) -> Result<Vec<Choice>, Fault> {
    let rows: Vec<ChoiceRow> = from_text(text)?;
    rows.into_iter().map(|row| Ok(Choice { digit: row.digit, to: destination(row.to)? })).collect()
}

/// Writes what a menu has besides.
pub fn menu_settings_to_text(menu: &IvrMenu) -> String {
    to_text(&MenuSettingsRow {
        language: menu.language.clone(),
        voice: menu.voice.clone(),
        max_digits: menu.max_digits,
        timeout_seconds: menu.timeout_seconds,
        max_attempts: menu.max_attempts,
        fallback: destination_row(&menu.fallback),
    })
}

/// Reads what a menu has besides.
pub fn menu_settings_from_text(text: &str) -> Result<MenuSettingsRow, Fault> {
    from_text(text)
}
