//! What colour a request asks for, as values: an AMF with what it names, an
//! input transform, looks, and the colour of the output.

use crate::cli::render::read_document;
use platefarm_model::clip::ClipInfo;
use platefarm_model::color::name;
use platefarm_model::recipe::{ColorFile, ColorRecipe, ColorStep, OutputColor};
use platefarm_model::{Code, Fault, Outcome};
use platefarm_standards::amf::{self, ExtraLook, Found, IncomingAmf};
use platefarm_standards::look;
use std::path::{Component, Path, PathBuf};

/// Colour that a pull and a render have in common.
#[derive(clap::Args)]
pub(super) struct ColorArgs {
    /// ACES metadata file of the show or the clip: its input transform for pictures that are
    /// codes, its looks and output transform for what is made for a display. Goes on into the AMF
    /// of what is delivered.
    #[arg(long, value_name = "FILE")]
    amf: Option<PathBuf>,
    /// Colour of the output: a space or an output transform of `platefarm color list`, or `view`
    /// for what the AMF says [default: ACES2065-1]
    #[arg(long, value_name = "NAME")]
    color_out: Option<String>,
}

impl ColorArgs {
    /// The AMF, with what it names.
    pub(super) fn incoming(&self) -> Outcome<Option<IncomingAmf>> {
        self.amf.as_deref().map(read_amf).transpose()
    }

    /// The file of the AMF.
    pub(super) fn amf_path(&self) -> Option<&Path> {
        self.amf.as_deref()
    }

    pub(super) fn color_out(&self, incoming: Option<&IncomingAmf>) -> Outcome<OutputColor> {
        let Some(text) = self.color_out.as_deref() else { return Ok(OutputColor::default()) };
        amf::output(text, incoming).map_err(|fault| {
            let fault = fault.at("--color-out");
            if Path::new(text).is_file() {
                return fault.remedy(
                    "A file that makes a display's codes of ACES2065-1 is named by an AMF, as its outputTransform: --amf FILE --color-out view. A look is put in with --look.",
                );
            }
            fault
        })
    }
}

/// An AMF from disk, with what it names.
pub(super) fn read_amf(path: &Path) -> Outcome<IncomingAmf> {
    let bytes = read_document(path)?;
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    IncomingAmf::read(&path.display().to_string(), &bytes, &|name| find(directory, name))
}

/// A file beside an AMF or below it.
pub(super) fn find(directory: &Path, name: &str) -> Outcome<Found> {
    let plain = unescaped(name.strip_prefix("file:").unwrap_or(name)).replace('\\', "/");
    let relative = Path::new(&plain);
    let missing = |message: String| {
        Fault::new(Code::UnresolvedTransform, message).at(name.to_owned()).remedy(format!(
            "Put the file beside the AMF, in '{}', and name it by a relative path.",
            directory.display()
        ))
    };
    let inside =
        relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if plain.is_empty() || !inside {
        return Err(missing(format!("the AMF names '{name}', which is not beside it")));
    }
    let path = std::path::absolute(directory.join(relative))
        .map_err(|e| missing(format!("'{name}' is no path")).because(&e))?;
    if !path.is_file() {
        return Err(missing(format!("the AMF names '{name}', which is not there")));
    }
    let bytes = read_document(&path)?;
    Ok(Found { path: path.display().to_string(), bytes })
}

/// Text of an `anyURI`: `%20` is a space.
fn unescaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let digits = bytes.get(i + 1..i + 3).and_then(|d| std::str::from_utf8(d).ok());
        match digits.and_then(|d| u8::from_str_radix(d, 16).ok()).filter(|_| bytes[i] == b'%') {
            Some(byte) => {
                out.push(byte);
                i += 3;
            }
            None => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A look by its name, or its file (`FILE`, or `FILE#ID` of a collection).
pub(super) fn read_look(text: &str) -> Outcome<(ColorStep, ExtraLook)> {
    let (file, id) = match text.rsplit_once('#') {
        Some((file, id)) if !Path::new(text).exists() => (file, Some(id)),
        _ => (text, None),
    };
    let label = text.to_owned();
    let path = Path::new(file);
    if !path.exists() {
        name::look(text).map_err(|fault| {
            // A look of the registry that is not computed says why.
            let registered =
                amf::registry::find(text).and_then(|_| amf::registry::resolve(text).err());
            let fault = registered.unwrap_or(fault);
            let remedy = "Give a file that is there, or the name of a look.";
            let fault = fault.within("--look");
            if fault.remedy.is_none() { fault.remedy(remedy) } else { fault }
        })?;
        let step = ColorStep::Look(label.clone());
        return Ok((step, ExtraLook { label, file: None, correction: None }));
    }
    let collections = ["cdl", "cc", "ccc"];
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    if let Some(id) = id.filter(|_| !collections.iter().any(|known| extension == *known)) {
        let message = format!("'{file}' is one look: it has no correction '{id}'");
        let remedy = "Name the file by itself; FILE#ID is for .cdl, .cc and .ccc.";
        return Err(Fault::new(Code::BadLook, message).at("--look").remedy(remedy));
    }
    let bytes = read_document(path)?;
    look::parse(file, &bytes, id)?;
    let absolute = std::path::absolute(path)
        .map_err(|e| Fault::new(Code::FileNotFound, format!("'{file}' is no path")).because(&e))?;
    let step = ColorStep::File(ColorFile {
        path: absolute.display().to_string(),
        sha256: amf::sha256_hex(&bytes),
        id: id.map(str::to_owned),
    });
    let name = path.file_name().map_or_else(|| label.clone(), |n| n.to_string_lossy().into_owned());
    Ok((step, ExtraLook { label, file: Some((name, bytes)), correction: id.map(str::to_owned) }))
}

/// The colour of a clip, and what was assumed about it.
pub(super) fn recipe(
    clip: &ClipInfo,
    incoming: Option<&IncomingAmf>,
    color_in: Option<&str>,
    looks: &[ColorStep],
    color_out: &OutputColor,
) -> Outcome<(ColorRecipe, Vec<Fault>)> {
    // A person's word goes before the file's and the AMF's.
    let pixels = color_in.map_or_else(|| amf::pixels(clip), |_| amf::Pixels::Named);
    let (mut recipe, mut notes) = match incoming {
        Some(incoming) => {
            let recipe = incoming.of(clip).and_then(|amf| amf.resolved.recipe(pixels, color_out));
            recipe.map_err(|fault| fault.within(&incoming.name))?
        }
        None => {
            let (recipe, assumed) = amf::without_amf();
            (recipe, vec![assumed])
        }
    };
    if let Some(text) = color_in {
        let name = amf::named(text).map_err(|fault| fault.at("--color-in"))?;
        name::to_aces(&name).map_err(|fault| fault.at("--color-in"))?;
        let said = incoming.and_then(|amf| amf::overruled(amf, clip, "--color-in", &name));
        notes.extend(said);
        recipe.input = vec![ColorStep::ToAces(name)];
    }
    recipe.looks.extend(looks.iter().cloned());
    Ok((recipe, notes))
}
