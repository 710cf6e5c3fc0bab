//! Movies of the plates: for review, with names and timecode in the picture,
//! or for editorial. Made of the delivered frames, so that what is looked at
//! is what was delivered; shown as the AMF beside the plate says it is meant
//! to be seen, and never the plate itself: a plate has no burn-in.

use super::Writer;
use super::gather::{Gathered, PlateFrames};
use super::meter::Meter;
use crate::leash::Leash;
use platefarm_media::draw::{Picture, font, letters_in};
use platefarm_media::sink::exr;
use platefarm_media::sink::movie::{MovieSettings, MovieWriter};
use platefarm_media::{hash, publish, storage};
use platefarm_model::code::Owner;
use platefarm_model::color::chain::Chain;
use platefarm_model::color::name;
use platefarm_model::color::recipe::DEFAULT_VIEW;
use platefarm_model::delivery::MovieSpec;
use platefarm_model::job::FrameResult;
use platefarm_model::making::Stage;
use platefarm_model::pull::{PackageSpec, PlatePlan};
use platefarm_model::{Code, Fault, FrameRate, Outcome};
use platefarm_shaders::color::Plan;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Every movie of every plate; a movie that cannot be made is a fault of its
/// own ([`Code::MovieFailed`]) and costs no plate. Where a disk or a store does
/// not do its part (a disk that FFmpeg finds full, too) none of them can, and the
/// package is another worker's.
pub(super) fn make(
    spec: &PackageSpec,
    gathered: &Gathered,
    writer: &mut Writer<'_>,
    leash: &Leash,
) -> Outcome<Vec<Result<String, Fault>>> {
    let mut made = Vec::new();
    if spec.delivery.movies.is_empty() {
        return Ok(made);
    }
    let display = Plan::new(&shown(spec)?);
    if storage::is_remote(writer.out_dir) {
        sweep(&std::env::temp_dir());
    }
    let plates = || spec.plates.iter().zip(&gathered.plates);
    let job = |movie, plan| Job { spec, plan, movie, display: &display };
    let frames =
        spec.delivery.movies.iter().flat_map(|movie| {
            plates().map(move |(plan, plate)| job(movie, plan).frames(plate).len())
        });
    let filmed = Meter::begin(leash, Stage::Filming, frames.sum(), 0);
    for movie in &spec.delivery.movies {
        for (plan, plate) in plates() {
            if leash.is_stopped() {
                return Err(Fault::new(
                    Code::Interrupted,
                    "the package was taken from this worker",
                ));
            }
            if plate.sound().next().is_none() {
                continue;
            }
            let name = movie.file_of(&plan.name);
            let staged = staged(writer, made.len());
            let written = job(movie, plan).write(plate, &staged, &filmed);
            let outcome = written.and_then(|()| put(writer, &name, &staged));
            if outcome.is_err() && storage::is_remote(writer.out_dir) {
                // A disk of this machine keeps nothing of what failed.
                let _ = publish::discard(&staged);
            }
            made.push(match outcome {
                Ok(()) => Ok(name),
                Err(fault) if is_the_workers(&fault) => return Err(fault.within(name)),
                Err(fault) => Err(not_made(fault).within(name)),
            });
        }
    }
    Ok(made)
}

fn is_the_workers(fault: &Fault) -> bool {
    fault.owner() == Owner::Worker && fault.code != Code::MovieFailed
}

/// Whatever kept a movie from being made, it is missing: the gate goes by the code.
fn not_made(fault: Fault) -> Fault {
    let remedy = fault.remedy_text().to_owned();
    Fault { code: Code::MovieFailed, ..fault }.remedy(remedy)
}

/// From the plates' colour to the display that their AMF names; nothing where
/// they are made for a display already.
fn shown(spec: &PackageSpec) -> Outcome<Chain> {
    let view = name::from_aces(DEFAULT_VIEW)?;
    if spec.color_out.is_aces() {
        return Ok(view);
    }
    if spec.color_out.meaning()?.display {
        return Ok(Chain::default());
    }
    let mut chain = spec.color_out.to_aces()?;
    chain.0.extend(view.0);
    Ok(chain)
}

/// Where FFmpeg writes a movie: beside the plates, or where those are objects on a disk of this machine.
fn staged(writer: &Writer<'_>, number: usize) -> PathBuf {
    let name = format!("movie-{number}");
    if !storage::is_remote(writer.out_dir) {
        return writer.staging.join(name);
    }
    storage::scratch(&format!("{}-{name}", writer.attempt()))
}

/// A movie that nobody has written to for so long is nobody's.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Removes movies that processes of this machine left when they were killed.
fn sweep(dir: &Path) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let of = name.to_str().and_then(|name| name.strip_prefix("platefarm-")?.split_once('-'));
        let Some((process, rest)) = of else { continue };
        let ours = process.bytes().all(|c| c.is_ascii_digit()) && rest.contains("-movie-");
        let alive = Path::new("/proc").join(process).exists();
        let age =
            entry.metadata().and_then(|it| it.modified()).ok().and_then(|at| at.elapsed().ok());
        if ours && !alive && age.is_some_and(|age| age >= ABANDONED) {
            tracing::info!(file = %entry.path().display(), "a movie that a killed process left is removed");
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Publishes a staged movie; one that is there and the same is left alone, its date with it.
fn put(writer: &Writer<'_>, name: &str, staged: &Path) -> Outcome<()> {
    let published = publish::confined(writer.out_dir, Path::new(name))?;
    let there = storage::metadata(&published).is_ok();
    if there && hash::xxh128_file(staged)? == hash::xxh128_file(&published)? {
        return publish::discard(staged);
    }
    if let Some(directory) = published.parent() {
        publish::make_dirs(directory)?;
    }
    let beside = writer.staging.join(staged.file_name().unwrap_or_default());
    publish::hand_over(staged, &beside, &published)
}

struct Job<'a> {
    spec: &'a PackageSpec,
    plan: &'a PlatePlan,
    movie: &'a MovieSpec,
    display: &'a Plan,
}

impl Job<'_> {
    fn write(&self, plate: &PlateFrames, staged: &Path, filmed: &Meter<'_>) -> Outcome<()> {
        let frames: Vec<&FrameResult> = self.frames(plate);
        let Some(first) = frames.first() else {
            return Err(Fault::new(Code::MovieFailed, "no frame of the event is there"));
        };
        let raster = self.raster();
        let timing = &self.plan.clip.timing;
        let index = self.plan.source_first + first.frame - self.plan.frames.first();
        let settings = MovieSettings {
            codec: self.movie.codec,
            size: raster.size.map(|side| side as u32),
            rate: timing.rate.unwrap_or(self.spec.rate),
            timecode: timing.start.map(|start| start.plus(index)),
            reel: self.plan.clip.identity.reel_name.clone(),
        };
        let mut movie = MovieWriter::start(staged, &settings)?;
        for result in frames {
            movie.picture(&self.picture(result, &raster, settings.rate)?)?;
            filmed.did(0);
        }
        movie.finish()
    }

    fn frames<'p>(&self, plate: &'p PlateFrames) -> Vec<&'p FrameResult> {
        let [head, tail] = if self.movie.cut_handles { self.plan.handles } else { [0, 0] };
        let from = self.plan.frames.first() + i64::from(head);
        let to = self.plan.frames.last() - i64::from(tail);
        plate.sound().filter(|result| (from..=to).contains(&result.frame)).collect()
    }

    /// The movie's raster and where the picture lies in it: as large as fits, a small plate
    /// enlarged (a movie is looked at; of a plate that would be refused), seen with square
    /// pixels, sides multiples of 4.
    fn raster(&self) -> Raster {
        let [w, h] = self.plan.size.map(f64::from);
        let aspect = self.plan.clip.picture.pixel_aspect;
        let wide = if aspect > 0.0 { w * aspect } else { w };
        let whole = |side: f64| ((side / 4.0).ceil() * 4.0) as u32;
        let size = self.movie.size.unwrap_or([whole(wide), whole(h)]);
        let fits = (f64::from(size[0]) / wide).min(f64::from(size[1]) / h);
        // Without a size it is the plate's, but for what its sides are rounded up by.
        let scale = if self.movie.size.is_some() { fits } else { fits.min(1.0) };
        let picture = [wide * scale, h * scale].map(|side| (side.round() as usize).max(1));
        let size = size.map(|side| side as usize);
        let picture = [picture[0].min(size[0]), picture[1].min(size[1])];
        let origin = [(size[0] - picture[0]) / 2, (size[1] - picture[1]) / 2];
        Raster { size, picture, origin }
    }

    /// A frame as 16-bit display codes.
    fn picture(&self, result: &FrameResult, raster: &Raster, rate: FrameRate) -> Outcome<Vec<u8>> {
        let plate = exr::read(Path::new(&result.published))?;
        let from = [plate.width as usize, plate.height as usize];
        let mut planes = plate.rgb.map(|plane| scaled(&plane, from, raster.picture));
        let [r, g, b] = &mut planes;
        self.display.run([r, g, b]);
        let [width, height] = raster.size;
        let mut rgb48 = vec![0; width * height * 6];
        for row in 0..raster.picture[1] {
            let at = ((raster.origin[1] + row) * width + raster.origin[0]) * 6;
            let pixels = rgb48[at..at + raster.picture[0] * 6].chunks_exact_mut(6);
            for (column, pixel) in pixels.enumerate() {
                for (channel, plane) in planes.iter().enumerate() {
                    let value = plane[row * raster.picture[0] + column];
                    let code = (value.clamp(0.0, 1.0) * 65_535.0).round() as u16;
                    pixel[2 * channel..2 * channel + 2].copy_from_slice(&code.to_le_bytes());
                }
            }
        }
        if self.movie.burn_in {
            self.burn(&mut rgb48, raster.size, result.frame, rate);
        }
        Ok(rgb48)
    }

    /// Plate and version at the bottom left, frame and timecode at the bottom
    /// right, inside the picture's lowest rows; not white, so that it can be
    /// told from the picture (Netflix Partner Help 360057627293).
    fn burn(&self, rgb48: &mut [u8], [width, height]: [usize; 2], frame: i64, rate: FrameRate) {
        let scale = (height / 360).max(1);
        let line = (font::HEIGHT + 6) * scale;
        let mut strip = Picture::filled(width, line, [0; 3]);
        let index = self.plan.source_first + frame - self.plan.frames.first();
        let start = self.plan.clip.timing.start;
        let timecode = start.map_or_else(String::new, |start| format!("  {}", start.plus(index)));
        let right = format!("{frame:04}{timecode}  {:.3} FPS", rate.as_f64());
        let room = letters_in(width, scale);
        let left = self.plan.name.to_uppercase();
        let left: String = left.chars().take(room.saturating_sub(right.len() + 4)).collect();
        let margin = 4 * scale;
        strip.write(&left, margin, 3 * scale, scale, [200; 3]);
        let letters = right.chars().count() * (font::WIDTH + 1) * scale;
        strip.write(&right, width.saturating_sub(letters + margin), 3 * scale, scale, [200; 3]);
        let top = height.saturating_sub(line);
        let rows = rgb48[top * width * 6..].chunks_exact_mut(2).zip(&strip.rgb);
        for (code, ink) in rows {
            // A dark band behind the letters, through which the picture is seen.
            let under = u16::from_le_bytes([code[0], code[1]]) / 4;
            let value = if *ink > 0 { u16::from(*ink) * 257 } else { under };
            code.copy_from_slice(&value.to_le_bytes());
        }
    }
}

struct Raster {
    size: [usize; 2],
    picture: [usize; 2],
    origin: [usize; 2],
}

/// A plane of half bits, scaled in light: down by averaging areas, up between the nearest samples.
fn scaled(plane: &[u16], from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
    let columns = taps(from[0], to[0]);
    let mut out = Vec::with_capacity(to[0] * to[1]);
    let mut row = vec![0.0_f32; from[0]];
    for lines in taps(from[1], to[1]) {
        row.fill(0.0);
        for (y, weight) in lines {
            let values = &plane[y * from[0]..][..from[0]];
            for (sum, bits) in row.iter_mut().zip(values) {
                *sum += weight * half::f16::from_bits(*bits).to_f32();
            }
        }
        let sum =
            |taps: &Vec<(usize, f32)>| taps.iter().map(|(x, weight)| weight * row[*x]).sum::<f32>();
        out.extend(columns.iter().map(sum));
    }
    out
}

/// Of which samples of a line each sample of another length is made, with their weights.
fn taps(from: usize, to: usize) -> Vec<Vec<(usize, f32)>> {
    let averaged = |i: usize| {
        let begin = (i * from / to).min(from - 1);
        let span = begin..((i + 1) * from / to).clamp(begin + 1, from);
        let weight = 1.0 / span.len() as f32;
        span.map(|sample| (sample, weight)).collect::<Vec<_>>()
    };
    let between = |i: usize| {
        let last = (from - 1) as f64;
        let place = ((i as f64 + 0.5) * from as f64 / to as f64 - 0.5).clamp(0.0, last);
        let (before, share) = (place.floor() as usize, place.fract() as f32);
        vec![(before, 1.0 - share), ((before + 1).min(from - 1), share)]
    };
    (0..to).map(|i| if to > from { between(i) } else { averaged(i) }).collect()
}

#[cfg(test)]
mod tests {
    use super::{ABANDONED, scaled, sweep};
    use std::fs::File;
    use std::time::SystemTime;

    /// Only what a process of ours that is gone left long ago.
    #[test]
    fn what_killed_processes_left_is_swept() {
        let dir = tempfile::tempdir().unwrap();
        // No process has a number above 4194304 (Linux, `PID_MAX_LIMIT`).
        let (gone, here) = (4_999_999, std::process::id());
        let old = SystemTime::now() - ABANDONED - ABANDONED;
        let file = |name: String, at| {
            let path = dir.path().join(name);
            File::create(&path).unwrap().set_modified(at).unwrap();
            path
        };
        let left = file(format!("platefarm-{gone}-t7-movie-0"), old);
        let kept = [
            file(format!("platefarm-{gone}-t8-movie-0"), SystemTime::now()),
            file(format!("platefarm-{here}-t9-movie-0"), old),
            file("platefarm-notes-movie-1".into(), old),
            file(format!("other-{gone}-t7-movie-0"), old),
        ];
        sweep(dir.path());
        assert!(!left.exists());
        assert!(kept.iter().all(|path| path.exists()));
    }

    #[test]
    fn areas_are_averaged() {
        let bits = |v: f32| half::f16::from_f32(v).to_bits();
        let plane: Vec<u16> = [0.0, 1.0, 0.5, 0.5, 0.0, 1.0, 0.25, 0.75].map(bits).into();
        assert_eq!(scaled(&plane, [4, 2], [2, 1]), [0.5, 0.5]);
        assert_eq!(scaled(&plane, [4, 2], [4, 2]).len(), 8);
    }

    /// Twice as wide: pixel centres lie at a quarter and three quarters between those of the plate.
    #[test]
    fn small_plates_are_enlarged_between_their_pixels() {
        let bits = |v: f32| half::f16::from_f32(v).to_bits();
        let plane = [0.0, 1.0].map(bits);
        assert_eq!(scaled(&plane, [2, 1], [4, 1]), [0.0, 0.25, 0.75, 1.0]);
        assert_eq!(scaled(&plane, [1, 2], [1, 4]), [0.0, 0.25, 0.75, 1.0]);
    }
}
