//! Pictures of the plates as they would look on a display: thumbnails for the
//! report, and one contact sheet of all plates to look at before anything else.

use super::gather::{Gathered, PlateFrames};
use super::html::Thumbnail;
use super::meter::Meter;
use crate::probe;
use crate::still::shown;
use platefarm_media::draw::chart::{Line, draw_lines, lines};
use platefarm_media::draw::{Picture, fit, font, letters_in, shrink};
use platefarm_media::sink::{exr, png};
use platefarm_model::Outcome;
use platefarm_model::job::FrameResult;
use platefarm_model::pull::{PackageSpec, PlatePlan};
use platefarm_standards::fdl::Fdl;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const BACKGROUND: [u8; 3] = [22, 23, 25];
const EMPTY: [u8; 3] = [44, 46, 50];
const INK: [u8; 3] = [222, 222, 218];
const DIM: [u8; 3] = [140, 143, 148];
const ALARM: [u8; 3] = [240, 130, 120];

/// Largest size of a thumbnail. The report carries three of each plate, so many
/// plates get small ones: a page of 200 plates stays near 20 MB. Those of more lie beside it.
const fn thumbnail_size(plates: usize) -> [usize; 2] {
    match plates {
        0..=20 => [480, 360],
        21..=100 => [320, 240],
        _ => [200, 150],
    }
}

/// The pictures of one plate: first, middle and last sound frame.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pictures {
    pub(crate) frames: Vec<(i64, Picture)>,
    /// Lines of the plate's canvas, and its size.
    lines: Option<([u32; 2], Vec<Line>)>,
}

impl Pictures {
    /// The one that stands for the plate.
    fn middle(&self) -> Option<&Picture> {
        self.frames.get(self.frames.len() / 2).map(|(_, picture)| picture)
    }

    /// The one that stands for the plate, as a PNG file: colour to compare with.
    pub(crate) fn still(&self) -> Outcome<Option<Vec<u8>>> {
        let still = self.middle();
        still.map(|p| png::encode(p.width as u32, p.height as u32, &p.rgb)).transpose()
    }

    /// As PNG files. The middle one shows the frame; the others are as they are.
    pub(crate) fn thumbnails(&self) -> Outcome<Vec<Thumbnail>> {
        let middle = self.frames.len() / 2;
        let each = self.frames.iter().enumerate().map(|(i, (frame, picture))| {
            let size = [picture.width as u32, picture.height as u32];
            let lines = self.lines.as_ref().filter(|_| i == middle);
            let png = match lines {
                Some((canvas, lines)) => {
                    let mut drawn = picture.clone();
                    draw_lines(&mut drawn, *canvas, lines, 1);
                    png::encode(size[0], size[1], &drawn.rgb)?
                }
                None => png::encode(size[0], size[1], &picture.rgb)?,
            };
            let legend = lines.map_or_else(String::new, |(_, lines)| legend(lines));
            Ok(Thumbnail { frame: *frame, legend, size, png, file: None })
        });
        each.collect()
    }
}

/// What the lines are: `frame 1078 x 714 at 0, 0`, from the outside in.
fn legend(lines: &[Line]) -> String {
    let labels: Vec<&str> = lines.iter().map(|line| line.label.as_str()).collect();
    labels.join("; ")
}

/// Looks at every plate, on all cores. A picture that cannot be read is left
/// out; the frames were verified before.
pub(super) fn pictures(gathered: &Gathered, drawn: &Meter<'_>) -> Vec<Pictures> {
    let next = AtomicUsize::new(0);
    let bounds = thumbnail_size(gathered.plates.len());
    let done = Mutex::new(vec![Pictures::default(); gathered.plates.len()]);
    let task = tracing::Span::current();
    std::thread::scope(|scope| {
        for _ in 0..probe::cores() {
            scope.spawn(|| {
                let _named = task.enter();
                while let Some((i, plate)) = {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    gathered.plates.get(i).map(|plate| (i, plate))
                } {
                    let mut pictures = Pictures::default();
                    for (frame, picture, lines) in
                        chosen(plate).into_iter().filter_map(|r| look(r, bounds))
                    {
                        pictures.frames.push((frame, picture));
                        pictures.lines = lines;
                    }
                    if let Ok(mut done) = done.lock() {
                        done[i] = pictures;
                    }
                    drawn.did(0);
                }
            });
        }
    });
    done.into_inner().unwrap_or_default()
}

fn chosen(plate: &PlateFrames) -> Vec<&FrameResult> {
    let sound: Vec<_> = plate.sound().collect();
    let Some(last) = sound.len().checked_sub(1) else { return Vec::new() };
    let mut picks = vec![0, last / 2, last];
    picks.dedup();
    picks.into_iter().map(|i| sound[i]).collect()
}

type Looked = (i64, Picture, Option<([u32; 2], Vec<Line>)>);

fn look(result: &FrameResult, bounds: [usize; 2]) -> Option<Looked> {
    let plate = exr::read(Path::new(&result.published))
        .inspect_err(|fault| tracing::warn!(%fault, "no thumbnail"))
        .ok()?;
    let size = [plate.width as usize, plate.height as usize];
    let planes = plate.rgb.map(|plane| {
        plane.iter().map(|bits| half::f16::from_bits(*bits).to_f32()).collect::<Vec<f32>>()
    });
    let [r, g, b] = &planes;
    let to = fit(size[0], size[1], bounds);
    let picture = shrink([r, g, b], size, to, shown(&plate.header.color));
    let lines = framing_lines(plate.header.fdl_json.as_deref(), [plate.width, plate.height]);
    Some((result.frame, picture, lines))
}

/// Frame, protection and effective part as the plate's own header has them: the
/// last canvas of its list is the delivered one.
fn framing_lines(fdl: Option<&str>, size: [u32; 2]) -> Option<([u32; 2], Vec<Line>)> {
    let fdl = Fdl::parse(fdl?.as_bytes()).ok()?;
    let (_, canvas) = fdl.canvases().last()?;
    if [canvas.dimensions.width, canvas.dimensions.height] != size {
        return None;
    }
    let mut lines = lines(canvas, &canvas.framing_decisions.iter().collect::<Vec<_>>());
    // The rim of the thumbnail shows the canvas already.
    lines.remove(0);
    Some((size, lines))
}

/// Measures of the sheet for a number of plates: more plates, smaller cells.
struct Grid {
    columns: usize,
    picture: [usize; 2],
    lettering: usize,
    gap: usize,
}

impl Grid {
    fn of(plates: usize) -> Self {
        let (most, picture, lettering) = match plates {
            0..=2 => (2, [480, 300], 2),
            3..=36 => (6, [320, 200], 2),
            37..=240 => (12, [200, 125], 1),
            _ => (24, [120, 75], 1),
        };
        let square = (1..).find(|n| n * n >= plates).unwrap_or(1);
        Self { columns: square.clamp(1, most), picture, lettering, gap: 12 * lettering }
    }

    fn line(&self) -> usize {
        (font::HEIGHT + 3) * self.lettering
    }

    fn cell(&self) -> [usize; 2] {
        [self.picture[0] + self.gap, self.picture[1] + 2 * self.line() + self.gap + self.gap / 2]
    }
}

/// The contact sheet, as a PNG file.
pub(crate) fn contact_sheet(
    spec: &PackageSpec,
    gathered: &Gathered,
    pictures: &[Pictures],
) -> Outcome<Vec<u8>> {
    let grid = Grid::of(spec.plates.len());
    let cell = grid.cell();
    let rows = spec.plates.len().div_ceil(grid.columns).max(1);
    let title = grid.line() * 2;
    let width = grid.columns * cell[0] + grid.gap;
    let mut sheet = Picture::filled(width, rows * cell[1] + title + grid.gap * 2, BACKGROUND);
    let heading = format!("{}  {}", spec.show, spec.name);
    sheet.write(&cut(&heading, width - 2 * grid.gap, 2), grid.gap, grid.gap, 2, DIM);
    for (i, plan) in spec.plates.iter().enumerate() {
        let x = grid.gap + i % grid.columns * cell[0];
        let y = grid.gap + title + i / grid.columns * cell[1];
        draw_cell(&mut sheet, &grid, [x, y], plan, &gathered.plates[i], pictures.get(i));
    }
    png::encode(sheet.width as u32, sheet.height as u32, &sheet.rgb)
}

fn draw_cell(
    sheet: &mut Picture,
    grid: &Grid,
    [x, y]: [usize; 2],
    plan: &PlatePlan,
    plate: &PlateFrames,
    pictures: Option<&Pictures>,
) {
    let box_size = grid.picture;
    match pictures.and_then(Pictures::middle) {
        Some(picture) => {
            let small = smaller(picture, box_size);
            let top = y + box_size[1] - small.height;
            sheet.place(&small, x, top);
        }
        None => {
            sheet.fill(x, y, box_size, EMPTY);
            sheet.write("no frames", x + grid.gap, y + grid.gap, grid.lettering, ALARM);
        }
    }
    let label = y + box_size[1] + 3 * grid.lettering;
    sheet.write(&cut(&plan.name, box_size[0], grid.lettering), x, label, grid.lettering, INK);
    let missing = plate.failed.len();
    let (text, color) = if missing == 0 {
        let count = plan.frames.len();
        let plural = if count == 1 { "" } else { "s" };
        (format!("{}  {count} frame{plural}", plan.frames), DIM)
    } else {
        (format!("{missing} of {} frames missing", plan.frames.len()), ALARM)
    };
    let second = label + grid.line();
    sheet.write(&cut(&text, box_size[0], grid.lettering), x, second, grid.lettering, color);
}

/// A display picture made smaller still, where the cell asks for it.
fn smaller(picture: &Picture, bounds: [usize; 2]) -> Picture {
    let to = fit(picture.width, picture.height, bounds);
    if to == [picture.width, picture.height] {
        return picture.clone();
    }
    let plane = |c: usize| -> Vec<f32> {
        picture.rgb.iter().skip(c).step_by(3).map(|v| f32::from(*v) / 255.0).collect()
    };
    let (r, g, b) = (plane(0), plane(1), plane(2));
    shrink([&r, &g, &b], [picture.width, picture.height], to, |c| c)
}

/// `text`, cut where it would leave its cell.
fn cut(text: &str, width: usize, scale: usize) -> String {
    let most = letters_in(width, scale);
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(2)).collect();
    kept + ".."
}
