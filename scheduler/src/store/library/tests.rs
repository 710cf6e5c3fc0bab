//! The library on both databases: what is added is found, what people set
//! holds for later footage, and a pull over it is the pull over its clips.

use super::*;
use crate::store::postgres::Cluster;
use platefarm_model::clip::{Identity, Timing};
use platefarm_model::delivery::ShowDefaults;
use platefarm_model::{FrameRate, Timecode};

fn clip(name: &str, reel: &str, start: &str) -> ClipInfo {
    let mut clip = ClipInfo {
        path: format!("/ocf/{reel}/{name}.mxf"),
        identity: Identity {
            clip_name: name.into(),
            reel_name: Some(reel.into()),
            ..Identity::default()
        },
        timing: Timing {
            start: Some(Timecode::parse(start, FrameRate::FPS_24).unwrap()),
            rate: Some(FrameRate::FPS_24),
            frame_count: 240,
            ..Timing::default()
        },
        ..ClipInfo::default()
    };
    clip.camera.model = Some("Alexa 35".into());
    clip.picture.pixel_aspect = 1.0;
    clip
}

async fn tells(library: &Library) {
    let clips = [
        clip("A001C001_260101_R1AB", "A001R1AB", "10:00:00:00"),
        clip("A001C002_260101_R1AB", "A001R1AB", "10:01:00:00"),
        clip("B001C001_260102_R9ZZ", "B001R9ZZ", "10:00:00:00"),
    ];
    let added = library.add("dune", &clips[..2]).await.unwrap();
    assert_eq!(added, Added { new: 2, ..Added::default() });
    let mut changed = clips.clone();
    changed[1].identity.scene = Some("12A 'x'; DROP TABLE clips".into());
    let added = library.add("dune", &changed).await.unwrap();
    assert_eq!(added, Added { new: 1, updated: 1, unchanged: 1 });

    let found = async |words: &[&str]| {
        let search = Search::parse(words).unwrap();
        let (found, count) = library.search(&search, 10).await.unwrap();
        assert_eq!(found.len(), count);
        found.into_iter().map(|entry| entry.key.clip_name[..8].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found(&[]).await, ["A001C001", "A001C002", "B001C001"]);
    assert_eq!(found(&["12a"]).await, ["A001C002"]);
    assert_eq!(found(&["alexa", "r1ab"]).await, ["A001C001", "A001C002"]);
    assert_eq!(found(&["100%"]).await, [""; 0]);
    assert_eq!(found(&["camera:b"]).await, ["B001C001"]);
    assert_eq!(found(&["date:2026-01-01"]).await, ["A001C001", "A001C002"]);
    assert_eq!(found(&["tc:10:00:05:00"]).await, ["A001C001", "B001C001"]);
    assert_eq!(found(&["show:other"]).await, [""; 0]);
    let (first, count) = library.search(&Search::default(), 1).await.unwrap();
    assert_eq!((first.len(), count), (1, 3));

    let (entry, whole) = library.find("B001C001_260102_R9ZZ").await.unwrap();
    assert_eq!(whole, changed[2]);
    assert_eq!(library.find(&entry.id).await.unwrap().1, changed[2]);
    assert_eq!(library.find("none").await.unwrap_err().code, Code::NoMedia);

    // Of a clip that stands there twice the last holds.
    let mut twice = [clips[0].clone(), clips[0].clone()];
    twice[1].identity.scene = Some("9".into());
    let updated = Added { updated: 1, ..Added::default() };
    assert_eq!(library.add("dune", &twice).await.unwrap(), updated);
    assert_eq!(library.find(&clips[0].identity.clip_name).await.unwrap().1, twice[1]);
    assert_eq!(library.add("dune", &clips[..1]).await.unwrap(), updated);
    assert_eq!(Search::parse(&["a"; 33]).unwrap_err().code, Code::BadConfig);

    formats(library).await;
    shows(library).await;
    assert_eq!(library.forget(&[entry.id]).await.unwrap(), 1);
    assert_eq!(found(&["camera:b"]).await, [""; 0]);
}

/// What is set for a format holds for footage that comes later.
async fn formats(library: &Library) {
    let cards = library.formats(None).await.unwrap();
    assert_eq!(cards.len(), 2, "one camera unit each");
    let card = cards.iter().find(|c| c.card.key.camera_letter.as_deref() == Some("A")).unwrap();
    let set = Override {
        color: Some("ARRI LogC4".into()),
        squeeze: Some(2.0),
        template: Some("ANAMORPHIC".into()),
        note: None,
    };
    assert_eq!(library.set_format(&card.id, &set).await.unwrap().set, set);
    library.add("dune", &[clip("A002C001_260103_R1AB", "A002R1AB", "12:00:00:00")]).await.unwrap();
    let (_, later) = library.find("A002C001_260103_R1AB").await.unwrap();
    assert_eq!(later.color_space.as_deref(), Some("ARRI LogC4"));
    assert_eq!((later.lens.squeeze, later.picture.pixel_aspect), (Some(2.0), 2.0));
    assert!(later.notes.iter().any(|note| note.message.contains("set by a person")));
    let (_, other) = library.find("B001C001_260102_R9ZZ").await.unwrap();
    assert_eq!(other.color_space, None);
    // What is not said stays.
    let other = Override { squeeze: Some(1.8), note: Some("tested".into()), ..Override::default() };
    let both = Override { squeeze: Some(1.8), note: Some("tested".into()), ..set.clone() };
    assert_eq!(library.set_format(&card.id, &other).await.unwrap().set, both);
    let cards = library.formats(None).await.unwrap();
    assert_eq!(cards.iter().find(|c| c.id == card.id).unwrap().set, both);
    library.set_format(&card.id, &Override::default()).await.unwrap();
    assert_eq!(library.find("A002C001_260103_R1AB").await.unwrap().1.color_space, None);
    let wrong = library.set_format("f0", &set).await.unwrap_err();
    assert_eq!(wrong.code, Code::UnknownOption);
}

async fn shows(library: &Library) {
    assert_eq!(library.show("dune").await.unwrap().defaults.spec, None);
    let mut show = Show {
        defaults: ShowDefaults {
            show: "dune".into(),
            rate: Some("23.976".parse().unwrap()),
            spec: Some("vfx-plate".into()),
            ..ShowDefaults::default()
        },
        ..Show::default()
    };
    show.choices.learn(toml::from_str("[[choice]]\nreel = \"A001\"\nuse = \"/ocf\"\n").unwrap());
    for _ in 0..2 {
        let keep = |known: &mut Show| {
            *known = show.clone();
            Ok(())
        };
        assert_eq!(library.change_show("dune", keep).await.unwrap(), show);
    }
    assert_eq!(library.show("dune").await.unwrap(), show);
    assert_eq!(library.shows().await.unwrap().len(), 1);
    // Nothing is kept for pulls that name no show.
    library.learn("", show.choices.clone()).await.unwrap();
    assert_eq!(library.show("").await.unwrap(), Show::default());
    assert_eq!(library.shows().await.unwrap().len(), 1);
    // A show of which everything was taken back, or nothing was said, is none of them.
    let rate = |rate: &str| ShowChange { rate: Some(rate.into()), ..ShowChange::default() };
    library.set_show("zeus", rate("24")).await.unwrap();
    assert_eq!(library.shows().await.unwrap().len(), 2);
    library.set_show("zeus", rate("")).await.unwrap();
    library.set_show("hera", ShowChange::default()).await.unwrap();
    assert_eq!(library.shows().await.unwrap().len(), 1);
    // Nor is one whose name would steer a terminal, or a path that would.
    for (show, path) in [("ze\nus", "/a.fdl"), ("\x1b[2J", "/a.fdl"), ("zeus", "/a\x1b[2J.fdl")] {
        let set = ShowChange { fdl: Some(path.into()), ..ShowChange::default() };
        assert!(library.set_show(show, set).await.is_err(), "{show:?} {path:?}");
    }
    assert_eq!(library.add("ze\nus", &[]).await.unwrap_err().code, Code::BadConfig);
    // Of many that change it at once none is lost.
    let mut changes = tokio::task::JoinSet::new();
    for i in 0..24 {
        let library = library.clone();
        changes.spawn(async move {
            let chosen = format!("[[choice]]\nreel = \"B{i:03}\"\nuse = \"/ocf\"\n");
            library.learn("dune", toml::from_str(&chosen).unwrap()).await
        });
    }
    let mut set = show.clone();
    let changed = library.change_show("dune", |show| {
        show.defaults.spec = Some("editorial".into());
        Ok(())
    });
    changed.await.unwrap();
    for done in changes.join_all().await {
        done.unwrap();
    }
    set.defaults.spec = Some("editorial".into());
    let found = library.show("dune").await.unwrap();
    assert_eq!((found.defaults, found.choices.choices.len()), (set.defaults, 25));
}

/// Who sees one show only changes nothing of what another has of the same file, learns nothing of
/// it, and finds what they said themselves.
async fn each_show_keeps_its_own(library: &Library) {
    let mine = clip("C001C001_260104_R7CC", "C001R7CC", "10:00:00:00");
    let mut theirs = mine.clone();
    theirs.identity.scene = Some("7".into());
    let add = async |show: &str, clip: &ClipInfo| {
        library.add_where(show, std::slice::from_ref(clip), |of| of == show).await.unwrap()
    };
    let (new, same) =
        (Added { new: 1, ..Added::default() }, Added { unchanged: 1, ..Added::default() });
    assert_eq!(add("atlas", &mine).await, new);
    assert_eq!(add("zeus", &theirs).await, new, "as if nobody had it");
    assert_eq!((add("atlas", &mine).await, add("zeus", &theirs).await), (same, same));
    for (show, clip) in [("atlas", &mine), ("zeus", &theirs)] {
        let found = library.find_where(&mine.path, |of| of == show).await.unwrap();
        assert_eq!((found.0.show.as_str(), &found.1), (show, clip));
    }
    // Whoever sees both finds two, and describes that of a show anew without moving the other.
    assert_eq!(library.find(&mine.path).await.unwrap_err().code, Code::DuplicateClip);
    assert_eq!(library.add("zeus", std::slice::from_ref(&theirs)).await.unwrap(), same);
    assert_eq!(library.find_where(&mine.path, |of| of == "atlas").await.unwrap().1, mine);
    // What was added for all shows is theirs to pull, and what a show says itself goes before it.
    let mut common = clip("D001C001_260104_R7CC", "D001R7CC", "10:00:00:00");
    library.add("", std::slice::from_ref(&common)).await.unwrap();
    common.timing.frame_count = 99;
    assert_eq!(add("zeus", &common).await, new);
    let (_, keys) = library.keys(Of::ShowOrNone("zeus")).await.unwrap();
    let frames = keys.iter().filter(|key| key.path == common.path).map(|key| key.frames);
    assert_eq!(frames.collect::<Vec<_>>(), [99, 240]);
}

#[tokio::test]
async fn sqlite_keeps_the_library() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::Sqlite(dir.path().join("sub/library.db"));
    tells(&Library::open(&place).await.unwrap()).await;
    // It is there when it is opened again, also while a scheduler has the store.
    let _farm = crate::store::SqlStore::open(place.clone(), "here").await.unwrap();
    let again = Library::open(&place).await.unwrap();
    assert_eq!(again.search(&Search::default(), 10).await.unwrap().1, 3);
    each_show_keeps_its_own(&again).await;
}

#[tokio::test]
async fn postgresql_keeps_the_library() {
    let Some(cluster) = Cluster::start() else { return };
    let place: Place = cluster.database().parse().unwrap();
    let library = Library::open(&place).await.unwrap();
    tells(&library).await;
    each_show_keeps_its_own(&library).await;
}
