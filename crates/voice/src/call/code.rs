//! A call that says a code, digit by digit, twice.

use std::time::Duration;

use tandem_app::calls::{self, Answer};
use tandem_domain::{
    call::{Ending, Reason},
    verification::Dictation,
};
use tandem_media::{
    Outcome,
    play::{Part, Prompt, SpeechError, Utterance},
};

use super::{Call, Step, party::First, say::Heard, wait::Stop};
use crate::{house::House, leg::Leg};

/// Before the first word, while somebody brings the telephone to the ear.
const FIRST: Duration = Duration::from_millis(800);
/// Between two digits, and around the code.
const BETWEEN: Duration = Duration::from_millis(350);
const AROUND: Duration = Duration::from_millis(600);
/// Before it is said again.
const PAUSE: Duration = Duration::from_millis(1_500);

/// A code as it is said the first time and the second.
pub(super) struct Said {
    once: Prompt,
    again: Prompt,
}

impl Said {
    /// Has a code spoken before anybody is called: a call that could not say it is not made.
    pub async fn prepare(house: &House, code: &Dictation) -> Result<Self, SpeechError> {
        let say = async |text: &str| {
            let utterance = Utterance { text: text.to_owned(), language: code.locale.as_str().to_owned() };
            house.speech.say(utterance).await.map(Part::Sound)
        };
        let mut digits = Vec::new();
        for digit in code.digits.chars() {
            digits.extend([say(&digit.to_string()).await?, Part::Silence(BETWEEN)]);
        }
        let (before, again) = (say(&code.before).await?, say(&code.again).await?);
        let once = [Part::Silence(FIRST), before, Part::Silence(AROUND)].into_iter().chain(digits.clone()).collect();
        let last = [Part::Silence(AROUND), say(&code.after).await?, Part::Silence(BETWEEN)];
        let again = [Part::Silence(PAUSE), again, Part::Silence(AROUND)].into_iter().chain(digits).chain(last).collect();
        let prompt = |parts: Vec<Part>| Prompt { parts, ..Prompt::sounds([]) };
        Ok(Self { once: prompt(once), again: prompt(again) })
    }
}

impl Call {
    /// Says a code to whoever has taken the call. It was heard when it was said once to the end.
    pub(super) async fn dictate(&mut self, leg: Box<Leg>, by: Answer, said: Said) -> Step {
        self.first = First::There(leg);
        if let Err(stop) = self.pick_up(by, None).await {
            return Step::Stop(stop);
        }
        self.at = "saying a code";
        if let Some(step) = self.whole(&said.once).await {
            return step;
        }
        if let Err(error) = calls::code_heard(&self.house.app, self.live.id).await {
            tracing::warn!(id = %self.live.id, ?error, "that a code was heard cannot be noted");
        }
        self.whole(&said.again).await.unwrap_or(Step::Stop(Stop::Ours(Reason::Normal)))
    }

    /// Plays something to its end; what comes next where that is not reached.
    async fn whole(&mut self, prompt: &Prompt) -> Option<Step> {
        let failed = || Some(Step::Stop(Stop::Failed(Ending::of(Reason::Internal))));
        let Some(mut playing) = self.play(prompt) else { return failed() };
        loop {
            match self.listen(Some(&mut playing), None).await {
                Heard::Key(_) | Heard::Late => {}
                Heard::Played(Outcome::Finished) => return None,
                Heard::Played(_) => return failed(),
                Heard::Step(step) => return Some(step),
            }
        }
    }
}
