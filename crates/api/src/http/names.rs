//! Names that no field has.

use serde_json::{Map, Value};

use super::{
    field::{Field, Kind},
    manner::Reading,
};

/// Looks in the objects of an object for names that no field has.
pub fn strangers(
    values: &Map<String, Value>,
    fields: &'static [Field],
    reading: Reading,
    within: &str,
    most: usize,
    found: &mut Vec<(String, Option<&'static str>)>,
) {
    let path = |name: &str| if within.is_empty() { name.to_owned() } else { format!("{within}.{name}") };
    for (name, value) in values {
        let named = fields.iter().find(|field| field.spellings().any(|known| reading.same(name, known)));
        let Some(Kind::Object(members) | Kind::Objects(members, _) | Kind::Each(members, _)) = named.map(|field| field.kind) else {
            continue;
        };
        let objects: Vec<(String, &Value)> = match value {
            Value::Array(items) => {
                items.iter().enumerate().map(|(place, item)| (format!("{}.{place}", path(name)), item)).collect()
            }
            one => vec![(path(name), one)],
        };
        for (path, object) in objects {
            let Value::Object(object) = object else { continue };
            for name in object.keys() {
                let known = |field: &Field| field.spellings().any(|known| reading.same(name, known));
                if found.len() < most && !members.iter().any(known) {
                    found.push((format!("{path}.{name}"), nearest(name, members.iter().map(|field| field.name))));
                }
            }
            if found.len() < most {
                strangers(object, members, reading, &path, most, found);
            }
        }
    }
}

/// The name nearest to a misspelled one, if any is near.
pub fn nearest(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let plain =
        |text: &str| text.chars().take(64).filter(char::is_ascii_alphanumeric).flat_map(char::to_lowercase).collect::<Vec<_>>();
    let wanted = plain(name);
    let distances = known.map(|known| (distance(&wanted, &plain(known)), known));
    distances
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Levenshtein's distance.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(b) {
            let next = (diagonal + usize::from(from != to)).min(left + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = next;
            left = next;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}
