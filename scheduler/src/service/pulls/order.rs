//! What is asked of a pull, read from its message and laid over what the show
//! says. Files that only the show names are refused and not passed over: they
//! lie on machines that run `platefarm pull`.

use crate::library::{Show, is_whole};
use crate::pulls::{self, BAR, Choices, ClipKey, Media, NoPlan, PullPlan, Said, Wishes, delivery};
use platefarm_model::clip::ClipInfo;
use platefarm_model::delivery::{Delivery, ShowDefaults};
use platefarm_model::pull::Document;
use platefarm_model::recipe::{Backend, OutputColor};
use platefarm_model::repair::{Highlights, Repairs};
use platefarm_model::{Code, Fault, FrameRate, Outcome, Timestamp};
use platefarm_proto::v1;
use platefarm_standards::amf::{self, Found, IncomingAmf};
use platefarm_standards::editlist::EditList;
use platefarm_standards::fdl::Fdl;
use std::collections::HashMap;

/// Highest version of a plate.
const MOST_VERSIONS: u32 = 9999;
/// Whose settings these are, with their mistakes.
const FROM: &str = "the request";

/// A pull that is asked for.
pub(super) struct Order {
    pub(super) show: String,
    pub(super) edit_list: Document,
    /// The rate that was given, here or for the show.
    pub(super) rate: Option<FrameRate>,
    /// What was said for this pull.
    pub(super) said: Said,
    /// Settings that were not.
    pub(super) defaulted: Vec<String>,
    /// What this request chooses.
    pub(super) chosen: Choices,
    /// That, over what was chosen for the show before.
    pub(super) choices: Choices,
    pub(super) bar: f64,
    name: String,
    out_dir: String,
    fdl: Option<Document>,
    look: Option<Document>,
    amf: Option<IncomingAmf>,
    delivery: Delivery,
    template_said: bool,
    plate_version: u32,
    repairs: Repairs,
    backend: Backend,
}

fn bad(message: impl Into<String>, field: &str) -> Fault {
    Fault::new(Code::BadSpec, message.into()).at(format!("pull.{field}"))
}

fn said(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// A text with the plain name that its file will have in the package.
fn document(sent: v1::NamedText, field: &str) -> Outcome<Document> {
    let v1::NamedText { name, text } = sent;
    let plain = !name.is_empty()
        && !name.starts_with('.')
        && !name.contains(['/', '\\', ':'])
        && !name.chars().any(char::is_control);
    if !plain {
        return Err(bad(format!("'{name}' is no name of a file"), &format!("{field}.name"))
            .remedy("Send the file's name, without its directory."));
    }
    Ok(Document { name, text: text.into() })
}

/// A document that was sent; none, where it is said that none is meant. A show
/// that has one, in a file, is not passed over.
fn or_of_show(
    sent: Option<v1::NamedText>,
    kept: Option<&String>,
    field: &str,
) -> Outcome<Option<Document>> {
    match (sent, kept) {
        (Some(sent), _) if sent.name.is_empty() && sent.text.is_empty() => Ok(None),
        (Some(sent), _) => document(sent, field).map(Some),
        (None, None) => Ok(None),
        (None, Some(path)) => {
            let message = format!("the show's {field} is a file, '{path}', which is not read here");
            let remedy =
                format!("Send its text as {field}, or an empty {field} where none is meant.");
            Err(bad(message, field).remedy(remedy))
        }
    }
}

/// One of the values that a word may have.
fn one_of<T: Copy + Default>(
    all: &[T],
    name: impl Fn(T) -> &'static str,
    word: &str,
    field: &str,
) -> Outcome<T> {
    if word.is_empty() {
        return Ok(T::default());
    }
    all.iter().copied().find(|value| name(*value).eq_ignore_ascii_case(word)).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|value| name(*value)).collect();
        Fault::new(Code::UnknownOption, format!("'{word}' is not a {field}"))
            .at(format!("pull.{field}"))
            .remedy(format!("Choose one of: {}.", names.join(", ")))
    })
}

const fn backend_name(backend: Backend) -> &'static str {
    match backend {
        Backend::Auto => "auto",
        Backend::Cpu => "cpu",
        Backend::Gpu => "gpu",
    }
}

/// The AMF, with the files that it names among those that were sent.
fn incoming(amf: &Document, files: &[v1::AmfFile]) -> Outcome<IncomingAmf> {
    if let Some(file) = files.iter().find(|file| !is_whole(&file.path)) {
        let message = format!("'{}' is no whole path", file.path);
        return Err(Fault::new(Code::BadLocation, message).at("pull.amf_files"));
    }
    let find = |named: &str| {
        let name = named.strip_prefix("file:").unwrap_or(named);
        let file = files.iter().find(|file| file.name == name || file.name == named);
        file.map(|file| Found { path: file.path.clone(), bytes: file.content.clone() }).ok_or_else(
            || {
                let message = format!("the AMF names '{name}', which was not sent");
                Fault::new(Code::UnresolvedTransform, message)
                    .at("pull.amf_files")
                    .remedy("Send the file by the name that the AMF gives it.")
            },
        )
    };
    IncomingAmf::read(&amf.name, amf.text.as_bytes(), &find)
}

/// The layers: the spec that was sent or named, else the show's, then the request's own settings.
fn delivery(
    asked: &v1::PullOrder,
    show: &ShowDefaults,
    color: OutputColor,
) -> Outcome<(Delivery, Vec<String>)> {
    let mut layers = delivery::Layers::default();
    if let Some(spec) = &asked.spec_text {
        let text = std::str::from_utf8(&spec.text)
            .map_err(|e| bad("the spec is no UTF-8 text", "spec_text").because(&e))?;
        layers.document(&spec.name, text)?;
    } else if let Some(spec) = said(&asked.spec).or_else(|| show.spec.clone()) {
        let text = delivery::profile(&spec).ok_or_else(|| {
            let message = format!("'{spec}' is no shipped delivery spec");
            let names = delivery::names();
            Fault::new(Code::UnknownOption, message).at("pull.spec").remedy(format!(
                "Choose one of {names}, or send the text of a spec as spec_text: files are not read here."
            ))
        })?;
        layers.document(&spec, text)?;
    }
    let wishes = Wishes {
        handles: asked.handles,
        repeated: said(&asked.repeated_shots),
        naming: said(&asked.naming),
        marker_color: said(&asked.marker_color),
        debayer: said(&asked.debayer),
        compression: said(&asked.compression),
        filter: said(&asked.filter),
        template: said(&asked.template),
        intent: said(&asked.intent),
        color,
        allow_upres: asked.allow_upres,
        allow_suspect: asked.allow_suspect,
        antiring: asked.antiring,
        container: asked.container.map(|size| [size.width, size.height]),
    };
    wishes.lay(FROM, &mut layers)?;
    layers.finish()
}

fn choices(sent: &[v1::NamedText]) -> Outcome<Choices> {
    let mut choices = Choices::default();
    for one in sent {
        let text = std::str::from_utf8(&one.text)
            .map_err(|e| bad("the choices are no UTF-8 text", "choices").because(&e))?;
        choices.learn(Choices::read(&one.name, text)?);
    }
    Ok(choices)
}

/// The name of a list without its ending.
fn stem(name: &str) -> String {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    stem.to_owned()
}

impl Order {
    /// What is asked, over what the show says.
    ///
    /// # Errors
    /// [`Code::BadSpec`] and [`Code::UnknownOption`] with the field, and those of the documents.
    pub(super) fn read(mut asked: v1::PullOrder, show: &Show) -> Outcome<Self> {
        let defaults = &show.defaults;
        let said_here = Said {
            rate: !asked.rate.is_empty(),
            spec: asked.spec_text.is_some() || !asked.spec.is_empty(),
            fdl: asked.fdl.is_some(),
            amf: asked.amf.is_some(),
        };
        let list =
            asked.edit_list.take().ok_or_else(|| bad("no edit list was sent", "edit_list"))?;
        let edit_list = document(list, "edit_list")?;
        if !is_whole(&asked.out_dir) {
            let message = format!("'{}' is no whole path", asked.out_dir);
            return Err(Fault::new(Code::BadLocation, message).at("pull.out_dir"));
        }
        let bar = asked.match_bar.unwrap_or(BAR);
        if !(0.0..=1.0).contains(&bar) {
            return Err(bad(format!("{bar} is no score"), "match_bar")
                .remedy("Send a number from 0 to 1, as in 0.8."));
        }
        if asked.plate_version > MOST_VERSIONS {
            let message =
                format!("version {}; 1 to {MOST_VERSIONS} are possible", asked.plate_version);
            return Err(bad(message, "plate_version"));
        }
        let rate = said(&asked.rate).map(|rate| rate.parse::<FrameRate>()).transpose();
        let rate = rate.map_err(|fault: Fault| fault.at("pull.rate"))?.or(defaults.rate);
        let look = or_of_show(asked.amf.take(), defaults.amf.as_ref(), "amf")?;
        let amf = look.as_ref().map(|amf| incoming(amf, &asked.amf_files)).transpose()?;
        let color = said(&asked.color_out).map(|name| amf::output(&name, amf.as_ref())).transpose();
        let color = color.map_err(|fault| fault.at("pull.color_out"))?.unwrap_or_default();
        let (delivery, defaulted) = delivery(&asked, defaults, color)?;
        let chosen = choices(&asked.choices)?;
        let mut all = show.choices.clone();
        all.learn(chosen.clone());
        let highlights =
            one_of(Highlights::ALL, Highlights::name, &asked.highlights, "highlights")?;
        let backends = [Backend::Auto, Backend::Cpu, Backend::Gpu];
        Ok(Self {
            name: said(&asked.name).unwrap_or_else(|| stem(&edit_list.name)),
            edit_list,
            said: said_here,
            rate,
            chosen,
            choices: all,
            bar,
            out_dir: asked.out_dir,
            fdl: or_of_show(asked.fdl.take(), defaults.fdl.as_ref(), "fdl")?,
            look,
            amf,
            delivery,
            defaulted,
            template_said: !asked.template.is_empty(),
            plate_version: asked.plate_version.max(1),
            repairs: Repairs { hot_pixels: asked.hot_pixels, highlights },
            backend: one_of(&backends, backend_name, &asked.backend, "backend")?,
            show: asked.show,
        })
    }

    /// What is assumed where there is no AMF.
    pub(super) fn without_amf(&self) -> Option<Fault> {
        self.amf.is_none().then(|| amf::without_amf().1)
    }

    /// The plan, under the key that this pull has by itself.
    ///
    /// # Errors
    /// Those of [`pulls::attempt`], and of an FDL that cannot be read.
    pub(super) fn plan(
        self,
        list: &EditList,
        keys: &[ClipKey],
        taken: &HashMap<usize, ClipInfo>,
        notes: Vec<Fault>,
        now: Timestamp,
    ) -> Result<PullPlan, NoPlan> {
        let bytes = self.fdl.as_ref().map(|fdl| fdl.text.as_bytes());
        let fdl = self
            .fdl
            .as_ref()
            .map(|fdl| Fdl::parse(fdl.text.as_bytes()).map_err(|fault| fault.within(&fdl.name)));
        let fdl = fdl.transpose()?;
        let request = pulls::PullRequest {
            name: self.name,
            show: self.show,
            edl: list,
            edl_document: self.edit_list,
            rate: list.rate,
            media: Media::of_library(keys, taken),
            choices: self.choices,
            bar: self.bar,
            fdl: fdl.as_ref(),
            fdl_name: self.fdl.as_ref().map(|fdl| fdl.name.clone()),
            look: self.look,
            delivery: self.delivery,
            defaulted: self.defaulted,
            previous: Vec::new(),
            documents: Vec::new(),
            out_dir: self.out_dir,
            plate_version: self.plate_version,
            repairs: self.repairs,
            amf: self.amf.as_ref(),
            template_said: self.template_said,
            backend: self.backend,
            notes,
            seed: String::new(),
            now,
        };
        let (plan, _) = pulls::keyed(request, bytes, &[], taken)?;
        Ok(plan)
    }
}
