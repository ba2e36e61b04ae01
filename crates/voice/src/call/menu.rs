//! A menu asks the caller, who answers with keys.

use std::time::Duration;

use tandem_app::{calls::Answer, menus};
use tandem_domain::{
    call::{Ending, Reason},
    flow::{Destination, Heard as Meant, IvrMenu},
};
use tandem_kernel::MenuId;
use tandem_media::dtmf::{Key, Keys};
use tokio::time::Instant;

use super::{Call, Step, say::Heard, wait::Stop};

/// Between two keys of one choice.
const BETWEEN: Duration = Duration::from_secs(3);

/// What came of asking.
enum Asked {
    /// The caller chose, by these keys.
    Chosen(Destination, String),
    /// Nothing that the menu knows.
    Nothing,
    /// Something else comes next.
    Step(Step),
}

impl Call {
    /// Asks the caller, as often as the menu says, and leads on.
    pub(super) async fn menu(&mut self, id: MenuId) -> Step {
        let menu = match menus::of_id(&self.house.app, self.live.environment, id).await {
            Ok(Some(menu)) => menu,
            Ok(None) => return Step::Stop(Stop::Failed(Ending::of(Reason::OutOfService))),
            Err(error) => return Step::Stop(Stop::Failed(Ending::of(Reason::of_error(&error)))),
        };
        if let Err(stop) = self.pick_up(Answer::default(), None).await {
            return Step::Stop(stop);
        }
        self.at = "in a menu";
        self.listen_for_keys(true);
        let next = self.asked(&menu).await;
        self.listen_for_keys(false);
        next
    }

    async fn asked(&mut self, menu: &IvrMenu) -> Step {
        let prompt = self.voiced(&menu.prompt, &menu.language, &menu.voice).await.interrupted_by(Keys::ALL);
        for _ in 0..menu.max_attempts.max(1) {
            let playing = self.play(&prompt);
            match self.choice(menu, playing).await {
                Asked::Chosen(to, keys) => {
                    self.keys.push(keys);
                    return self.onward(to).await;
                }
                Asked::Nothing => {}
                Asked::Step(step) => return step,
            }
        }
        self.onward(menu.fallback.clone()).await
    }

    async fn choice(&mut self, menu: &IvrMenu, mut playing: Option<tandem_media::Playing>) -> Asked {
        let patience = Duration::from_secs(u64::try_from(menu.timeout_seconds).unwrap_or(5));
        let mut keys = String::new();
        let mut until = playing.is_none().then(|| Instant::now() + patience);
        loop {
            let complete = match self.listen(playing.as_mut(), until).await {
                Heard::Key(key) if is_end(key) && !keys.is_empty() => true,
                Heard::Key(key) => {
                    (playing, until) = (None, Some(Instant::now() + BETWEEN));
                    keys.push(key.name());
                    keys.len() >= usize::try_from(menu.max_digits).unwrap_or(1)
                }
                Heard::Played(_) => {
                    // A key may have ended it, whose event follows.
                    (playing, until) = (None, Some(Instant::now() + patience));
                    continue;
                }
                Heard::Late => true,
                Heard::Step(step) => return Asked::Step(step),
            };
            match menu.hear(&keys, complete) {
                Meant::Chosen(to) => return Asked::Chosen(to.clone(), keys),
                Meant::More => {}
                Meant::Nothing => return Asked::Nothing,
            }
        }
    }

    /// Leads the caller to a destination.
    async fn onward(&mut self, to: Destination) -> Step {
        let (_, from) = self.live.parties();
        match self.decided(to, from).await {
            Ok(step) => step,
            Err(error) => {
                let reason = Reason::of_error(&error);
                tracing::info!(id = %self.live.id, code = error.code().name(), "a menu leads nowhere");
                if reason == Reason::Rejected {
                    return Step::Stop(Stop::Ours(Reason::Normal)); // the menu hangs up
                }
                Step::Stop(Stop::Failed(Ending::of(reason)))
            }
        }
    }
}

/// The key that ends a choice.
fn is_end(key: Key) -> bool {
    key.name() == '#'
}
