//! The number's webhook is asked before anything is done with a call.

use metrics::counter;
use tandem_app::calls::{self, Advice, Answer, Spoken};
use tandem_domain::{
    call::{Ending, Reason},
    routing::{Plan, Treatment},
};

use super::{
    Call, Step,
    party::Party,
    wait::{Stir, Stop},
};

impl Call {
    /// What is done with a call that came in: where its number has a webhook, what that says. The caller may give up meanwhile.
    pub(super) async fn beginning(&mut self, mut plan: Plan) -> Step {
        let Some(url) = plan.ask.take() else { return Step::Lead(plan.begin, plan.otherwise) };
        self.at = "waiting for its number's webhook";
        self.begun = true; // nothing is set aside yet for whom it rings
        let (app, live) = (self.house.app.clone(), self.live.clone());
        let (advice, fault) = {
            let asked = calls::ask(&app, &live, &plan, &url);
            tokio::pin!(asked);
            loop {
                let woken = tokio::select! {
                    advice = &mut asked => break advice,
                    woken = self.woken() => woken,
                };
                match self.heed(woken).await {
                    Some(Stir::Stop(stop)) => return Step::Stop(stop),
                    Some(Stir::Left(Party::First, ended)) => return Step::Stop(Stop::Left(ended)),
                    Some(Stir::Refer(_, refer)) => refer.refuse(603),
                    Some(Stir::Asked(asked)) => self.untimely(asked),
                    Some(Stir::Left(Party::Second, _) | Stir::Key(..)) | None => {}
                }
            }
        };
        let outcome = if fault.is_some() { "failed" } else { advice.kind() };
        counter!("tandem_call_questions_total", "outcome" => outcome).increment(1);
        if let Some(fault) = fault {
            tracing::warn!(id = %live.id, number = %live.to, fault, "a number's webhook does not say what to do: the call goes as configured");
        }
        self.advised(advice, plan).await
    }

    async fn advised(&mut self, advice: Advice, plan: Plan) -> Step {
        match advice {
            Advice::AsConfigured => Step::Lead(plan.begin, plan.otherwise),
            Advice::Refuse(reason) => Step::Stop(Stop::Failed(Ending::of(reason))),
            Advice::Farewell(spoken) => self.first_words(&spoken).await.unwrap_or(Step::Stop(Stop::Ours(Reason::Normal))),
            Advice::Lead(spoken, to) => {
                if let Some(spoken) = &spoken
                    && let Some(step) = self.first_words(spoken).await
                {
                    return step;
                }
                match (to, plan.begin) {
                    (Some((treatment, otherwise)), _) => Step::Lead(treatment, otherwise),
                    (None, Treatment::Refuse(_)) if spoken.is_some() => Step::Stop(Stop::Ours(Reason::Normal)),
                    (None, begin) => Step::Lead(begin, plan.otherwise),
                }
            }
        }
    }

    /// Answers, and says something.
    async fn first_words(&mut self, spoken: &Spoken) -> Option<Step> {
        if let Err(stop) = self.pick_up(Answer::default(), None).await {
            return Some(Step::Stop(stop));
        }
        self.at = "answered";
        let prompt = self.spoken(&spoken.text, &spoken.language, spoken.times).await;
        self.say(&prompt).await
    }
}
