//! Wire to model and back. `From<&model>` makes a message; `TryFrom<message>`
//! reads one and checks it, so that behind this module every value is sound.
//! Errors are [`Code::BadSpec`](platefarm_model::Code::BadSpec) naming the
//! message and field.

mod control;
mod event;
mod farm;
mod farm_status;
mod job;
mod pull;
mod query;
mod status;
mod trust;
mod value;
mod view;
mod work;

pub use job::submission;
pub use status::{FAULT_KEY, from_status, grpc_code, to_status};
pub use trust::role;
pub use value::{ranges, set};
pub use view::making;

use platefarm_model::{Code, Fault, Outcome};

/// What a message must carry.
///
/// # Errors
/// [`Code::BadSpec`] for what it does not.
pub fn needed<T>(field: Option<T>, place: &str) -> Outcome<T> {
    field.ok_or_else(|| Fault::new(Code::BadSpec, "a field is missing in the message").at(place))
}
