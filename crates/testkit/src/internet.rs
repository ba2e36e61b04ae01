//! The public network, as far as media are fetched from it.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tandem_app::fetch::{Fetch, FetchFault, Fetched, Question};

/// An internet that has at each address what the address says:
///
/// | the path ends with | what is there |
/// |---|---|
/// | `page.html` | a page |
/// | `film.mp4` | a film of 4 MiB |
/// | `gone.jpg` | nothing: 404 |
/// | `asleep.jpg` | nobody answers |
/// | `silent.jpg` | somebody who takes the question and never answers |
/// | `inside.jpg` | an address that is not public |
/// | anything else | a picture |
#[derive(Clone, Default)]
pub struct Internet(Arc<Mutex<Vec<String>>>);

impl Internet {
    /// What was asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Fetch for Internet {
    async fn get(&self, url: &str, most: usize) -> Result<Fetched, FetchFault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(url.to_owned());
        let (media_type, size) = match url.rsplit('/').next() {
            Some("page.html") => ("text/html", 100),
            Some("film.mp4") => ("video/mp4", 4 * 1024 * 1024),
            Some("gone.jpg") => return Err(FetchFault::Status(404)),
            Some("asleep.jpg") => return Err(FetchFault::Unreachable("nothing answers at 192.0.2.1:443".to_owned())),
            Some("silent.jpg") => std::future::pending().await,
            Some("inside.jpg") => return Err(FetchFault::Refused("10.0.0.1 is not a public address".to_owned())),
            _ => ("image/jpeg", 2_000),
        };
        if size > most {
            return Err(FetchFault::TooLarge);
        }
        Ok(Fetched { media_type: media_type.to_owned(), content: vec![7; size] })
    }

    /// Whoever is asked has nothing to say.
    async fn post(&self, question: Question, _: usize, _: std::time::Duration) -> Result<Fetched, FetchFault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(question.url);
        Ok(Fetched { media_type: String::new(), content: Vec::new() })
    }
}
