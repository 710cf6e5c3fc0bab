//! Media and plates behind `s3://`, on the real binary and a real S3 server.

#[path = "../../media/tests/storage/relay.rs"]
mod relay;
#[path = "../../media/tests/storage/server.rs"]
mod server;

use crate::harness::{
    Running, World, copy_clip, error_document, free_address, page, pull_of_the_fixtures, root, s,
    text, tree, wait_until,
};
use platefarm_media::{publish, storage};
pub(crate) use server::Server;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

fn run(world: &World, server: &Server, args: &[&str]) -> Output {
    world.platefarm(args).envs(server.environment()).output().expect("the program starts")
}

/// Copies the files of a test clip below a place.
pub(crate) fn upload(clip: &str, to: &str) {
    let dir = root().join("testclips/clips").join(clip);
    for name in tree(&dir) {
        let bytes = std::fs::read(dir.join(&name)).unwrap();
        publish::write_flushed(&Path::new(to).join(&name), &bytes).unwrap();
    }
}

/// Every plate below a place, by name.
fn plates(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = storage::read_dir(dir).unwrap().into_iter().map(Result::unwrap);
    let files = entries.filter(storage::Entry::is_file).map(|entry| entry.path());
    // An AMF and the matrix beside it have ids of their own at every place.
    files
        .filter(|path| path.extension().is_some_and(|kind| kind == "exr"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, storage::read(&path).unwrap())
        })
        .collect()
}

#[test]
fn a_render_from_bucket_to_bucket_is_the_render_from_disk_to_disk() {
    let Some(server) = Server::shared() else { return };
    let (world, bucket) = (World::new(), server.bucket());
    let local = world.path("media");
    copy_clip("beachball", &local.join("A001"));
    let disk = world.path("plates");
    let frames = ["--frames", "2-4", "--backend", "cpu"];
    world.json(&[&["render", s(&local.join("A001")), "--out", s(&disk)], &frames[..]].concat());

    let media = format!("s3://{bucket}/ocf/A001");
    upload("beachball", &media);
    let out = format!("s3://{bucket}/plates/test");
    let args = [&["render", &media, "--out", &out, "--json"], &frames[..]].concat();
    // The store gives a frame its name, and nobody hears of it.
    let here = plates(&disk);
    let first = format!("plates/test/{}", here.keys().next().unwrap());
    server.relay().lose_the_answer_to(&first);
    let output = run(&world, server, &args);
    assert!(output.status.success() && server.relay().has_lost(&first), "{}", text(&output.stdout));
    let there = plates(Path::new(&out));
    assert_eq!(here.len(), 3);
    assert_eq!(here.keys().collect::<Vec<_>>(), there.keys().collect::<Vec<_>>());
    assert!(here == there, "the same bytes, wherever they lie");
    // Nothing but the plates is left, and doing it again is as good as once, also on a bad day.
    server.relay().break_next(2);
    server.relay().refuse_next(2);
    let again = run(&world, server, &args);
    assert!(again.status.success(), "{}", text(&again.stdout));
    assert!(plates(Path::new(&out)) == there);
    let left = storage::read_dir(&out).unwrap();
    assert!(left.iter().flatten().all(storage::Entry::is_file), "{left:?}");
    // A clip is described where it lies.
    let inspected = run(&world, server, &["inspect", &media, "--json"]);
    let document: serde_json::Value = serde_json::from_slice(&inspected.stdout).unwrap();
    assert_eq!(document["clips"].as_array().map(Vec::len), Some(1), "{document}");
}

#[test]
fn what_is_wrong_with_a_bucket_is_said() {
    let Some(server) = Server::shared() else { return };
    let (world, bucket) = (World::new(), server.bucket());
    let fails = |code: &str, source: &str| {
        let out = format!("s3://{bucket}/plates");
        let output = run(&world, server, &["render", source, "--out", &out, "--json"]);
        let document = error_document(&output);
        assert_eq!(document["error"]["code"], code, "{source}: {document}");
        assert!(!output.status.success());
    };
    fails("F0101", &format!("s3://{bucket}/nothing/here"));
    fails("F0101", "s3://no-such-bucket-here/A001");
    fails("F0305", &format!("s3://{bucket}/../other"));
    fails("F0305", "s3://");
    let movie = format!("s3://{bucket}/clip.mov");
    publish::write_flushed(Path::new(&movie), b"....ftypqt  ").unwrap();
    fails("F0104", &movie);
}

#[test]
fn a_pull_from_bucket_to_bucket_is_a_whole_package() {
    let Some(server) = Server::shared() else { return };
    let (world, bucket) = (World::new(), server.bucket());
    upload("beachball", &format!("s3://{bucket}/ocf/A001"));
    upload("colorchart", &format!("s3://{bucket}/ocf/chart"));
    let media = format!("s3://{bucket}/ocf");
    let pull = |out: &str| {
        let cut = pull_of_the_fixtures("1");
        let rest = ["--media", &media, "--out", out, "--local", "--backend", "cpu", "--json"];
        run(&world, server, &[&cut[..], &rest].concat())
    };
    let out = format!("s3://{bucket}/delivery/turnover_01");
    let output = pull(&out);
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    let dir = Path::new(&out);
    for name in ["report.json", "report.html", "contact_sheet.png"] {
        assert!(storage::metadata(dir.join(name)).is_ok_and(|m| m.len() > 100), "{name}");
    }
    let problems = platefarm_media::mhl::verify(dir);
    assert!(problems.is_empty(), "{problems:?}");
    // What the seal says of a plate that is swapped afterwards.
    let plate = storage::read_dir(dir).unwrap().into_iter().flatten();
    let plate = plate.map(|e| e.path()).find(|p| p.to_string_lossy().contains("_PL01_")).unwrap();
    let frame = plates(&plate).into_keys().find(|name| name.ends_with(".exr")).unwrap();
    publish::write_flushed(&plate.join(frame), b"not a plate").unwrap();
    assert_eq!(platefarm_media::mhl::verify(dir).len(), 1);
    // A package is not delivered into another.
    let again = run(
        &world,
        server,
        &[&pull_of_the_fixtures("2")[..], &["--media", &media, "--out", &out, "--local", "--json"]]
            .concat(),
    );
    assert_eq!(error_document(&again)["error"]["code"], "F0010");
}

/// A movie is decoded by a program that wants a file: it gets a copy from a cache with a bound.
#[test]
fn a_movie_in_a_bucket_is_the_movie_on_a_disk() {
    let Some(server) = Server::shared() else { return };
    let (world, bucket) = (World::new(), server.bucket());
    let (dir, cache) = (world.path("movies"), world.path("cache"));
    std::fs::create_dir_all(&dir).unwrap();
    let tags = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv";
    let make = |name: &str, seconds: &str| {
        let file = dir.join(name);
        let source = format!("testsrc2=size=160x96:rate=24:duration={seconds}");
        let made = std::process::Command::new("ffmpeg")
            .args(["-v", "error", "-f", "lavfi", "-i", &source, "-c:v", "prores_ks", "-timecode"])
            .args(["01:00:00:00", "-vf", tags, s(&file)])
            .status();
        assert!(made.expect("ffmpeg is there: apt-get install ffmpeg").success());
        publish::write_flushed(
            Path::new(&format!("s3://{bucket}/ocf/{name}")),
            &std::fs::read(&file).unwrap(),
        )
        .unwrap();
        std::fs::metadata(&file).unwrap().len()
    };
    let sizes = [make("A001C001.mov", "1"), make("A001C002.mov", "1")];
    // Room for one of the two.
    let most = (sizes[0].max(sizes[1]) + 1000).to_string();
    let render = |source: &str, out: &str| {
        let args =
            ["render", source, "--out", out, "--frames", "3-5", "--backend", "cpu", "--json"];
        let mut command = world.platefarm(&args);
        command.envs(server.environment());
        command.env("PLATEFARM_CACHE_DIR", &cache).env("PLATEFARM_CACHE_BYTES", &most);
        let output = command.output().expect("the program starts");
        assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    };
    for name in ["A001C001.mov", "A001C002.mov", "A001C002.mov"] {
        let (here, there) =
            (world.path(&format!("here-{name}")), format!("s3://{bucket}/out/{name}"));
        render(s(&dir.join(name)), s(&here));
        render(&format!("s3://{bucket}/ocf/{name}"), &there);
        let (here, there) = (plates(&here), plates(Path::new(&there)));
        assert_eq!((here.len(), here.keys().eq(there.keys())), (3, true));
        let kept: Vec<_> = tree(&cache).into_iter().filter(|file| file.ends_with(".mov")).collect();
        assert_eq!(kept.len(), 1, "the cache keeps to its bound: {kept:?}");
        assert!(kept[0].ends_with(name), "{kept:?}");
    }
}

/// A directory in a bucket is sealed as one on a disk, generation by generation.
#[test]
fn a_bucket_is_sealed_and_held_against_its_seal() {
    let Some(server) = Server::shared() else { return };
    let (world, bucket) = (World::new(), server.bucket());
    let dir = format!("s3://{bucket}/card");
    let put = |name: &str, bytes: &[u8]| {
        publish::write_flushed(&Path::new(&dir).join(name), bytes).unwrap();
    };
    let mhl = |verb: &str| run(&world, server, &["mhl", verb, &dir, "--json"]);
    put("A001/a.dng", b"one");
    put("b.wav", b"two");
    let sealed = mhl("create");
    assert!(sealed.status.success(), "{}", text(&sealed.stdout));
    put("c.txt", b"three");
    assert!(mhl("create").status.success());
    assert!(mhl("verify").status.success());
    let names = storage::read_dir(Path::new(&dir).join("ascmhl")).unwrap();
    assert_eq!(names.len(), 3, "two generations and their chain: {names:?}");
    put("b.wav", b"too");
    let verified = mhl("verify");
    assert!(!verified.status.success());
    assert!(text(&verified.stdout).contains("b.wav"), "{}", text(&verified.stdout));
}

/// Workers of a farm, confined to the bucket, pull from it and into it; one is killed on the way.
#[test]
fn a_farm_pulls_from_bucket_to_bucket() {
    let Some(server) = Server::shared() else { return };
    let (world, bucket) = (World::new(), server.bucket());
    upload("beachball", &format!("s3://{bucket}/ocf/A001"));
    upload("colorchart", &format!("s3://{bucket}/ocf/chart"));
    let (address, http) = (free_address(), free_address());
    let (url, root_of_all) = (format!("http://{address}"), format!("s3://{bucket}"));
    let store = format!("sqlite:{}", s(&world.path("farm.db")));
    let _scheduler = world.start(&[
        "scheduler",
        "--listen",
        &address,
        "--http",
        &http,
        "--store",
        &store,
        "--lease-ttl-ms",
        "2000",
    ]);
    wait_until("the scheduler answers", || {
        world.run(&["jobs", "list", "--farm", &url]).status.success().then_some(())
    });
    let worker = |name: &str| {
        let args =
            ["worker", "--farm", &url, "--name", name, "--root", &root_of_all, "--backend", "cpu"];
        let mut command = world.platefarm(&args);
        command.envs(server.environment());
        Running::of(command)
    };
    let mut first = worker("first");
    let (media, out) = (format!("s3://{bucket}/ocf"), format!("s3://{bucket}/delivery/farm"));
    let submitted = run(
        &world,
        server,
        &[
            &pull_of_the_fixtures("1")[..],
            &["--media", &media, "--out", &out, "--farm", &url, "--json"],
        ]
        .concat(),
    );
    assert!(submitted.status.success(), "{}", text(&submitted.stdout));
    let job = |field: &str| world.json(&["jobs", "show", "j1", "--farm", &url])[field].clone();
    wait_until("it works", || (job("frames_done").as_u64() > Some(0)).then_some(()));
    first.kill();
    let _second = worker("second");
    wait_until("the job is done", || (job("phase") == "done").then_some(()));
    let verdict = run(&world, server, &["validate", &out, "--json"]);
    assert!(verdict.status.success(), "{}", text(&verdict.stdout));
    // What came out was seen as it came, though the scheduler reads no bucket.
    let stills = page(&http, "/api/jobs/j1")["stills"].clone();
    assert!(stills.as_array().is_some_and(|stills| !stills.is_empty()), "{stills}");
    // Outside of its root a worker touches nothing.
    let elsewhere = run(
        &world,
        server,
        &[
            &pull_of_the_fixtures("1")[..],
            &[
                "--media",
                &media,
                "--out",
                s(&world.path("disk")),
                "--farm",
                &url,
                "--wait",
                "--json",
            ],
        ]
        .concat(),
    );
    let said = text(&elsewhere.stdout) + &text(&elsewhere.stderr);
    assert!(said.contains("F0304"), "{said}");
}

/// FFmpeg cannot write into a bucket: movies are made on a disk, and nothing is left of them there.
#[test]
fn movies_of_a_package_go_into_the_bucket() {
    let Some(server) = Server::shared() else { return };
    let (world, bucket) = (World::new(), server.bucket());
    upload("beachball", &format!("s3://{bucket}/ocf/A001"));
    let (edl, temporary) = (world.path("cut.edl"), world.path("tmp"));
    std::fs::create_dir(&temporary).unwrap();
    let event = "001  A001 V C 01:00:00:02 01:00:00:06 01:00:00:00 01:00:00:04";
    let list = format!("TITLE: M\nFCM: NON-DROP FRAME\n\n{event}\n* FROM CLIP NAME: A001_C001\n");
    std::fs::write(&edl, list).unwrap();
    let out = format!("s3://{bucket}/delivery/movies");
    let media = format!("s3://{bucket}/ocf");
    let output = world
        .platefarm(&["pull", "--local", "--spec", "editorial", "--handles", "1", "--rate", "24"])
        .args(["--edl", s(&edl), "--media", &media, "--out", &out, "--json"])
        .envs(server.environment())
        .env("TMPDIR", &temporary)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    for kind in ["dnxhr", "prores"] {
        let dir = format!("{out}/editorial/{kind}");
        let movies: Vec<_> = storage::read_dir(&dir).unwrap().into_iter().flatten().collect();
        assert_eq!(movies.len(), 1, "{movies:?}");
        let bytes = storage::read(movies[0].path()).unwrap();
        let local = world.path(&format!("{kind}.mov"));
        std::fs::write(&local, bytes).unwrap();
        let clip = world.json(&["inspect", s(&local)]);
        assert_eq!(clip["clips"][0]["timing"]["frameCount"], 4, "without handles: {clip:#}");
    }
    let problems = platefarm_media::mhl::verify(Path::new(&out));
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(tree(&temporary), Vec::<String>::new());
}

#[test]
fn the_doctor_tries_a_bucket_as_publishing_uses_it() {
    let Some(server) = Server::shared() else { return };
    let (world, bucket) = (World::new(), server.bucket());
    let out = format!("s3://{bucket}/plates");
    let asked = ["doctor", "--json", "--only", "storage", "--out"];
    let well = run(&world, server, &[&asked[..], &[out.as_str()]].concat());
    assert!(well.status.success(), "{}{}", text(&well.stdout), text(&well.stderr));
    assert!(storage::read_dir(&out).is_ok_and(|left| left.is_empty()), "it is taken away again");
    let ill = run(&world, server, &[&asked[..], &["s3://no-such-bucket-here/x"]].concat());
    let said = text(&ill.stdout);
    assert!(!ill.status.success() && said.contains("\"result\": \"fail\""), "{said}");
}
