//! Movies of the plates, as far as their container tells: an editor who lays
//! one over the cut sees a picture that is missing only when it is too late.

use super::{Package, Request, Sink};
use crate::gate::MovieRequest;
use platefarm_media::delivered::Movie;
use platefarm_model::{Code, FrameSet};

pub(super) fn movies(package: &Package, request: &Request, sink: &mut Sink<'_>) {
    // One that is not there at all is told with the other files.
    for (asked, found) in
        request.movies.iter().filter_map(|asked| Some((asked, package.movies.get(&asked.file)?)))
    {
        match found {
            Ok(movie) => {
                for wrong in differs(asked, movie) {
                    sink.fail(&asked.plate, FrameSet::new(), format!("'{}' {wrong}", asked.file));
                }
            }
            Err(fault) if fault.code == Code::NoDecoder => {
                sink.skip("movies were not opened: there is no FFmpeg here");
                return;
            }
            Err(fault) => sink.fault(Some(&asked.plate), FrameSet::new(), fault.clone()),
        }
    }
    if !request.movies.is_empty() {
        sink.how("FFmpeg's prober counted the pictures by the container; none was decoded");
    }
}

/// What a movie is that it should not be.
fn differs(asked: &MovieRequest, found: &Movie) -> Vec<String> {
    let mut wrong = Vec::new();
    if found.frames != asked.frames {
        wrong.push(format!("has {} pictures, of {} frames", found.frames, asked.frames));
    }
    // The rate of a single picture is anybody's guess.
    if let Some((asked, found)) = asked.rate.zip(found.rate).filter(|_| found.frames > 1)
        && asked != found
    {
        wrong.push(format!("runs at {found} instead of {asked}"));
    }
    if let Some([w, h]) = asked.size.filter(|size| *size != found.size) {
        wrong.push(format!("is {}x{} instead of {w}x{h}", found.size[0], found.size[1]));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::FrameRate;

    #[test]
    fn a_movie_is_what_was_asked_for() {
        let rate = FrameRate::FPS_24;
        let asked = MovieRequest {
            frames: 48,
            rate: Some(rate),
            size: Some([1920, 1080]),
            ..MovieRequest::default()
        };
        let good = Movie { size: [1920, 1080], rate: Some(rate), frames: 48 };
        assert_eq!(differs(&asked, &good), [""; 0]);
        let slow = FrameRate::new(24_000, 1001).unwrap();
        let wrong = Movie { size: [1280, 720], rate: Some(slow), frames: 47 };
        let said = differs(&asked, &wrong);
        for (said, word) in said.iter().zip(["47 pictures", "24000/1001", "1280x720"]) {
            assert!(said.contains(word), "{said}");
        }
        assert_eq!(said.len(), 3);
        // Without a size it has the plate's; one picture has no rate.
        let open = MovieRequest { size: None, frames: 1, ..asked };
        assert_eq!(differs(&open, &Movie { frames: 1, ..wrong }), [""; 0]);
    }
}
