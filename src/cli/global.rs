//! What every verb understands, and how every verb ends.

use clap::Args;
use platefarm_model::{Code, Fault, Outcome};
use platefarm_worker::child::Program;

/// Where a scheduler is looked for when nobody says where it is.
pub(crate) const DEFAULT_FARM: &str = "http://127.0.0.1:7878";

/// Heading of those options that every verb has, after its own.
const EVERYWHERE: &str = "Everywhere";

/// How the program ends, and what that says.
pub(super) const EXIT_CODES: &[(u8, &str)] = &[
    (0, "done"),
    (2, "the request is wrong: an argument, an edit list, a path or id that is not there"),
    (
        3,
        "the media: a file that is damaged, a frame that is missing, a clip that is not what it should be",
    ),
    (4, "this machine or a worker: a full disk, no GPU, no decoder"),
    (5, "the farm: its scheduler, store or network"),
    (70, "the program itself"),
];

/// The same for the end of the help.
pub(super) fn exit_codes() -> String {
    let line = |(code, what): &(u8, &str)| format!("  {code:<4}{what}");
    let lines: Vec<String> = EXIT_CODES.iter().map(line).collect();
    format!(
        "Exit codes:\n{}\n\n`platefarm explain CODE` says what an error means and what to do.",
        lines.join("\n")
    )
}

/// Options that every verb understands.
#[derive(Args)]
pub(crate) struct Global {
    /// Address of the scheduler; where several share a database, all of them with commas between.
    #[arg(
        long,
        global = true,
        env = "PLATEFARM_FARM",
        hide_env_values = true,
        value_name = "URL",
        default_value = DEFAULT_FARM,
        help_heading = "Reaching a farm",
        display_order = 900
    )]
    pub(crate) farm: String,
    /// Print data as JSON on standard output.
    #[arg(long, global = true, conflicts_with = "quiet", help_heading = EVERYWHERE, display_order = 1001)]
    pub(super) json: bool,
    /// Print ids and paths only.
    #[arg(long, short, global = true, help_heading = EVERYWHERE, display_order = 1002)]
    pub(super) quiet: bool,
    /// What to log on standard error: error, warn, info, debug, or a filter such as platefarm_worker=debug.
    #[arg(
        long,
        global = true,
        env = "PLATEFARM_LOG",
        value_name = "FILTER",
        default_value = "warn",
        help_heading = EVERYWHERE,
        display_order = 1003
    )]
    pub(super) log: String,
    /// Log a JSON document to a line, for programs that gather logs.
    #[arg(long, global = true, env = "PLATEFARM_LOG_JSON", help_heading = EVERYWHERE, display_order = 1004)]
    pub(super) log_json: bool,
    /// Bridges to makers' own decoders, as TOML (docs/bridge.md).
    #[arg(
        long,
        global = true,
        env = "PLATEFARM_BRIDGES",
        value_name = "FILE",
        help_heading = EVERYWHERE,
        display_order = 1005
    )]
    pub(super) bridges: Option<std::path::PathBuf>,
    /// Send traces to an OTLP collector over gRPC, as in http://127.0.0.1:4317 [default: nowhere]
    #[arg(
        long,
        global = true,
        env = "OTEL_EXPORTER_OTLP_ENDPOINT",
        hide_env_values = true,
        value_name = "URL",
        help_heading = EVERYWHERE,
        display_order = 1006
    )]
    pub(super) otlp: Option<String>,
    /// How we reach it.
    #[command(flatten)]
    pub(crate) access: crate::access::Access,
}

impl Global {
    /// The way to the farm.
    pub(crate) fn dial(&self) -> Outcome<platefarm_proto::dial::Dial> {
        self.access.dial(&self.farm)
    }

    /// The bridges that are configured.
    ///
    /// # Errors
    /// `F0006` when the file cannot be read.
    pub(crate) fn bridges(&self) -> Outcome<platefarm_media::source::bridge::Bridges> {
        super::bridge::read(self.bridges.as_deref())
    }

    /// This program as one slot of a worker, with the same log and bridges.
    ///
    /// # Errors
    /// When the system does not say where this program is.
    pub(crate) fn slot_program(&self) -> Outcome<Program> {
        let path = std::env::current_exe().map_err(|e| {
            Fault::new(Code::Internal, "the system does not say where this program is").because(&e)
        })?;
        let mut args = vec!["worker-slot".into(), "--log".into(), self.log.clone().into()];
        if self.log_json {
            args.push("--log-json".into());
        }
        if let Some(bridges) = &self.bridges {
            args.extend(["--bridges".into(), bridges.clone().into()]);
        }
        Ok(Program { path, args })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_says_every_exit_code() {
        use platefarm_model::code::Owner::{Farm, Media, Program, Request, Worker};
        let said: Vec<u8> = EXIT_CODES.iter().map(|(code, _)| *code).collect();
        let owners = [Request, Media, Worker, Farm, Program].map(|owner| owner.exit_code());
        assert_eq!(said, [&[0][..], &owners].concat());
        // Two that are easily taken for each other.
        let says = |code: Code| {
            let owner = code.info().owner.exit_code();
            EXIT_CODES.iter().find(|(code, _)| *code == owner).map_or("", |(_, what)| *what)
        };
        assert!(says(Code::FileNotFound).contains("a path or id that is not there"));
        assert!(says(Code::MissingFrame).contains("a frame that is missing"));
        let help = crate::cli::typed::command().render_help().to_string();
        assert!(help.contains("  70  the program itself"), "{help}");
    }

    /// What a verb has of its own comes first, and in one piece.
    #[test]
    fn options_of_every_verb_stand_apart() {
        let mut root = crate::cli::typed::command();
        let everywhere: Vec<String> =
            root.get_arguments().map(|arg| arg.get_id().as_str().to_owned()).collect();
        root.build();
        let mut checked = 0;
        let mut commands: Vec<&clap::Command> = root.get_subcommands().collect();
        while let Some(command) = commands.pop() {
            commands.extend(command.get_subcommands());
            let of_all = |id: &str| everywhere.iter().any(|known| known == id);
            for arg in command.get_arguments().filter(|arg| of_all(arg.get_id().as_str())) {
                checked += 1;
                let heading = arg.get_help_heading();
                let apart = matches!(heading, Some(EVERYWHERE | "Reaching a farm"));
                assert!(apart, "{} {}", command.get_name(), arg.get_id());
            }
        }
        assert!(checked > 100, "{checked}");
        let help = root.find_subcommand_mut("inspect").expect("a verb").render_help().to_string();
        let at = |text: &str| help.find(text).unwrap_or_else(|| panic!("no {text}: {help}"));
        assert!(at("--full") < at("Everywhere:") && at("Everywhere:") < at("--log "), "{help}");
        assert!(!help.contains("--otlp") && help.contains("--bridges"), "{help}");
        let help = root.find_subcommand_mut("audit").expect("a verb").render_help().to_string();
        assert!(!help.contains("--bridges") && !help.contains("--otlp"), "{help}");
        assert!(help.contains("Reaching a farm:"), "{help}");
    }
}
