//! The page of the magic numbers, written from their table.

use tandem_app::magic::COPIES;

use super::scenario::{Purpose, scenarios};

/// `docs/magic-numbers.md` as it has to be.
#[must_use]
pub fn magic_numbers_page() -> String {
    let mut page = format!(
        "# Magic numbers\n\n\
         <!-- Written from `crates/carriers/src/simulated/scenario.rs` by the tests of that crate; see the end of this page. -->\n\n\
         In a test environment the carrier is simulated, and what it does is decided by the telephone number. Each scenario below has \
         {COPIES} numbers, so that tests that run at once do not meet; which of them is used makes no difference. `GET /v1/magic-numbers` \
         lists the same. In a live environment these numbers mean nothing.\n\n\
         Times are by the environment's clock, which `POST /v1/clock/advance` moves.\n"
    );
    section(&mut page, "Numbers to buy", Purpose::Purchase);
    page.push_str(
        "\nThese numbers are in the inventory of the test environments. All accounts of an installation share that inventory: a number \
         that was bought, or that turned out to be gone, is not for sale to the next test. Every other number of the inventory is sold \
         at once.\n",
    );
    section(&mut page, "Numbers to port", Purpose::Port);
    section(&mut page, "Recipients of messages with media", Purpose::Mms);
    page.push_str("\nA message with media to any other number is `delivered` at once.\n");
    page.push_str(
        "\nFive faults in a row open the circuit to the carrier, for this environment alone and for ten seconds: until then every \
         question to it is answered with 503 `carrier_unavailable`.\n\n\
         ## This page\n\n\
         A test compares it with the table. After a change of the table, write it anew:\n\n\
         ```sh\nTANDEM_WRITE_DOCS=1 cargo test -p tandem-carriers page\n```\n",
    );
    page
}

fn section(page: &mut String, title: &str, purpose: Purpose) {
    page.push_str(&format!("\n## {title}\n\n| Scenario | Numbers | What the carrier does | What you see |\n|---|---|---|---|\n"));
    for scenario in scenarios().iter().filter(|scenario| scenario.trick.purpose() == purpose) {
        page.push_str(&scenario.row());
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    use tandem_catalogue::Code;
    use tandem_kernel::PhoneNumber;

    use super::*;
    use crate::simulated::scenario_of;

    #[test]
    fn the_page_in_the_repository_is_the_one_that_the_table_gives() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/magic-numbers.md");
        if env::var_os("TANDEM_WRITE_DOCS").is_some() {
            fs::create_dir_all(path.parent().expect("a folder")).expect("docs can be made");
            fs::write(&path, magic_numbers_page()).expect("the page can be written");
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == magic_numbers_page(), "docs/magic-numbers.md is out of date: run the test with TANDEM_WRITE_DOCS=1");
    }

    #[test]
    fn the_catalogue_names_magic_numbers_that_provoke_what_it_says() {
        let mut named = 0;
        for code in Code::ALL {
            for number in code.entry().trigger.split('`').filter_map(PhoneNumber::from_e164) {
                let Some(scenario) = scenario_of(number) else { continue };
                let promised = format!("`{}`", code.name());
                assert!(scenario.outcome.contains(&promised), "{} is not what {} gives", code.name(), scenario.name);
                named += 1;
            }
        }
        assert!(named >= 7, "only {named} of the catalogue's triggers name a magic number");
    }
}
