//! The binds that there are to be.

use std::time::Duration;

use tandem_app::smscs::{self, POCKET};
use tandem_catalogue::Result;
use tandem_kernel::Environment;
use tandem_store::repo::smscs::{FaultRule, Smsc as Kept};

use super::Shared;
use crate::{
    bind::{Config, IdStyle, Kind, Long, Mode},
    smsc::{Effect, Fault, FaultPlace},
    wire::{V34, V50},
};

/// Submits of the pocket network's bind whose answers may be outstanding.
const POCKET_WINDOW: usize = 100;

/// How an SMSC of the operator's is bound.
///
/// # Errors
/// `internal` where its password cannot be opened.
pub fn config_of(app: &tandem_app::App, kept: &Kept) -> Result<Config> {
    let settings = &kept.settings;
    let kind = |(ton, npi): (u8, u8)| Kind { ton, npi };
    Ok(Config {
        id: kept.id,
        kind: Environment::Live,
        host: settings.host.clone(),
        port: settings.port,
        tls: settings.tls.then(|| settings.authority.clone()),
        system_id: settings.system_id.clone(),
        password: smscs::reveal(app, kept)?,
        system_type: settings.system_type.clone(),
        mode: Mode::parse(&settings.mode).unwrap_or(Mode::Transceiver),
        version: if settings.version == "5.0" { V50 } else { V34 },
        window: usize::try_from(settings.window).unwrap_or(1).max(1),
        rate: settings.rate,
        number: kind(settings.number_type),
        name: kind(settings.name_type),
        code: kind(settings.code_type),
        plus: settings.plus,
        long: Long::parse(&settings.long).unwrap_or(Long::Udh8),
        ids: IdStyle::parse(&settings.ids).unwrap_or(IdStyle::Auto),
        latin1: settings.latin1,
        registered: settings.registered,
        validity: settings.validity,
        named: settings.named,
        prefixes: settings.prefixes.clone(),
        cost: settings.cost,
        drained: kept.drained,
        enquire: Duration::from_secs(settings.enquire_seconds.max(1).into()),
        patience: Duration::from_secs(settings.answer_seconds.max(1).into()),
    })
}

impl Shared {
    /// How the SMSC of the pocket network is bound.
    pub(super) fn pocket_config(&self) -> Config {
        Config {
            id: POCKET,
            kind: Environment::Test,
            host: self.address.ip().to_string(),
            port: self.address.port(),
            tls: None,
            system_id: self.platform.system_id.clone(),
            password: self.platform.password.clone(),
            system_type: String::new(),
            mode: Mode::Transceiver,
            version: V50,
            window: POCKET_WINDOW,
            rate: None,
            number: Kind { ton: 1, npi: 1 },
            name: Kind { ton: 5, npi: 0 },
            code: Kind { ton: 3, npi: 0 },
            plus: false,
            long: Long::Udh16,
            ids: IdStyle::Auto,
            latin1: false,
            registered: 0x11,
            validity: true,
            named: true,
            prefixes: Vec::new(),
            cost: 0,
            drained: false,
            enquire: Duration::from_secs(20),
            patience: Duration::from_secs(3),
        }
    }
}

/// A rule as the SMSC takes it; `None` for words of a newer version.
pub(super) fn fault_of(rule: &FaultRule) -> Option<Fault> {
    let value = u64::try_from(rule.value).unwrap_or(0);
    let effect = match rule.effect.as_str() {
        "error" => Effect::Error(u32::try_from(value).unwrap_or(crate::wire::status::SYSTEM_ERROR)),
        "delay" => Effect::Delay(value),
        "drop" => Effect::Drop,
        "duplicate" => Effect::Duplicate,
        "reorder" => Effect::Reorder(value),
        _ => return None,
    };
    let place = match rule.place.as_str() {
        "submit" => FaultPlace::Submit,
        "receipt" => FaultPlace::Receipt,
        _ => return None,
    };
    Some(Fault {
        id: *rule.id.as_bytes(),
        environment: *rule.environment.as_bytes(),
        place,
        effect,
        probability: u64::try_from(rule.probability).unwrap_or(0),
        seed: rule.seed.unsigned_abs(),
    })
}
