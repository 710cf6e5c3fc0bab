//! Movie files through FFmpeg: ProRes, DNxHD and DNxHR, H.264 and H.265 in
//! QuickTime, MP4, MXF and Matroska, and ProRes RAW where the installed FFmpeg
//! decodes it. FFmpeg runs as a process and is never linked; it unpacks and
//! decodes, and everything that gives samples a meaning is done here.

mod color;
mod extent;
mod planes;
mod probe;
mod stream;
#[cfg(test)]
mod tests;
mod tools;

use super::pictures::check_index;
use super::{Clip, Sequence, Source};
use planes::{Conversion, Kind, Planes};
use platefarm_model::clip::{ClipInfo, Picture, Timing};
use platefarm_model::raw::{
    Bayer, Frame, Layout, Levels, MosaicLayout, Packing, Rect, RgbLayout, RgbSamples,
};
use platefarm_model::{Code, Fault, FrameRate, Outcome, Timecode, color as matrices};
use probe::{Times, Track};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stream::{Frames, Request};

/// The reader of movies.
pub(super) struct Movie;

impl Source for Movie {
    fn name(&self) -> &'static str {
        "movie"
    }

    fn doc(&self) -> &'static str {
        "movies through an installed FFmpeg: ProRes, DNxHR, H.264, H.265 in mov, mp4, mxf, mkv"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["mov", "mp4", "m4v", "mxf", "mkv"]
    }

    fn probe(&self, head: &[u8], _: &Path) -> bool {
        let is_box = |kinds: &[&[u8]]| head.get(4..8).is_some_and(|kind| kinds.contains(&kind));
        is_box(&[b"ftyp", b"moov", b"mdat", b"wide", b"free"])
            || head.starts_with(&[0x06, 0x0e, 0x2b, 0x34, 0x02, 0x05, 0x01, 0x01])
            || head.starts_with(&[0x1a, 0x45, 0xdf, 0xa3])
    }

    fn needs_disk(&self) -> bool {
        true
    }

    fn whole_clip(&self) -> bool {
        true
    }

    fn open(&self, sequence: Sequence) -> Outcome<Box<dyn Clip>> {
        let path = sequence.first_file().to_owned();
        let clip = MovieClip::open(&sequence).map_err(|fault| fault.within(path.display()))?;
        Ok(Box::new(clip))
    }
}

struct MovieClip {
    info: ClipInfo,
    layout: Layout,
    color: Outcome<()>,
    planes: Planes,
    conversion: Conversion,
    frames: Frames,
    path: PathBuf,
}

impl MovieClip {
    fn open(sequence: &Sequence) -> Outcome<Self> {
        let path = sequence.first_file().to_owned();
        let cut = extent::check(&path).err();
        let track = probe::track(&path).map_err(|fault| match &cut {
            // What FFmpeg makes of a file that broke off follows from that.
            Some(cut) if !matches!(fault.code, Code::NoDecoder | Code::DecoderHung) => {
                cut.clone().because(&fault)
            }
            _ => fault,
        })?;
        let (planes, pixel_format) = decoded(&track)?;
        let meaning = color::of(&track, planes)?;
        let mut notes = meaning.notes;
        notes.extend(left_out(&track, planes)?);
        notes.extend(cut);
        let (layout, known) = match planes.kind {
            Kind::Bayer(row, column) => {
                let layout = bayer_layout(&track, Bayer::with_red_at(row, column));
                (Layout::Mosaic(Arc::new(layout)), Err(bayer_color()))
            }
            _ => {
                let raster = Rect::of_size(track.width, track.height);
                let layout = RgbLayout {
                    width: track.width,
                    height: track.height,
                    samples: RgbSamples::U16,
                    crop: raster,
                    curve: meaning.curve,
                    to_aces: meaning.to_aces,
                };
                (Layout::Rgb(Arc::new(layout)), meaning.known)
            }
        };
        let frame_bytes = planes.frame_bytes(track.width as usize, track.height as usize);
        layout.check(usize::MAX)?;
        let request = Request {
            path: path.clone(),
            stream: track.index,
            width: track.width,
            height: track.height,
            pixel_format,
            frame_bytes,
            intra: track.intra,
        };
        notes.extend(known.as_ref().err().cloned());
        let info = describe(sequence, &track, planes, meaning.name, notes);
        Ok(Self {
            info,
            layout,
            color: known,
            planes,
            conversion: meaning.conversion,
            frames: Frames::new(request, track.times),
            path,
        })
    }
}

/// The planes that the decoder gives.
///
/// # Errors
/// [`Code::NoDecoder`] where the installed FFmpeg has none for the codec.
fn decoded(track: &Track) -> Outcome<(Planes, String)> {
    let Some(pixel_format) = track.pixel_format.as_deref() else {
        return Err(no_decoder(track)?);
    };
    Planes::of(pixel_format)
}

fn no_decoder(track: &Track) -> Outcome<Fault> {
    let version = tools::version()?;
    let prores_raw = matches!(track.tag.as_str(), "aprn" | "aprh") || track.codec == "prores_raw";
    let name = if prores_raw { "ProRes RAW" } else { track.codec.as_str() };
    let fault = Fault::new(
        Code::NoDecoder,
        format!("the installed FFmpeg ({version}) does not decode {name} ('{}')", track.tag),
    );
    Ok(if prores_raw {
        fault.remedy(
            "ProRes RAW needs FFmpeg 8.0 or later: install it and name its programs in \
             PLATEFARM_FFMPEG and PLATEFARM_FFPROBE.",
        )
    } else {
        fault.remedy(
            "Install a later FFmpeg, or configure a bridge to the maker's decoder (docs/bridge.md).",
        )
    })
}

/// What of the file is not delivered, or not as it says.
fn left_out(track: &Track, planes: Planes) -> Outcome<Vec<Fault>> {
    let mut notes = Vec::new();
    let mut note = |what: String| notes.push(Fault::new(Code::UnsupportedFeature, what));
    if track.interlaced {
        if planes.kind == Kind::Yuv && planes.chroma_shift[1] > 0 {
            return Err(Fault::new(
                Code::UnsupportedFeature,
                "interlaced 4:2:0 is not read: its chroma belongs to fields",
            )
            .remedy("Deinterlace the movie first."));
        }
        note("the movie is interlaced: frames are delivered as two woven fields".into());
    }
    if planes.alpha {
        note("only the colour is delivered, not the alpha".into());
    }
    if track.rotation != 0.0 {
        note(format!("the picture is not turned, as the file asks, by {} degrees", track.rotation));
    }
    if matches!(track.times, Times::Varying(_)) {
        note("the frame rate varies: frames are counted as they are stored".into());
    }
    Ok(notes)
}

fn bayer_layout(track: &Track, bayer: Bayer) -> MosaicLayout {
    let raster = Rect::of_size(track.width, track.height);
    MosaicLayout {
        width: track.width,
        height: track.height,
        packing: Packing::U16Le,
        row_bytes: Packing::U16Le.row_bytes(track.width),
        active: raster,
        crop: raster,
        bayer,
        levels: Levels::flat(0.0, 65_535.0),
        white_balance: [1.0; 3],
        camera_to_aces: matrices::IDENTITY,
    }
}

fn bayer_color() -> Fault {
    Fault::new(
        Code::NoInputTransform,
        "FFmpeg gives the photosites, and neither the white balance nor the camera's matrix",
    )
    .remedy("Convert the clip to CinemaDNG, or configure a bridge to the maker's decoder.")
}

fn describe(
    sequence: &Sequence,
    track: &Track,
    planes: Planes,
    color_space: Option<String>,
    notes: Vec<Fault>,
) -> ClipInfo {
    let tag = |names: &[&str]| {
        names.iter().find_map(|name| {
            let ends = format!(".tags.{name}");
            track.tags.iter().find(|(key, _)| key.ends_with(&ends)).map(|(_, v)| v.clone())
        })
    };
    let raster = Rect::of_size(track.width, track.height);
    let compression = match &track.profile {
        Some(profile) => format!("{} {profile}", track.codec),
        None => track.codec.clone(),
    };
    let mut info = ClipInfo {
        path: sequence.first_file().to_string_lossy().into_owned(),
        picture: Picture {
            width: track.width,
            height: track.height,
            photosites: [track.width, track.height],
            active: raster,
            crop: raster,
            pixel_aspect: track.pixel_aspect,
            bit_depth: planes.bits,
            format: "movie".into(),
            compression,
            codec: Some(codec(track)),
            ..Picture::default()
        },
        color_space,
        notes,
        ..ClipInfo::default()
    };
    if let Kind::Bayer(row, column) = planes.kind {
        info.picture.cfa = Some(Bayer::with_red_at(row, column).name().to_owned());
    }
    info.identity.clip_name.clone_from(&sequence.name);
    info.identity.reel_name = tag(&["reel_name", "com.apple.proapps.reel", "reel"]);
    info.identity.umid = tag(&["material_package_umid", "file_package_umid"])
        .map(|umid| umid.trim_start_matches("0x").to_lowercase());
    info.camera.make = tag(&["com.apple.quicktime.make", "make"]);
    info.camera.model = tag(&["com.apple.quicktime.model", "model"]);
    info.camera.firmware = tag(&["com.apple.quicktime.software"]);
    info.timing = Timing {
        rate: track.rate,
        start: start(track, &mut info.notes),
        frame_count: track.times.count(),
        ..Timing::default()
    };
    if info.identity.reel_name.is_none() {
        info.notes.push(Fault::new(Code::MetadataAbsent, "no reel name in the file"));
    }
    info.vendor = track.tags.iter().map(|(k, v)| (format!("movie.{k}"), v.clone())).collect();
    info
}

/// The codec as people call it.
fn codec(track: &Track) -> String {
    let profile = track.profile.as_deref().unwrap_or_default();
    match (track.tag.as_str(), track.codec.as_str()) {
        ("apco", _) => "Apple ProRes 422 Proxy".into(),
        ("apcs", _) => "Apple ProRes 422 LT".into(),
        ("apcn", _) => "Apple ProRes 422".into(),
        ("apch", _) => "Apple ProRes 422 HQ".into(),
        ("ap4h", _) => "Apple ProRes 4444".into(),
        ("ap4x", _) => "Apple ProRes 4444 XQ".into(),
        ("aprn", _) => "Apple ProRes RAW".into(),
        ("aprh", _) => "Apple ProRes RAW HQ".into(),
        (_, "dnxhd") => {
            format!("Avid {profile}").replace("DNXHR", "DNxHR").replace("DNXHD", "DNxHD")
        }
        (_, "h264") => format!("H.264 {profile}").trim().into(),
        (_, "hevc") => format!("H.265 {profile}").trim().into(),
        (_, other) => format!("{other} {profile}").trim().into(),
    }
}

/// Timecode of the first frame.
fn start(track: &Track, notes: &mut Vec<Fault>) -> Option<Timecode> {
    let rate = track.rate.unwrap_or(FrameRate::FPS_24);
    let Some(text) = &track.timecode else {
        notes.push(Fault::new(Code::MetadataAbsent, "no timecode in the file"));
        return None;
    };
    match Timecode::parse(text, rate) {
        Ok(timecode) => Some(timecode),
        Err(fault) => {
            notes.push(fault.at("timecode"));
            None
        }
    }
}

impl Clip for MovieClip {
    fn info(&self) -> &ClipInfo {
        &self.info
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn check_color(&self) -> Outcome<()> {
        self.color.clone().map_err(|fault| fault.within(&self.info.path))
    }

    fn read(&self, index: i64) -> Outcome<Frame> {
        check_index(index, &self.info)?;
        let within = |fault: Fault| fault.within(format!("{}: frame {index}", self.info.path));
        let frame = self.frames.get(index).map_err(within)?;
        let bytes = match &self.layout {
            Layout::Mosaic(_) => frame,
            Layout::Rgb(layout) => planes::to_rgb(
                self.planes,
                self.conversion,
                layout.width as usize,
                layout.height as usize,
                &frame,
            ),
        };
        Ok(Frame { layout: self.layout.clone(), bytes })
    }

    fn frame_file(&self, _: i64) -> Option<&Path> {
        Some(&self.path)
    }
}
