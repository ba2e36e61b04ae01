//! A certificate authority for this machine's development, and certificates that it signs.

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use tandem_kernel::Timestamp;

use crate::{
    failure::{At, Failure, Result},
    serve::{ready, tls::Files},
};

const NAME: &str = "Tandem development authority";
/// Days that the authority is valid.
const AUTHORITY_DAYS: i64 = 3650;
/// Days that a certificate is valid: browsers and phones refuse longer ones.
const CERTIFICATE_DAYS: i64 = 397;

/// Where the parts of the authority are.
#[derive(Debug, Clone)]
pub struct Made {
    /// The authority's certificate, which clients are told to trust.
    pub authority: PathBuf,
    /// Whether the authority is new, so that no client trusts it yet.
    pub is_new: bool,
    /// The server's certificate and key.
    pub server: Files,
    /// The last day of the server's certificate.
    pub until: String,
}

/// Where the server's certificate is kept.
#[must_use]
pub fn server_files(data_dir: &Path) -> Files {
    let folder = folder(data_dir);
    Files { certificate: folder.join("server.pem"), key: folder.join("server.key") }
}

fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("dev-ca")
}

/// Makes a certificate for `hosts`, names and addresses, and the authority where there is none yet.
///
/// # Errors
/// A host that is none, and what the file system says.
pub fn make(data_dir: &Path, hosts: &[String], now: Timestamp) -> Result<Made> {
    let params = server_params(hosts, now)?;
    let folder = folder(data_dir);
    ready::make_private_folder(&folder).at("cannot make", folder.display())?;
    let (authority, key_file) = (folder.join("ca.pem"), folder.join("ca.key"));
    let is_new = !key_file.exists();
    let key = if is_new { KeyPair::generate() } else { KeyPair::from_pem(&fs::read_to_string(&key_file)?) };
    let key = key.map_err(|fault| complain(&fault))?;
    if is_new {
        let certificate = authority_params(now)?.self_signed(&key).map_err(|fault| complain(&fault))?;
        ready::write_private(&key_file, key.serialize_pem().as_bytes()).at("cannot write", key_file.display())?;
        fs::write(&authority, certificate.pem()).at("cannot write", authority.display())?;
    }
    let server_key = KeyPair::generate().map_err(|fault| complain(&fault))?;
    let issuer = Issuer::new(authority_params(now)?, key);
    let certificate = params.signed_by(&server_key, &issuer).map_err(|fault| complain(&fault))?;
    let server = server_files(data_dir);
    ready::write_private(&server.key, server_key.serialize_pem().as_bytes()).at("cannot write", server.key.display())?;
    let chain = format!("{}{}", certificate.pem(), fs::read_to_string(&authority).at("cannot read", authority.display())?);
    fs::write(&server.certificate, chain).at("cannot write", server.certificate.display())?;
    Ok(Made { authority, is_new, server, until: now.plus_days(CERTIFICATE_DAYS).date() })
}

fn authority_params(now: Timestamp) -> Result<CertificateParams> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    last(&mut params, now, AUTHORITY_DAYS)?;
    Ok(params)
}

/// Whether a certificate can be for it: an address, or a name of letters, digits and hyphens, with a star for its first part.
fn is_host(text: &str) -> bool {
    let part = |part: &str| {
        let plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (1..=63).contains(&part.len()) && plain && !part.starts_with('-') && !part.ends_with('-')
    };
    let name = text.strip_prefix("*.").unwrap_or(text);
    text.parse::<IpAddr>().is_ok() || (text.len() <= 253 && name.split('.').all(part))
}

fn server_params(hosts: &[String], now: Timestamp) -> Result<CertificateParams> {
    if let Some(wrong) = hosts.iter().find(|host| !is_host(host)) {
        return Err(Failure::new(format!("'{wrong}' is no host name and no address")));
    }
    let params = CertificateParams::new(hosts.to_vec());
    let mut params = params.map_err(|fault| complain(&fault))?;
    let name = hosts.first().cloned().unwrap_or_default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    last(&mut params, now, CERTIFICATE_DAYS)?;
    Ok(params)
}

/// From yesterday, since clocks differ, for so many days.
fn last(params: &mut CertificateParams, now: Timestamp, days: i64) -> Result<()> {
    let (from, until) = (now.plus_days(-1).date(), now.plus_days(days).date());
    let day = |date: &str| {
        let mut parts = date.split('-');
        let year = parts.next().and_then(|part| part.parse().ok())?;
        let month = parts.next().and_then(|part| part.parse().ok())?;
        Some(date_time_ymd(year, month, parts.next().and_then(|part| part.parse().ok())?))
    };
    let (Some(from), Some(until)) = (day(&from), day(&until)) else {
        return Err(Failure::new("the machine's clock shows no date that a certificate can carry"));
    };
    (params.not_before, params.not_after) = (from, until);
    Ok(())
}

fn complain(fault: &rcgen::Error) -> Failure {
    Failure::new(format!("the certificate cannot be made: {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address() {
        for host in ["localhost", "api.audian.com", "*.example.com", "127.0.0.1", "::1", "a-b.c"] {
            assert!(is_host(host), "{host}");
        }
        for text in ["", "bad host", "a..b", "-a", "http://a", "a:8443", "a_b", "*.*.a"] {
            assert!(!is_host(text), "{text}");
        }
    }
}
