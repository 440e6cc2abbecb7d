//! procps: tools that read `/proc` show the processes of the sandbox, and nothing else.

use std::fs;
use std::time::Duration;

use lind_tests::Result;
use lind_tests::apps::build::{Builder, Toolchain, failed};
use lind_tests::apps::packages::screen_library;
use lind_tests::apps::root::{Place, installed};
use lind_tests::debian::Patches;
use lind_tests::run::run;

/// The script may not take longer.
const LIMIT: Duration = Duration::from_secs(120);

/// Two processes wait while the tools look.
const SCRIPT: &str = "\
sleep 77 & a=$!
until read -r name < /proc/$a/comm && [ \"$name\" = sleep ]; do :; done
exec 3> file
/work/ps -eo user:6,ppid,stat,tty,comm,args --sort=pid
/work/ps -o pid= -p $a | grep -c $a
/work/ps -L -o nlwp,cmd -p $a
/work/top -b -n 1 -w 100 | head -n 12
/work/pgrep -x sleep | wc -l
/work/pgrep -f '^sleep 7[0-9]' | wc -l
/work/pidof sleep | wc -w
/work/pwdx $a | sed 's/^[0-9]*/PID/'
/work/free | head -n 1
/work/uptime
/work/sysctl -n kernel.ostype
/work/pmap $a | tail -n 1
/work/pkill sleep
wait $a
echo $?
";

/// The tools that are tried, by their places in the build.
const TOOLS: [&str; 10] = [
    "src/ps/pscommand",
    "src/top/top",
    "src/pgrep",
    "src/pkill",
    "src/pidof",
    "src/pwdx",
    "src/free",
    "src/uptime",
    "src/sysctl",
    "src/pmap",
];

/// Lines that the output has, in this order; `*` stands for any text.
const EXPECTED: &[&str] = &[
    "USER * PPID STAT TT * COMMAND * COMMAND",
    "root * 0 S * lind * [lind]",
    "* 1 S* ? * bash * /bin/bash *",
    "* 2 S* ? * sleep * sleep 77",
    "* 2 R* ? * ps * /work/ps *",
    "1",
    "NLWP CMD",
    "   1 sleep 77",
    "top - * up *",
    "Tasks: * total,*",
    "%Cpu(s):*",
    "MiB Mem : *",
    "* PID USER * COMMAND",
    "* 1 root * lind",
    "* bash",
    "* sleep",
    "1",
    "1",
    "1",
    "PID: /work",
    "* total * used * free *",
    "* up *load average: *",
    "Linux",
    " total *K",
    "143",
];

/// Builds procps; under lind, looks at processes with it.
pub(crate) fn check(builder: &Builder) -> Result<()> {
    let screens = screen_library(builder)?;
    let library = |name: &str| screens.directory().join(name).display().to_string();
    let mut configure: Vec<String> = vec!["./configure".into(), "--quiet".into()];
    configure.extend(builder.configure());
    configure.extend(
        [
            "--disable-nls",
            "--disable-shared",
            "--enable-static",
            "--disable-pidwait",
            "--disable-modern-top",
            "--enable-watch8bit=no",
            "--without-systemd",
        ]
        .map(str::to_owned),
    );
    configure.push(format!("CPPFLAGS=-I{}", library("include")));
    configure.push(format!("NCURSES_CFLAGS=-I{}", library("include")));
    configure.push(format!(
        "NCURSES_LIBS=-L{} -lncurses -ltinfo",
        library("lib")
    ));
    let configure: Vec<&str> = configure.iter().map(String::as_str).collect();
    let mut make = vec!["make", "-j2"];
    make.extend(TOOLS);
    let built = builder.build(
        "procps",
        Patches::Applied,
        &[
            &[
                "env",
                "AUTOPOINT=true",
                "autoreconf",
                "--force",
                "--install",
            ],
            &configure,
            &make,
        ],
    )?;
    let Toolchain::Lind(_) = builder.toolchain() else {
        // Natively they show whatever runs on this machine.
        return Ok(());
    };
    let root = installed(builder)?;
    let work = tempfile::tempdir().map_err(|e| e.to_string())?;
    for tool in TOOLS {
        let name = tool.rsplit('/').next().unwrap_or(tool);
        let name = if name == "pscommand" { "ps" } else { name };
        fs::copy(built.directory().join(tool), work.path().join(name))
            .map_err(|e| format!("cannot copy '{tool}': {e}"))?;
    }
    let place = Place {
        host: work.path(),
        guest: "/work",
    };
    let mut shell = place.shell(builder, &root);
    shell.args(["-c", SCRIPT]);
    let outcome = run(&mut shell, b"", LIMIT).map_err(|e| e.to_string())?;
    let text = outcome.text();
    let mut lines = text.lines();
    for expected in EXPECTED {
        if !lines.by_ref().any(|line| fits(line, expected)) {
            return Err(format!(
                "no line '{expected}' in its place\n{}",
                failed("bash", &outcome)
            ));
        }
    }
    Ok(())
}

/// Whether a line is what a pattern says, blanks at its end aside.
fn fits(line: &str, pattern: &str) -> bool {
    let mut rest = line.trim_end();
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else {
        return false;
    };
    let Some(after) = rest.strip_prefix(first) else {
        return false;
    };
    rest = after;
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last.trim_end())
}
