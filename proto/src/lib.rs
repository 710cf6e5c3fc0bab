//! The wire: what travels between the programs of the farm.
//!
//! The protos say what is sent, the generated modules carry it, and
//! [`convert`] turns it into the model's values and back, checking on the way
//! in. No other crate touches a wire type but to hand it to a conversion, so
//! the model can grow without the wire, and the wire without the model.

pub mod convert;
pub mod dial;
pub mod trace;
pub mod validity;

/// Generated from `platefarm/v1/*.proto`: messages, clients and servers.
pub mod v1 {
    #![expect(
        missing_docs,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        reason = "the text is generated; the protos carry the documentation"
    )]
    tonic::include_proto!("platefarm.v1");
}

/// Generated from `externalscaler.proto`: KEDA's contract.
pub mod keda {
    #![expect(
        missing_docs,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        reason = "the text is generated; the proto carries the documentation"
    )]
    tonic::include_proto!("externalscaler");
}

pub use v1::events_client::EventsClient;
pub use v1::events_server::{Events, EventsServer};
pub use v1::farm_client::FarmClient;
pub use v1::farm_server::{Farm, FarmServer};
pub use v1::library_client::LibraryClient;
pub use v1::library_server::{Library, LibraryServer};
pub use v1::pulls_client::PullsClient;
pub use v1::pulls_server::{Pulls, PullsServer};
pub use v1::trust_client::TrustClient;
pub use v1::trust_server::{Trust, TrustServer};
pub use v1::work_client::WorkClient;
pub use v1::work_server::{Work, WorkServer};

/// The compiled protos, for server reflection.
pub const DESCRIPTORS: &[u8] = tonic::include_file_descriptor_set!("platefarm.v1");
