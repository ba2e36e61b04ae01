//! Where a PostgreSQL server is, and how the way to it is protected.

use std::{str::FromStr, sync::Arc};

use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, NoTls, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::fault::Fault;

/// A PostgreSQL server with a way to it.
#[derive(Clone)]
pub struct Target {
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

impl Target {
    /// Reads a URL. `sslmode` may be `disable`, which is also what holds where there is none, or `require`, `verify-ca` or
    /// `verify-full`, which all check the certificate and the name in it; `sslrootcert` names a PEM file of the authorities to
    /// trust in place of the system's.
    pub fn parse(url: &str) -> Result<Self, Fault> {
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut rest, mut mode, mut roots) = (Vec::new(), None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => roots = Some(value),
                _ => rest.push(pair),
            }
        }
        let mut config = Config::from_str(&format!("{place}?{}", rest.join("&")))?;
        let tls = match mode {
            None | Some("disable") => None,
            Some("require" | "verify-ca" | "verify-full") => Some(MakeRustlsConnect::new(client(roots)?)),
            Some(other) => {
                let rule = "use disable, or verify-full to have the connection encrypted and the server's certificate checked";
                return Err(Fault::Broken(format!("sslmode={other} promises nothing: {rule}").into()));
            }
        };
        config.ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
        Ok(Self { config, tls })
    }

    /// Connects. The task that is returned ends when its client goes or the server does.
    pub async fn connect(&self) -> Result<(Client, JoinHandle<()>), Fault> {
        match &self.tls {
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await?;
                Ok((client, tokio::spawn(drive(connection))))
            }
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                Ok((client, tokio::spawn(drive(connection))))
            }
        }
    }
}

async fn drive(connection: impl Future<Output = Result<(), tokio_postgres::Error>>) {
    if let Err(fault) = connection.await {
        tracing::debug!(%fault, "a database connection ended");
    }
}

fn client(roots: Option<&str>) -> Result<ClientConfig, Fault> {
    let mut store = RootCertStore::empty();
    match roots {
        Some(file) => {
            let broken = |fault: &dyn std::fmt::Display| Fault::Broken(format!("the authorities in {file}: {fault}").into());
            for certificate in CertificateDer::pem_file_iter(file).map_err(|fault| broken(&fault))? {
                store.add(certificate.map_err(|fault| broken(&fault))?).map_err(|fault| broken(&fault))?;
            }
        }
        None => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if store.is_empty() {
        let place = roots.unwrap_or("the system's store");
        return Err(Fault::Broken(format!("there is no certificate of an authority in {place}").into()));
    }
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|fault| Fault::Broken(fault.into()))?;
    Ok(builder.with_root_certificates(store).with_no_client_auth())
}
