//! How this program says who it is to a farm, and whom it trusts there.

use platefarm_model::{Code, Fault, Outcome, Secret};
use platefarm_proto::dial::Dial;
use std::path::{Path, PathBuf};

/// Environment variable that holds a token.
const TOKEN: &str = "PLATEFARM_TOKEN";
/// Largest file that is taken for a token, in bytes.
const MAX_TOKEN_BYTES: u64 = 4096;

/// Options of every verb that reaches a farm.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Reaching a farm")]
pub(crate) struct Access {
    /// File that holds the token to say who we are; without it, PLATEFARM_TOKEN is looked at.
    #[arg(
        long,
        global = true,
        env = "PLATEFARM_TOKEN_FILE",
        value_name = "FILE",
        display_order = 901
    )]
    token_file: Option<PathBuf>,
    /// Whom to trust at an https:// address, as PEM [default: the system's roots]
    #[arg(long, global = true, env = "PLATEFARM_CA", value_name = "FILE", display_order = 902)]
    ca: Option<PathBuf>,
    /// Our own certificate chain, as PEM.
    #[arg(long, global = true, env = "PLATEFARM_CERT", value_name = "FILE", display_order = 903)]
    cert: Option<PathBuf>,
    /// Its private key, as PEM.
    #[arg(long, global = true, env = "PLATEFARM_KEY", value_name = "FILE", display_order = 904)]
    key: Option<PathBuf>,
    /// Something else encrypts the way (a tunnel, a service mesh): send the token over http://, or
    /// listen without TLS, all the same.
    #[arg(long, global = true, display_order = 905)]
    pub(crate) plaintext: bool,
}

impl Access {
    /// Files of certificates that are named, with what they are.
    pub(crate) fn certificates(&self) -> Vec<(&'static str, &Path)> {
        let named = [("whom we trust", &self.ca), ("our own certificate", &self.cert)];
        named.into_iter().filter_map(|(what, file)| Some((what, file.as_deref()?))).collect()
    }

    /// The way to the farm at `url`.
    pub(crate) fn dial(&self, url: &str) -> Outcome<Dial> {
        let token = match &self.token_file {
            Some(file) => Some(read(file)?),
            None => std::env::var(TOKEN)
                .ok()
                .filter(|t| !t.trim().is_empty())
                .map(|t| Secret::new(t.trim())),
        };
        // Certificates that the environment names for farms are no mistake with one in the open.
        let tls = url.starts_with("https:");
        let named = |option: &Option<PathBuf>, name: &str| {
            option.clone().filter(|_| tls || std::env::var_os(name).is_none())
        };
        Ok(Dial {
            url: url.to_owned(),
            token,
            ca: named(&self.ca, "PLATEFARM_CA"),
            cert: named(&self.cert, "PLATEFARM_CERT"),
            key: named(&self.key, "PLATEFARM_KEY"),
            plaintext: self.plaintext,
        })
    }
}

fn read(file: &Path) -> Outcome<Secret> {
    let bad = |what: &str| {
        Fault::new(Code::BadToken, format!("the token file '{}' {what}", file.display()))
            .remedy("Give a file that holds the token and nothing else.")
    };
    let size = std::fs::metadata(file).map_err(|e| bad("cannot be read").because(&e))?.len();
    if size > MAX_TOKEN_BYTES {
        return Err(bad("is too large for a token"));
    }
    let text = std::fs::read_to_string(file).map_err(|e| bad("cannot be read").because(&e))?;
    if text.trim().is_empty() {
        return Err(bad("is empty"));
    }
    Ok(Secret::new(text.trim()))
}
