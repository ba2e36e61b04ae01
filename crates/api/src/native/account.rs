//! `/account`: who a key is.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::own_keys;
use tandem_catalogue::Result;
use utoipa::ToSchema;

use super::{
    accounts::{AccountDto, LimitsDto},
    keys::KeyDto,
};
use crate::http::{Call, Endpoint, Reply};

/// Who a key is.
#[derive(Serialize, ToSchema)]
struct IdentityDto {
    /// The account.
    account: AccountDto,
    /// The environment that the key opens.
    environment: OwnEnvironmentDto,
    /// The key, and what it may do.
    key: KeyDto,
}

/// The environment that a key opens.
#[derive(Serialize, ToSchema)]
struct OwnEnvironmentDto {
    /// Its id.
    id: String,
    /// `live` or `test`.
    environment: &'static str,
    /// Its time.
    now: String,
    /// Its limits.
    limits: LimitsDto,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("getOwnAccount", Method::GET, "/account", "Who your key is, and what it may do.", get)
            .tag("Account")
            .answers::<IdentityDto>(StatusCode::OK),
    ]
}

async fn get(call: Call) -> Result<Reply> {
    let identity = own_keys::identify(&call.app, &call.caller()?).await?;
    let dto = IdentityDto {
        account: AccountDto::of(&identity.account),
        environment: OwnEnvironmentDto {
            id: identity.settings.id.to_string(),
            environment: identity.settings.kind.as_str(),
            now: identity.now.to_string(),
            limits: LimitsDto::of(identity.settings.rate),
        },
        key: KeyDto::of(&identity.key, call.app.machine_now()),
    };
    Ok(Reply::json(StatusCode::OK, &dto))
}
