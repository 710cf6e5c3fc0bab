//! The library of a scheduler, which may have none; opened when it is first asked for.

use super::Library;
use crate::store::Place;
use platefarm_model::{Code, Fault, Outcome};
use tokio::sync::OnceCell;

/// Where a scheduler has its library.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    place: Option<Place>,
    open: OnceCell<Library>,
}

impl Shelf {
    pub(crate) fn new(place: Option<Place>) -> Self {
        Self { place, open: OnceCell::new() }
    }

    /// The library.
    ///
    /// # Errors
    /// [`Code::NoMedia`] where there is none, and those of [`Library::open`], which is tried again
    /// by the next who asks.
    pub(crate) async fn library(&self) -> Outcome<&Library> {
        let place = self.place.as_ref().ok_or_else(|| {
            Fault::new(Code::NoMedia, "this scheduler has no library to search").remedy(
                "Add clips with `platefarm library add`, and name the store with --library-store.",
            )
        })?;
        self.open.get_or_try_init(|| Library::open(place)).await
    }
}
