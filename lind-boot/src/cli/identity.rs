//! `--user` and `--hostname`: who and where the program is.

use rawposix::HostUsers;

/// `UID[:GID]`: a user and a group of the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// The user's number.
    pub uid: u32,
    /// The group's number; the user's, unless it is given.
    pub gid: u32,
}

impl User {
    /// Parses `UID[:GID]`.
    ///
    /// # Errors
    /// A sentence, if a part is no number or the one that means "none".
    pub fn parse(spec: &str) -> Result<Self, String> {
        let number = |text: &str| match text.parse::<u32>() {
            Ok(u32::MAX) => Err(format!("{text} stands for no user and no group")),
            Ok(number) => Ok(number),
            Err(_) => Err(format!(
                "'{text}' is no number; write UID or UID:GID, e.g. 1000:100"
            )),
        };
        match spec.split_once(':') {
            Some((uid, gid)) => Ok(Self {
                uid: number(uid)?,
                gid: number(gid)?,
            }),
            None => number(spec).map(|id| Self { uid: id, gid: id }),
        }
    }
}

impl Default for User {
    fn default() -> Self {
        Self {
            uid: 1000,
            gid: 1000,
        }
    }
}

/// How the host's users appear to a program: a root who names a user means the host's.
pub(super) fn host_users(named: Option<User>) -> HostUsers {
    if named.is_some() && rustix::process::geteuid().is_root() {
        HostUsers::Same
    } else {
        HostUsers::One
    }
}

/// Checks a host name, see hostname(7).
///
/// # Errors
/// A sentence, if it is empty, longer than 64 characters, or has others than letters, digits, `-` and `.`.
pub(super) fn host_name(name: String) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if name.is_empty() || name.len() > 64 {
        return Err("a host name has 1 to 64 characters".to_owned());
    }
    if !name.chars().all(is_plain) || name.starts_with('-') {
        return Err("a host name consists of letters, digits, '-' and '.'".to_owned());
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_one_number_or_two() {
        assert_eq!(User::parse("0"), Ok(User { uid: 0, gid: 0 }));
        assert_eq!(User::parse("5:6"), Ok(User { uid: 5, gid: 6 }));
        for spec in ["", ":", "5:", ":5", "root", "-1", "4294967295", "1:2:3"] {
            assert!(User::parse(spec).is_err(), "{spec}");
        }
    }

    #[test]
    fn a_host_name_is_a_plain_word() {
        assert!(host_name("build-1.example".to_owned()).is_ok());
        for name in ["", "a b", "-x", "ü", &"x".repeat(65)] {
            assert!(host_name(name.to_owned()).is_err(), "{name}");
        }
    }
}
