//! Reaching an SMSC and binding.

use std::{sync::Arc, time::Duration};

use rusmpp::{
    Pdu,
    pdus::{BindReceiver, BindTransceiver, BindTransmitter},
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

use super::{Config, Mode};
use crate::wire::{Pipe, Stream, clipped, command, status};

/// How long reaching and binding may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// Octets of a command at the most.
const LARGEST: usize = 256 * 1024;

/// Connects and binds.
///
/// # Errors
/// What went wrong, in words for the operator.
pub(super) async fn connect(config: &Config) -> Result<Pipe, String> {
    timeout(PATIENCE, reach(config)).await.unwrap_or_else(|_| Err(format!("no answer in {} seconds", PATIENCE.as_secs())))
}

async fn reach(config: &Config) -> Result<Pipe, String> {
    let place = (config.host.as_str(), config.port);
    let stream =
        TcpStream::connect(place).await.map_err(|fault| format!("cannot connect to {}:{}: {fault}", config.host, config.port))?;
    stream.set_nodelay(true).map_err(|fault| fault.to_string())?; // without it, a small window waits for delayed acknowledgements
    let stream: Box<dyn Stream> = match &config.tls {
        None => Box::new(stream),
        Some(authority) => {
            let name = ServerName::try_from(config.host.clone()).map_err(|_| format!("'{}' is no name for TLS", config.host))?;
            let connector = TlsConnector::from(Arc::new(client(authority.as_deref())?));
            Box::new(connector.connect(name, stream).await.map_err(|fault| format!("TLS failed: {fault}"))?)
        }
    };
    let mut pipe = Pipe::new(stream, LARGEST);
    bind(config, &mut pipe).await?;
    Ok(pipe)
}

fn client(authority: Option<&str>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    let Some(pem) = authority else {
        return Err("TLS needs the certificate of the authority that signed the SMSC's".to_owned());
    };
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|fault| format!("the authority's certificate cannot be read: {fault}"))?;
        roots.add(certificate).map_err(|fault| format!("the authority's certificate cannot be used: {fault}"))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|fault| fault.to_string())?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

async fn bind(config: &Config, pipe: &mut Pipe) -> Result<(), String> {
    pipe.put(&command(0, 1, bind_pdu(config)));
    loop {
        let taken = pipe.take().map_err(|bad| format!("it speaks no SMPP: a command of {} octets", bad.0))?;
        if let Some(frame) = taken {
            if frame.sequence == 1 && frame.id & 0x8000_0000 != 0 {
                return match frame.status {
                    status::OK => Ok(()),
                    refused => Err(format!("it refuses the bind: {} (0x{refused:08x})", status::name(refused))),
                };
            }
            continue; // an outbind or the like; nothing that an answer is waited for before the bind
        }
        pipe.turn().await.map_err(|fault| format!("the connection ended before the bind: {fault}"))?;
    }
}

fn bind_pdu(config: &Config) -> Pdu {
    let version = config.version.into();
    let (id, password, kind) = (clipped(&config.system_id), clipped(&config.password), clipped(&config.system_type));
    match config.mode {
        Mode::Transmitter => {
            BindTransmitter::builder().system_id(id).password(password).system_type(kind).interface_version(version).build().into()
        }
        Mode::Receiver => {
            BindReceiver::builder().system_id(id).password(password).system_type(kind).interface_version(version).build().into()
        }
        Mode::Transceiver => {
            BindTransceiver::builder().system_id(id).password(password).system_type(kind).interface_version(version).build().into()
        }
    }
}
