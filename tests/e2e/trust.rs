//! Every way into a farm, on the real binary: addresses, certificates,
//! tokens, roles, shows, roots, and what may be found of a secret afterwards.

use crate::harness::{Running, World, copy_clip, free_address, s, text, tree, wait_until};
use crate::served::Served;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A certificate authority of its own, with OpenSSL: not the library that is tested.
pub(crate) struct Authority {
    dir: PathBuf,
}

impl Authority {
    pub(crate) fn new(dir: PathBuf, name: &str) -> Self {
        std::fs::create_dir_all(&dir).unwrap();
        let authority = Self { dir };
        authority.openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
            "-days",
            "2",
            "-subj",
            &format!("/CN={name}"),
        ]);
        authority
    }

    fn openssl(&self, args: &[&str]) {
        let output = Command::new("openssl").args(args).current_dir(&self.dir).output();
        let output = output.expect("openssl is there: apt-get install openssl");
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    }

    /// A certificate for `name`, signed; its files are `name.pem` and `name.key`.
    pub(crate) fn sign(&self, name: &str, usage: &str) {
        let (key, request, cert) =
            (format!("{name}.key"), format!("{name}.csr"), format!("{name}.pem"));
        self.openssl(&[
            "req",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            &key,
            "-out",
            &request,
            "-subj",
            &format!("/CN={name}"),
        ]);
        let extensions = format!(
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n\
             extendedKeyUsage={usage}\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n"
        );
        std::fs::write(self.dir.join("ext"), extensions).unwrap();
        self.openssl(&[
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-out",
            &cert,
            "-days",
            "2",
            "-extfile",
            "ext",
        ]);
    }

    pub(crate) fn file(&self, name: &str) -> String {
        s(&self.dir.join(name)).to_owned()
    }
}

/// A scheduler behind TLS on an address that other machines could reach.
struct Farm {
    world: World,
    url: String,
    ca: Authority,
    store: String,
    admin: String,
    scheduler: Running,
}

impl Farm {
    fn start(more: &[&str]) -> Self {
        let world = World::new();
        let ca = Authority::new(world.path("ca"), "farm");
        ca.sign("server", "serverAuth");
        ca.sign("client", "clientAuth");
        let store = format!("sqlite:{}", s(&world.path("farm.db")));
        let admin = s(&world.path("admin.token")).to_owned();
        let create = ["tokens", "create", "--role", "admin", "--name", "root"];
        world.json(&[&create[..], &["--store", &store, "--out", &admin]].concat());
        let port = free_address().rsplit(':').next().unwrap().to_owned();
        let listen = format!("0.0.0.0:{port}");
        let (cert, key, root) = (ca.file("server.pem"), ca.file("server.key"), ca.file("ca.pem"));
        let args = ["scheduler", "--listen", &listen, "--store", &store];
        let tls = ["--tls-cert", &cert, "--tls-key", &key];
        let mtls = ["--client-ca", &root];
        let mtls: &[&str] = if more.is_empty() { &[] } else { &mtls };
        let scheduler = world.start(&[&args[..], &tls, mtls, more].concat());
        let url = format!("https://localhost:{port}");
        Self { world, url, ca, store, admin, scheduler }
    }

    /// Arguments as somebody with this token file would give them.
    fn as_holder<'a>(&'a self, ca: &'a str, token: &'a str, args: &[&'a str]) -> Vec<&'a str> {
        let access = ["--farm", &self.url, "--ca", ca, "--token-file", token];
        [args, &access].concat()
    }

    fn ready(&mut self, ca: &str) {
        wait_until("the scheduler answers", || {
            assert!(self.scheduler.is_running(), "the scheduler ended");
            let args = self.as_holder(ca, &self.admin, &["whoami"]);
            self.world.run(&args).status.success().then_some(())
        });
    }

    fn token(&self, ca: &str, name: &str, args: &[&str]) -> String {
        let file = s(&self.world.path(name)).to_owned();
        let create = ["tokens", "create", "--name", name, "--out", &file];
        let create = [&create[..], args].concat();
        self.world.json(&self.as_holder(ca, &self.admin, &create));
        file
    }
}

const EDL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/pull/cut.edl");
const FDL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/pull/show.fdl");

/// A pull of the fixtures' cut.
fn pull<'a>(media: &'a Path, out: &'a Path, show: &'a str) -> Vec<&'a str> {
    let input = ["pull", "--edl", EDL, "--fdl", FDL, "--template", "VFX_PULL", "--handles", "1"];
    let rest = ["--media", s(media), "--out", s(out), "--show", show, "--wait"];
    [&input[..], &rest].concat()
}

fn code(output: &Output) -> String {
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    document["error"]["code"].as_str().unwrap_or("none").to_owned()
}

#[test]
fn a_scheduler_that_speaks_without_tls_is_not_said_to_be_away() {
    let farm = Served::start(&[]);
    let ca = Authority::new(farm.world.path("ca"), "farm").file("ca.pem");
    let url = farm.url.replace("http://", "https://");
    let args = ["jobs", "list", "--farm", &url, "--ca", &ca];
    let error = farm.world.fails("F0501", &args);
    assert!(error["message"].as_str().unwrap().contains("without TLS"), "{error}");
}

/// Nor is one whose certificate is not trusted, or one that asks for a certificate.
#[test]
fn a_scheduler_that_is_not_trusted_is_not_said_to_be_away() {
    let mut farm = Farm::start(&["--require-tokens"]);
    let (ca, cert, key) =
        (farm.ca.file("ca.pem"), farm.ca.file("client.pem"), farm.ca.file("client.key"));
    let known = ["whoami", "--farm", &farm.url, "--ca", &ca, "--cert", &cert, "--key", &key];
    let enrol = ["tokens", "create", "--role", "viewer", "--name", "v", "--certificate", &cert];
    farm.world.json(&[&enrol[..], &["--store", &farm.store]].concat());
    wait_until("the scheduler answers", || {
        assert!(farm.scheduler.is_running(), "the scheduler ended");
        farm.world.run(&known).status.success().then_some(())
    });
    let told = |args: &[&str]| {
        let output = farm.world.run(args);
        assert_eq!(output.status.code(), Some(5), "{args:?}: {}", text(&output.stderr));
        text(&output.stderr)
    };
    let other = Authority::new(farm.world.path("other"), "other").file("ca.pem");
    let strange = told(&["whoami", "--farm", &farm.url, "--ca", &other]);
    assert!(strange.contains("not trusted") && strange.contains("--ca"), "{strange}");
    // The other side hangs up, and its reason comes along or is lost with the connection.
    wait_until("it is said that a certificate is wanted", || {
        let bare = told(&["whoami", "--farm", &farm.url, "--ca", &ca]);
        assert!(bare.contains("F0501"), "{bare}");
        bare.contains("--cert").then_some(())
    });
    let open = told(&["whoami", "--farm", &farm.url.replace("https://", "http://")]);
    assert!(open.contains("https://"), "{open}");
}

#[test]
fn no_door_is_open_to_strangers() {
    let world = World::new();
    let store = format!("sqlite:{}", s(&world.path("farm.db")));
    let listen = |address: &str, more: &[&str]| {
        let args = ["scheduler", "--listen", address, "--store", &store, "--json"];
        code(&world.run(&[&args[..], more].concat()))
    };
    assert_eq!(listen("0.0.0.0:0", &[]), "F0009");
    assert_eq!(listen("[::]:0", &[]), "F0009");
    // Encrypted elsewhere is not enough: somebody has to be able to enter.
    assert_eq!(listen("0.0.0.0:0", &["--plaintext"]), "F0607");
    assert_eq!(listen("127.0.0.1:0", &["--require-tokens"]), "F0607");
    let not_pem = world.path("not.pem");
    std::fs::write(&not_pem, "no certificate").unwrap();
    let tls = ["--tls-cert", s(&not_pem), "--tls-key", s(&not_pem)];
    assert_eq!(listen("0.0.0.0:0", &tls), "F0606");
    // A viewer alone is nobody who could let others in.
    let viewer = ["tokens", "create", "--role", "viewer", "--name", "v", "--store", &store];
    world.json(&viewer);
    assert_eq!(listen("0.0.0.0:0", &["--plaintext"]), "F0607");
    // A token does not go where anybody can read it.
    let out = s(&world.path("t")).to_owned();
    world.json(&[&viewer[..], &["--out", &out]].concat());
    world.fails("F0608", &["whoami", "--farm", "http://10.255.255.1:1", "--token-file", &out]);
}

#[test]
fn a_farm_over_tls_knows_its_people_and_its_workers() {
    let mut farm = Farm::start(&[]);
    let ca = farm.ca.file("ca.pem");
    farm.ready(&ca);
    let world = &farm.world;
    let me = world.json(&farm.as_holder(&ca, &farm.admin, &["whoami"]));
    assert_eq!((me["name"].as_str(), me["role"].as_str()), (Some("root"), Some("admin")));

    // Strangers: no token, another farm's authority, and the open way.
    world.fails("F0601", &["whoami", "--farm", &farm.url, "--ca", &ca]);
    let other = Authority::new(world.path("other"), "other");
    let other = other.file("ca.pem");
    world.fails("F0501", &farm.as_holder(&other, &farm.admin, &["whoami"]));
    let open = farm.url.replace("https", "http");
    // What speaks in the open to a port that does not is cut off, sooner or later in the call.
    let cut = code(&world.run(&["whoami", "--farm", &open, "--json"]));
    assert!(matches!(cut.as_str(), "F0501" | "F0511"), "{cut}");

    // A pull, submitted by a submitter of the show, rendered by a worker with a token.
    let worker = farm.token(&ca, "rack1", &["--role", "worker"]);
    let (media, root_dir) = (world.path("media"), world.path("delivery"));
    copy_clip("beachball", &media.join("A001"));
    copy_clip("colorchart", &media.join("chart"));
    std::fs::create_dir_all(&root_dir).unwrap();
    let roots = ["worker", "--root", s(&media), "--root", s(&root_dir), "--backend", "cpu"];
    let mut working = world.start(&farm.as_holder(&ca, &worker, &roots));
    let submitter = farm.token(&ca, "nuke", &["--role", "submitter", "--show", "atlas"]);
    let viewer = farm.token(&ca, "producer", &["--role", "viewer", "--show", "zeus"]);
    let inside = root_dir.join("turnover_01");
    let pulled = world.json(&farm.as_holder(&ca, &submitter, &pull(&media, &inside, "atlas")));
    assert_eq!(pulled["phase"], "done");
    assert!(working.is_running());
    world.json(&["mhl", "verify", s(&inside)]);
    // Not for another show, and not into a place that the worker may not touch:
    // beside its roots, up from them, or through a link in them.
    let unused = root_dir.join("turnover_02");
    world.fails("F0604", &farm.as_holder(&ca, &submitter, &pull(&media, &unused, "zeus")));
    let mut ways_out = vec![world.path("elsewhere"), root_dir.join("../beside")];
    #[cfg(unix)]
    {
        std::fs::create_dir_all(world.path("elsewhere")).unwrap();
        std::os::unix::fs::symlink(world.path("elsewhere"), root_dir.join("link")).unwrap();
        ways_out.push(root_dir.join("link/out"));
    }
    for out in &ways_out {
        let args = farm.as_holder(&ca, &submitter, &pull(&media, out, "atlas"));
        let output = world.run(&[&args[..], &["--json"]].concat());
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(said.contains("F0304"), "{}: {said}", out.display());
        assert!(!tree(out).iter().any(|name| name.ends_with(".exr")), "{}", out.display());
    }
    // Each sees its own show's jobs.
    let jobs = |token: &str| {
        let seen = world.json(&farm.as_holder(&ca, token, &["jobs", "list"]));
        seen["jobs"].as_array().unwrap().len()
    };
    assert_eq!((jobs(&submitter), jobs(&viewer)), (1 + ways_out.len(), 0));
    world.fails("F0604", &farm.as_holder(&ca, &viewer, &["jobs", "show", "j1"]));

    // Roles.
    world.fails("F0603", &farm.as_holder(&ca, &viewer, &["jobs", "cancel", "j1"]));
    world.fails("F0603", &farm.as_holder(&ca, &submitter, &["tokens", "list"]));
    world.fails("F0603", &farm.as_holder(&ca, &worker, &["jobs", "list"]));
    world.fails("F0603", &farm.as_holder(&ca, &submitter, &["audit"]));

    // What people did is in the log, by name.
    let log = world.json(&farm.as_holder(&ca, &farm.admin, &["audit"]));
    let entries = log["entries"].as_array().unwrap();
    assert!(entries.iter().any(|e| e["action"] == "Trust/CreateToken" && e["who"] == "root"));
    // What was done on the store itself is there as well: the first token of all.
    let first = entries.last().unwrap();
    assert_eq!((&first["action"], &first["outcome"]), (&"Trust/CreateToken".into(), &"ok".into()));
    assert!(first["from"].as_str().unwrap().starts_with("the store, on "), "{first}");
    assert!(first["detail"].as_str().unwrap().contains("root"), "{first}");

    // An ended token is good for nothing, at once and without the scheduler's help.
    let id = world.json(&farm.as_holder(&ca, &viewer, &["whoami"]))["token"].clone();
    let revoke = ["tokens", "revoke", id.as_str().unwrap(), "--store", &farm.store];
    world.json(&revoke);
    wait_until("the scheduler hears that it was revoked", || {
        let args = farm.as_holder(&ca, &viewer, &["whoami", "--json"]);
        (code(&world.run(&args)) == "F0602").then_some(())
    });
    assert_no_secret_is_found(&farm, &[&farm.admin, &worker, &submitter, &viewer]);
}

/// No word of a token stands in the store, its logs, or anywhere but in the
/// files that their holders were given.
fn assert_no_secret_is_found(farm: &Farm, files: &[&String]) {
    let root = farm.world.path("");
    for name in tree(&root) {
        let path = root.join(&name);
        if files.iter().any(|file| Path::new(file) == path) {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        for file in files {
            let word = std::fs::read_to_string(file).unwrap();
            let word = word.trim().trim_start_matches("pfk_").as_bytes();
            assert!(!bytes.windows(word.len()).any(|w| w == word), "{name} holds a word");
        }
    }
    #[cfg(unix)]
    for file in files {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file} is open to others");
    }
}

/// Links among the frames and among what is delivered, put there when the paths of the job were checked.
#[cfg(unix)]
#[test]
fn links_lead_a_worker_out_of_its_roots_neither_to_read_nor_to_write() {
    use std::os::unix::fs::symlink;
    let farm = Served::start(&[]);
    let job = format!("j{}", farm.pull(&[])["job"].as_u64().expect("a job"));
    let [media, out, elsewhere] = ["media", "out", "elsewhere"].map(|name| farm.world.path(name));
    for dir in [&out, &elsewhere] {
        std::fs::create_dir_all(dir).unwrap();
    }
    // Every frame of the roll but its first.
    for number in 1..8 {
        let name = format!("A001_C001_00000{number}.dng");
        let (link, frame) = (media.join("A001").join(&name), elsewhere.join(&name));
        std::fs::rename(&link, &frame).unwrap();
        symlink(&frame, &link).unwrap();
    }
    symlink(&elsewhere, out.join("edit")).unwrap();
    let _worker = farm.worker("kept", &["--root", s(&media), "--root", s(&out)]);
    let output = farm.world.run(&["jobs", "watch", &job, "--farm", &farm.url, "--json"]);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(!output.status.success() && said.contains("F0304"), "{said}");
    let plates = tree(&out);
    let rendered = |shot: &str| plates.iter().any(|n| n.contains(shot) && n.ends_with(".exr"));
    assert!(rendered("CC_010") && !rendered("BB_010"), "{plates:?}");
    assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 7, "nothing was written there");
}

#[test]
fn a_certificate_is_a_token_that_is_never_shown() {
    let mut farm = Farm::start(&["--client-cert-optional"]);
    let ca = farm.ca.file("ca.pem");
    farm.ready(&ca);
    let world = &farm.world;
    let (cert, key) = (farm.ca.file("client.pem"), farm.ca.file("client.key"));
    let access = ["whoami", "--farm", &farm.url, "--ca", &ca, "--cert", &cert, "--key", &key];
    // Signed by the authority, and still nobody.
    world.fails("F0602", &access);
    let enrol = ["tokens", "create", "--role", "operator", "--name", "ops", "--certificate", &cert];
    let made = world.json(&farm.as_holder(&ca, &farm.admin, &enrol));
    assert!(made["word"].is_null());
    let me = world.json(&access);
    assert_eq!((me["name"].as_str(), me["role"].as_str()), (Some("ops"), Some("operator")));
    // The fingerprint is OpenSSL's.
    let output = Command::new("openssl")
        .args(["x509", "-in", &cert, "-noout", "-fingerprint", "-sha256"])
        .output()
        .unwrap();
    let theirs = text(&output.stdout).to_lowercase().replace(':', "");
    assert!(theirs.contains(me["token"].as_str().unwrap()), "{theirs}");
    // A stranger's certificate does not get as far as a call.
    let other = Authority::new(world.path("other"), "other");
    other.sign("client", "clientAuth");
    let (cert, key) = (other.file("client.pem"), other.file("client.key"));
    let access = ["whoami", "--farm", &farm.url, "--ca", &ca, "--cert", &cert, "--key", &key];
    // TLS 1.3 says so after the client thinks that it is connected: the call is cut off, sooner or later.
    world.fails("F0501", &access);
    // Half of an identity is a mistake, and is said.
    world.fails("F0006", &["whoami", "--farm", &farm.url, "--ca", &ca, "--cert", &cert]);
}

/// A certificate that runs out is exchanged on disk while the farm works.
#[test]
fn a_certificate_is_exchanged_without_a_restart() {
    let mut farm = Farm::start(&[]);
    let ca = farm.ca.file("ca.pem");
    farm.ready(&ca);
    let next = Authority::new(farm.world.path("next"), "next");
    next.sign("server", "serverAuth");
    let next_ca = next.file("ca.pem");
    farm.world.fails("F0501", &farm.as_holder(&next_ca, &farm.admin, &["whoami"]));
    // The doctor says until when it is good: of the file, and of the one that answers.
    let cert = farm.ca.file("server.pem");
    let asked = ["doctor", "--only", "certificates", "--only", "farm", "--tls-cert", &cert];
    let report = farm.world.json(&farm.as_holder(&ca, &farm.admin, &asked));
    let said = report["findings"].to_string();
    for what in
        ["the scheduler's certificate '", "whom we trust '", "of the scheduler that answered"]
    {
        assert!(said.contains(what), "{what}: {said}");
    }
    // Those of this test are good for two days: it is time.
    assert!(said.matches("ends in 1 day").count() >= 2 && said.contains("warning"), "{said}");
    let status = farm.world.json(&farm.as_holder(&ca, &farm.admin, &["farm", "status"]));
    let asked = ["x509", "-noout", "-enddate", "-in", &cert];
    let ends = text(&Command::new("openssl").args(asked).output().unwrap().stdout);
    let day = platefarm_model::utc::Utc::from(platefarm_model::Timestamp(
        status["certificate_until"].as_i64().unwrap(),
    ));
    // `notAfter=Jan  4 15:41:02 2028 GMT`: the time of the day and the year.
    let clock = day.date_time()[11..19].to_owned();
    assert!(ends.contains(&clock) && ends.contains(&day.date_time()[..4]), "{ends} {day:?}");
    // In the middle of it, with a key that does not fit, the old one stays in force.
    let in_force = [farm.ca.file("server.pem"), farm.ca.file("server.key")];
    let fresh = [next.file("server.pem"), next.file("server.key")];
    std::fs::copy(&fresh[0], &in_force[0]).unwrap();
    std::thread::sleep(std::time::Duration::from_secs(3));
    farm.world.json(&farm.as_holder(&ca, &farm.admin, &["whoami"]));
    std::fs::copy(&fresh[1], &in_force[1]).unwrap();
    wait_until("the new one is in force", || {
        let args = farm.as_holder(&next_ca, &farm.admin, &["whoami"]);
        farm.world.run(&args).status.success().then_some(())
    });
    farm.world.fails("F0501", &farm.as_holder(&ca, &farm.admin, &["whoami"]));
    assert!(farm.scheduler.is_running());
}
