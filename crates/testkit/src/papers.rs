//! Certificates: authorities of a test's own, what they sign, and who trusts them.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// An authority that signs certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
pub struct Papers {
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
    pem: String,
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

impl Default for Authority {
    fn default() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let mut params = CertificateParams::default();
        // Each has a name of its own: otherwise a certificate of another would only have a wrong signature.
        let name = format!("authority {}", COUNT.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("an authority"))
    }
}

impl Authority {
    /// Its own certificate, as a file has it.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Writes its own certificate.
    pub fn write(&self, file: &Path) {
        std::fs::write(file, self.pem()).expect("the authority is written");
    }

    /// Signs a certificate for a name or an address.
    pub fn sign(&self, host: &str) -> Papers {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        let params = CertificateParams::new(vec![host.to_owned()]).expect("a host");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        Papers { chain: vec![certificate.der().clone()], pem: certificate.pem(), key }
    }

    /// A client that trusts it and nobody else.
    pub fn trust(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).expect("an authority");
        let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().expect("versions");
        Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
    }

    /// The certificate that a server shows, for a name that it may be for.
    pub async fn shown_by(&self, server: SocketAddr, host: &str) -> Result<Vec<u8>, String> {
        let socket = TcpStream::connect(server).await.expect("a connection");
        let name = ServerName::try_from(host.to_owned()).expect("a name");
        let socket = TlsConnector::from(self.trust()).connect(name, socket).await.map_err(|fault| fault.to_string())?;
        let shown = socket.get_ref().1.peer_certificates().and_then(<[_]>::first).expect("a certificate");
        Ok(shown.to_vec())
    }
}

impl Papers {
    /// Writes both where a server reads them.
    pub fn write(&self, certificate: &Path, key: &Path) {
        std::fs::write(certificate, &self.pem).expect("the certificate is written");
        std::fs::write(key, self.key.serialize_pem()).expect("the key is written");
    }

    /// The certificate itself.
    pub fn der(&self) -> Vec<u8> {
        self.chain.first().expect("a certificate").to_vec()
    }

    /// For a listener.
    pub fn server(&self) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).expect("a key");
        let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().expect("versions");
        Arc::new(builder.with_no_client_auth().with_single_cert(self.chain.clone(), key).expect("a certificate and its key"))
    }
}
