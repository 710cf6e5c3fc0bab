//! Faults as gRPC status and back. The status code is for strangers; between
//! our own programs the fault itself travels along, so that a person reads
//! the same code, value, place and remedy on both ends of the wire.

use crate::dial::{ALERT, CUT_OFF, DISTRUSTED, TO_TRUST};
use platefarm_model::code::Owner;
use platefarm_model::{Code, Fault};
use prost::Message;
use std::error::Error as _;
use tonic::metadata::MetadataValue;
use tonic::{Code as Grpc, Status, TimeoutExpired};

/// The trailer that carries the fault, as JSON. `-bin` marks bytes in gRPC.
pub const FAULT_KEY: &str = "platefarm-fault-bin";

/// HTTP/2 peers refuse header lists above 8 to 16 KiB, and base64 adds a third
/// while JSON may double what it escapes: texts are cut to this many bytes
/// each. Nothing that people write comes near.
const MAX_TEXT_BYTES: usize = 1024;

/// `google.rpc.Status`, as the trailer `grpc-status-details-bin` carries it to
/// clients of every make (google/rpc/status.proto).
#[derive(Clone, PartialEq, prost::Message)]
struct Details {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, prost::Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.ErrorInfo` (google/rpc/error_details.proto).
#[derive(Clone, PartialEq, prost::Message)]
struct ErrorInfo {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    domain: String,
}

/// The stable code, as clients of every make read it: the reason of an
/// `ErrorInfo` in the domain `platefarm`.
fn details(code: Code, message: &str) -> Vec<u8> {
    let info = ErrorInfo { reason: code.text().into(), domain: "platefarm".into() };
    let info = Any {
        type_url: "type.googleapis.com/google.rpc.ErrorInfo".into(),
        value: info.encode_to_vec(),
    };
    let code = grpc_code(code) as i32;
    Details { code, message: message.into(), details: vec![info] }.encode_to_vec()
}

/// The gRPC code for a code: by itself where it has a better word, else by its owner.
#[must_use]
pub fn grpc_code(code: Code) -> Grpc {
    match code {
        Code::UnknownJob
        | Code::UnknownWorker
        | Code::NoSuchWorker
        | Code::UnknownToken
        | Code::UnknownHook => Grpc::NotFound,
        Code::CursorTooOld => Grpc::OutOfRange,
        Code::StaleLease => Grpc::Aborted,
        Code::JobCancelled | Code::StoreVersion | Code::StoreInUse => Grpc::FailedPrecondition,
        Code::Timeout => Grpc::DeadlineExceeded,
        Code::NotAuthenticated | Code::BadToken => Grpc::Unauthenticated,
        Code::NotAllowed | Code::OutsideShow => Grpc::PermissionDenied,
        Code::TooMuch => Grpc::ResourceExhausted,
        _ => match code.info().owner {
            Owner::Request => Grpc::InvalidArgument,
            Owner::Media => Grpc::DataLoss,
            Owner::Worker => Grpc::ResourceExhausted,
            Owner::Farm => Grpc::Unavailable,
            Owner::Program => Grpc::Internal,
        },
    }
}

/// The status that says `fault` to any client, and all of it to ours.
#[must_use]
pub fn to_status(fault: &Fault) -> Status {
    let cut = |text: &str| text[..text.floor_char_boundary(MAX_TEXT_BYTES)].to_owned();
    let short = Fault {
        code: fault.code,
        message: cut(&fault.message),
        place: fault.place.as_deref().map(cut),
        remedy: fault.remedy.as_deref().map(cut),
        cause: fault.cause.as_deref().map(cut),
    };
    let message = format!("{}: {}", short.code, short.message);
    let details = details(fault.code, &message);
    let mut status = Status::with_details(grpc_code(fault.code), message, details.into());
    if let Ok(json) = serde_json::to_vec(&short) {
        status.metadata_mut().insert_bin(FAULT_KEY, MetadataValue::from_bytes(&json));
    }
    status
}

/// Whether a status was made here of a call whose own time was up.
fn is_out_of_time(status: &Status) -> bool {
    type Cause = dyn std::error::Error + 'static;
    let mut causes = std::iter::successors(status.source(), |error: &&Cause| (*error).source());
    causes.any(|error| error.is::<TimeoutExpired>())
}

/// The fault that a status carries; for a status of a stranger, or of the
/// transport itself, the nearest one.
#[must_use]
pub fn from_status(status: &Status) -> Fault {
    let carried = status
        .metadata()
        .get_bin(FAULT_KEY)
        .and_then(|value| value.to_bytes().ok())
        .and_then(|bytes| serde_json::from_slice::<Fault>(&bytes).ok());
    if let Some(fault) = carried {
        return fault;
    }
    let broke = (Code::NoScheduler, "the connection to the scheduler broke");
    let (code, message) = match status.code() {
        Grpc::Unavailable if status.message().contains(DISTRUSTED) => {
            (Code::NoScheduler, "the scheduler's certificate is not trusted here")
        }
        Grpc::Unavailable if status.message().contains(ALERT) => broke,
        Grpc::Unavailable => (Code::NoScheduler, "the connection to the scheduler failed"),
        // So a call is told whose connection was closed before the answer.
        Grpc::Cancelled if status.source().is_some() && !is_out_of_time(status) => broke,
        Grpc::DeadlineExceeded | Grpc::Cancelled => {
            (Code::Timeout, "the scheduler did not answer in time")
        }
        Grpc::InvalidArgument | Grpc::OutOfRange => {
            (Code::BadSpec, "the scheduler refused the message")
        }
        Grpc::Unimplemented => (Code::StoreVersion, "the scheduler does not know this call"),
        // Nobody answered this: it was made here of a connection that broke in
        // the middle of an answer. What became of the question is not known.
        _ if status.source().is_some() => broke,
        _ => (Code::Internal, "the scheduler answered with an error"),
    };
    let mut fault = Fault::new(code, message);
    if code == Code::StoreVersion {
        fault = fault.remedy("Use the same version of platefarm on both ends.");
    } else if (code, message) == broke {
        fault = fault.remedy(CUT_OFF);
    } else if status.message().contains(DISTRUSTED) {
        fault = fault.remedy(TO_TRUST);
    }
    fault.cause = Some(format!("{:?}: {}", status.code(), status.message()));
    fault
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::code::CODES;
    use proptest::prelude::*;

    #[test]
    fn every_code_has_a_status_and_comes_back() {
        for info in CODES {
            let fault = Fault::new(info.code, "value '7'").at("line 3").remedy("Do it.");
            let status = to_status(&fault);
            assert_ne!(status.code(), Grpc::Ok, "{}", info.text);
            assert_ne!(status.code(), Grpc::Unknown, "{}", info.text);
            assert_eq!(from_status(&status), fault);
            let details = Details::decode(status.details()).unwrap();
            let info = ErrorInfo::decode(details.details[0].value.as_slice()).unwrap();
            assert_eq!(
                (fault.code.text(), "platefarm"),
                (info.reason.as_str(), info.domain.as_str())
            );
        }
    }

    #[test]
    fn a_status_of_the_transport_becomes_the_nearest_fault() {
        let fault = from_status(&Status::unavailable("tcp connect error"));
        assert_eq!(fault.code, Code::NoScheduler);
        assert_eq!(fault.cause.unwrap(), "Unavailable: tcp connect error");
        assert_eq!(from_status(&Status::unknown("?")).code, Code::Internal);
        // As tonic makes it when a peer is killed while it sends.
        let broken = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        let broken = Status::from_error(Box::new(broken));
        assert_eq!(broken.code(), Grpc::Unknown);
        assert_eq!(from_status(&broken).code, Code::NoScheduler);
        let strange = Status::unavailable("invalid peer certificate: UnknownIssuer");
        let fault = from_status(&strange);
        assert!(fault.message.contains("not trusted"), "{fault}");
        assert!(fault.remedy_text().contains("--ca"), "{fault:?}");
        // Time that is up, here or there, is no broken connection.
        let over = Status::from_error(Box::new(TimeoutExpired(())));
        for late in [over, Status::cancelled("?"), Status::deadline_exceeded("?")] {
            assert_eq!(from_status(&late).code, Code::Timeout, "{late:?}");
        }
    }

    #[test]
    fn a_torn_trailer_is_not_trusted() {
        let mut status = to_status(&Fault::new(Code::UnknownJob, "j7"));
        let torn = MetadataValue::from_bytes(b"{\"code\":\"F05");
        status.metadata_mut().insert_bin(FAULT_KEY, torn);
        assert_eq!(from_status(&status).code, Code::Internal);
    }

    proptest! {
        /// Any text travels: line ends, quotes, other scripts; long ones are cut, never refused.
        #[test]
        fn any_text_travels(message in ".{0,200}", long in "[é\n]{900,2000}") {
            let fault = Fault::new(Code::BadEdlLine, message).at(long);
            let status = to_status(&fault);
            let back = from_status(&status);
            prop_assert_eq!(&back.message, &fault.message);
            prop_assert!(fault.place.unwrap().starts_with(&back.place.unwrap()));
            let size: usize = status.metadata().get_bin(FAULT_KEY).unwrap().as_encoded_bytes().len();
            prop_assert!(size < 8 * 1024);
        }
    }
}
