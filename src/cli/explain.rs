//! `platefarm explain [CODE]`: the table of error codes.

use crate::output::Output;
use platefarm_model::code::CODES;
use platefarm_model::{Code, Fault, Outcome};

#[derive(clap::Args)]
pub(super) struct Args {
    /// A code as errors print it, e.g. F0203.
    code: Option<String>,
}

pub(super) fn run(args: &Args, out: &dyn Output) -> Outcome<()> {
    let Some(text) = &args.code else {
        out.codes(CODES);
        return Ok(());
    };
    let code = Code::parse(text).ok_or_else(|| {
        Fault::new(Code::UnknownOption, format!("'{text}' is not an error code"))
            .remedy("`platefarm explain` lists them all.")
    })?;
    out.codes(std::slice::from_ref(code.info()));
    Ok(())
}
