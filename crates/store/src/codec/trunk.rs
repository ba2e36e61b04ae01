//! What a trunk's row keeps as JSON.

use serde::{Deserialize, Serialize};
use tandem_domain::trunk::{Codec, Destinations, Direction, Network, OwnRegistration, Rewrite, Route, Srtp, Transport, Trunk};
use tandem_kernel::Country;

use super::{from_text, to_text};
use crate::Fault;

#[derive(Serialize, Deserialize)]
struct SettingsRow {
    direction: String,
    host: Option<String>,
    port: Option<u16>,
    transport: String,
    networks: Vec<String>,
    registration: Option<RegistrationRow>,
    outgoing: Vec<RewriteRow>,
    incoming: Vec<RewriteRow>,
    plus: bool,
    routes: Vec<RouteRow>,
    capacity: Option<i64>,
    codecs: Vec<String>,
    srtp: String,
    #[serde(default)]
    ping: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct RegistrationRow {
    user: String,
    auth_user: Option<String>,
    password: Vec<u8>,
    expires: i64,
}

#[derive(Serialize, Deserialize)]
struct RewriteRow {
    prefix: String,
    strip: usize,
    add: String,
}

#[derive(Serialize, Deserialize)]
struct RouteRow {
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    priority: i64,
    weight: i64,
}

/// Writes what a trunk's columns do not hold.
pub fn trunk_to_text(trunk: &Trunk) -> String {
    let rewrites = |rules: &[Rewrite]| {
        let row = |rule: &Rewrite| RewriteRow { prefix: rule.prefix.clone(), strip: rule.strip, add: rule.add.clone() };
        rules.iter().map(row).collect()
    };
    let route = |route: &Route| {
        let (prefix, country) = match &route.to {
            Destinations::Prefix(prefix) => (Some(prefix.clone()), None),
            Destinations::Country(country) => (None, Some(country.to_string())),
        };
        RouteRow { prefix, country, priority: route.priority, weight: route.weight }
    };
    to_text(&SettingsRow {
        direction: trunk.direction.as_str().to_owned(),
        host: trunk.host.clone(),
        port: trunk.port,
        transport: trunk.transport.as_str().to_owned(),
        networks: trunk.networks.iter().map(Network::to_string).collect(),
        registration: trunk.registration.clone().map(|own| RegistrationRow {
            user: own.user,
            auth_user: own.auth_user,
            password: own.password,
            expires: own.expires,
        }),
        outgoing: rewrites(&trunk.outgoing),
        incoming: rewrites(&trunk.incoming),
        plus: trunk.plus,
        routes: trunk.routes.iter().map(route).collect(),
        capacity: trunk.capacity,
        codecs: trunk.codecs.iter().map(|codec| codec.as_str().to_owned()).collect(),
        srtp: trunk.srtp.as_str().to_owned(),
        ping: trunk.ping,
    })
}

/// Reads it into a trunk whose columns are known.
///
/// # Errors
/// A fault where it is not what [`trunk_to_text`] writes.
pub fn trunk_from_text(text: &str, trunk: &mut Trunk) -> Result<(), Fault> {
    let row: SettingsRow = from_text(text)?;
    let odd = || Fault::data("a trunk whose settings cannot be read");
    let rewrites = |rules: Vec<RewriteRow>| {
        rules.into_iter().map(|row| Rewrite { prefix: row.prefix, strip: row.strip, add: row.add }).collect()
    };
    let route = |row: RouteRow| {
        let to = match (row.prefix, row.country) {
            (Some(prefix), _) => Destinations::Prefix(prefix),
            (None, country) => Destinations::Country(country.as_deref().and_then(Country::parse).ok_or_else(odd)?),
        };
        Ok(Route { to, priority: row.priority, weight: row.weight })
    };
    trunk.direction = Direction::parse(&row.direction).ok_or_else(odd)?;
    trunk.host = row.host;
    trunk.port = row.port;
    trunk.transport = Transport::parse(&row.transport).ok_or_else(odd)?;
    trunk.networks = row.networks.iter().map(|text| Network::parse(text).ok_or_else(odd)).collect::<Result<_, _>>()?;
    trunk.registration = row.registration.map(|own| OwnRegistration {
        user: own.user,
        auth_user: own.auth_user,
        password: own.password,
        expires: own.expires,
    });
    trunk.outgoing = rewrites(row.outgoing);
    trunk.incoming = rewrites(row.incoming);
    trunk.plus = row.plus;
    trunk.routes = row.routes.into_iter().map(route).collect::<Result<_, Fault>>()?;
    trunk.capacity = row.capacity;
    trunk.codecs = row.codecs.iter().map(|word| Codec::parse(word).ok_or_else(odd)).collect::<Result<_, _>>()?;
    trunk.srtp = Srtp::parse(&row.srtp).ok_or_else(odd)?;
    trunk.ping = row.ping;
    Ok(())
}
