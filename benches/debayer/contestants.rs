//! Who debayers: our forms, and other people's software that answers over a pipe.

use crate::protocol::Pictures;
use crate::rtprocess;
use crate::support::{Result, script};
use platefarm_shaders::debayer::{FORMS, Form, Mosaic};
use platefarm_shaders::ops::resample::picture::Picture;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The Python packages of the peers.
pub(crate) const PACKAGES: &[&str] =
    &["rawpy", "numpy", "opencv-python-headless", "colour-demosaicing"];

/// The ways of `peers/demosaic.py`, with names to print.
const PEERS: &[(&str, &str)] = &[
    ("opencv-bilinear", "OpenCV bilinear"),
    ("opencv-ea", "OpenCV edge-aware"),
    ("opencv-vng", "OpenCV VNG, 8 bits"),
    ("libraw-ppg", "LibRaw PPG"),
    ("libraw-dcb", "LibRaw DCB"),
    ("libraw-dht", "LibRaw DHT"),
    ("libraw-ahd", "LibRaw AHD"),
    ("libraw-aahd", "LibRaw AAHD"),
    ("colour-malvar", "colour-demosaicing Malvar 2004"),
    ("colour-menon", "colour-demosaicing Menon 2007"),
];

/// One contestant.
pub(crate) struct Contestant {
    /// How it is called in tables.
    pub name: String,
    way: Way,
}

enum Way {
    Ours(&'static Form),
    Peer(Peer),
}

struct Peer {
    child: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Without its input the script ends.
        self.input.take();
        let _ = self.child.wait();
    }
}

/// Other people's software, where it is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peers<'a> {
    /// A Python with [`PACKAGES`].
    pub python: Option<&'a Path>,
    /// The driver of librtprocess.
    pub rtprocess: Option<&'a Path>,
}

impl Peers<'_> {
    /// What answers for the peer that is called `name`: ways of `demosaic.py` and of the driver.
    pub(crate) fn command(&self, way: &str, name: &str) -> Option<Command> {
        let mut command = if rtprocess::WAYS.contains(&(way, name)) {
            Command::new(self.rtprocess?)
        } else {
            script(self.python?, "demosaic.py")
        };
        command.arg(way);
        Some(command)
    }
}

/// Our forms and the peers that are there; those whose name has `only` in it.
pub(crate) fn contestants(peers: Peers<'_>, only: &str) -> Result<Vec<Contestant>> {
    let mut all: Vec<Contestant> = FORMS
        .iter()
        .map(|form| Contestant { name: format!("platefarm {}", form.name), way: Way::Ours(form) })
        .filter(|c| c.name.contains(only))
        .collect();
    for (way, name) in PEERS.iter().chain(rtprocess::WAYS).filter(|(_, name)| name.contains(only)) {
        let Some(command) = peers.command(way, name) else { continue };
        all.push(Contestant { name: (*name).to_owned(), way: Way::Peer(peer(command)?) });
    }
    Ok(all)
}

fn peer(mut command: Command) -> Result<Peer> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot start {command:?}: {e}"))?;
    let input = child.stdin.take();
    let output = child.stdout.take().ok_or("no pipe from the script")?;
    Ok(Peer { child, input, output })
}

impl Contestant {
    /// Whether it encodes by itself and wants linear light.
    pub(crate) fn encodes(&self) -> bool {
        matches!(&self.way, Way::Ours(form) if form.encodes)
    }

    /// Whether its picture has half the size.
    pub(crate) fn halves(&self) -> bool {
        matches!(&self.way, Way::Ours(form) if form.halves)
    }

    /// Whether it is one of ours.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(&self.way, Way::Ours(_))
    }

    /// All colours of a mosaic.
    pub(crate) fn debayer(&mut self, mosaic: &Mosaic) -> Result<Picture> {
        let (width, height) = (mosaic.width, mosaic.height);
        match &mut self.way {
            Way::Ours(form) => Ok(form.picture(mosaic)),
            Way::Peer(peer) => {
                // Integers hold nothing above white.
                let peak = mosaic.sites.iter().fold(1.0, |peak: f32, v| peak.max(*v));
                let mut mosaic = mosaic.clone();
                mosaic.sites.iter_mut().for_each(|v| *v /= peak);
                let planes = peer.ask(&mosaic).map_err(|e| format!("{}: {e}", self.name))?;
                Ok(Picture { width, height, planes }.scaled([peak; 3]))
            }
        }
    }
}

impl Peer {
    /// Columns, rows and the photosites go over as little-endian words; three planes come back.
    fn ask(&mut self, mosaic: &Mosaic) -> std::io::Result<[Vec<f32>; 3]> {
        let size = [mosaic.width, mosaic.height].map(|side| (side as u32).to_le_bytes());
        let sites = mosaic.sites.iter().map(|v| v.to_le_bytes());
        let bytes: Vec<u8> = size.into_iter().chain(sites).flatten().collect();
        if let Some(input) = &mut self.input {
            input.write_all(&bytes)?;
            input.flush()?;
        }
        let mut planes = [(); 3].map(|()| Vec::new());
        for plane in &mut planes {
            let mut bytes = vec![0; 4 * mosaic.sites.len()];
            self.output.read_exact(&mut bytes)?;
            *plane = bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        }
        Ok(planes)
    }
}
