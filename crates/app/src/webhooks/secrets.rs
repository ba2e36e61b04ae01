//! What deliveries are signed with. In the database secrets are only sealed.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tandem_catalogue::{Error, Result};
use tandem_domain::webhook::{Secret, Target, Webhook};
use tandem_kernel::{EnvironmentId, Rng, Timestamp};

use crate::{App, Vault};

/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// Secrets that are used at a time.
const MOST: usize = 3;

/// A fresh secret.
pub(super) fn fresh(rng: &dyn Rng, now: Timestamp) -> Secret {
    let mut bytes = [0; 32];
    rng.fill(&mut bytes);
    Secret { text: format!("{PREFIX}{}", STANDARD.encode(bytes)), created_at: now, expires_at: None }
}

/// The secrets after a rotation: the new one first; those before it for `overlap` seconds more at the most.
pub(super) fn rotated(old: Vec<Secret>, fresh: Secret, overlap: i64, now: Timestamp) -> Vec<Secret> {
    let until = now.plus_seconds(overlap);
    let kept = old.into_iter().map(|secret| {
        let expires_at = Some(secret.expires_at.map_or(until, |before| before.min(until)));
        Secret { expires_at, ..secret }
    });
    let kept = kept.filter(|secret| secret.expires_at.is_some_and(|until| until > now));
    std::iter::once(fresh).chain(kept).take(MOST).collect()
}

pub(super) fn seal(vault: &Vault, secrets: &[Secret]) -> Result<Vec<u8>> {
    let rows = secrets.iter().map(|secret| {
        json!({ "text": secret.text, "created_at": secret.created_at.micros(), "expires_at": secret.expires_at.map(Timestamp::micros) })
    });
    vault.seal(Value::Array(rows.collect()).to_string().as_bytes())
}

/// # Errors
/// `internal` for what another installation's secret key sealed.
pub(super) fn open(vault: &Vault, sealed: &[u8]) -> Result<Vec<Secret>> {
    let broken = || Error::internal().because("a webhook's secrets do not open");
    let rows: Value = serde_json::from_slice(&vault.open(sealed).ok_or_else(broken)?).map_err(|_| broken())?;
    let secret = |row: &Value| {
        Some(Secret {
            text: row.get("text")?.as_str()?.to_owned(),
            created_at: Timestamp::from_micros(row.get("created_at")?.as_i64()?),
            expires_at: row.get("expires_at").and_then(Value::as_i64).map(Timestamp::from_micros),
        })
    };
    rows.as_array().and_then(|rows| rows.iter().map(secret).collect()).ok_or_else(broken)
}

/// The texts of the secrets that deliveries to a webhook are signed with at this moment, the newest first.
///
/// # Errors
/// `internal` where they cannot be opened.
pub fn current(app: &App, webhook: &Webhook) -> Result<Vec<String>> {
    match webhook.target {
        Target::Number | Target::Message => Ok(number_secrets(app, webhook.environment)),
        Target::Endpoint(_) => {
            let now = app.machine_now();
            let secrets = open(&app.vault, &webhook.secrets)?.into_iter();
            Ok(secrets.filter(|secret| secret.expires_at.is_none_or(|until| until > now)).map(|secret| secret.text).collect())
        }
    }
}

/// The secret of an environment's number webhooks: made from the installation's secret key, so that it is kept nowhere.
#[must_use]
pub fn number_secrets(app: &App, environment: EnvironmentId) -> Vec<String> {
    vec![format!("{PREFIX}{}", STANDARD.encode(app.vault.mac("number webhooks", &[environment.as_bytes()])))]
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use tandem_kernel::SeededRng;

    #[test]
    fn a_rotation_keeps_the_old_secret_for_the_overlap() {
        let (rng, now) = (SeededRng::new(1), Timestamp::from_micros(1_000_000_000));
        let first = fresh(&rng, now);
        assert!(first.text.starts_with(PREFIX) && first.text.len() == 50);
        assert_eq!(rotated(vec![first.clone()], fresh(&rng, now), 0, now).len(), 1);
        let mut secrets = rotated(vec![first.clone()], fresh(&rng, now), 60, now);
        assert_eq!((secrets.len(), secrets[1].expires_at), (2, Some(now.plus_seconds(60))));
        secrets = rotated(secrets, fresh(&rng, now), 3600, now);
        assert_eq!((secrets.len(), secrets[2].expires_at), (3, Some(now.plus_seconds(60))));
        assert_eq!(rotated(secrets.clone(), fresh(&rng, now), 3600, now.plus_seconds(61)).len(), 3);
        let vault = Vault::new(Some(&[1; 32]), Arc::new(SeededRng::new(2)));
        let sealed = seal(&vault, &secrets).expect("sealed");
        assert_eq!(open(&vault, &sealed).expect("opened"), secrets);
        assert!(!String::from_utf8_lossy(&sealed).contains(&first.text));
        assert!(open(&Vault::new(Some(&[2; 32]), Arc::new(rng)), &sealed).is_err());
    }
}
