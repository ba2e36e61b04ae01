//! HTTPS: the certificate, read anew when the operator says so.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_rustls::TlsAcceptor;

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

    /// For SIP, which speaks neither of HTTP's protocols. A certificate that is read again is not taken up there.
    pub fn for_sip(&self) -> Arc<ServerConfig> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut config = ServerConfig::clone(&current);
        config.alpn_protocols.clear();
        Arc::new(config)
    }

    /// For one connection.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone().into()
    }
}
