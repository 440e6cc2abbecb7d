//! A small system in a root directory: what shells, coreutils, findutils, make and the others do together, as processes.
//!
//! Each script runs in bash of the root directory under lind, and in bash of the same builds for this machine.

use std::fs;
use std::path::Path;
use std::time::Duration;

use lind_tests::Result;
use lind_tests::apps::build::{Builder, failed};
use lind_tests::run::{Outcome, run};

use crate::commands::fill;
use lind_tests::apps::root::{Place, installed};

/// A script may not take longer.
const LIMIT: Duration = Duration::from_secs(120);

/// What is shown, and a script.
type Script = (&'static str, &'static str);

/// Scripts of all of a shell's ways to start processes.
const SCRIPTS: &[Script] = &[
    ("a program", "/bin/true; echo $?; /bin/false; echo $?; ls"),
    (
        "a pipeline",
        "seq 1 1000 | grep 7 | sed 's/7/x/' | sort -r | head -n 3; echo ${PIPESTATUS[@]}",
    ),
    (
        "pipefail",
        "set -o pipefail; false | true; echo $?; ! false | false; echo $?",
    ),
    (
        "a long pipeline",
        "yes | head -n 20000 | tee copy | wc -l; cmp <(yes | head -n 20000) copy && echo same",
    ),
    ("SIGPIPE", "yes | head -n 1; echo ${PIPESTATUS[0]}"),
    (
        "command substitution",
        "x=$(echo a; echo $(echo b $(echo c))); echo \"$x\"; y=`expr 2 + 3`; echo $y; echo $(< fruit)",
    ),
    (
        "subshells",
        "v=1; (v=2; cd /; echo $v; exit 5); echo $? $v; (exit 3) || echo failed; ( ( (echo deep) ) )",
    ),
    (
        "here-documents",
        "v=value; cat <<A - <<'B' | tr a-z A-Z\none\nA\ntwo $v\nB\nread x <<< string; echo $x; cat <<-E\n\t\ttabs $(echo gone)\n\tE",
    ),
    (
        "background jobs",
        "sleep 0.2 & p=$!; (exit 7) & q=$!; wait $q; echo $?; wait $p; echo $?; for i in 1 2 3; do (exit $i) & done; wait; echo all $?",
    ),
    (
        "wait -n",
        "(sleep 1.5; exit 1) & (sleep 0.05; exit 2) & wait -n; echo $?; wait -n; echo $?; wait -n; echo $?",
    ),
    (
        "traps",
        "trap 'echo got USR1' USR1; trap 'echo bye' EXIT; kill -USR1 $$; (trap 'echo child' TERM; kill -TERM $BASHPID; exit 4); echo $?",
    ),
    (
        "a trap while waiting",
        "trap 'echo alarm' ALRM; (sleep 0.2; kill -ALRM $$) & sleep 5 & wait $!; echo $?; kill %2; wait 2>/dev/null; echo done",
    ),
    (
        "killed children",
        "sleep 60 & kill $!; wait $!; echo $?; { sh -c 'kill -9 $$'; echo $?; sh -c 'kill -SEGV $$'; echo $?; } 2>/dev/null",
    ),
    (
        "ERR and DEBUG",
        "set -E; trap 'echo err $LINENO' ERR; f() { false; }; f; trap - ERR; trap 'echo debug' DEBUG; :",
    ),
    (
        "ulimit",
        "(ulimit -f 1; dd if=/dev/zero of=big bs=1k count=8; echo $?) 2>/dev/null; ulimit -n 20; sh -c 'ulimit -n'; ulimit -Ht; ulimit -c 0",
    ),
    (
        "find and xargs",
        "find . -type f -print0 | sort -z | xargs -0 -n 2 echo; find dir -type f -exec wc -c {} +; find dir -name leaf -exec sh -c 'echo $0' {} \\;; seq 20 | xargs -P 4 -n 5 echo | sort",
    ),
    (
        "sort and uniq",
        "sort fruit | uniq -c | sort -k1,1nr -k2 | awk '{ print $2 \"=\" $1 }'; sort -u fruit | paste -sd ,; comm -12 <(sort fruit) <(cut -d ' ' -f 1 names | sort)",
    ),
    (
        "process substitution",
        "diff <(sort fruit) <(sort -u fruit); tee >(wc -l > count) < fruit > /dev/null; sleep 0.3; cat count",
    ),
    (
        "descriptors",
        "exec 3> out 4>&1; echo three >&3; { echo err >&2; echo std; } 2>&1 >&4 | sed 's/^/piped: /'; exec 3>&-; cat out; ls -l /proc/self/fd/4 | wc -l",
    ),
    (
        "named pipes",
        "mkfifo p; (echo through > p) & read x < p; echo $x; wait",
    ),
    (
        "coprocesses",
        "coproc { while read l; do echo \"<$l>\"; done; }; echo hi >&${COPROC[1]}; read r <&${COPROC[0]}; echo $r; exec {COPROC[1]}>&-; wait $COPROC_PID; echo $?",
    ),
    (
        "exec",
        "(exec echo replaced; echo never); exec sh -c 'echo $0 $1' name arg",
    ),
    (
        "exec fails",
        "absent; echo $?; ./fruit; echo $?; (exec absent); echo $?; /; echo $?",
    ),
    (
        "#!",
        "printf '#!/bin/sh\\necho $0 $# \"$1\"\\n' > s; chmod +x s; ./s 'a b' c; printf '#!/usr/bin/awk -f\\nBEGIN { print 6 * 7 }\\n' > a; chmod +x a; [ -x /usr/bin/awk ] && gawk -f a; printf 'echo plain $1\\n' > n; chmod +x n; ./n x",
    ),
    (
        "the environment",
        "A=1 B='x y' env | grep '^[AB]='; export C=3; env -i D=4 printenv D; sh -c 'echo $C'; unset C; sh -c 'echo ${C-none}'",
    ),
    (
        "job control",
        "set -m; sleep 60 & jobs %1 | tr -s ' '; kill -STOP %1; sleep 0.2; jobs %1 | tr -s ' '; kill -CONT %1; kill %1; wait %1; echo $?",
    ),
    (
        "dash",
        "dash -c 'for i in 1 2 3; do echo $i | (read x; echo $((x * x))) & wait; done; x=$(echo sub; exit 3); echo $x $?; trap \"echo t\" 0; echo a | cat'",
    ),
    (
        "eval of sed and awk",
        "echo date | sed 's/.*/echo seen/e'; gawk 'BEGIN { \"echo cmd\" | getline x; print x; print \"b\\na\" | \"sort\"; close(\"sort\"); print system(\"exit 3\") }'",
    ),
    (
        "timeout and nice",
        "timeout 0.1 sleep 5; echo $?; nice -n 5 echo niced; nohup echo hup 2>/dev/null < /dev/null | cat; env -u HOME sh -c 'echo ${HOME-unset}'",
    ),
    (
        "a loop of processes",
        "n=0; for i in $(seq 200); do /bin/true && n=$((n + 1)); done; echo $n",
    ),
    (
        "nested shells",
        "bash -c 'sh -c \"bash -c \\\"echo \\\\\\$((1 + 1))\\\"\"'; bash -c 'f() { echo $1; [ $1 -gt 0 ] && bash -c \"$(declare -f f); f $(($1 - 1))\"; }; f 4'",
    ),
    (
        "split and join",
        "split -l 50 --filter='wc -l' numbers; cat numbers | sort -n | tail -n 2; sort --parallel=2 -S 1M numbers | md5sum",
    ),
    (
        "cp and tar-like copies",
        "cp -a dir copy && diff -r dir copy && echo equal; (cd dir && find . | sort) | cpio 2>/dev/null; mv copy moved; rm -r moved; ls",
    ),
];

/// A program in 24 files that four jobs of make preprocess, in an order that the rules leave open.
const MAKEFILE: &str = "\
OBJECTS := $(patsubst %.in,%.out,$(sort $(wildcard *.in)))
all: total
%.out: %.in
\t@sed 's/x/y/g' $< | tr a-z A-Z > $@
total: $(OBJECTS)
\t@cat $^ | sort | uniq -c > $@; $(MAKE) --no-print-directory -f $(firstword $(MAKEFILE_LIST)) sub
sub:
\t@echo sub-make level $(MAKELEVEL) $(shell echo shell | tr a-z A-Z)
fails: ; @exit 3
clean: ; rm -f *.out total
.PHONY: all sub fails clean
";

/// Runs every script both ways.
pub(crate) fn check(builder: &Builder) -> Result<()> {
    let twin = builder.twin();
    let (theirs, ours) = (installed(&twin)?, installed(builder)?);
    let make = "for i in $(seq 24); do echo x$((i % 5)) > f$i.in; done; make -j4 && cat total | tr -s ' '; make -j4; make -k fails; echo $?; make -s clean; ls *.out 2>/dev/null | wc -l";
    let mut wrong = Vec::new();
    for (name, script) in SCRIPTS.iter().copied().chain([("make -j4", make)]) {
        let native = one(&twin, &theirs, script)?;
        let lind = one(builder, &ours, script)?;
        if (native.ending, &native.stdout, &native.stderr)
            != (lind.ending, &lind.stdout, &lind.stderr)
        {
            wrong.push(format!(
                "natively: {}under lind: {}",
                failed(name, &native),
                failed(name, &lind)
            ));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} of {} scripts differ\n{}",
        wrong.len(),
        SCRIPTS.len() + 1,
        wrong.join("\n")
    ))
}

/// Runs one script in a directory of its own, and names that directory `/data` in what it printed.
fn one(builder: &Builder, root: &Path, script: &str) -> Result<Outcome> {
    let data = tempfile::tempdir().map_err(|e| e.to_string())?;
    fill(data.path())?;
    fs::write(data.path().join("GNUmakefile"), MAKEFILE).map_err(|e| e.to_string())?;
    let place = Place {
        host: data.path(),
        guest: "/data",
    };
    let mut command = place.shell(builder, root);
    command.args(["-c", script, "bash"]);
    let mut outcome =
        run(&mut command, b"", LIMIT).map_err(|e| format!("cannot run {command:?}: {e}"))?;
    let place = data.path().display().to_string();
    for text in [&mut outcome.stdout, &mut outcome.stderr] {
        *text = String::from_utf8_lossy(text)
            .replace(&place, "/data")
            .into_bytes();
    }
    Ok(outcome)
}
