//! What is too large for the database: a folder, or a service that speaks as Amazon S3, Google Cloud Storage or Azure Blob Storage do.
#![warn(missing_docs)]

use std::{collections::BTreeMap, io, ops::Range, path::Path, str::FromStr, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream::BoxStream};
use object_store::{
    GetOptions, GetRange, ObjectStore, ObjectStoreExt, ObjectStoreScheme, PutPayload, aws::AmazonS3ConfigKey,
    azure::AzureConfigKey, gcp::GoogleConfigKey, local::LocalFileSystem, path::Path as Key,
};
use tandem_app::recordings::{Chunks, ObjectFault, Objects};
use tokio::io::AsyncReadExt;
use url::Url;

/// What is sent at a time: services want 5 MiB at the least for all parts but the last, and take 10 000 of them.
const PART: usize = 8 * 1024 * 1024;
/// How long a service may take before it answers with an object's first bytes, and with the next ones.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where objects are kept.
pub struct Bucket {
    store: Arc<dyn ObjectStore>,
    root: Key,
}

impl Bucket {
    /// A folder, which is made where it is not there.
    ///
    /// # Errors
    /// What the file system says.
    pub fn folder(path: &Path) -> Result<Self, String> {
        std::fs::create_dir_all(path).map_err(|fault| fault.to_string())?;
        let folder = LocalFileSystem::new_with_prefix(path).map_err(|fault| fault.to_string())?;
        Ok(Self { store: Arc::new(folder.with_fsync(true)), root: Key::default() })
    }

    /// A service: `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX`, `az://CONTAINER/PREFIX`, with options as `object_store` names them. What
    /// the environment says in `AWS_…`, `GOOGLE_…` and `AZURE_…` counts where no option does.
    ///
    /// # Errors
    /// What is wrong with the URL or the options, in words.
    pub fn service(url: &str, options: &BTreeMap<String, String>) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|fault| format!("'{url}' is no URL: {fault}"))?;
        let (scheme, _) = ObjectStoreScheme::parse(&url).map_err(|fault| fault.to_string())?;
        let known = |name: &str| match scheme {
            ObjectStoreScheme::AmazonS3 => Ok(AmazonS3ConfigKey::from_str(name).is_ok()),
            ObjectStoreScheme::GoogleCloudStorage => Ok(GoogleConfigKey::from_str(name).is_ok()),
            ObjectStoreScheme::MicrosoftAzure => Ok(AzureConfigKey::from_str(name).is_ok()),
            _ => Err(format!("'{url}' is none of s3://, gs:// and az://")),
        };
        for name in options.keys() {
            if !known(name)? {
                return Err(format!("'{name}' is no option of such a service"));
            }
        }
        known("")?;
        let environment = std::env::vars().filter(|(name, _)| ["AWS_", "GOOGLE_", "AZURE_"].iter().any(|of| name.starts_with(of)));
        let environment = environment.map(|(name, value)| (name.to_ascii_lowercase(), value));
        let all = environment.chain(options.iter().map(|(name, value)| (name.clone(), value.clone())));
        // The process may have one already; any will do.
        drop(rustls::crypto::ring::default_provider().install_default());
        let (store, root) = object_store::parse_url_opts(&url, all).map_err(|fault| fault.to_string())?;
        Ok(Self { store: store.into(), root })
    }

    /// For [`tandem_app::recordings::Archive::set`].
    #[must_use]
    pub fn shared(self) -> Arc<dyn Objects> {
        Arc::new(self)
    }

    fn key(&self, key: &str) -> Key {
        key.split('/').fold(self.root.clone(), |path, part| path.join(part))
    }

    async fn put_parts(&self, key: &Key, mut file: tokio::fs::File, first: Vec<u8>) -> Result<(), ObjectFault> {
        let mut upload = self.store.put_multipart(key).await.map_err(fault)?;
        let mut part = first;
        let sent = async {
            while !part.is_empty() {
                upload.put_part(PutPayload::from(std::mem::take(&mut part))).await.map_err(fault)?;
                part = read(&mut file).await?;
            }
            upload.complete().await.map_err(fault).map(drop)
        }
        .await;
        if sent.is_err() {
            drop(upload.abort().await); // what is left of it costs room, no more
        }
        sent
    }
}

#[async_trait]
impl Objects for Bucket {
    async fn put(&self, key: &str, file: &Path) -> Result<(), ObjectFault> {
        let mut file = tokio::fs::File::open(file).await.map_err(of_file)?;
        let first = read(&mut file).await?;
        let key = self.key(key);
        if first.len() < PART {
            return self.store.put(&key, first.into()).await.map(drop).map_err(fault);
        }
        self.put_parts(&key, file, first).await
    }

    async fn get(&self, key: &str, range: Range<u64>) -> Result<Box<dyn Chunks>, ObjectFault> {
        if range.is_empty() {
            return Ok(Box::new(Arriving(futures_util::stream::empty().boxed())));
        }
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        let key = self.key(key);
        let found = tokio::time::timeout(PATIENCE, self.store.get_opts(&key, options)).await;
        let found = found.map_err(|_| late())?.map_err(fault)?;
        Ok(Box::new(Arriving(found.into_stream())))
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectFault> {
        match self.store.delete(&self.key(key)).await {
            Err(object_store::Error::NotFound { .. }) | Ok(()) => Ok(()),
            Err(other) => Err(fault(other)),
        }
    }
}

/// An object on its way here.
struct Arriving(BoxStream<'static, object_store::Result<Bytes>>);

#[async_trait]
impl Chunks for Arriving {
    async fn next(&mut self) -> Option<Result<Bytes, ObjectFault>> {
        match tokio::time::timeout(PATIENCE, self.0.next()).await {
            Ok(chunk) => chunk.map(|chunk| chunk.map_err(fault)),
            Err(_) => Some(Err(late())),
        }
    }
}

/// The next part of a file: less than a whole one only at its end.
async fn read(file: &mut tokio::fs::File) -> Result<Vec<u8>, ObjectFault> {
    let mut part = Vec::new();
    file.take(PART as u64).read_to_end(&mut part).await.map_err(of_file)?;
    Ok(part)
}

fn of_file(fault: io::Error) -> ObjectFault {
    match fault.kind() {
        io::ErrorKind::NotFound => ObjectFault::Missing,
        _ => ObjectFault::Unavailable(format!("the file cannot be read: {fault}")),
    }
}

fn fault(fault: object_store::Error) -> ObjectFault {
    match fault {
        object_store::Error::NotFound { .. } => ObjectFault::Missing,
        other => ObjectFault::Unavailable(other.to_string()),
    }
}

fn late() -> ObjectFault {
    ObjectFault::Unavailable(format!("no answer within {} seconds", PATIENCE.as_secs()))
}
