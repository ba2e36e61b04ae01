//! The texts of the demonstration's keys. The store keeps only their hashes, so they are kept in a file beside it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::Demo;
use crate::serve::ready::write_private;

/// What the file holds.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Saved {
    pub account: String,
    pub operator_key: String,
    pub live_key: String,
    pub test_key: String,
    pub publishable_live_key: String,
    pub publishable_test_key: String,
    pub live_token: String,
    pub test_token: String,
}

/// Where the file is.
pub fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("demo-keys.json")
}

impl Saved {
    /// Reads the file; `None` where there is none or it is damaged, and new keys are made.
    pub fn read(file: &Path) -> io::Result<Option<Self>> {
        match fs::read(file) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// What is to be kept.
    pub fn of(demo: &Demo) -> Self {
        let [live_key, test_key] = demo.secret.clone();
        let [publishable_live_key, publishable_test_key] = demo.publishable.clone();
        let [live_token, test_token] = demo.tokens.clone();
        Self {
            account: demo.account.to_string(),
            operator_key: demo.operator_key.clone(),
            live_key,
            test_key,
            publishable_live_key,
            publishable_test_key,
            live_token,
            test_token,
        }
    }

    /// Writes the file, for this user alone.
    pub fn write(&self, file: &Path) -> io::Result<()> {
        write_private(file, &serde_json::to_vec_pretty(self)?)
    }
}
