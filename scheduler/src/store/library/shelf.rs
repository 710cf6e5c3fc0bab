//! The library of a scheduler, which may have none; opened when it is first asked for.

use super::Library;
use crate::aside::Aside;
use crate::store::Place;
use platefarm_model::{Code, Fault, Outcome};
use std::future::Future;
use tokio::sync::OnceCell;

/// How many look through all of it at a time: the rows of a library may be a hundred thousand.
const LOOKS: usize = 4;

/// Where a scheduler has its library.
#[derive(Debug)]
pub(crate) struct Shelf {
    place: Option<Place>,
    open: OnceCell<Library>,
    looks: Aside,
    /// Of one: who changes it keeps others waiting in the database, too.
    changes: Aside,
}

impl Shelf {
    pub(crate) fn new(place: Option<Place>) -> Self {
        Self { place, open: OnceCell::new(), looks: Aside::new(LOOKS), changes: Aside::new(1) }
    }

    /// Does `work` that reads many rows where it keeps nobody waiting.
    ///
    /// # Errors
    /// Those of the work.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        work: impl Future<Output = Outcome<T>> + Send + 'static,
    ) -> Outcome<T> {
        self.looks.in_turn(work).await
    }

    /// The same for work that changes many.
    ///
    /// # Errors
    /// Those of the work.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        work: impl Future<Output = Outcome<T>> + Send + 'static,
    ) -> Outcome<T> {
        self.changes.in_turn(work).await
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
