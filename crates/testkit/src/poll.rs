//! Waiting for what happens elsewhere.

use std::time::{Duration, Instant};

/// How long anything that a test waits for may take, on a machine that does much else at the same time.
const PATIENCE: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_millis(5);

/// Asks again and again until there is an answer; `what` is said where none comes in time.
pub async fn until<T, R>(what: &str, mut ask: impl FnMut() -> R) -> T
where
    R: Future<Output = Option<T>>,
{
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain until {what}");
        tokio::time::sleep(STEP).await;
    }
}
