//! Names of files that stand beside delivered frames because their AMF names them. None takes
//! another's place, nor that of the documents which are called as the frames are.

/// Endings of the documents that stand beside frames under the frames' own name.
const OWN: [&str; 4] = ["amf", "clf", "cc", "cdl"];

/// The name of a file, without directories. What a URI holds only in another spelling (a space) is
/// replaced: not every reader of an AMF takes `%20` for one.
pub(super) fn plain(path: &str) -> String {
    let stays = |c: char| c.is_alphanumeric() || "-._~()+,=@".contains(c);
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.chars().map(|c| if stays(c) { c } else { '_' }).collect()
}

/// Names for files, given what they are called and their content: that, but where another file has
/// it. One file that comes twice has one name.
pub(super) fn apart<'a>(
    stem: &str,
    files: impl Iterator<Item = (&'a str, &'a [u8])>,
) -> Vec<String> {
    let own = OWN.iter().map(|ending| (format!("{stem}.{ending}"), None));
    let mut taken: Vec<(String, Option<&[u8]>)> = own.collect();
    let mut names = Vec::new();
    for (called, content) in files {
        let called = plain(called);
        let mut name = called.clone();
        let mut copy = 2;
        let other = |known: &str, of: Option<&[u8]>, name: &str| {
            known.eq_ignore_ascii_case(name) && of != Some(content)
        };
        while taken.iter().any(|(known, of)| other(known, *of, &name)) {
            name = format!("{copy}_{called}");
            copy += 1;
        }
        taken.push((name.clone(), Some(content)));
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_takes_anothers_place() {
        let files: [(&str, &[u8]); 6] = [
            ("A001.clf", b"a"),
            ("grade.cc", b"b"),
            ("Grade.cc", b"c"),
            ("grade.cc", b"b"),
            ("grade.cc", b"d"),
            ("2_A001.clf", b"e"),
        ];
        let names = apart("a001", files.into_iter());
        let expected =
            ["2_A001.clf", "grade.cc", "2_Grade.cc", "grade.cc", "3_grade.cc", "2_2_A001.clf"];
        assert_eq!(names, expected);
        assert_eq!(plain("/show/the look, 50% (v2).clf"), "the_look,_50__(v2).clf");
    }
}
