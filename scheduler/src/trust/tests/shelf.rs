//! The library and its pulls, asked for by people of different shows.

use super::{Farm, code, fault};
use crate::pulls;
use platefarm_model::clip::ClipInfo;
use platefarm_model::schema::Described;
use platefarm_model::trust::Role;
use platefarm_model::{Code, Secret};
use platefarm_proto::dial::Line;
use platefarm_proto::{LibraryClient, PullsClient, v1};

/// Of a clip that begins at 01:00:00:00: frames 24 to 47.
const LIST: &str = "TITLE: My Cut\n\
    001  A001 V C 01:00:01:00 01:00:02:00 01:00:00:00 01:00:01:00\n\
    002  B001 V C 05:00:00:00 05:00:01:00 01:00:01:00 01:00:02:00\n";

/// A clip of 100 frames from 01:00:00:00.
fn clip(name: &str, reel: &str) -> ClipInfo {
    let mut clip = pulls::tests::clip(name, Some(reel), "01:00:00:00", 100);
    clip.path = format!("/cards/{reel}/{name}.000001.dng");
    clip.identity.camera_letter = Some("A".into());
    clip
}

fn add(show: &str, clips: &[ClipInfo]) -> v1::AddClipsRequest {
    let clips: Vec<_> = clips.iter().map(Described).collect();
    let clips_json = serde_json::to_vec(&clips).unwrap();
    v1::AddClipsRequest { show: show.into(), clips_json }
}

fn pull(show: &str) -> v1::PullOrder {
    let text = LIST.as_bytes().to_vec();
    v1::PullOrder {
        show: show.into(),
        edit_list: Some(v1::NamedText { name: "cut.edl".into(), text }),
        out_dir: "/plates/cut".into(),
        ..v1::PullOrder::default()
    }
}

impl Farm {
    async fn library(&self, token: &Secret) -> LibraryClient<Line> {
        let bearer = self.dial(Some(token)).bearer().unwrap();
        LibraryClient::with_interceptor(self.channel().await, bearer)
    }

    async fn pulls(&self, token: &Secret) -> PullsClient<Line> {
        let bearer = self.dial(Some(token)).bearer().unwrap();
        PullsClient::with_interceptor(self.channel().await, bearer)
    }
}

#[tokio::test]
async fn clips_are_found_by_those_whose_show_they_are_of() {
    let farm = Farm::start().await;
    let (_, atlas) = farm.token(Role::Submitter, &["atlas"]).await;
    let (_, zeus) = farm.token(Role::Submitter, &["zeus"]).await;
    let (_, both) = farm.token(Role::Viewer, &["atlas", "zeus"]).await;
    let mut mine = farm.library(&atlas).await;
    let mut theirs = farm.library(&zeus).await;
    let clips = [clip("A001_C001", "A001"), clip("A001_C002", "A001")];
    let added = mine.add_clips(add("atlas", &clips)).await.unwrap().into_inner();
    assert_eq!((added.new, added.updated, added.unchanged), (2, 0, 0));
    // A path that another show has is answered as one that nobody has, and no clip is taken from it.
    let told = theirs.add_clips(add("zeus", &clips[..1])).await.unwrap().into_inner();
    assert_eq!((told.new, told.updated, told.unchanged), (1, 0, 0));
    assert_eq!(code(theirs.add_clips(add("atlas", &clips)).await), Code::OutsideShow);
    assert_eq!(code(theirs.add_clips(add("", &clips)).await), Code::OutsideShow);

    let all = v1::SearchRequest::default();
    let found = mine.search(all.clone()).await.unwrap().into_inner();
    let names: Vec<&str> = found.clips.iter().map(|clip| clip.clip_name.as_str()).collect();
    assert_eq!((names, found.found), (vec!["A001_C001", "A001_C002"], 2));
    assert_eq!(found.clips[0].show, "atlas");
    let of_zeus = theirs.search(all.clone()).await.unwrap().into_inner();
    assert_eq!((of_zeus.found, of_zeus.clips[0].show.as_str()), (1, "zeus"));
    let named = v1::SearchRequest { words: vec!["show:atlas".into()], ..all.clone() };
    assert_eq!(code(theirs.search(named).await), Code::OutsideShow);
    let second = v1::SearchRequest { skip: 1, most: 1, ..all.clone() };
    let second = mine.search(second).await.unwrap().into_inner();
    assert_eq!((second.clips[0].clip_name.as_str(), second.found), ("A001_C002", 2));
    let mut viewer = farm.library(&both).await;
    let which = fault(viewer.search(all).await);
    assert_eq!(which.remedy.as_deref(), Some("Name one of: atlas, zeus."));

    let id = found.clips[0].id.clone();
    let get = |clip: &str| v1::GetClipRequest { clip: clip.into() };
    let whole = viewer.get_clip(get(&id)).await.unwrap().into_inner();
    assert_eq!(whole.clip.unwrap(), found.clips[0]);
    assert_eq!(code(theirs.get_clip(get(&id)).await), Code::NoMedia, "not even that it is there");
    // What is told of a clip can be told back.
    let clips_json = format!("[{}]", whole.clip_json).into_bytes();
    let again = v1::AddClipsRequest { show: "atlas".into(), clips_json };
    assert_eq!(mine.add_clips(again).await.unwrap().into_inner().unchanged, 1);
    let formats = v1::ListFormatsRequest { show: "atlas".into(), ..Default::default() };
    let formats = viewer.list_formats(formats).await.unwrap().into_inner().formats;
    assert_eq!(formats.iter().map(|format| format.clip_count).sum::<u64>(), 2);
}

/// Each part is what stands there in the whole, and no part grows with the clips of a format.
#[tokio::test]
async fn formats_are_told_a_part_at_a_time() {
    let farm = Farm::start().await;
    let mut library = farm.library(&farm.admin).await;
    let models = ["Alexa 35", "Burano", "C500"];
    let clips = models.iter().flat_map(|model| {
        (0..201).map(move |i| {
            let mut clip = clip(&format!("A001_C{i:03}_{model}"), "A001");
            clip.camera.model = Some((*model).into());
            clip
        })
    });
    library.add_clips(add("atlas", &clips.collect::<Vec<_>>())).await.unwrap();
    let part = async |skip, most| {
        let request = v1::ListFormatsRequest { skip, most, ..Default::default() };
        library.clone().list_formats(request).await.unwrap().into_inner()
    };
    let whole = part(0, 0).await;
    let told = whole.formats.iter().map(|format| (format.clip_count, format.clips.len()));
    assert_eq!((told.collect::<Vec<_>>(), whole.found), (vec![(201, 200); 3], 3));
    let mut parts = Vec::new();
    for skip in 0..4 {
        let one = part(skip, 1).await;
        assert_eq!((one.formats.len(), one.found), (usize::from(skip < 3), 3));
        parts.extend(one.formats);
    }
    assert_eq!(parts, whole.formats);
}

#[tokio::test]
async fn what_holds_for_a_show_and_a_format_is_set_by_operators() {
    let farm = Farm::start().await;
    let (_, word) = farm.token(Role::Operator, &["atlas"]).await;
    let mut library = farm.library(&word).await;
    library.add_clips(add("atlas", &[clip("A001_C001", "A001")])).await.unwrap();
    let set = |show: &str, defaults| v1::SetShowRequest {
        show: show.into(),
        defaults: Some(defaults),
        forget_choices: false,
    };
    let spec = |spec: &str| v1::ShowDefaults { spec: Some(spec.into()), ..Default::default() };
    let rate = v1::ShowDefaults { rate: Some("23.976".into()), ..spec("review") };
    library.set_show(set("atlas", rate)).await.unwrap();
    assert_eq!(code(library.set_show(set("zeus", spec("review"))).await), Code::OutsideShow);
    assert_eq!(
        fault(library.set_show(set("atlas", spec("no-such"))).await).code,
        Code::BadLocation
    );
    library.set_show(set("atlas", spec("/show/plates.toml"))).await.unwrap();
    let get = v1::GetShowRequest { show: "atlas".into() };
    let kept = library.get_show(get).await.unwrap().into_inner().defaults.unwrap();
    assert_eq!(kept.rate.as_deref(), Some("24000/1001"), "what is not sent stays");
    assert_eq!(kept.spec.as_deref(), Some("/show/plates.toml"));
    let none = library.set_show(set("atlas", spec(""))).await.unwrap().into_inner();
    assert_eq!(none.defaults.unwrap().spec, None);

    // A format is of all shows' footage.
    let mut admin = farm.library(&farm.admin).await;
    let formats = admin.list_formats(v1::ListFormatsRequest::default()).await.unwrap();
    let id = formats.into_inner().formats[0].id.clone();
    let squeeze = |squeeze| v1::SetFormatRequest {
        id: id.clone(),
        set: Some(v1::FormatOverride { squeeze: Some(squeeze), ..Default::default() }),
    };
    assert_eq!(code(library.set_format(squeeze(2.0)).await), Code::OutsideShow);
    assert_eq!(code(admin.set_format(squeeze(-1.0)).await), Code::BadConfig);
    let set = admin.set_format(squeeze(2.0)).await.unwrap().into_inner().format.unwrap();
    assert_eq!(set.set.unwrap().squeeze, Some(2.0));
    let color = v1::FormatOverride { color: "ARRI LogC4".into(), ..Default::default() };
    let color = v1::SetFormatRequest { id: id.clone(), set: Some(color) };
    let set = admin.set_format(color).await.unwrap().into_inner().format.unwrap().set.unwrap();
    assert_eq!((set.color.as_str(), set.squeeze), ("ARRI LogC4", Some(2.0)), "what was set stays");
    let none = v1::SetFormatRequest { id: id.clone(), set: None };
    assert_eq!(admin.set_format(none).await.unwrap().into_inner().format.unwrap().set, None);
}

#[tokio::test]
async fn a_pull_is_planned_and_handed_in_once() {
    let farm = Farm::start().await;
    let (_, word) = farm.token(Role::Submitter, &["atlas"]).await;
    let mut library = farm.library(&word).await;
    library.add_clips(add("atlas", &[clip("A001_C001", "A001")])).await.unwrap();
    let mut pulls = farm.pulls(&word).await;
    let plan = v1::PlanRequest { pull: Some(pull("atlas")), with_document: true };
    let plan = pulls.plan(plan).await.unwrap().into_inner();
    let [plate] = plan.plates.as_slice() else { panic!("{plan:?}") };
    // Frames 24 to 47 with handles of 8.
    assert_eq!(plate.name, "My_Cut_010_PL01_v001");
    assert_eq!(plate.frames, Some(v1::FrameRange { first: 1001, last: 1040 }));
    assert_eq!((plate.source_first, plate.head_handle, plate.tail_handle), (16, 8, 8));
    assert_eq!((plate.clip_name.as_str(), plate.tier.as_str()), ("A001_C001", "exact"));
    let [rejected] = plan.rejected.as_slice() else { panic!("{plan:?}") };
    assert_eq!(rejected.event.as_ref().unwrap().reel, "B001");
    let fault = plan.fault.unwrap();
    assert_eq!(fault.code, Code::PackageIncomplete.text());
    assert!(fault.message.contains("1 of 2 events"), "{fault:?}");
    let document: serde_json::Value = serde_json::from_str(&plan.plan_json).unwrap();
    assert_eq!(document["plates"][0]["name"], "My_Cut_010_PL01_v001");
    assert_eq!(document["estimate"]["frames"], 40);

    let submit = v1::SubmitRequest { pull: Some(pull("atlas")), priority: 7, ..Default::default() };
    let first = pulls.submit(submit.clone()).await.unwrap().into_inner();
    let again = pulls.submit(submit.clone()).await.unwrap().into_inner();
    assert_eq!((first.existed, again.existed, again.job), (false, true, first.job));
    let keyed = v1::SubmitRequest { idempotency_key: "another".into(), ..submit };
    assert!(!pulls.submit(keyed).await.unwrap().into_inner().existed);
    let mut people = farm.farm(&word).await;
    let job = people.get_job(v1::GetJobRequest { job: first.job }).await.unwrap().into_inner();
    let job = job.job.unwrap();
    assert_eq!((job.show.as_str(), job.priority, job.frames_total), ("atlas", 7, 41));
}

/// Where no event becomes a plate the answer still says why of each, and between which clips a
/// person may choose; there is nothing to hand in.
#[tokio::test]
async fn a_plan_without_plates_is_answered_event_by_event() {
    let farm = Farm::start().await;
    let (_, word) = farm.token(Role::Submitter, &["atlas"]).await;
    let clips = [clip("A001_C001", "A001"), clip("A001_C002", "A001")];
    farm.library(&word).await.add_clips(add("atlas", &clips)).await.unwrap();
    let mut pulls = farm.pulls(&word).await;
    let plan = v1::PlanRequest { pull: Some(pull("atlas")), with_document: true };
    let plan = pulls.plan(plan).await.unwrap().into_inner();
    assert!(plan.plates.is_empty(), "{plan:?}");
    let codes = plan.rejected.iter().map(|one| one.fault.as_ref().unwrap().code.as_str());
    let [two, none] = [Code::AmbiguousEvent, Code::NoClipForEvent].map(Code::text);
    assert_eq!(codes.collect::<Vec<_>>(), [two, none]);
    let names = plan.rejected[0].candidates.iter().map(|one| one.clip_name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["A001_C001", "A001_C002"]);
    let document: serde_json::Value = serde_json::from_str(&plan.plan_json).unwrap();
    assert_eq!(document["rejected"].as_array().map(Vec::len), Some(2));
    assert_eq!(plan.fault.unwrap().code, none);
    let submit = v1::SubmitRequest { pull: Some(pull("atlas")), ..Default::default() };
    assert_eq!(code(pulls.submit(submit).await), Code::NoClipForEvent);
}

#[tokio::test]
async fn a_pull_keeps_to_the_highest_class_of_its_show() {
    let farm = Farm::start().await;
    let (_, word) = farm.token(Role::Submitter, &["atlas"]).await;
    farm.library(&word).await.add_clips(add("atlas", &[clip("A001_C001", "A001")])).await.unwrap();
    let highest_class = v1::PriorityClass::Normal.into();
    let share = v1::Share { weight: Some(1), highest_class, ..Default::default() };
    let set = v1::SetShareRequest { show: "atlas".into(), share: Some(share) };
    farm.farm(&farm.admin).await.set_share(set).await.unwrap();
    let asked = |class: v1::PriorityClass| {
        let terms = v1::JobTerms { class: class.into(), ..Default::default() };
        v1::SubmitRequest { pull: Some(pull("atlas")), terms: Some(terms), ..Default::default() }
    };
    let mut pulls = farm.pulls(&word).await;
    assert_eq!(code(pulls.submit(asked(v1::PriorityClass::Urgent)).await), Code::NotAllowed);
    let taken = pulls.submit(asked(v1::PriorityClass::Normal)).await.unwrap().into_inner();
    assert!(!taken.existed, "nothing was handed in before");
}

/// A call whose answer was lost is sent again, and is the same job, whatever was chosen for the
/// show meanwhile; but not where the list comes to what was chosen.
#[tokio::test]
async fn a_pull_that_is_sent_again_is_the_same_job_though_the_show_learnt() {
    let farm = Farm::start().await;
    let (_, word) = farm.token(Role::Submitter, &["atlas"]).await;
    let clips = [
        clip("A001_C001", "A001"),
        clip("B001_C001", "B001"),
        clip("C001_C001", "C001"),
        clip("C001_C002", "C001"),
    ];
    farm.library(&word).await.add_clips(add("atlas", &clips)).await.unwrap();
    let pulls = farm.pulls(&word).await;
    let submit = async |pull: v1::PullOrder| {
        let request = v1::SubmitRequest { pull: Some(pull), ..Default::default() };
        pulls.clone().submit(request).await.unwrap().into_inner()
    };
    // Another list, for which somebody chooses between the clips of a reel.
    let chooses = async |reel: &str| {
        let text = format!("001  {reel} V C 01:00:01:00 01:00:02:00 01:00:00:00 01:00:01:00\n");
        let choice = format!("[[choice]]\nreel = \"{reel}\"\nuse = \"{reel}_C001\"\n");
        let named =
            |name: &str, text: String| v1::NamedText { name: name.into(), text: text.into() };
        let mut other = pull("atlas");
        other.edit_list = Some(named("other.edl", text));
        other.choices = vec![named("choices.toml", choice)];
        submit(other).await
    };
    let first = submit(pull("atlas")).await;
    chooses("C001").await;
    let get = v1::GetShowRequest { show: "atlas".into() };
    let kept = farm.library(&word).await.get_show(get).await.unwrap().into_inner();
    assert_eq!(kept.choices, 1);
    let again = submit(pull("atlas")).await;
    assert_eq!((again.job, again.existed), (first.job, true));
    // Event 002 of the list is of this reel.
    chooses("B001").await;
    assert!(!submit(pull("atlas")).await.existed);
}

#[tokio::test]
async fn pulls_that_cannot_be_are_refused_with_their_place() {
    let farm = Farm::start().await;
    let (_, word) = farm.token(Role::Submitter, &["atlas"]).await;
    let mut library = farm.library(&farm.admin).await;
    library.add_clips(add("atlas", &[clip("A001_C001", "A001")])).await.unwrap();
    library.add_clips(add("zeus", &[clip("B001_C001", "B001")])).await.unwrap();
    let pulls = farm.pulls(&word).await;
    let refused = async |change: fn(&mut v1::PullOrder)| {
        let mut asked = pull("atlas");
        change(&mut asked);
        let fault = fault(
            pulls.clone().plan(v1::PlanRequest { pull: Some(asked), with_document: false }).await,
        );
        (fault.code, fault.place.unwrap_or_default())
    };
    let told = |code, place: &str| (code, place.to_owned());
    let list = |name: &str| Some(v1::NamedText { name: name.into(), text: LIST.into() });
    assert_eq!(refused(|p| p.any_show = true).await, told(Code::OutsideShow, "pull.any_show"));
    assert_eq!(refused(|p| p.show = "zeus".into()).await.0, Code::OutsideShow);
    assert_eq!(refused(|p| p.edit_list = None).await, told(Code::BadSpec, "pull.edit_list"));
    let climbs = refused(|p| p.edit_list.as_mut().unwrap().name = "../cut.edl".into()).await;
    assert_eq!(climbs, told(Code::BadSpec, "pull.edit_list.name"));
    assert_eq!(
        refused(|p| p.out_dir = "cut".into()).await,
        told(Code::BadLocation, "pull.out_dir")
    );
    assert_eq!(refused(|p| p.spec = "x".into()).await, told(Code::UnknownOption, "pull.spec"));
    assert_eq!(refused(|p| p.match_bar = Some(2.0)).await, told(Code::BadSpec, "pull.match_bar"));
    assert_eq!(refused(|p| p.backend = "tpu".into()).await.0, Code::UnknownOption);
    assert_eq!(refused(|p| p.compression = "rar".into()).await.0, Code::BadDelivery);
    assert_eq!(refused(|p| p.plate_version = 10_000).await.0, Code::BadSpec);
    // What only a file of the show says is not left out in silence.
    let fdl = v1::ShowDefaults { fdl: Some("/show/atlas.fdl".into()), ..Default::default() };
    let set =
        v1::SetShowRequest { show: "atlas".into(), defaults: Some(fdl), ..Default::default() };
    library.set_show(set).await.unwrap();
    assert_eq!(refused(|_| ()).await, told(Code::BadSpec, "pull.fdl"));
    let mut unframed = pull("atlas");
    unframed.fdl = Some(v1::NamedText::default());
    unframed.edit_list = list("other.edl");
    let ask = v1::PlanRequest { pull: Some(unframed), with_document: false };
    let plan = pulls.clone().plan(ask).await.unwrap().into_inner();
    assert_eq!((plan.plates.len(), plan.plan_json.as_str()), (1, ""));
}
