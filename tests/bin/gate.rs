//! `gate FOLDER`: fails where a run of the tests, recorded into the folder, has not shown what the documents promise.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that is read from its output")]

use std::{path::Path, process::ExitCode};

use tandem_tests::gate::{Seen, faults, summary, tables};

fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1) else {
        eprintln!("usage: gate FOLDER, which the tests have filled with TANDEM_TEST_COVERAGE=FOLDER");
        return ExitCode::from(2);
    };
    let tables = tables();
    let seen = match Seen::read(Path::new(&folder), &tables) {
        Ok(seen) => seen,
        Err(fault) => {
            eprintln!("error: {fault}");
            return ExitCode::from(2);
        }
    };
    print!("{}", summary(&tables, &seen));
    let faults = faults(&tables, &seen);
    if faults.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("\n{} gaps:", faults.len());
    faults.iter().for_each(|fault| println!("  {fault}"));
    ExitCode::FAILURE
}
