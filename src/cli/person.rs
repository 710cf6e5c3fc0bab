//! Who sits at this machine, as the audit log has them: by what the system
//! knows, and not by what the surroundings of a process say of it, where that can be told.

/// Who runs this program: the user behind its number; whoever became root by `sudo` under their own name.
pub(super) fn user() -> String {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    of(rustix::process::getuid().as_raw(), &passwd, |key| std::env::var(key).ok())
}

fn of(uid: u32, passwd: &str, said: impl Fn(&str) -> Option<String>) -> String {
    let said = |key: &str| said(key).filter(|name| !name.is_empty());
    let became = if uid == 0 { said("SUDO_USER") } else { None };
    let known = became.or_else(|| name(uid, passwd));
    // Users of a directory are in no file.
    known
        .or_else(|| said("USER"))
        .or_else(|| said("LOGNAME"))
        .unwrap_or_else(|| format!("uid {uid}"))
}

/// The name of a user in `/etc/passwd`.
fn name(uid: u32, passwd: &str) -> Option<String> {
    let of_line = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let is_theirs = fields.nth(1)?.parse::<u32>().is_ok_and(|number| number == uid);
        is_theirs.then(|| name.to_owned())
    };
    passwd.lines().find_map(of_line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str =
        "root:x:0:0:root:/root:/bin/bash\n+::::::\nann:x:1000:1000:Ann,,,:/home/ann:/bin/zsh\n";

    #[test]
    fn a_person_is_who_the_system_says() {
        let here = |uid, said: &[(&str, &str)]| {
            let value =
                |key: &str| said.iter().find(|(of, _)| *of == key).map(|it| it.1.to_owned());
            of(uid, PASSWD, value)
        };
        assert_eq!(here(1000, &[]), "ann", "without any word of the surroundings");
        assert_eq!(
            here(1000, &[("USER", "bob"), ("SUDO_USER", "bob")]),
            "ann",
            "nor by a wrong one"
        );
        assert_eq!(here(0, &[("USER", "root")]), "root");
        assert_eq!(here(0, &[("SUDO_USER", "ann"), ("USER", "root")]), "ann");
        assert_eq!(here(70_001, &[("USER", "zoe")]), "zoe", "of a directory");
        assert_eq!(here(70_001, &[("USER", "")]), "uid 70001");
    }
}
