//! The header of a C test: `@key value` lines in the file's first comment.

use crate::Result;

/// What a C test asks of the harness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Arguments after the program's name (`@args`; quotes group words).
    pub args: Vec<String>,
    /// Standard input (`@stdin`; `\n`, `\t`, `\0` and `\\` are escapes).
    pub stdin: Vec<u8>,
    /// The environment beside lind's PATH and HOME (`@env NAME=VALUE`, may be repeated).
    pub env: Vec<(String, String)>,
    /// Extra options for both compilers (`@cflags`).
    pub cflags: Vec<String>,
    /// Libraries (`@libs`).
    pub libs: Vec<String>,
    /// Optimisation levels, one run each (`@opt`, default `-O2`).
    pub levels: Vec<String>,
    /// Where the program runs (`@in scratch`, `@in chroot`).
    pub place: Place,
    /// Whether it runs as root, natively as well (`@user root`).
    pub is_root: bool,
    /// Whether the host's kernel must have landlock(7), version 4 (`@host landlock`).
    pub needs_landlock: bool,
    /// Whether standard error is compared too (`@compare stderr`).
    pub compare_stderr: bool,
    /// The status that the program ends with natively, as a shell shows it (`@status`, default 0).
    pub status: i32,
    /// Whether the program also runs with all checks of fork (`@fork-checks`).
    pub fork_checks: bool,
    /// Why the program is known to fail under lind (`@expect-failure REASON`).
    pub expect_failure: Option<String>,
}

/// Where a program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// No directory is granted.
    Nowhere,
    /// In an empty directory, which lind is given by `--dir`.
    Scratch,
    /// In a root directory of its own: chroot natively, `--root` under lind.
    Chroot,
}

impl Default for Header {
    fn default() -> Self {
        Self {
            args: Vec::new(),
            stdin: Vec::new(),
            env: Vec::new(),
            cflags: Vec::new(),
            libs: Vec::new(),
            levels: vec!["-O2".to_owned()],
            place: Place::Nowhere,
            is_root: false,
            needs_landlock: false,
            compare_stderr: false,
            status: 0,
            fork_checks: false,
            expect_failure: None,
        }
    }
}

impl Header {
    /// Reads the header of a C source.
    ///
    /// # Errors
    /// A sentence for an unknown key or a value that does not fit.
    pub fn parse(source: &str) -> Result<Self> {
        let mut header = Self::default();
        let comment = source
            .split_once("/*")
            .and_then(|(_, rest)| rest.split_once("*/"));
        for line in comment.map_or("", |(text, _)| text).lines() {
            let Some(line) = line.trim_start_matches([' ', '*']).strip_prefix('@') else {
                continue;
            };
            let (key, value) = line.split_once(' ').unwrap_or((line, ""));
            header
                .set(key, value.trim())
                .map_err(|e| format!("@{key}: {e}"))?;
        }
        Ok(header)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        match key {
            "args" => self.args = words(value)?,
            "stdin" => self.stdin = unescape(value)?,
            "env" => {
                let (name, value) = value.split_once('=').ok_or("expects NAME=VALUE")?;
                self.env.push((name.to_owned(), value.to_owned()));
            }
            "cflags" => self.cflags = words(value)?,
            "libs" => self.libs = words(value)?,
            "opt" => self.levels = words(value)?,
            "in" => {
                self.place = match value {
                    "scratch" => Place::Scratch,
                    "chroot" => Place::Chroot,
                    other => return Err(format!("'{other}' is neither scratch nor chroot")),
                }
            }
            "user" if value == "root" => self.is_root = true,
            "host" if value == "landlock" => self.needs_landlock = true,
            "compare" if value == "stderr" => self.compare_stderr = true,
            "status" => self.status = value.parse().map_err(|_| "expects a number")?,
            "fork-checks" if value.is_empty() => self.fork_checks = true,
            "expect-failure" if !value.is_empty() => self.expect_failure = Some(value.to_owned()),
            "expect-failure" => return Err("expects a reason".to_owned()),
            _ => return Err("unknown key or value".to_owned()),
        }
        Ok(())
    }
}

/// Splits at blanks; double quotes group.
fn words(text: &str) -> Result<Vec<String>> {
    let mut words = Vec::new();
    for (index, part) in text.split('"').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    if text.matches('"').count() % 2 == 1 {
        Err("a quote is not closed".to_owned())
    } else {
        Ok(words)
    }
}

fn unescape(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let c = match c {
            '\\' => match rest.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('0') => '\0',
                Some('\\') => '\\',
                other => return Err(format!("unknown escape {other:?}")),
            },
            other => other,
        };
        bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_key() {
        let header = Header::parse(
            "/* A test.\n * @args one \"two words\" \"\"\n * @stdin a\\nb\n * @env A=1=2\n * @env B=\n * @opt -O0 -O2\n * @in scratch\n * @user root\n * @host landlock\n \
             * @compare stderr\n * @status 134\n * @fork-checks\n * @libs -lm\n * @cflags -std=gnu11\n * @expect-failure no forks\n */\nint x;",
        )
        .unwrap();
        assert_eq!(header.args, ["one", "two words", ""]);
        assert_eq!(header.stdin, b"a\nb");
        assert_eq!(
            header.env,
            [("A".into(), "1=2".into()), ("B".into(), String::new())]
        );
        assert_eq!(header.levels, ["-O0", "-O2"]);
        assert_eq!(header.place, Place::Scratch);
        assert!(header.is_root);
        assert!(header.needs_landlock);
        assert!(header.compare_stderr);
        assert_eq!(header.status, 134);
        assert!(header.fork_checks);
        assert_eq!(header.expect_failure.as_deref(), Some("no forks"));
    }

    #[test]
    fn defaults_without_a_comment() {
        assert_eq!(
            Header::parse("int main(void) { return 0; }").unwrap(),
            Header::default()
        );
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert_eq!(
            Header::parse("/* @sttaus 1 */").unwrap_err(),
            "@sttaus: unknown key or value"
        );
        assert_eq!(
            Header::parse("/* @status x\n */").unwrap_err(),
            "@status: expects a number"
        );
        assert_eq!(
            Header::parse("/* @expect-failure\n */").unwrap_err(),
            "@expect-failure: expects a reason"
        );
    }

    #[test]
    fn keys_outside_the_first_comment_are_text() {
        assert_eq!(
            Header::parse("/* one */\n/* @status 3 */").unwrap().status,
            0
        );
    }
}
