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
    /// Its name, its share, what it has and what waits.
    #[serde(flatten)]
    pub(crate) share: ShareView,
    /// What holds for its pulls; none where the scheduler has no library.
    #[serde(flatten)]
    pub(crate) pulls: Option<Pulls>,
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

impl Farm {
    /// Everything that is said of a show.
    pub(crate) async fn show(&mut self, name: &str) -> Outcome<ShowPage> {
        let mut shares = self.settings().await?.shares.into_iter();
        let share = shares.find(|share| share.show == name);
        let share = share.unwrap_or_else(|| ShareView {
            show: name.to_owned(),
            share: Share::default(),
            tasks: 0,
            frames_waiting: 0,
        });
        let pulls = match self.pulls_of(name).await {
            Ok(pulls) => Some(pulls),
            Err(fault) if is_without(&fault) => None,
            Err(fault) => return Err(fault),
        };
        Ok(ShowPage { share, pulls })
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
        let ShowChange { rate, spec, fdl, amf, forget_choices } = change;
        let defaults = Some(v1::ShowDefaults { rate, spec, fdl, amf });
        let request = v1::SetShowRequest { show: show.to_owned(), defaults, forget_choices };
        let answer = self.library.set_show(request).await.map_err(|s| from_status(&s))?;
        let v1::SetShowResponse { defaults, choices } = answer.into_inner();
        pulls(show, defaults, choices)
    }
}

/// Whether a scheduler says that it has no library.
fn is_without(fault: &Fault) -> bool {
    fault.code == Code::NoMedia
}
