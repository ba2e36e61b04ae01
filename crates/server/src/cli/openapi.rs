//! `tandem openapi`.

use tandem_catalogue::Dialect;

use crate::{
    failure::{Failure, Result},
    nearest::nearest,
    output::say_json,
};

const EXAMPLES: &str = "Example:\n  tandem openapi audian > audian.json";

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// audian, fonedynamics, telephony_io or native
    #[arg(value_parser = dialect)]
    dialect: Dialect,
}

fn dialect(text: &str) -> Result<Dialect, String> {
    let names = || Dialect::ALL.into_iter().map(Dialect::as_str);
    Dialect::parse(text).ok_or_else(|| match nearest(text, names()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("use one of {}", names().collect::<Vec<_>>().join(", ")),
    })
}

/// Prints the document.
///
/// # Errors
/// A dialect that this version does not serve.
pub fn run(args: &Args) -> Result<()> {
    let document = tandem_api::openapi(args.dialect);
    let document = document.ok_or_else(|| Failure::new(format!("this version does not serve {} yet", args.dialect.as_str())))?;
    Ok(say_json(&document)?)
}
