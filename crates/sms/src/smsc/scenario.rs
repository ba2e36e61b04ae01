//! The magic recipients: one table, from which the SMSC's behaviour, the listing and the documentation come.

use tandem_app::magic::{self, COPIES, RECIPIENTS};
use tandem_kernel::PhoneNumber;

use super::receipt::{State, Style};

/// A behaviour of the SMSC, with the recipients that provoke it.
pub type Scenario = magic::Scenario<Trick>;

/// What the SMSC does with a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trick {
    /// The receipt says this.
    Ends(State),
    /// The receipt comes an hour later.
    Late,
    /// It comes twice.
    Twice,
    /// It comes before the answer to the submit.
    Early,
    /// There is news on the way to it.
    EnRoute,
    /// The first submits are answered with this status.
    Full(u32),
    /// Every submit is answered with this status.
    Refused(u32),
    /// No receipt comes.
    Silent,
    /// The first submit is taken and not answered.
    Mute,
    /// The connection is closed instead of an answer to the first submit.
    Cut,
    /// The receipt is written in some other way.
    Written(Style),
}

const fn scenario(place: u64, name: &'static str, trick: Trick, smsc: &'static str, outcome: &'static str) -> Scenario {
    Scenario::new(RECIPIENTS, place, name, trick, smsc, outcome)
}

const DELIVERED: &str = "`sent`, then `delivered`.";
const UNDELIVERED: &str = "`sent`, then `undelivered`, with that state as the reason. The message is paid for.";

const SCENARIOS: &[Scenario] = &[
    scenario(
        1,
        "message_delivered",
        Trick::Ends(State::Delivered),
        "Takes the message and delivers it at once. So does every number that is not on this page.",
        DELIVERED,
    ),
    scenario(2, "message_undeliverable", Trick::Ends(State::Undeliverable), "Sends the receipt `UNDELIV`.", UNDELIVERED),
    scenario(
        3,
        "message_expired",
        Trick::Ends(State::Expired),
        "Sends the receipt `EXPIRED`.",
        "`sent`, then `expired`. The message is paid for.",
    ),
    scenario(4, "message_rejected", Trick::Ends(State::Rejected), "Sends the receipt `REJECTD`.", UNDELIVERED),
    scenario(5, "message_deleted", Trick::Ends(State::Deleted), "Sends the receipt `DELETED`.", UNDELIVERED),
    scenario(
        6,
        "message_unknown",
        Trick::Ends(State::Unknown),
        "Sends the receipt `UNKNOWN`, which says nothing final.",
        "`sent`, and `expired` when its validity has passed by the environment's clock.",
    ),
    scenario(
        7,
        "message_delayed",
        Trick::Late,
        "Delivers the message after one hour by the environment's clock; for applications of others after five seconds.",
        "`sent`, and `delivered` when the clock has moved by an hour.",
    ),
    scenario(8, "message_receipt_twice", Trick::Twice, "Sends the receipt twice.", "`sent`, then `delivered`, once."),
    scenario(
        9,
        "message_receipt_early",
        Trick::Early,
        "Sends the receipt before it answers the submit.",
        "`sent`, then `delivered`.",
    ),
    scenario(
        10,
        "message_en_route",
        Trick::EnRoute,
        "Sends an intermediate notification before the receipt.",
        "`sent`, then `delivered`.",
    ),
    scenario(
        11,
        "message_throttled",
        Trick::Full(crate::wire::status::THROTTLED),
        "Answers `ESME_RTHROTTLED` three times, then takes the message.",
        "`sent` a little later, then `delivered`.",
    ),
    scenario(
        12,
        "message_queue_full",
        Trick::Full(crate::wire::status::QUEUE_FULL),
        "Answers `ESME_RMSGQFUL` three times, then takes the message.",
        "`sent` a little later, then `delivered`.",
    ),
    scenario(
        13,
        "message_refused",
        Trick::Refused(crate::wire::status::INVALID_DESTINATION),
        "Answers `ESME_RINVDSTADR`.",
        "`failed`. The hold is released.",
    ),
    scenario(
        14,
        "message_silent",
        Trick::Silent,
        "Takes the message and never sends a receipt.",
        "`sent`, and `expired` when its validity has passed by the environment's clock.",
    ),
    scenario(
        15,
        "message_unanswered",
        Trick::Mute,
        "Takes the message and does not answer the submit; answers the repetition with the id of the first.",
        "`sent` some seconds later, then `delivered`, once.",
    ),
    scenario(
        16,
        "message_cut",
        Trick::Cut,
        "Takes the message and closes the connection instead of an answer; answers the repetition with the id of the first.",
        "`sent` when the connection is there again, then `delivered`, once.",
    ),
    scenario(
        17,
        "message_receipt_capitals",
        Trick::Written(Style::Capitals),
        "Writes the receipt in capitals: `ID:… STAT:DELIVRD`.",
        DELIVERED,
    ),
    scenario(
        18,
        "message_receipt_small",
        Trick::Written(Style::Small),
        "Writes the receipt in small letters: `id:… stat:delivrd`.",
        DELIVERED,
    ),
    scenario(19, "message_receipt_short", Trick::Written(Style::Short), "Writes only `id:… stat:DELIVRD`.", DELIVERED),
    scenario(
        20,
        "message_receipt_seconds",
        Trick::Written(Style::Seconds),
        "Writes the dates with seconds, an error code in letters and no text.",
        DELIVERED,
    ),
    scenario(
        21,
        "message_receipt_tlv",
        Trick::Written(Style::Tlv),
        "Sends a receipt without a text: `receipted_message_id` and `message_state` only.",
        DELIVERED,
    ),
    scenario(
        22,
        "message_receipt_hex",
        Trick::Written(Style::Hex),
        "Answers the submit with an id in decimal digits and writes it in hexadecimal ones in the receipt.",
        DELIVERED,
    ),
    scenario(
        23,
        "message_receipt_decimal",
        Trick::Written(Style::Decimal),
        "Answers the submit with an id in hexadecimal digits and writes it in decimal ones in the receipt.",
        DELIVERED,
    ),
];

/// All scenarios, in the order in which they are documented.
#[must_use]
pub const fn scenarios() -> &'static [Scenario] {
    SCENARIOS
}

/// What is done with messages to an address.
pub(super) fn trick_of(address: &str) -> Trick {
    let digits = address.trim_start_matches('+').parse().unwrap_or(0);
    let found = magic::provoked(SCENARIOS, PhoneNumber::from_digits(digits));
    found.map_or(Trick::Ends(State::Delivered), |scenario| scenario.trick)
}

/// `docs/magic-recipients.md` as it has to be.
#[must_use]
pub fn magic_recipients_page() -> String {
    let mut page = format!(
        "# Magic recipients\n\n\
         <!-- Written from `crates/sms/src/smsc/scenario.rs` by the tests of that crate; see the end of this page. -->\n\n\
         The messages of a test environment go over real SMPP to an SMSC inside the program, and what it does with them is decided by the \
         recipient's number. Each scenario has {COPIES} numbers, so that tests that run at once do not meet. `GET /v1/magic-numbers` lists \
         the same with the purpose `message`. What a number received is at `GET /v1/pocket/messages`, and `POST /v1/pocket/messages` sends \
         from it. In a live environment these numbers mean nothing.\n\n\
         | Scenario | Numbers | What the SMSC does | What you see |\n|---|---|---|---|\n"
    );
    for scenario in SCENARIOS {
        page.push_str(&scenario.row());
    }
    page.push_str(
        "\n## This page\n\n\
         A test compares it with the table. After a change of the table, write it anew:\n\n\
         ```sh\nTANDEM_WRITE_DOCS=1 cargo test -p tandem-sms page\n```\n",
    );
    page
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, env, fs, path::Path};

    use super::*;

    #[test]
    fn every_magic_recipient_is_a_number_and_means_one_thing() {
        let (mut names, mut numbers) = (HashSet::new(), HashSet::new());
        for scenario in scenarios() {
            assert!(names.insert(scenario.name) && scenario.name.starts_with("message_"), "{}", scenario.name);
            for phone in scenario.numbers() {
                assert!(numbers.insert(phone), "{phone}");
                assert_eq!(PhoneNumber::parse(&phone.to_string()), Ok(phone));
                assert_eq!(trick_of(&phone.to_string()), scenario.trick);
                assert_eq!(trick_of(&phone.digits().to_string()), scenario.trick);
            }
        }
        for other in ["+14155551234", "BANK", "", "16282029999"] {
            assert_eq!(trick_of(other), Trick::Ends(State::Delivered));
        }
    }

    #[test]
    fn the_page_in_the_repository_is_the_one_that_the_table_gives() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/magic-recipients.md");
        if env::var_os("TANDEM_WRITE_DOCS").is_some() {
            fs::write(&path, magic_recipients_page()).expect("the page can be written");
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == magic_recipients_page(), "docs/magic-recipients.md is out of date: run the test with TANDEM_WRITE_DOCS=1");
    }
}
