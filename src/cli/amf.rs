//! `platefarm amf ...`: what ACES metadata files say, whether they are right,
//! and what they name.

use crate::cli::colors::find;
use crate::cli::render::read_document;
use crate::output::{AmfStage, AmfView, Output};
use platefarm_model::color::recipe::{ColorStep, DEFAULT_VIEW};
use platefarm_model::{Fault, Outcome};
use platefarm_standards::amf::{
    Amf, ClipMedia, IncomingAmf, Reference, Stage, StageKind, registry,
};
use std::path::{Path, PathBuf};

#[derive(clap::Subcommand)]
pub(super) enum Verb {
    /// Print what a file says: its clip, its transforms in order, and which of them are in the pixels.
    Show {
        /// The AMF, of version 1 or 2.
        file: PathBuf,
    },
    /// Check a file against AMF 2.0: its structure, its ids, its flags. Exit code 2 when something is wrong.
    Validate {
        /// The AMF.
        file: PathBuf,
    },
    /// Find everything that a file names, with its hashes, and print what is still to be done to the pixels.
    Resolve {
        /// The AMF; files that it names stand beside it or below.
        file: PathBuf,
    },
}

pub(super) fn run(verb: &Verb, out: &dyn Output) -> Outcome<()> {
    match verb {
        Verb::Show { file } => {
            let amf = read(file)?;
            out.amf(&view(file, &amf));
            Ok(())
        }
        Verb::Validate { file } => {
            let bytes = read_document(file)?;
            let problems = platefarm_standards::amf::validate(&bytes)
                .map_err(|fault| fault.within(file.display()))?;
            out.amf_checked(&file.display().to_string(), &problems);
            match problems.into_iter().next() {
                None => Ok(()),
                Some(first) => Err(first.within(file.display())),
            }
        }
        Verb::Resolve { file } => {
            let bytes = read_document(file)?;
            let (name, directory) = (file.display().to_string(), parent(file));
            let finder = |name: &str| find(directory, name);
            let problems = read(file)?.unresolved(&finder);
            // One alone is the error that the verb ends with.
            if problems.len() > 1 {
                out.amf_checked(&name, &problems);
            }
            let incoming = IncomingAmf::read(&name, &bytes, &finder)?;
            out.amf(&resolved(file, &incoming));
            Ok(())
        }
    }
}

fn parent(file: &Path) -> &Path {
    file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn read(file: &Path) -> Outcome<Amf> {
    Amf::parse(&read_document(file)?).map_err(|fault| fault.within(file.display()))
}

fn view(file: &Path, amf: &Amf) -> AmfView {
    let clip = amf.clip.as_ref().map(|clip| match &clip.media {
        Some(ClipMedia::Sequence { pattern, first, last, .. }) => {
            format!("{}: {pattern}, {first}-{last}", clip.name)
        }
        Some(ClipMedia::File(file)) => format!("{}: {file}", clip.name),
        Some(ClipMedia::Uuid(uuid)) => format!("{}: uuid {uuid}", clip.name),
        None => clip.name.clone(),
    });
    AmfView {
        file: file.display().to_string(),
        version: amf.version,
        uuid: amf.uuid.clone(),
        description: amf.description.clone(),
        clip,
        aces: amf.pipeline.system_version.map(|v| v.map(|n| n.to_string()).join(".")),
        stages: amf.pipeline.stages.iter().map(stage).collect(),
        archived: amf.archived.len(),
        remaining: None,
        view: None,
        notes: Vec::new(),
    }
}

fn stage(stage: &Stage) -> AmfStage {
    let mut names = Vec::new();
    for reference in &stage.references {
        names.push(match reference {
            Reference::TransformId(id) => match registry::find(id) {
                Some(known) if !known.name.is_empty() => format!("{id} ({})", known.name),
                Some(_) => id.clone(),
                None => format!("{id} (not in the ACES registry)"),
            },
            Reference::File(file) => match &stage.correction {
                Some(id) => format!("{file}#{id}"),
                None => file.clone(),
            },
            Reference::Uuid(uuid) => format!("uuid {uuid}"),
        });
    }
    if let Some(cdl) = &stage.cdl {
        let step = ColorStep::Cdl(cdl.link());
        let space = stage.space.as_ref().and_then(|space| {
            space.to.as_ref().or(space.from.as_ref()).map(|id| format!(", in the space of {id}"))
        });
        names.push(format!("{step}{}", space.unwrap_or_default()));
    }
    AmfStage {
        kind: stage.kind.element(),
        applied: (stage.kind != StageKind::WorkingLocation).then(|| stage.is_applied()),
        description: stage.description.clone(),
        names,
        steps: None,
    }
}

fn resolved(file: &Path, incoming: &IncomingAmf) -> AmfView {
    let shown = |steps: &[ColorStep]| steps.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut view = view(file, &incoming.amf);
    for (shown_stage, stage) in view.stages.iter_mut().zip(&incoming.resolved.stages) {
        shown_stage.steps = (!stage.applied).then(|| shown(&stage.steps));
    }
    view.remaining = Some(shown(&incoming.resolved.remaining()));
    view.notes.clone_from(&incoming.resolved.notes);
    let shown = incoming.resolved.has_applied(StageKind::Output);
    let named = incoming.view().ok().flatten();
    let named = named.map_or_else(|| DEFAULT_VIEW.to_owned(), |color| color.name().to_owned());
    view.view = (!shown).then_some(named);
    let said = incoming.resolved.stages.iter().any(|stage| stage.kind == StageKind::Output);
    if !said && !shown {
        view.notes.push(Fault::new(
            platefarm_model::Code::ColorAssumed,
            format!("no output transform is named: {DEFAULT_VIEW} is taken for viewing"),
        ));
    }
    view
}
