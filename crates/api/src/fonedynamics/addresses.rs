//! `/Addresses`: postal addresses, which some countries want of whoever has a number.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::addresses::{self, CreateAddress, ListAddresses};
use tandem_catalogue::{Code, Error, Result};
use tandem_domain::{address::Address, sid::account_sid};
use tandem_kernel::{AccountId, AddressId, Country, places};
use tandem_store::repo::addresses::Wanted;
use utoipa::ToSchema;

use super::{
    convert::{address_ref, address_sid, check_account, country},
    page,
};
use crate::http::{Call, Endpoint, Field, Kind, Reply};

const TAG: &str = "Addresses";
/// Addresses that a page has unless the caller says otherwise.
const USUAL: i64 = 200;
const LINE: Kind = Kind::Text { min: 1, max: 128 };
const POSTAL: Kind = Kind::Text { min: 3, max: 16 };
const COUNTRY: Kind = Kind::Text { min: 0, max: 64 };

const FRIENDLY: Field = Field::new("Friendly", LINE, "Your name for it.", r#""Head office""#);
const REFERENCE: Field = Field::new("Reference", LINE, "Your reference.", r#""HQ-1""#);
const CITY: Field = Field::new("City", LINE, "The city.", r#""Sydney""#);
const REGION: Field = Field::new("Region", LINE, "The region: its code by ISO 3166-2 or its English name.", r#""NSW""#);
const COUNTRY_CODE: Field = Field::new("CountryCode", COUNTRY, "The country, by ISO 3166-1 (two letters).", r#""AU""#);
const POSTAL_CODE: Field = Field::new("PostalCode", POSTAL, "The postal code.", r#""2000""#);
const CREATE: &[Field] = &[
    FRIENDLY,
    REFERENCE,
    Field::new("Line1", LINE, "Street and number.", r#""1 George Street""#).required(),
    Field::new("Line2", LINE, "What follows.", r#""Level 5""#),
    CITY.required(),
    REGION,
    COUNTRY_CODE.required(),
    POSTAL_CODE,
];
const LIST: &[Field] = &[
    FRIENDLY,
    REFERENCE,
    CITY,
    Field::new("Region", LINE, "The region, as the address has it.", r#""NSW""#),
    COUNTRY_CODE,
    Field::new("PostalCode", Kind::Text { min: 1, max: 16 }, "The postal code.", r#""2000""#),
    page::COUNT,
    page::SKIP,
    page::TOKEN,
];
/// The account in a path.
pub const ACCOUNT_PATH: &[(&str, &str)] = &[("AccountSid", "The account's sid.")];
const ADDRESS_PATH: &[(&str, &str)] = &[("AddressSid", "The address's sid.")];

/// An address.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct AddressDto {
    /// The address's sid.
    #[schema(example = "D06BQ2N8C4W00000000000000000000K")]
    address_sid: String,
    /// The account's sid.
    account_sid: String,
    /// Your name for it.
    friendly: Option<String>,
    /// Your reference.
    reference: Option<String>,
    /// Street and number.
    line1: String,
    /// What follows.
    line2: Option<String>,
    /// The city.
    city: String,
    /// The region.
    region: Option<String>,
    /// The country, by ISO 3166-1.
    #[schema(example = "AU")]
    country_code: String,
    /// The postal code.
    postal_code: Option<String>,
    /// Always `Verified`: addresses are taken as they are given (the word is ours).
    status: &'static str,
}

/// One address.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct AddressAnswer {
    /// The address.
    address: AddressDto,
}

/// Addresses, oldest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct AddressesAnswer {
    /// The page.
    addresses: Vec<AddressDto>,
    /// How many there are in all.
    total_count: i64,
    /// What leads to the next page; null on the last.
    next_page_token: Option<String>,
}

/// An address that was taken away.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct DeletedAddressAnswer {
    /// The address's sid.
    address_sid: String,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    let endpoints = [
        Endpoint::new("listAddresses", Method::GET, "/Accounts/{AccountSid}/Addresses", "List your addresses.", list)
            .path_docs(ACCOUNT_PATH)
            .query(LIST)
            .answers::<AddressesAnswer>(StatusCode::OK)
            .codes(&[Code::AccountNotFound, Code::InvalidCountryCode, Code::CountryNotFound]),
        Endpoint::new("createAddress", Method::POST, "/Accounts/{AccountSid}/Addresses", "Write an address down.", create)
            .path_docs(ACCOUNT_PATH)
            .body(CREATE)
            .answers::<AddressAnswer>(StatusCode::OK)
            .codes(&[Code::AccountNotFound, Code::InvalidCountryCode, Code::CountryNotFound, Code::OperationNotAllowed]),
        Endpoint::new("getAddress", Method::GET, "/Addresses/{AddressSid}", "Read an address.", get)
            .path_docs(ADDRESS_PATH)
            .answers::<AddressAnswer>(StatusCode::OK)
            .codes(&[Code::AddressNotFound]),
        Endpoint::new("deleteAddress", Method::DELETE, "/Addresses/{AddressSid}", "Take an address away.", delete)
            .path_docs(ADDRESS_PATH)
            .answers::<DeletedAddressAnswer>(StatusCode::OK)
            .codes(&[Code::AddressNotFound, Code::AddressCannotBeDeleted]),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG)).collect()
}

async fn list(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let names = ["Friendly", "Reference", "City", "Region", "CountryCode", "PostalCode"];
    let [friendly, reference, city, region, code, postal_code] = names.map(|name| form.text(name));
    let page = page::read(&mut form, USUAL);
    form.finish()?;
    page::check(&page)?;
    let country = code.map(|code| country("CountryCode", &code)).transpose()?;
    check_account(&call)?;
    country.map(check_assigned).transpose()?;
    let caller = call.caller()?;
    let wanted = Wanted { friendly, reference, city, region, country, postal_code };
    let command = ListAddresses { wanted, after: page.after.map(AddressId::from_bytes), limit: page.limit(), offset: page.skip };
    let mut found = addresses::list(&call.app, &caller, command).await?;
    let answer = AddressesAnswer {
        next_page_token: page.cut(&mut found.addresses, |address| *address.id.as_bytes()),
        addresses: found.addresses.iter().map(|address| dto(caller.account, address)).collect(),
        total_count: found.total,
    };
    Ok(Reply::json(StatusCode::OK, &answer))
}

async fn create(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let names = ["Friendly", "Reference", "Line1", "Line2", "City", "Region", "CountryCode", "PostalCode"];
    let [friendly, reference, line1, line2, city, region, code, postal_code] = names.map(|name| form.text(name));
    form.finish()?;
    let country = country("CountryCode", &code.ok_or_else(Error::internal)?)?;
    check_account(&call)?;
    check_assigned(country)?;
    let (line1, city) = (line1.ok_or_else(Error::internal)?, city.ok_or_else(Error::internal)?);
    let command = CreateAddress { friendly, reference, line1, line2, city, region, country, postal_code };
    let caller = call.caller()?;
    let render = move |address: &Address| answer(caller.account, address);
    call.answer(render, |finish| addresses::create(&call.app, &caller, command, finish)).await
}

async fn get(call: Call) -> Result<Reply> {
    let caller = call.caller()?;
    let found = addresses::get(&call.app, &caller, address_ref(call.param("AddressSid"))).await?;
    Ok(answer(caller.account, &found))
}

async fn delete(call: Call) -> Result<Reply> {
    let caller = call.caller()?;
    let render = |address: &Address| Reply::json(StatusCode::OK, &DeletedAddressAnswer { address_sid: address_sid(address.id) });
    let named = address_ref(call.param("AddressSid"));
    call.answer(render, |finish| addresses::delete(&call.app, &caller, named, finish)).await
}

fn check_assigned(country: Country) -> Result<()> {
    if places::is_assigned(country) { Ok(()) } else { Err(Error::country_not_found(country.to_string())) }
}

fn answer(account: AccountId, address: &Address) -> Reply {
    Reply::json(StatusCode::OK, &AddressAnswer { address: dto(account, address) })
}

fn dto(account: AccountId, address: &Address) -> AddressDto {
    AddressDto {
        address_sid: address_sid(address.id),
        account_sid: account_sid(account),
        friendly: address.friendly.clone(),
        reference: address.reference.clone(),
        line1: address.line1.clone(),
        line2: address.line2.clone(),
        city: address.city.clone(),
        region: address.region.clone(),
        country_code: address.country.to_string(),
        postal_code: address.postal_code.clone(),
        status: "Verified",
    }
}
