//! The magic numbers of calls: one table, from which the handsets' behaviour, the listing and the documentation come.

use std::time::Duration;

use tandem_app::magic::{self, CALLEES, COPIES};
use tandem_kernel::PhoneNumber;

/// A behaviour of a handset, with the numbers that provoke it.
pub type Scenario = magic::Scenario<Manner>;

/// What a handset does with a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Manner {
    /// What it does before anybody speaks.
    pub begins: Begins,
    /// What it says.
    pub says: Says,
    /// The keys that it presses, two seconds after the call began and then one a second.
    pub presses: &'static str,
    /// When it hangs up, in seconds after it answered.
    pub lasts: u32,
    /// How it leaves then.
    pub leaves: Leaves,
}

/// What a handset does before anybody speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begins {
    /// It rings for so many milliseconds, then it is taken up.
    Rings(u32),
    /// It rings, and nobody takes it up.
    NoAnswer,
    /// It says nothing at all.
    Mute,
    /// It refuses with a status.
    Refuses(u16),
}

/// What a handset says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Says {
    /// Three tones in turn, over and over.
    Tones,
    /// Three tones once, a beep, and then nothing: it listens.
    Greeting,
    /// Nothing: packets of silence.
    Silence,
    /// It sends no packets.
    Nothing,
    /// The three tones; what is said to it goes where nobody listens.
    Deaf,
}

/// How a handset leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leaves {
    /// It hangs up.
    Politely,
    /// Its power goes: it sends nothing any more and answers nothing.
    Vanishing,
}

impl Manner {
    /// A handset that answers at once and speaks.
    pub const USUAL: Self =
        Self { begins: Begins::Rings(300), says: Says::Tones, presses: "", lasts: LONGEST, leaves: Leaves::Politely };

    /// When it leaves.
    pub const fn lasts(&self) -> Duration {
        Duration::from_secs(self.lasts as u64)
    }
}

/// Seconds after which a handset hangs up that nobody hangs up on: nothing is left to speak for ever.
pub const LONGEST: u32 = 300;

const fn answers(place: u64, name: &'static str, manner: Manner, handset: &'static str, outcome: &'static str) -> Scenario {
    Scenario::new(CALLEES, place, name, manner, handset, outcome)
}

const fn begins(place: u64, name: &'static str, begins: Begins, handset: &'static str, outcome: &'static str) -> Scenario {
    answers(place, name, Manner { begins, ..Manner::USUAL }, handset, outcome)
}

macro_rules! refuses {
    ($place:literal, $name:literal, $status:literal, $reason:literal) => {
        begins(
            $place,
            $name,
            Begins::Refuses($status),
            concat!("Refuses with ", $status, "."),
            concat!("The call ends with the reason `", $reason, "` and the SIP status ", $status, "."),
        )
    };
}

const SCENARIOS: &[Scenario] = &[
    answers(
        1,
        "call_answered",
        Manner::USUAL,
        "Rings, answers after 0.3 seconds, says 440, 554 and 659 Hz in turn, and hangs up after five minutes. So does every number that is \
         not on this page.",
        "A call that is answered.",
    ),
    refuses!(2, "call_busy", 486, "busy"),
    begins(
        3,
        "call_no_answer",
        Begins::NoAnswer,
        "Rings, and nobody answers.",
        "The call goes on to whatever comes next; otherwise it ends with the reason `no_answer`.",
    ),
    refuses!(4, "call_declined", 603, "rejected"),
    refuses!(5, "call_unavailable", 480, "no_answer"),
    refuses!(6, "call_unknown", 404, "unassigned"),
    refuses!(7, "call_gone", 410, "gone"),
    refuses!(8, "call_forbidden", 403, "not_allowed"),
    refuses!(9, "call_incomplete", 484, "incomplete"),
    refuses!(10, "call_not_acceptable", 488, "incompatible"),
    refuses!(11, "call_server_error", 500, "internal"),
    refuses!(12, "call_overloaded", 503, "congestion"),
    refuses!(13, "call_busy_everywhere", 600, "busy"),
    begins(
        14,
        "call_mute",
        Begins::Mute,
        "Takes the INVITE and says nothing but 100.",
        "The call does not ring. It goes on when the time to ring is over; otherwise it ends with the reason `no_answer`.",
    ),
    begins(
        15,
        "call_answered_late",
        Begins::Rings(8_000),
        "Rings for eight seconds, then does as `call_answered`.",
        "A call that is answered, where it may ring for so long.",
    ),
    answers(
        16,
        "call_hangs_up",
        Manner { lasts: 3, ..Manner::USUAL },
        "Does as `call_answered`, and hangs up after three seconds.",
        "A call that lasted three seconds.",
    ),
    answers(
        17,
        "call_presses_digits",
        Manner { presses: "123#", ..Manner::USUAL },
        "Does as `call_answered`, and presses 1, 2, 3 and # from the second second on, one a second (RFC 4733).",
        "Digits, in a menu or at the other party.",
    ),
    answers(
        18,
        "call_voicemail",
        Manner { says: Says::Greeting, lasts: 60, ..Manner::USUAL },
        "Answers, says its three tones once, beeps, and listens for a minute.",
        "A call that an answering machine took: `GET /v1/pocket/calls` says what it heard.",
    ),
    answers(
        19,
        "call_silent",
        Manner { says: Says::Silence, ..Manner::USUAL },
        "Answers and is silent.",
        "Sound one way only; packets both ways.",
    ),
    answers(
        20,
        "call_one_way",
        Manner { says: Says::Nothing, ..Manner::USUAL },
        "Answers and sends no packets at all.",
        "Sound one way only: the call's quality says that nothing was received.",
    ),
    answers(
        21,
        "call_deaf",
        Manner { says: Says::Deaf, ..Manner::USUAL },
        "Answers and speaks, but names a port where nobody listens, as telephones behind a NAT do.",
        "Sound one way only: the handset hears nothing unless its packets' source is taken for it.",
    ),
    answers(
        22,
        "call_vanishes",
        Manner { lasts: 3, leaves: Leaves::Vanishing, ..Manner::USUAL },
        "Does as `call_answered`; after three seconds its power goes: it sends nothing any more, and answers no BYE.",
        "A call that goes on until you hang up, or until a session timer or the silence ends it.",
    ),
];

/// All scenarios, in the order in which they are documented.
#[must_use]
pub const fn scenarios() -> &'static [Scenario] {
    SCENARIOS
}

/// What the handset of a number does.
pub(crate) fn manner_of(number: PhoneNumber) -> Manner {
    magic::provoked(SCENARIOS, number).map_or(Manner::USUAL, |scenario| scenario.trick)
}

/// `docs/magic-callees.md` as it has to be.
#[must_use]
pub fn magic_callees_page() -> String {
    let mut page = format!(
        "# Magic callees\n\n\
         <!-- Written from `crates/voice/src/pocket/scenario.rs` by the tests of that crate; see the end of this page. -->\n\n\
         The calls of a test environment to numbers that no trunk names go over real SIP and RTP to handsets inside the program, and what \
         those do is decided by their number. Each scenario has {COPIES} numbers, so that tests that run at once do not meet. \
         `GET /v1/magic-numbers` lists the same with the purpose `call`. What became of a handset's calls and what it heard is at \
         `GET /v1/pocket/calls`, and `POST /v1/pocket/calls` lets a handset call a number of yours. In a live environment these numbers \
         mean nothing.\n\n\
         | Scenario | Numbers | What the handset does | What you see |\n|---|---|---|---|\n"
    );
    for scenario in SCENARIOS {
        page.push_str(&scenario.row());
    }
    page.push_str(
        "\n## This page\n\n\
         A test compares it with the table. After a change of the table, write it anew:\n\n\
         ```sh\nTANDEM_WRITE_DOCS=1 cargo test -p tandem-voice page\n```\n",
    );
    page
}

#[cfg(test)]
#[allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
mod tests {
    use std::{collections::HashSet, env, fs, path::Path};

    use tandem_domain::call::Reason;

    use super::*;

    #[test]
    fn every_magic_callee_is_a_number_and_means_one_thing() {
        let (mut names, mut numbers) = (HashSet::new(), HashSet::new());
        for scenario in scenarios() {
            assert!(names.insert(scenario.name) && scenario.name.starts_with("call_"), "{}", scenario.name);
            for phone in scenario.numbers() {
                assert!(numbers.insert(phone), "{phone}");
                assert_eq!(PhoneNumber::parse(&phone.to_string()), Ok(phone));
                assert_eq!(manner_of(phone), scenario.trick);
            }
        }
        assert_eq!(manner_of(PhoneNumber::from_digits(14_155_550_199)), Manner::USUAL);
    }

    #[test]
    fn what_a_refusal_means_is_said_as_the_table_of_causes_has_it() {
        for scenario in scenarios() {
            if let Begins::Refuses(status) = scenario.trick.begins {
                let reason = Reason::of_both(status, None);
                assert!(scenario.outcome.contains(&format!("`{}`", reason.as_str())), "{}: {reason:?}", scenario.name);
            }
        }
    }

    #[test]
    fn the_page_in_the_repository_is_the_one_that_the_table_gives() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/magic-callees.md");
        if env::var_os("TANDEM_WRITE_DOCS").is_some() {
            fs::write(&path, magic_callees_page()).expect("the page can be written");
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == magic_callees_page(), "docs/magic-callees.md is out of date: run the test with TANDEM_WRITE_DOCS=1");
    }
}
