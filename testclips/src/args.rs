//! The generator's command line as a value, so that a line of text names a
//! clip: the program, the oracle script and the tests read the same form.

use crate::{Border, ByteOrder, ClipSpec, Compression, Curve, Ljpeg, Pixel, Sample, Segments};
use platefarm_model::raw::Bayer;
use platefarm_model::{Code, Fault, FrameRate, Outcome, Timecode};
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

/// What the program prints for `--help`.
pub const HELP: &str = "\
Writes a synthetic CinemaDNG clip: the same bytes on every machine.

usage: platefarm-testclips OUT [options]

  --size WxH           active area                              [1920x1080]
  --frames N           frames                                   [24]
  --bits N             8, 10, 12, 14 or 16; floats 16, 24, 32   [12]
  --float              samples are floats, 1 is the clipping point
  --pixel NAME         mosaic, linear (LinearRaw), or planar    [mosaic]
  --compression NAME   none, ljpeg or deflate                   [none]
  --predictor N        lossless JPEG predictor, 1 to 7          [1]
                       deflate: pixels apart, 1, 2, 4; 0: none  [0]
  --components N       lossless JPEG components, 1 to 4         [1]
  --wrapped            streams twice as wide and half as high, as Blackmagic writes them
  --restart-rows N     stream rows between restart markers      [0: none]
  --tiles WxH          tiles instead of strips; multiples of 16
  --strip-rows N       rows of a strip                          [0: one strip]
  --padded             samples below 16 bits stored in 16
  --curve NAME         linear, or log with a LinearizationTable [linear]
  --byte-order NAME    little or big                            [little]
  --bayer NAME         rggb, grbg, gbrg or bggr                 [rggb]
  --masked T,L,B,R     photosites around the active area        [0,0,0,0]
  --crop T,L,B,R       what the default crop leaves out         [0,0,0,0]
  --black-pattern      a black level per photosite of the 2x2 pattern
  --unstated-black     no BlackLevel, but MaskedAreas to measure it in
  --black-lines        a black level per row and column (BlackLevelDeltaH, V)
  --bad N              photosites stuck at white, in a FixBadPixelsList [0]
  --vignette           darker corners, and the GainMap that undoes them
  --bands              uneven rows and columns, and what undoes them
  --nested             the picture in a SubIFD behind a thumbnail
  --big-tiff           a BigTIFF
  --name NAME          clip name                                [<reel>_C001]
  --reel NAME          reel name; '-' leaves it out             [S001]
  --camera NAME        camera label; '-' leaves it out          [S]
  --timecode TC        of the first frame; '-' leaves it out    [10:00:00:00]
  --rate R             24, 25, 23.976, 30000/1001 ...           [24]
  --capture-rate R     the sensor's rate, in an export beside the clip as ARRI Meta Extract writes it
  --first N            number of the first file                 [0]
  --noise X            strength of the noise; 0 is none         [1]
  --seed N             seed of noise and details                [1]
";

/// Reads the arguments that [`HELP`] describes into a directory and a spec.
///
/// # Errors
/// [`Code::Usage`], naming the option and its value. Whether the settings agree
/// with each other is [`ClipSpec::check`]'s to say.
pub fn parse_args(args: &[String]) -> Outcome<(PathBuf, ClipSpec)> {
    parse(args).map_err(|message| {
        Fault::new(Code::Usage, message).remedy("See platefarm-testclips --help.")
    })
}

fn parse(args: &[String]) -> Result<(PathBuf, ClipSpec), String> {
    let (mut spec, mut out, mut name, mut timecode) =
        (ClipSpec::default(), None, None, "10:00:00:00");
    let mut jpeg = Ljpeg::default();
    let mut predictor = None;
    let mut compression = "none";
    let mut rest = args.iter();
    while let Some(option) = rest.next() {
        match option.as_str() {
            "--wrapped" => jpeg.wrapped = true,
            "--padded" => spec.padded = true,
            "--black-pattern" => spec.black_pattern = true,
            "--unstated-black" => spec.unstated_black = true,
            "--black-lines" => spec.faults.lines = true,
            "--vignette" => spec.faults.vignette = true,
            "--bands" => spec.faults.bands = true,
            "--float" => spec.sample = Sample::Float,
            "--nested" => spec.nested = true,
            "--big-tiff" => spec.big_tiff = true,
            positional if !positional.starts_with("--") => {
                if out.replace(PathBuf::from(positional)).is_some() {
                    return Err(format!("'{positional}' is a second directory"));
                }
            }
            _ => {
                let value = rest.next().ok_or_else(|| format!("{option} needs a value"))?;
                match option.as_str() {
                    "--compression" => {
                        let names = ["none", "ljpeg", "deflate"].map(|name| (name, name));
                        compression = one_of(option, value, &names)?;
                    }
                    "--predictor" => predictor = Some(number(option, value)?),
                    "--components" => jpeg.components = number(option, value)?,
                    "--restart-rows" => jpeg.restart_rows = number(option, value)?,
                    "--name" => name = Some(value.clone()),
                    "--timecode" => timecode = value,
                    _ => set(&mut spec, option, value)?,
                }
            }
        }
    }
    spec.compression = match compression {
        "ljpeg" => Compression::LosslessJpeg(Ljpeg { predictor: predictor.unwrap_or(1), ..jpeg }),
        "deflate" if jpeg == Ljpeg::default() => {
            Compression::Deflate { predictor: predictor.unwrap_or(0) }
        }
        "none" if jpeg == Ljpeg::default() && predictor.is_none() => Compression::None,
        _ => return Err("settings of the stream are given, but not --compression ljpeg".into()),
    };
    spec.name = name.unwrap_or_else(|| format!("{}_C001", spec.reel.as_deref().unwrap_or("CLIP")));
    spec.start = match timecode {
        "-" => None,
        text => Some(Timecode::parse(text, spec.rate).map_err(|f| f.message)?),
    };
    Ok((out.ok_or("no directory is given")?, spec))
}

/// Options that are one field of the spec.
fn set(spec: &mut ClipSpec, option: &str, value: &str) -> Result<(), String> {
    let absent = || (value != "-").then(|| value.to_owned());
    match option {
        "--size" => (spec.width, spec.height) = pair(option, value)?,
        "--frames" => spec.frames = number(option, value)?,
        "--bits" => spec.bits = number(option, value)?,
        "--tiles" => {
            let (width, height) = pair(option, value)?;
            spec.segments = Segments::Tiles { width, height };
        }
        "--strip-rows" => spec.segments = Segments::Strips { rows: number(option, value)? },
        "--pixel" => {
            let pixels = [
                ("mosaic", Pixel::Mosaic),
                ("linear", Pixel::Linear),
                ("planar", Pixel::LinearPlanar),
            ];
            spec.pixel = one_of(option, value, &pixels)?;
        }
        "--bad" => spec.faults.bad = number(option, value)?,
        "--curve" => {
            spec.curve = one_of(option, value, &[("linear", Curve::Linear), ("log", Curve::Log)])?;
        }
        "--byte-order" => {
            let orders = [("little", ByteOrder::Little), ("big", ByteOrder::Big)];
            spec.byte_order = one_of(option, value, &orders)?;
        }
        "--bayer" => {
            let patterns = [
                ("rggb", Bayer::Rggb),
                ("grbg", Bayer::Grbg),
                ("gbrg", Bayer::Gbrg),
                ("bggr", Bayer::Bggr),
            ];
            spec.bayer = one_of(option, value, &patterns)?;
        }
        "--masked" => spec.masked = border(option, value)?,
        "--crop" => spec.crop = border(option, value)?,
        "--reel" => spec.reel = absent(),
        "--camera" => spec.camera = absent(),
        "--rate" => spec.rate = value.parse::<FrameRate>().map_err(|f| f.message)?,
        "--capture-rate" => {
            spec.capture_rate = Some(value.parse::<FrameRate>().map_err(|f| f.message)?);
        }
        "--first" => spec.first_number = number(option, value)?,
        "--noise" => spec.noise = number(option, value)?,
        "--seed" => spec.seed = number(option, value)?,
        _ => return Err(format!("'{option}' is not an option; --help lists them")),
    }
    Ok(())
}

fn number<T: FromStr>(option: &str, value: &str) -> Result<T, String>
where
    T::Err: Display,
{
    value.parse().map_err(|e| format!("{option} '{value}': {e}"))
}

fn pair(option: &str, value: &str) -> Result<(u32, u32), String> {
    let (w, h) =
        value.split_once('x').ok_or_else(|| format!("{option} '{value}': write WIDTHxHEIGHT"))?;
    Ok((number(option, w)?, number(option, h)?))
}

fn border(option: &str, value: &str) -> Result<Border, String> {
    let sides: Vec<u32> =
        value.split(',').map(|side| number(option, side)).collect::<Result<_, _>>()?;
    let [top, left, bottom, right] = sides[..] else {
        return Err(format!("{option} '{value}': write TOP,LEFT,BOTTOM,RIGHT"));
    };
    Ok(Border { top, left, bottom, right })
}

fn one_of<T: Copy>(option: &str, value: &str, names: &[(&str, T)]) -> Result<T, String> {
    names.iter().find(|(name, _)| *name == value).map(|(_, v)| *v).ok_or_else(|| {
        let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        format!("{option} '{value}' is not one of {}", known.join(", "))
    })
}
