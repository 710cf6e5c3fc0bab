//! Who makes a call, and what is theirs to see.

use super::table::Who;
use crate::core::{Command, State};
use platefarm_model::trust::{Role, TokenView};
use platefarm_model::{Code, Fault, Outcome};

/// Who makes a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Name of the token; `local` where nobody has to say who they are.
    pub name: String,
    /// Its id; empty where none was needed.
    pub token: String,
    /// What they are.
    pub role: Role,
    /// Shows that they see; none means all.
    pub shows: Vec<String>,
}

impl Caller {
    /// Whoever is on this machine, where that is enough.
    pub(super) fn local() -> Self {
        Self { name: "local".into(), token: String::new(), role: Role::Admin, shows: Vec::new() }
    }

    /// Who makes this call, as the gate found out.
    ///
    /// # Errors
    /// [`Code::Internal`] for a call that did not come through the gate.
    pub fn of<T>(request: &tonic::Request<T>) -> Outcome<Self> {
        request
            .extensions()
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Fault::new(Code::Internal, "a call passed no gate"))
    }

    /// Whether things of `show` are theirs to see.
    #[must_use]
    pub fn sees(&self, show: &str) -> bool {
        self.shows.is_empty() || self.shows.iter().any(|mine| mine == show)
    }

    /// Refuses what is not theirs to see.
    ///
    /// # Errors
    /// [`Code::OutsideShow`].
    pub fn check(&self, show: &str, what: &str) -> Outcome<()> {
        if self.sees(show) {
            return Ok(());
        }
        Err(self.outside(&format!("{what} is of show '{show}'")))
    }

    /// The show to look in: the one that is named, or the caller's only one; none is all of them.
    ///
    /// # Errors
    /// [`Code::OutsideShow`], also where the caller sees several and names none.
    pub(crate) fn one_show(&self, named: Option<String>, what: &str) -> Outcome<Option<String>> {
        match (named.filter(|show| !show.is_empty()), self.shows.as_slice()) {
            (Some(show), _) => self.check(&show, what).map(|()| Some(show)),
            (None, []) => Ok(None),
            (None, [only]) => Ok(Some(only.clone())),
            (None, _) => Err(Fault::new(Code::OutsideShow, format!("{what} is of many shows"))
                .remedy(format!("Name one of: {}.", self.shows.join(", ")))),
        }
    }

    /// That something is not for them.
    pub(super) fn outside(&self, message: &str) -> Fault {
        Fault::new(Code::OutsideShow, format!("{message}; '{}' is not for it", self.name))
            .remedy(format!("The token is for: {}.", self.shows.join(", ")))
    }

    /// Whether the whole farm is theirs to run, and not some shows of it.
    pub(crate) fn runs_the_farm(&self) -> bool {
        self.is(Who::Role(Role::Operator)) && self.shows.is_empty()
    }

    /// Refuses a command that asks for a class above what its show may have, but to those who run
    /// the farm: a higher class takes capacity from all shows.
    ///
    /// # Errors
    /// [`Code::NotAllowed`], [`Code::UnknownJob`].
    pub(crate) fn may_rank(&self, farm: &State, command: &Command) -> Outcome<()> {
        let Some(class) = command.class() else { return Ok(()) };
        let show = match command {
            Command::Submit(spec) => spec.show.clone(),
            Command::Control(target, _) => farm.show_of(target.job())?,
            _ => return Ok(()),
        };
        let highest = farm.share_of(&show).highest_class;
        if class <= highest || self.runs_the_farm() {
            return Ok(());
        }
        let Self { name, role, .. } = self;
        let message = format!(
            "'{name}' is a {role}, and class '{class}' takes an operator of the whole farm: \
             the highest of show '{show}' is '{highest}'"
        );
        Err(Fault::new(Code::NotAllowed, message).remedy(format!(
            "Ask such an operator to raise the job, or the show: \
             `platefarm shows set '{show}' --highest-class {class}`."
        )))
    }

    /// Whether they are one of those.
    pub(super) fn is(&self, who: Who) -> bool {
        let local = self.token.is_empty();
        match who {
            Who::Anybody | Who::Known => true,
            Who::Role(role) => local || self.role.covers(role),
            Who::WorkerOr(role) => local || self.role == Role::Worker || self.role.covers(role),
        }
    }
}

impl From<TokenView> for Caller {
    fn from(card: TokenView) -> Self {
        Self { name: card.name, token: card.id, role: card.role, shows: card.shows }
    }
}
