//! What a pull takes though nobody said it for this pull: of its show, and of
//! the media. It is listed beside the defaults that a delivery takes, each
//! with whose it is, since a wrong one costs all of the plates.

use platefarm_model::FrameRate;
use platefarm_model::delivery::ShowDefaults;
use platefarm_standards::editlist::{EditList, Format};

/// What was said for the pull itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Said {
    /// The rate of the list.
    pub rate: bool,
    /// The delivery spec.
    pub spec: bool,
    /// The framing.
    pub fdl: bool,
    /// The look.
    pub amf: bool,
}

/// The other settings, as `name = value (whose)`. `media` are the rates of the clips.
#[must_use]
pub fn inherited(
    said: Said,
    show: &ShowDefaults,
    list: &EditList,
    media: &[FrameRate],
) -> Vec<String> {
    let whose = match show.show.as_str() {
        "" => "the show".to_owned(),
        name => format!("show {name}"),
    };
    let mut taken = Vec::new();
    // Lists of the other formats say it themselves.
    if !said.rate && list.format == Format::Edl {
        let from = match (show.rate, media) {
            (Some(_), _) => whose.as_str(),
            (None, []) => "no media says one",
            (None, _) => "media",
        };
        taken.push(format!("rate = {} ({from})", list.rate));
    }
    let files = [
        ("spec", said.spec, &show.spec),
        ("fdl", said.fdl, &show.fdl),
        ("amf", said.amf, &show.amf),
    ];
    for (name, said, value) in files {
        let value = value.iter().filter(|_| !said);
        taken.extend(value.map(|value| format!("{name} = {value} ({whose})")));
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_said_is_listed_with_whose_it_is() {
        let rate = FrameRate::FPS_24;
        let list = |format| EditList::new(format, rate);
        let nobody = ShowDefaults::default();
        let show = ShowDefaults {
            show: "S2".into(),
            rate: Some(rate),
            spec: Some("vfx-plate".into()),
            fdl: Some("/show/show.fdl".into()),
            amf: None,
        };
        let of = |said, show, format, media: &[_]| inherited(said, show, &list(format), media);
        let none = Said::default();
        assert_eq!(of(none, &nobody, Format::Edl, &[rate]), ["rate = 24 (media)"]);
        assert_eq!(of(none, &nobody, Format::Edl, &[]), ["rate = 24 (no media says one)"]);
        assert_eq!(of(none, &nobody, Format::Otio, &[rate]), [""; 0]);
        assert_eq!(
            of(none, &show, Format::Edl, &[rate]),
            ["rate = 24 (show S2)", "spec = vfx-plate (show S2)", "fdl = /show/show.fdl (show S2)"]
        );
        let said = Said { rate: true, fdl: true, ..none };
        assert_eq!(of(said, &show, Format::Edl, &[rate]), ["spec = vfx-plate (show S2)"]);
        let file = ShowDefaults { spec: Some("s.toml".into()), ..nobody };
        assert_eq!(of(none, &file, Format::Otio, &[]), ["spec = s.toml (the show)"]);
    }
}
