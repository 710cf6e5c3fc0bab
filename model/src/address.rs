//! Addresses as they may be seen. What stands before a host (a user, a
//! password) or behind a `?` may open something, so whoever says an address, in
//! an error, a list or a log, says it through here; and so does every cause of
//! an error, since libraries put whole addresses into theirs.

/// An address without user and password, query and fragment; of several with commas between, each.
///
/// A text that is no address is treated as if it were one: who mistyped the
/// beginning typed the password all the same.
#[must_use]
pub fn shown(text: &str) -> String {
    let (mut seen, mut begin) = (String::new(), 0);
    // A comma may stand in a password; one before a scheme parts two addresses.
    for (at, _) in text.match_indices(',').filter(|(at, _)| begins_with_scheme(&text[at + 1..])) {
        seen += &one(&text[begin..at]);
        seen.push(',');
        begin = at + 1;
    }
    seen + &one(&text[begin..])
}

/// A longer text with the addresses in it as they may be seen.
#[must_use]
pub fn shown_in(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let begin = rest[..at].trim_end_matches(of_scheme).len();
        let ends = |c: char| c.is_whitespace() || "\"'<>()".contains(c);
        let end = rest[at..].find(ends).map_or(rest.len(), |length| at + length);
        seen.push_str(&rest[..begin]);
        seen.push_str(&shown(&rest[begin..end]));
        rest = &rest[end..];
    }
    seen + rest
}

fn of_scheme(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+.-".contains(c)
}

/// Looks no further than the next comma, so a text of many is still read once.
fn begins_with_scheme(text: &str) -> bool {
    text.trim_start().trim_start_matches(of_scheme).starts_with("://")
}

fn one(text: &str) -> String {
    let host = text.find("://").map_or(0, |at| at + "://".len());
    let (scheme, rest) = text.split_at(host);
    // A password as it is typed may hold any of these, so nothing of it counts as a path.
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let user = match rest.rfind('@') {
        Some(at) if authority.contains([':', '@']) => at + 1,
        _ => 0,
    };
    let plain = rest[user..].split(['?', '#']).next().unwrap_or_default();
    format!("{scheme}{plain}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_open_something_is_not_said() {
        for (typed, seen) in [
            ("postgres://farm:s3cr3t@db:5432/farm", "postgres://db:5432/farm"),
            ("postgress://farm:s3cr3t@h/d", "postgress://h/d"),
            ("farm:s3cr3t@h/d", "h/d"),
            ("postgres://farm:s3/cr3t@h/d", "postgres://h/d"),
            ("postgres://farm:s3?cr3t#@h/d", "postgres://h/d"),
            ("postgres://farm:s3,cr3t@h/d?sslmode=disable", "postgres://h/d"),
            ("https://hooks.example/plates?key=s3cr3t", "https://hooks.example/plates"),
            ("https://hooks.example/@team#s3cr3t", "https://hooks.example/@team"),
            ("http://u:s3cr3t@a:1,https://v:s3cr3t@b:2", "http://a:1,https://b:2"),
            ("http://a:1, http://s3cr3t@b:2", "http://a:1, http://b:2"),
            ("http://127.0.0.1:7878", "http://127.0.0.1:7878"),
            ("/srv/farm.db", "/srv/farm.db"),
        ] {
            assert_eq!(shown(typed), seen, "{typed}");
            assert_eq!(shown(&shown(typed)), seen, "once is enough");
        }
    }

    /// Whoever writes a text decides how many addresses and commas are in it.
    #[test]
    fn long_texts_are_read_once() {
        let (many, none) = (",a://".repeat(200_000), ",a".repeat(200_000));
        assert_eq!(shown(&many), many);
        assert_eq!(shown(&none), none);
        assert_eq!(shown_in(&many), many);
        let begun = format!("{}://h", ",a".repeat(200_000));
        assert_eq!(shown(&begun), begun);
    }

    #[test]
    fn texts_of_libraries_are_cleared_of_what_they_say_of_addresses() {
        let said = "error sending request for url (http://u:s3cr3t@s3:9000/ocf/a?list-type=2): \
                    refused; no 'https://x.example/' either, s3://ocf/A001 is";
        let seen = "error sending request for url (http://s3:9000/ocf/a): \
                    refused; no 'https://x.example/' either, s3://ocf/A001 is";
        assert_eq!(shown_in(said), seen);
        for plain in ["", "://", "no address", "a://", "1001-1048: x"] {
            assert_eq!(shown_in(plain), plain);
        }
    }
}
