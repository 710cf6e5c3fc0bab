//! `platefarm-testclips OUT [options]`: writes a synthetic CinemaDNG clip.

use platefarm_testclips::{HELP, parse_args, write_clip};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.is_empty() || args.iter().any(|a| a == "--help" || a == "-h") {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let written = parse_args(&args).map_err(|fault| fault.message).and_then(|(out, spec)| {
        write_clip(&out, &spec).map_err(|e| format!("cannot write into {}: {e}", out.display()))
    });
    match written {
        Ok(paths) => {
            for path in paths {
                println!("{}", path.display());
            }
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}
