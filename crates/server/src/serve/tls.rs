//! HTTPS: the certificate, read anew when the operator says so.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_rustls::TlsAcceptor;
use x509_cert::{
    der::Decode,
    ext::pkix::{SubjectAltName, name::GeneralName},
};

use crate::{
    config::Config,
    dev_ca,
    failure::{At, Failure, Result},
};

/// Where the certificate and its key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The certificate with its chain, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
}

impl Files {
    /// The files that the configuration names, or else those of the development authority.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        match (&config.tls.certificate, &config.tls.key) {
            (Some(certificate), Some(key)) => Self { certificate: certificate.clone(), key: key.clone() },
            _ => dev_ca::server_files(&config.data_dir),
        }
    }

    /// Reads and checks them.
    ///
    /// # Errors
    /// A file that is not there, holds something else, or a key that belongs to another certificate.
    pub fn read(&self) -> Result<ServerConfig> {
        let chain = certificates(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.key).at("cannot read the key", self.key.display())?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|fault| Failure::new(fault.to_string()))?.with_no_client_auth();
        let mut config = builder.with_single_cert(chain, key).map_err(|fault| {
            Failure::new(format!("{} and {} do not go together: {fault}", self.certificate.display(), self.key.display()))
        })?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// The certificates of a PEM file, the server's own first.
///
/// # Errors
/// A file that is not there or holds none.
pub fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = read.map_err(|fault| {
        let failure = Failure::new(format!("cannot read the certificate {}: {fault}", file.display()));
        failure.hint("name one as tls.certificate, or make one for this machine: tandem admin dev-cert localhost")
    })?;
    if chain.is_empty() {
        return Err(Failure::new(format!("{} holds no certificate", file.display())));
    }
    Ok(chain)
}

/// The certificate in use.
#[derive(Clone)]
pub struct Certificate {
    files: Files,
    current: Arc<RwLock<Arc<ServerConfig>>>,
}

impl Certificate {
    /// Reads the certificate.
    ///
    /// # Errors
    /// As [`Files::read`].
    pub fn load(files: Files) -> Result<Self> {
        let current = Arc::new(RwLock::new(Arc::new(files.read()?)));
        Ok(Self { files, current })
    }

    /// Reads it again; new connections get it. One that cannot be used leaves the old one in place.
    pub fn reload(&self) {
        match self.files.read() {
            Ok(config) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
                tracing::info!(file = %self.files.certificate.display(), "the certificate was read again");
            }
            Err(fault) => tracing::error!(%fault, "the new certificate cannot be used; the old one stays"),
        }
    }

    /// For SIP, which speaks neither of HTTP's protocols. Each connection gets the certificate that was read last.
    pub fn for_sip(&self) -> Arc<ServerConfig> {
        let mut config = ServerConfig::clone(&self.current());
        config.alpn_protocols.clear();
        config.cert_resolver = Arc::new(self.clone());
        Arc::new(config)
    }

    fn current(&self) -> Arc<ServerConfig> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// For one connection.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.current().into()
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate").field("files", &self.files).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, hello: ClientHello) -> Option<Arc<CertifiedKey>> {
        self.current().cert_resolver.resolve(hello)
    }
}

/// What connections of ours trust: the system's authorities, and those of a file.
///
/// # Errors
/// A file that is not there or holds no certificate.
pub fn trust(file: Option<&Path>) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(file) = file {
        for certificate in certificates(file)? {
            let added = roots.add(certificate);
            added.map_err(|fault| Failure::new(format!("{} cannot be trusted: {fault}", file.display())))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|fault| Failure::new(fault.to_string()))?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

/// The names and addresses that a certificate is for; none where it cannot be read.
#[must_use]
pub fn names(file: &Path) -> Option<Vec<String>> {
    let first = certificates(file).ok()?.into_iter().next()?;
    let certificate = x509_cert::Certificate::from_der(&first).ok()?;
    let (_, names) = certificate.tbs_certificate.get::<SubjectAltName>().ok()??;
    let text = |name: &GeneralName| match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::IpAddress(octets) => match octets.as_bytes() {
            four if four.len() == 4 => <[u8; 4]>::try_from(four).ok().map(|four| std::net::Ipv4Addr::from(four).to_string()),
            six => <[u8; 16]>::try_from(six).ok().map(|six| std::net::Ipv6Addr::from(six).to_string()),
        },
        _ => None,
    };
    Some(names.0.iter().filter_map(text).collect())
}
