//! What there is to look at: while a job renders, small pictures that workers
//! show; of a finished package its contact sheet, and its report, from which
//! the page takes the thumbnails with their framing.
//!
//! The scheduler opens no picture; of a package it hands on two files by their names, from
//! beneath the directories that the operator named and from nowhere else,
//! whatever a job says its package is. What is handed on cannot run anything.

use super::{Glance, Shared, Site, Who, answer, jobs, refused};
use crate::core::State as Farm;
use crate::trust::Caller;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use platefarm_model::{Code, Fault, Outcome, StepId};
use serde_json::json;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Take};
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

/// The files, what they are, and how they begin.
const FILES: &[(&str, &str, &[u8])] = &[
    ("contact_sheet.png", "image/png", b"\x89PNG\r\n\x1a\n"),
    ("report.html", "text/html; charset=utf-8", b"<!doctype html>"),
];
/// Largest file: the report of a very large pull is some 20 MB.
const MOST_BYTES: u64 = 128 * 1024 * 1024;

pub(super) fn data<G: Glance>() -> Router<Arc<Shared<G>>> {
    Router::new()
        .route("/api/jobs/{job}/package", get(list))
        .route("/api/jobs/{job}/package/{file}", get(file))
        .route("/api/jobs/{job}/steps/{step}/still", get(still))
}

/// Which of the files there are, or why there are none.
async fn list<G: Glance>(
    State(shared): Site<G>,
    Extension(caller): Who,
    Path(job): Path<String>,
) -> Response {
    let found = async {
        let Some(package) = package(&shared, &caller, &job).await? else {
            return Ok(json!({ "files": [], "why": null }));
        };
        let roots = shared.pages.pictures.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let each = FILES.iter().map(|(name, ..)| open(&roots, &package, name).map(|_| *name));
            let (files, faults): (Vec<_>, Vec<_>) = each.partition(Result::is_ok);
            let files: Vec<&str> = files.into_iter().flatten().collect();
            let why = faults.into_iter().filter_map(Result::err).next();
            let why = why.map(|fault| format!("{}. {}", fault.message, fault.remedy_text()));
            json!({ "files": files, "why": why })
        });
        looked.await.map_err(unread)
    };
    answer(found.await)
}

/// Where the package of a job is made.
async fn package<G: Glance>(
    shared: &Shared<G>,
    caller: &Caller,
    job: &str,
) -> Outcome<Option<String>> {
    jobs::look_at(shared, caller, job, Farm::package_of).await
}

fn unread(error: tokio::task::JoinError) -> Fault {
    Fault::new(Code::Internal, "a file was not read").because(&error)
}

async fn file<G: Glance>(
    State(shared): Site<G>,
    Extension(caller): Who,
    Path((job, name)): Path<(String, String)>,
) -> Response {
    let found = async {
        let package = package(&shared, &caller, &job).await?;
        let package = package.ok_or_else(|| nothing("the job makes no package"))?;
        let roots = shared.pages.pictures.clone();
        let read = tokio::task::spawn_blocking(move || read(&roots, &package, &name));
        read.await.map_err(unread)?
    };
    let (kind, bytes) = match found.await {
        Ok(found) => found,
        Err(fault) => return refused(&fault),
    };
    let mut response = ([(header::CONTENT_TYPE, kind)], bytes).into_response();
    let policy = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'";
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

/// The last small picture of a step, while it is kept.
async fn still<G: Glance>(
    State(shared): Site<G>,
    Extension(caller): Who,
    Path((job, index)): Path<(String, u32)>,
) -> Response {
    let found = jobs::id(&shared, &caller, &job).await.and_then(|job| {
        let still = shared.pages.farm.stills().of(StepId { job, index });
        let none = || Fault::new(Code::NoMedia, "nothing of this step is shown");
        still.ok_or_else(|| none().remedy("Pictures come as frames are rendered."))
    });
    match found {
        Ok(still) => ([(header::CONTENT_TYPE, "image/png")], still.png.to_vec()).into_response(),
        Err(fault) => refused(&fault),
    }
}

fn nothing(why: &str) -> Fault {
    Fault::new(Code::NoMedia, why.to_owned())
        .remedy("Name the directories of packages with --pictures; those in buckets are not shown.")
}

/// One of the files of the package at `dir`, whole.
fn read(roots: &[PathBuf], dir: &str, name: &str) -> Outcome<(&'static str, Vec<u8>)> {
    let (mut file, kind, mut bytes) = open(roots, dir, name)?;
    file.read_to_end(&mut bytes).map_err(|_| nothing("the file of the package cannot be read"))?;
    Ok((kind, bytes))
}

/// One of the files of the package at `dir`, if that is beneath one of `roots`:
/// what it is, how it begins, and the rest of it.
fn open(roots: &[PathBuf], dir: &str, name: &str) -> Outcome<(Take<File>, &'static str, Vec<u8>)> {
    let known = FILES.iter().find(|(file, ..)| *file == name);
    let &(name, kind, begins) = known.ok_or_else(|| nothing("that is no file of a package"))?;
    if dir.contains("://") {
        return Err(nothing("the package is in a bucket, which the scheduler does not read"));
    }
    if roots.is_empty() {
        return Err(nothing("this scheduler reads no packages"));
    }
    let gone = |_| nothing("the package is not there, or not where the scheduler sees it");
    let path = FilePath::new(dir).join(name).canonicalize().map_err(gone)?;
    let real = |root: &PathBuf| root.canonicalize().is_ok_and(|root| path.starts_with(root));
    if path.file_name() != Some(OsStr::new(name)) || !roots.iter().any(real) {
        return Err(nothing("the package is outside the directories that are shown"));
    }
    // Before it is opened: a pipe would be waited for.
    if !path.symlink_metadata().map_err(gone)?.is_file() {
        return Err(nothing("the file of the package is none to show"));
    }
    let file = File::open(&path).map_err(gone)?;
    let facts = file.metadata().map_err(gone)?;
    if !facts.is_file() || facts.len() > MOST_BYTES {
        return Err(nothing("the file of the package is none to show"));
    }
    let mut file = file.take(MOST_BYTES);
    let mut head = vec![0; begins.len()];
    file.read_exact(&mut head).map_err(gone)?;
    if head != begins {
        return Err(nothing("the file of the package is not what its name says"));
    }
    Ok((file, kind, head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_from_beneath_the_roots_and_are_what_they_say() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("plates");
        let package = root.join("pull");
        let outside = dir.path().join("private");
        for dir in [&package, &outside] {
            std::fs::create_dir_all(dir).unwrap();
            std::fs::write(dir.join("contact_sheet.png"), b"\x89PNG\r\n\x1a\n...").unwrap();
        }
        std::fs::write(package.join("report.html"), b"root:x:0:0").unwrap();
        let roots = [root.clone()];
        let of = |dir: &FilePath, name| read(&roots, dir.to_str().unwrap(), name);
        assert_eq!(of(&package, "contact_sheet.png").unwrap().0, "image/png");
        assert!(of(&package, "report.html").is_err(), "it is no report");
        assert!(of(&package, "../pull/contact_sheet.png").is_err());
        assert!(of(&outside, "contact_sheet.png").is_err());
        assert!(of(&package.join("../../private"), "contact_sheet.png").is_err());
        let unread = read(&[], package.to_str().unwrap(), "contact_sheet.png").unwrap_err();
        assert!(unread.message.contains("reads no packages"), "{unread}");
        assert!(read(&roots, "s3://plates/pull", "contact_sheet.png").is_err());
        #[cfg(unix)]
        {
            let link = root.join("link");
            std::os::unix::fs::symlink(&outside, &link).unwrap();
            assert!(of(&link, "contact_sheet.png").is_err(), "a link leads out");
            let sly = root.join("sly");
            std::fs::create_dir(&sly).unwrap();
            std::fs::write(root.join("secret.png"), b"\x89PNG\r\n\x1a\nsecret").unwrap();
            std::os::unix::fs::symlink(root.join("secret.png"), sly.join("contact_sheet.png"))
                .unwrap();
            assert!(of(&sly, "contact_sheet.png").is_err(), "a link to another file");
        }
    }
}
