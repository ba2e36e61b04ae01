//! Recordings of calls.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};
use tandem_app::recordings::Objects;
use tandem_objects::Bucket;

use super::Config;
use crate::failure::{At, Failure, Result};

/// Recordings of calls.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recordings {
    /// Where they are kept: a folder, or `s3://…`, `gs://…`, `az://…`; `recordings` in the data directory if none.
    pub store: Option<String>,
    /// What a service wants to know beside its URL.
    pub options: BTreeMap<String, String>,
}

impl Config {
    /// Where recordings are made, until they are brought to where they are kept.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        self.data_dir.join("spool")
    }

    /// Where recordings are kept.
    ///
    /// # Errors
    /// A folder that cannot be made, a URL or options that are wrong.
    pub fn objects(&self) -> Result<Arc<dyn Objects>> {
        let wanted = self.recordings.store.as_deref().filter(|store| !store.is_empty());
        let bucket = match wanted {
            Some(url) if url.contains("://") => Bucket::service(url, &self.recordings.options).map_err(|fault| {
                Failure::new(format!("recordings.store: {fault}"))
                    .hint("as \"s3://bucket/prefix\" with recordings.options.aws_region, or a folder")
            }),
            folder => {
                let folder = folder.map_or_else(|| self.data_dir.join("recordings"), PathBuf::from);
                Bucket::folder(&folder).at("cannot keep recordings in", folder.display())
            }
        };
        bucket.map(Bucket::shared)
    }
}
