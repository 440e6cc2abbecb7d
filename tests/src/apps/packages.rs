//! The packages of a small system: shells, the commands that scripts call, make.
//!
//! Each is configured as on any machine. Options leave out what needs a library that lind has no port of, for both
//! toolchains, so that what the two build does the same.

use crate::Result;
use crate::apps::build::{Builder, Built};
use crate::debian::Patches;

/// A package of the small system.
#[derive(Debug)]
pub struct Package {
    /// Debian's name of the source.
    pub source: &'static str,
    /// The command that makes the configure script, as in Debian's own build: the source has none, or one that is older
    /// than what it is made from.
    autoreconf: &'static [&'static str],
    /// Options of the configure script.
    options: &'static [&'static str],
    /// A command between configure and make.
    prepare: &'static [&'static str],
    /// How its programs get into a root directory.
    pub install: Install,
}

/// How the programs of a package are installed.
#[derive(Debug, Clone, Copy)]
pub enum Install {
    /// By these targets of its makefile.
    Make(&'static [&'static str]),
    /// By copying these files to `/usr/bin`.
    Copy(&'static [&'static str]),
}

/// What most packages need.
const AUTORECONF: &[&str] = &["autoreconf", "--force", "--install"];

/// bash.
pub const BASH: Package = Package {
    source: "bash",
    autoreconf: &[],
    options: &["--without-bash-malloc"],
    prepare: &[],
    // Its makefile would install headers and build loadable modules as well.
    install: Install::Copy(&["bash"]),
};

/// GNU coreutils.
pub const COREUTILS: Package = Package {
    source: "coreutils",
    autoreconf: &[],
    options: &[
        "--without-selinux",
        "--without-openssl",
        "--without-libgmp",
        "--disable-acl",
        "--disable-xattr",
        "--disable-libcap",
        // stdbuf works by a preloaded shared library.
        "--enable-no-install-program=stdbuf",
    ],
    prepare: &[],
    install: Install::Make(&["install-exec"]),
};

/// dash.
pub const DASH: Package = Package {
    source: "dash",
    autoreconf: AUTORECONF,
    options: &["--disable-fnmatch", "--disable-lineno", "--disable-glob"],
    prepare: &[],
    install: Install::Make(&["install-exec"]),
};

/// GNU diffutils.
pub const DIFFUTILS: Package = Package {
    source: "diffutils",
    autoreconf: &[],
    options: &["--without-libsigsegv-prefix"],
    prepare: &[],
    install: Install::Make(&["install-exec"]),
};

/// GNU findutils.
pub const FINDUTILS: Package = Package {
    source: "findutils",
    autoreconf: AUTORECONF,
    options: &["--without-selinux"],
    prepare: &[],
    install: Install::Make(&["install-exec"]),
};

/// GNU awk.
pub const GAWK: Package = Package {
    source: "gawk",
    autoreconf: &[],
    options: &[
        "--disable-extensions",
        "--disable-mpfr",
        "--disable-pma",
        "--without-readline",
        "--without-libsigsegv-prefix",
    ],
    // Debian removes the manual's sources and has these empty files in their place.
    prepare: &[
        "touch",
        "--date=2000-01-01",
        "doc/gawktexi.in",
        "doc/sidebar.awk",
        "doc/gawk.texi",
        "doc/gawk.info",
        "doc/gawkinet.texi",
        "doc/gawkinet.info",
        "doc/gawkworkflow.texi",
        "doc/gawkworkflow.info",
        "doc/pm-gawk.texi",
        "doc/pm-gawk.info",
    ],
    install: Install::Make(&["install-exec"]),
};

/// GNU grep.
pub const GREP: Package = Package {
    source: "grep",
    autoreconf: &[
        "env",
        "AUTOPOINT=true",
        "AUTOHEADER=true",
        "autoreconf",
        "--force",
        "--install",
    ],
    options: &["--disable-perl-regexp", "--without-included-regex"],
    prepare: &[],
    install: Install::Make(&["install-exec"]),
};

/// GNU make.
pub const MAKE: Package = Package {
    source: "make-dfsg",
    autoreconf: AUTORECONF,
    options: &["--with-guile=no"],
    prepare: &[],
    install: Install::Make(&["install-exec"]),
};

/// GNU sed.
pub const SED: Package = Package {
    source: "sed",
    autoreconf: &[],
    options: &["--without-selinux", "--disable-acl"],
    prepare: &[],
    install: Install::Make(&["install-exec"]),
};

/// All of them.
pub const PACKAGES: [&Package; 9] = [
    &BASH, &COREUTILS, &DASH, &DIFFUTILS, &FINDUTILS, &GAWK, &GREP, &MAKE, &SED,
];

impl Package {
    /// Configures the package for the prefix `/usr` and builds it.
    ///
    /// # Errors
    /// When a step of the build fails, with the end of its output.
    pub fn build<'a>(&self, builder: &'a Builder) -> Result<Built<'a>> {
        // As root, configure scripts of old refuse to try what only root may do.
        let mut configure: Vec<String> = [
            "env",
            "FORCE_UNSAFE_CONFIGURE=1",
            "./configure",
            "--quiet",
            "--prefix=/usr",
        ]
        .map(str::to_owned)
        .to_vec();
        configure.extend(builder.configure());
        configure.extend(self.options.iter().map(|&option| option.to_owned()));
        if self.source == BASH.source {
            let terminals = terminal_library(builder)?;
            configure.push(format!(
                "LDFLAGS=-L{}",
                terminals.directory().join("lib").display()
            ));
        }
        let configure: Vec<&str> = configure.iter().map(String::as_str).collect();
        let mut steps: Vec<&[&str]> = Vec::new();
        if !self.autoreconf.is_empty() {
            steps.push(self.autoreconf);
        }
        steps.push(&configure);
        if !self.prepare.is_empty() {
            steps.push(self.prepare);
        }
        // Manuals are not needed, nor are the tools that make them.
        steps.push(&["make", "-j2", "MAKEINFO=true"]);
        builder.build(self.source, Patches::Applied, &steps)
    }
}

/// ncurses' low-level half, which line editing needs; it knows common terminals without a file.
fn terminal_library(builder: &Builder) -> Result<Built<'_>> {
    let mut configure: Vec<String> = vec!["./configure".to_owned()];
    configure.extend(builder.configure());
    configure.extend(
        [
            "--prefix=/usr",
            "--with-build-cc=cc",
            "--with-termlib=tinfo",
            "--without-shared",
            "--without-debug",
            "--without-ada",
            "--without-cxx",
            "--without-cxx-binding",
            "--without-tests",
            "--without-progs",
            "--without-manpages",
            "--disable-database",
            "--with-fallbacks=dumb,ansi,linux,vt100,xterm,xterm-256color,screen,tmux-256color",
        ]
        .map(str::to_owned),
    );
    let configure: Vec<&str> = configure.iter().map(String::as_str).collect();
    builder.build(
        "ncurses",
        Patches::Applied,
        &[
            &configure,
            &["make", "-C", "include"],
            &["make", "-j2", "-C", "ncurses", "../lib/libtinfo.a"],
        ],
    )
}

/// The whole of ncurses, for programs that show screens.
///
/// # Errors
/// When a step of the build fails, with the end of its output.
pub fn screen_library(builder: &Builder) -> Result<Built<'_>> {
    let library = terminal_library(builder)?;
    library.step(&["make", "-j2", "-C", "ncurses"])?;
    Ok(library)
}
