//! The stable error codes, in one table.
//!
//! A code never changes its meaning and is never given out twice; scripts and
//! runbooks may match on it. Everything else about an error that can be
//! derived (exit code of the command line, gRPC status, the page in `docs/`)
//! is derived from this table.

use serde::{Deserialize, Serialize};

/// Who has to act on an error, and so what the scheduler does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The person who asked: a wrong argument, edit list, framing id.
    Request,
    /// The camera file: damaged, or of a kind that is not read. Retried once elsewhere.
    Media,
    /// The machine that did the work: disk full, no GPU, out of memory. Retried elsewhere.
    Worker,
    /// The farm itself: store, network, scheduler. No attempt is charged.
    Farm,
    /// Our own fault: an invariant that did not hold.
    Program,
}

impl Owner {
    /// Exit code of the command line for an error of this owner.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Request => 2,
            Self::Media => 3,
            Self::Worker => 4,
            Self::Farm => 5,
            Self::Program => 70,
        }
    }
}

/// One row of the table of codes.
#[derive(Clone, Copy, Debug)]
pub struct CodeInfo {
    /// The code itself.
    pub code: Code,
    /// `F` and four digits: what people and scripts see.
    pub text: &'static str,
    /// Who has to act.
    pub owner: Owner,
    /// One line: what happened.
    pub summary: &'static str,
    /// What to do about it, as a full sentence.
    pub remedy: &'static str,
}

macro_rules! codes {
    ($($name:ident $text:literal $owner:ident $summary:literal $remedy:literal;)*) => {
        /// A stable error code. See [`CODES`] for what each one means.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = concat!($text, ": ", $summary)] $name,)*
        }

        /// Every code with its owner, summary and remedy, in the order of the codes.
        pub const CODES: &[CodeInfo] = &[
            $(CodeInfo { code: Code::$name, text: $text, owner: Owner::$owner, summary: $summary, remedy: $remedy },)*
        ];
    };
}

codes! {
    // F00xx: how the program was called
    Usage "F0001" Request "the command line makes no sense" "See the help of the command.";
    BadFrameRange "F0002" Request "a frame range cannot be read" "Write ranges as FIRST-LAST, both included, e.g. 1001-1048.";
    BadTimecode "F0003" Request "a timecode cannot be read" "Write HH:MM:SS:FF, or HH:MM:SS;FF for drop frame, with a frame number below the rate.";
    BadId "F0004" Request "an id cannot be read" "Use ids as the lists print them: j12, j12.3, w4.";
    BadName "F0005" Request "a name has characters that delivery does not allow" "Use letters, digits, '.', '_' and '-'.";
    BadConfig "F0006" Request "a setting cannot be read" "Correct the named setting.";
    FrameOutsideClip "F0007" Request "the frame range is not inside the clip" "Ask for frames that the clip has; `platefarm inspect` prints its range.";
    UnknownOption "F0008" Request "an option names something that does not exist" "Choose one of the listed names.";
    OpenListener "F0009" Request "an address that other machines reach needs TLS and tokens" "Give --tls-cert and --tls-key, or listen on 127.0.0.1 or [::1].";
    OutputExists "F0010" Request "the output is already there" "Deliver into another directory; a re-pull also wants a new --plate-version.";
    NotConfirmed "F0011" Request "something that is done to many was not confirmed" "Say yes, or pass --yes; name fewer with a narrower filter.";

    // F01xx: camera and picture files
    FileNotFound "F0101" Request "a file or directory is not there" "Check the path and that the volume is mounted.";
    FileUnreadable "F0102" Worker "a file cannot be read" "Check permissions and the state of the volume.";
    UnknownFormat "F0103" Media "no reader knows this file" "Transcode it, or install a reader; `platefarm inspect` lists the formats that are read.";
    TruncatedFile "F0104" Media "the file ends before its data does" "Copy the file again from the original and compare its hash.";
    BadStructure "F0105" Media "the file's structure is damaged" "Copy the file again from the original; if it is the original, keep it for its maker.";
    UnsupportedFeature "F0106" Media "the file uses something that is not read yet" "See the named feature; transcode the clip if there is no other way.";
    UnknownCfa "F0107" Media "the colour filter layout is not a Bayer pattern" "Only 2x2 Bayer patterns of red, green and blue are debayered.";
    TooLarge "F0108" Media "a size in the file is beyond the limits" "Raise the limit if the file is sound.";
    MissingFrame "F0109" Media "the sequence lacks a frame" "Copy the missing frame from the original.";
    MixedClip "F0110" Media "frames of one sequence differ in kind" "Separate the clips; a sequence has one camera, size and compression.";
    NoMedia "F0111" Request "no camera files were found" "Give a directory that holds clips of a format that is read.";
    BadColorData "F0112" Media "the colour data of the file cannot be used" "Check the named tag, or give the camera matrix by hand.";
    MetadataAbsent "F0113" Media "the file does not carry a value that the pull uses" "Nothing, if the value is not needed; else take it from the camera report.";
    NoInputTransform "F0114" Request "what the pixels of the clip mean is not known" "Name the input transform of the camera, or transcode to an encoding that its file names.";
    NoDecoder "F0115" Worker "a program that decodes this file is not there" "Install the named program, or configure a bridge to the maker's (docs/bridge.md).";
    DecoderFailed "F0116" Media "the program that decodes this file failed" "See its own words in the message; try the file in that program.";
    DecoderHung "F0117" Worker "the program that decodes this file gave no answer in time" "See what the machine is busy with; the program was ended and is started again for the next frame.";
    BadBridge "F0118" Worker "a bridge does not keep to the protocol" "Run `platefarm bridge check` on it; docs/bridge.md has the protocol.";
    MetadataConflict "F0119" Media "the media and a metadata export beside it say different things" "See which of the two is right; the media's own word is used.";
    BadSidecar "F0120" Media "a metadata export cannot be read" "Export it again with the maker's tool, or move it away: the clip is read without it.";
    DuplicateClip "F0121" Media "two clips have the same name" "Rename the rolls apart, or remove the copy; a pull needs the timecode to tell them apart.";
    Unverified "F0122" Media "part of what was read rests on facts that could not be verified" "Compare a frame with the maker's own software before trusting it; docs/cameras.md says what is meant.";
    PlatesPassedOver "F0123" Request "plates of platefarm's own lie among the media" "Nothing, if camera originals are meant; `platefarm render` makes plates of plates.";

    // F02xx: edit lists, framing, colour and manifests
    BadEdlLine "F0201" Request "a line of the edit list cannot be read" "Correct the named line, or export the list again as File_129 or File_32.";
    EmptyEdl "F0202" Request "the edit list has no picture event" "Export the video track.";
    NoClipForEvent "F0203" Request "no clip covers this event" "Add the reel's media; reel name and timecode must both match.";
    AmbiguousEvent "F0204" Request "more than one clip matches this event" "Remove the double, or narrow --media to the directory that is meant.";
    BadFdl "F0205" Request "the framing decision list cannot be read" "Correct the named place; the FDL must follow ASC FDL 2.0.";
    FdlIdNotFound "F0206" Request "the framing decision list has no such id" "Choose one of the listed ids.";
    FdlCanvasMismatch "F0207" Request "the FDL's canvas is not the size of the media" "Use the FDL made for this sensor mode.";
    FdlRejected "F0208" Request "the template cannot be applied to this canvas" "The template asks for a layer that the canvas does not have.";
    BadAmf "F0209" Request "the ACES metadata file cannot be read" "Correct the named place.";
    BadManifest "F0210" Media "the ASC MHL history is damaged" "Restore the ascmhl directory from a copy.";
    HashMismatch "F0211" Media "a file is not what its hash says" "Copy the file again, or render the frame again.";
    NameCollision "F0212" Request "two plates would have the same name" "Give the events different names.";
    HandlesClamped "F0213" Request "the media is shorter than the handles" "Nothing, if the shorter handle will do; else ask for the longer camera roll.";
    BadEdlReel "F0214" Request "reel names look cut to eight characters" "Export the list as File_32 or File_129.";
    MissingFiles "F0215" Media "files that the manifest lists are not there" "Copy the missing files again.";
    ExtraFiles "F0216" Request "there are files that the manifest does not list" "Remove them, or seal the directory again.";
    RetimeIgnored "F0217" Request "a speed change of the list is not applied" "The plate holds the source frames at their own rate; apply the retime in the comp.";
    EventSkipped "F0218" Request "an event of the list needs no plate" "Nothing, if the event is black, a generator or sound; else name its camera clip in the list.";
    NoFraming "F0219" Request "no framing was asked for" "Give --fdl and --template, or deliver the full source knowingly.";
    Upres "F0220" Request "the plate would be larger than its source" "Choose a template or container that the source fills, or pass --allow-upres to enlarge it knowingly.";
    BadLook "F0221" Request "a colour transform cannot be read" "Correct the named place; CLF follows S-2014-006 or SMPTE ST 2136-1.";
    UnknownTransform "F0222" Request "a colour transform has no such name" "`platefarm color list` prints the names and ids that are known.";
    NoWayBack "F0223" Request "a colour transform cannot be undone" "Give the transform that goes the wanted way.";
    UnresolvedTransform "F0224" Request "a transform that an ACES metadata file names cannot be had" "Put the file that it names beside the AMF, or name a transform of the ACES registry.";
    ColorAssumed "F0225" Request "colour was not said, or is said and not used" "Nothing, if what is assumed is meant; else give an AMF that says it.";
    NothingToMend "F0226" Request "photosites were to be mended where there are none" "Nothing: the picture has all its colours and is taken as it is.";
    ValuesClipped "F0227" Request "values are beyond what the file that is written can hold" "Nothing, if its display shows no more; else write an .exr, or convert to an output with a higher peak.";
    BadEditList "F0240" Request "the edit list cannot be read" "Export the list again; the message names the place.";

    FuzzyMatch "F0260" Request "a clip was matched by a fuzzy rule" "Look at the plate beside the edit; choose another clip with --resolve if it is the wrong one.";
    BadChoice "F0261" Request "a choice between clips cannot be used" "Name a clip of the media that holds the event, by its path or its name.";
    NotAsAsked "F0262" Request "the package is not what was asked for" "Render or write again what is named.";
    NotChecked "F0263" Request "something could not be checked" "Nothing, if it is not needed; packages of platefarm carry what the check needs.";
    Defaulted "F0264" Request "a setting was not given and its default was taken" "Nothing, if the default is meant; else set it in the delivery spec, the show or on the command line.";
    BadNaming "F0265" Request "a naming template cannot be used" "Use letters, digits, '.', '_', '-' and the fields {show}, {shot}, {event}, {clip}, {reel}, {plate}, {version}.";
    BadDelivery "F0266" Request "a delivery spec cannot be read" "Correct the named setting; docs/delivery.md lists all of them.";
    PictureSuspect "F0267" Media "the pictures of a plate look wrong" "Look at the named frames. If they are meant, pull again with --allow-suspect; else render them again.";
    MixedDecode "F0268" Request "frames of one plate were decoded with different settings" "Render the plate again in one go.";
    BadLibrary "F0269" Request "the library of clips cannot be used" "Check the named file; `platefarm library add` makes it anew from the media.";
    MovieFailed "F0270" Worker "a movie could not be made" "Install FFmpeg with the named encoder, or take the movie out of the delivery spec.";
    NameKept "F0271" Request "a plate's name follows an earlier delivery and not the list" "Nothing: a name that was delivered stays with its clip. Pull without --previous to begin anew.";
    OtherShow "F0272" Request "a clip of the library belongs to another show" "Nothing, if it is meant; else add the show's own media with `platefarm library add --show`.";
    NotSealed "F0273" Media "something that is no file is in no seal" "Copy in the file that a link leads to, or remove it: other tools take it for a file that came.";
    MediaNotMounted "F0274" Request "no clip that the list wants is where the library has it" "Mount the media here and pull again; nothing, where the workers have it mounted.";
    BadInspection "F0275" Request "a description of clips cannot be read" "Send what `platefarm inspect --json PATH` prints, with whole paths (docs/inspect.md).";
    ShotUnsure "F0276" Request "markers do not say for certain which shot an event is of" "Begin one marker of the event with the shot's name, as in SH_010; --marker-color counts the markers of one colour only.";
    OtherSpeed "F0277" Request "a speed change names another reel than its event" "See whether the speed is the event's; correct the reel of its M2 line.";
    FramesShort "F0278" Request "the media lacks frames that the event shows" "Find the rest of the take (a longer copy, the clip's other part) and pull again; the plate lacks what the cut shows there.";
    NotTakenOver "F0279" Media "frames of an earlier delivery could not be taken over" "Nothing for this package: they were rendered anew. Hold the earlier one against its seal (`platefarm mhl verify`) before others use it.";
    CutChanged "F0280" Request "the edit list is another than that of an earlier delivery" "Nothing: the named file says what became of each shot.";

    // F03xx: writing
    DiskFull "F0301" Worker "the disk is full" "Free space on the output volume and try again; frames that were delivered are kept.";
    NotWritable "F0302" Worker "the output directory cannot be written" "Check that it exists, its permissions, and that the volume is not read-only.";
    WriteFailed "F0303" Worker "writing failed" "Check the state of the volume.";
    OutsideRoot "F0304" Request "a path leaves the directory it is confined to" "Use a path inside the root.";
    BadLocation "F0305" Request "a place to read or write cannot be understood" "Write a path, or s3://BUCKET/KEY.";
    StorageRefused "F0306" Worker "the object store refuses the call" "Check the credentials, the bucket's name and its policy.";
    StorageFailed "F0307" Worker "the object store does not answer as it should" "Check the endpoint and the network; the call was tried again until its time was up.";
    Overtaken "F0308" Farm "somebody else has written this object" "Nothing: the object that is there is kept.";

    // F04xx: rendering
    NoGpu "F0401" Worker "no usable GPU" "Run with --backend auto or cpu, or install a Vulkan driver.";
    GpuLost "F0402" Worker "the GPU was lost" "The frame is rendered again; see the driver's log if it happens again.";
    GpuFailed "F0403" Worker "the GPU refused the work" "Render on the CPU and report the message.";
    RenderPanicked "F0404" Program "the renderer stopped on an internal error" "Report the message and, if possible, the frame.";
    BadRecipe "F0405" Request "the render settings contradict each other" "Correct the named setting.";
    Interrupted "F0406" Farm "the work was interrupted" "Nothing: it is taken up again.";
    ProcessDied "F0407" Worker "the render process ended while this frame was in hand" "It is tried elsewhere; render the frame alone with `platefarm render` and watch the process.";
    MemoryExceeded "F0408" Worker "the frame needs more memory than a slot may take" "Raise --slot-memory, or run fewer slots.";
    FrameStuck "F0409" Worker "the frame made no progress on this worker, and its process was ended" "It is tried elsewhere; see what the machine and the volume of the media are busy with.";
    FrameHung "F0410" Worker "a frame made no progress and was taken away" "It is tried elsewhere; see what the worker's machine and the volume of the media are busy with.";
    FrameOverTime "F0411" Worker "a frame took longer than its limit" "Raise the limit of the step if the frame is worth it; `platefarm jobs retry` tries it again.";
    StepOverTime "F0412" Request "a step took longer than its limit" "Raise the limit and hand the job in again, or `platefarm jobs retry` what is left.";
    MachineUnfit "F0413" Worker "this machine is not fit for what is asked of it" "Do what `platefarm doctor` says with each thing that it found.";

    // F05xx: the farm
    NoScheduler "F0501" Farm "the scheduler cannot be reached" "Start one with `platefarm up` or `platefarm scheduler`, or give its address with --farm.";
    StoreFailed "F0502" Farm "the store failed" "Check the disk and the database; nothing unacknowledged was promised.";
    UnknownJob "F0503" Request "there is no such job" "See `platefarm jobs list`.";
    UnknownWorker "F0504" Farm "the scheduler does not know this worker" "The worker registers again by itself.";
    StaleLease "F0505" Farm "the lease is no longer held" "Nothing: the frames belong to somebody else now.";
    AttemptsSpent "F0506" Media "every attempt at this frame failed" "See the first cause; `platefarm jobs show` prints it.";
    JobCancelled "F0507" Request "the job was cancelled" "Submit it again.";
    BadSpec "F0508" Request "the job cannot be accepted" "Correct the named field.";
    StoreVersion "F0509" Farm "the store was written by another version" "Use the version that wrote it, or upgrade the store.";
    StoreInUse "F0510" Farm "another scheduler uses this store" "Stop the other scheduler first.";
    Timeout "F0511" Farm "no answer in time" "Try again; see the scheduler's log if it stays so.";
    JobFailed "F0512" Media "the job finished with failed frames" "See the first cause of each plate; `platefarm jobs show` prints them.";
    PackageIncomplete "F0513" Request "the package is not complete" "See report.html for the plates that are missing and why.";
    NotLeader "F0514" Farm "another scheduler leads this farm" "The program asks that one by itself; give the addresses of all of them with --farm URL,URL.";
    CursorTooOld "F0515" Request "the event log does not reach back to this cursor" "Take stock with `platefarm jobs list`, then follow from now on: leave the cursor out. `--since oldest` begins with what is kept.";
    HookAddress "F0516" Request "webhooks may not be sent to this address" "Have the scheduler started with --webhook-allow HOST (docs/events.md).";
    UnknownHook "F0517" Request "there is no such webhook" "See `platefarm webhooks list`.";
    NoSuchWorker "F0518" Request "there is no such worker" "See `platefarm workers list`.";
    NoShare "F0519" Request "the show has no share of its own" "See `platefarm shows list`; `platefarm shows set` gives it one.";
    UnknownPool "F0520" Request "there is no such pool" "Set it up with `platefarm pools set`, or start workers that say they are in it.";
    UnknownLimit "F0521" Request "there is no such limit" "Set it up with `platefarm limits set`.";
    DependencyLoop "F0522" Request "jobs would wait for each other for ever" "Take away the dependency that closes the loop; `platefarm jobs explain` shows what each waits for.";
    JobSettled "F0523" Request "the job has ended" "`platefarm jobs retry` takes it up again where that makes sense; else hand it in anew.";
    UnknownStep "F0524" Request "the job has no such step" "`platefarm jobs show` lists its steps.";
    JobTooLarge "F0525" Request "the job is larger than a message to the scheduler may be" "Split the edit list and hand in several pulls, each into its own directory.";
    TermsKept "F0526" Request "a job that was there keeps its terms" "Change them with `platefarm jobs priority`, `deadline`, `start`, `limit` and `depend`; what its steps need of workers stays: cancel it and hand it in anew.";
    KeyTaken "F0527" Request "the idempotency key is of another job" "Use a key of its own for each job. To replace the job that has it, cancel that one and hand this one in again.";
    Internal "F0599" Program "an internal error" "Report the message.";

    // F06xx: trust
    NotAuthenticated "F0601" Request "the caller did not say who they are" "Give a token with --token-file or PLATEFARM_TOKEN, or an enrolled client certificate.";
    BadToken "F0602" Request "the token is not known, has expired or was revoked" "Ask an admin of the farm for a new one: `platefarm tokens create`.";
    NotAllowed "F0603" Request "the caller's role does not allow this" "Ask somebody with the named role.";
    OutsideShow "F0604" Request "the caller's token is not for this show" "Use a token for the show, or one for all shows.";
    TooMuch "F0605" Request "the caller asks for more than one caller may" "Ask less often, keep fewer streams open, send less at a time.";
    BadCertificate "F0606" Request "a certificate or key cannot be used" "Give PEM files: a certificate chain, and its private key.";
    NobodyCanEnter "F0607" Request "the farm asks for tokens, and there is none" "Make the first with `platefarm tokens create --role admin --store STORE`.";
    TokenInTheOpen "F0608" Request "a token would travel unencrypted" "Use an https:// address; or pass --plaintext where something else encrypts the way.";
    UnknownToken "F0609" Request "there is no such token" "See `platefarm tokens list`.";
    WorkerRefused "F0610" Farm "the farm refuses a worker what its task asks for" "Nothing for the job: its work is done elsewhere. Give the worker a token that is good: `platefarm tokens create --role worker`.";
}

impl Code {
    /// The row of the table for this code.
    #[must_use]
    pub fn info(self) -> &'static CodeInfo {
        &CODES[self as usize]
    }

    /// `F` and four digits.
    #[must_use]
    pub fn text(self) -> &'static str {
        self.info().text
    }

    /// The code that is written `text`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        CODES.iter().find(|info| info.text.eq_ignore_ascii_case(text)).map(|info| info.code)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.text())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Ok(Self::parse(&text).unwrap_or(Self::Internal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_every_code_finds_its_row() {
        for (i, info) in CODES.iter().enumerate() {
            assert_eq!(info.code as usize, i, "{}", info.text);
            assert_eq!(Code::parse(info.text), Some(info.code));
            assert!(info.remedy.ends_with('.'), "{}: remedies are sentences", info.text);
        }
        assert!(CODES.windows(2).all(|w| w[0].text < w[1].text), "codes ascend");
    }
}
