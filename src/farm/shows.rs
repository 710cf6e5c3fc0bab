//! A show as its farm has it: what it may have of the workers, and what holds
//! for its pulls.

use super::Farm;
use platefarm_model::delivery::ShowDefaults;
use platefarm_model::explain::ShareView;
use platefarm_model::farm::Share;
use platefarm_model::{Code, Fault, FrameRate, Outcome};
use platefarm_proto::convert::from_status;
use platefarm_proto::v1;
use platefarm_scheduler::library::ShowChange;
use serde::Serialize;

/// Everything that is said of a show.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ShowPage {
    /// Its name.
    pub(crate) show: String,
    /// What it has of the farm; none to a token for some shows, which is not told of the whole farm.
    #[serde(flatten)]
    pub(crate) standing: Option<Standing>,
    /// What holds for its pulls; none where the scheduler has no library.
    #[serde(flatten)]
    pub(crate) pulls: Option<Pulls>,
}

/// What a show has of the farm.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Standing {
    /// Its share.
    pub(crate) share: Share,
    /// Tasks that it has now.
    pub(crate) tasks: u64,
    /// Frames of it that could be leased now.
    pub(crate) frames_waiting: u64,
}

/// What holds for the pulls of a show.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Pulls {
    /// Rate, delivery spec, framing and look.
    pub(crate) defaults: ShowDefaults,
    /// Choices between clips that are kept for it.
    pub(crate) choices: u32,
}

fn pulls(show: &str, defaults: Option<v1::ShowDefaults>, choices: u32) -> Outcome<Pulls> {
    let v1::ShowDefaults { rate, spec, fdl, amf } = defaults.unwrap_or_default();
    let rate = rate.map(|rate| rate.parse::<FrameRate>()).transpose()?;
    let defaults = ShowDefaults { show: show.to_owned(), rate, spec, fdl, amf };
    Ok(Pulls { defaults, choices })
}

impl From<ShareView> for Standing {
    fn from(view: ShareView) -> Self {
        let ShareView { show: _, share, tasks, frames_waiting } = view;
        Self { share, tasks, frames_waiting }
    }
}

impl Farm {
    /// Everything that is said of a show.
    pub(crate) async fn show(&mut self, name: &str) -> Outcome<ShowPage> {
        let pulls = match self.pulls_of(name).await {
            Ok(pulls) => Some(pulls),
            Err(fault) if is_without(&fault) => None,
            Err(fault) => return Err(fault),
        };
        self.show_with(name, pulls).await
    }

    /// As [`Self::show`], where it is known what holds for its pulls.
    pub(crate) async fn show_with(
        &mut self,
        name: &str,
        pulls: Option<Pulls>,
    ) -> Outcome<ShowPage> {
        let standing = match self.settings().await {
            Ok(settings) => {
                let found = settings.shares.into_iter().find(|share| share.show == name);
                Some(found.map_or_else(Standing::default, Into::into))
            }
            Err(fault) if fault.code == Code::OutsideShow => None,
            Err(fault) => return Err(fault),
        };
        Ok(ShowPage { show: name.to_owned(), standing, pulls })
    }

    /// What holds for the pulls of a show. Any of the schedulers knows it.
    pub(crate) async fn pulls_of(&mut self, show: &str) -> Outcome<Pulls> {
        let request = v1::GetShowRequest { show: show.to_owned() };
        let answer = self.library.get_show(request).await.map_err(|s| from_status(&s))?;
        let v1::GetShowResponse { defaults, choices } = answer.into_inner();
        pulls(show, defaults, choices)
    }

    /// Says anew what holds for the pulls of a show.
    pub(crate) async fn set_pulls(&mut self, show: &str, change: ShowChange) -> Outcome<Pulls> {
        let answer =
            self.library.set_show(change.question(show)).await.map_err(|s| from_status(&s))?;
        let v1::SetShowResponse { defaults, choices } = answer.into_inner();
        pulls(show, defaults, choices)
    }
}

/// Whether a scheduler says that it has no library.
fn is_without(fault: &Fault) -> bool {
    fault.code == Code::NoMedia
}
