//! Every bound of the house in one place, so that none is invented twice.

/// Largest side of a picture, in pixels: beyond any sensor in production.
pub const MAX_PICTURE_SIDE_PX: u32 = 65_536;
/// Most pixels of one picture: 24K by 18K fits.
pub const MAX_PICTURE_PIXELS: u64 = 512 * 1024 * 1024;
/// Largest camera file of one frame, in bytes.
pub const MAX_FRAME_FILE_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// Most entries that are read from one TIFF directory.
pub const MAX_TIFF_ENTRIES: usize = 4096;
/// Most TIFF directories that are followed in one file.
pub const MAX_TIFF_DIRECTORIES: usize = 64;
/// Largest text document that is read (edit list, FDL, AMF, MHL), in bytes.
pub const MAX_DOCUMENT_BYTES: u64 = 256 * 1024 * 1024;
/// Largest edit list, in bytes: some 300,000 events.
pub const MAX_EDL_BYTES: u64 = 32 * 1024 * 1024;
/// Largest timeline document (OTIO, XML), in bytes.
pub const MAX_TIMELINE_BYTES: u64 = 128 * 1024 * 1024;
/// Most items of one timeline, those of nested sequences counted each time they are used.
pub const MAX_TIMELINE_ITEMS: usize = 500_000;
/// Deepest nesting of sequences in sequences.
pub const MAX_NESTED_SEQUENCES: usize = 16;
/// Deepest nesting of XML or JSON that is followed.
pub const MAX_DOCUMENT_DEPTH: usize = 128;
/// Most steps of one job.
pub const MAX_STEPS_PER_JOB: usize = 100_000;
/// Most frames of one step.
pub const MAX_FRAMES_PER_STEP: u64 = 100_000_000;
/// Farthest number of a frame from zero, either way: beyond any counter, and far from where numbers end.
pub const MAX_FRAME_NUMBER: i64 = 1_000_000_000_000;
/// Attempts at a frame when the submission does not say.
pub const DEFAULT_MAX_ATTEMPTS: u32 = 3;
/// Largest message on the wire, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;
/// Most that the packed specs of a message may unpack to together, in bytes.
pub const MAX_UNPACKED_BYTES: u64 = 1024 * 1024 * 1024;
/// Longest name of a show, job, step, worker, in bytes.
pub const MAX_NAME_BYTES: usize = 255;
