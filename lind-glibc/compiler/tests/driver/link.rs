//! Links, and the tools that work on their inputs and outputs.

use std::fs;
use std::process::Command;

use crate::work::{BARE, TWICE, Work, has};

#[test]
fn it_links_sources_and_objects_into_a_marked_executable() {
    let work = Work::new(&[BARE, TWICE]);
    work.ok("-c twice.c");
    work.ok("-nostdlib bare.c twice.o -o prog");
    let program = fs::read(work.path("prog")).unwrap();
    assert!(program.starts_with(b"\0asm"));
    assert!(program.ends_with(b"\x00\x06\x04lind1"));
    assert_eq!(work.mode("prog") & 0o100, 0o100);
    for name in [
        &b"_start"[..],
        b"__stack_pointer",
        b"__tls_base",
        b"__indirect_function_table",
    ] {
        assert!(
            has(&work.path("prog"), name),
            "{}",
            String::from_utf8_lossy(name)
        );
    }
    let leftovers = fs::read_dir(work.directory.path())
        .unwrap()
        .filter(|entry| {
            entry
                .as_ref()
                .unwrap()
                .file_name()
                .to_string_lossy()
                .starts_with('.')
        });
    assert_eq!(leftovers.count(), 0);
}

#[test]
fn the_executable_bits_follow_the_umask() {
    let work = Work::new(&[BARE, TWICE]);
    work.ok("-c bare.c");
    let link = work.path("lind-cc");
    let script = format!(
        "umask 077; '{}' -nostdlib bare.c twice.c -o prog",
        link.display()
    );
    let status = Command::new("sh")
        .args(["-c", &script])
        .current_dir(work.directory.path())
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(work.mode("prog"), 0o700);
}

#[test]
fn the_default_output_is_a_out() {
    let work = Work::new(&[BARE, TWICE]);
    work.ok("-nostdlib bare.c twice.c");
    assert!(work.path("a.out").exists());
}

#[test]
fn a_failed_link_leaves_the_output_alone() {
    let work = Work::new(&[BARE, ("prog", "old")]);
    let answer = work.cc("-nostdlib bare.c -o prog");
    assert_eq!(answer.status, 1);
    assert!(
        answer.stderr.contains("undefined symbol: twice"),
        "{}",
        answer.stderr
    );
    assert_eq!(fs::read(work.path("prog")).unwrap(), b"old");
}

#[test]
fn a_failed_compilation_ends_the_work() {
    let work = Work::new(&[("wrong.c", "typo\n"), TWICE]);
    let answer = work.cc("wrong.c twice.c -nostdlib");
    assert_eq!(answer.status, 1);
    assert!(
        answer.stderr.contains("wrong.c:1:1: error"),
        "{}",
        answer.stderr
    );
    assert!(!work.path("a.out").exists());
}

#[test]
fn a_device_can_be_the_output() {
    let work = Work::new(&[BARE, TWICE]);
    work.ok("-nostdlib bare.c twice.c -o /dev/null");
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn dependencies_of_a_link_are_named_after_the_program() {
    let work = Work::new(&[BARE, TWICE]);
    work.ok("-c twice.c");
    work.ok("-MD -nostdlib bare.c twice.o -o prog");
    assert_eq!(
        fs::read_to_string(work.path("prog.d")).unwrap(),
        "prog: bare.c\n"
    );
}

#[test]
fn commands_can_be_shown_without_running_them() {
    let work = Work::new(&[BARE, TWICE]);
    let shown = work
        .ok("-### -nostdlib bare.c twice.c -o prog -Wl,-z,stack-size=1048576")
        .stderr;
    assert!(shown.contains("-cc1"), "{shown}");
    assert!(shown.contains("--stack-first"), "{shown}");
    assert!(shown.contains("stack-size=1114112"), "{shown}");
    assert!(shown.contains("--max-memory=4294967296"), "{shown}");
    assert!(!work.path("prog").exists());
}

#[test]
fn debug_information_is_kept_unless_it_is_stripped() {
    let work = Work::new(&[BARE, TWICE]);
    work.ok("-g -nostdlib bare.c twice.c -o debug");
    assert!(has(&work.path("debug"), b".debug_line"));
    work.ok("-g -s -nostdlib bare.c twice.c -o stripped");
    assert!(!has(&work.path("stripped"), b".debug_line"));
    assert_eq!(work.run("lind-strip", "debug").status, 0);
    assert!(!has(&work.path("debug"), b".debug_line"));
    assert!(has(&work.path("debug"), b"\x00\x06\x04lind1"));
    assert_eq!(work.mode("debug") & 0o100, 0o100);
}

#[test]
fn partial_links_are_objects() {
    let work = Work::new(&[BARE, TWICE]);
    work.ok("-c bare.c twice.c");
    work.ok("-r bare.o twice.o -o both.o");
    assert!(!has(&work.path("both.o"), b"\x04lind1"));
    assert_eq!(work.mode("both.o") & 0o111, 0);
    assert_eq!(work.run("lind-ld", "-r -o again.o both.o").status, 0);
    work.ok("-nostdlib again.o -o prog");
}

#[test]
fn archives_work_with_our_tools() {
    let work = Work::new(&[BARE, TWICE]);
    work.ok("-c twice.c");
    assert_eq!(work.run("lind-ar", "rcs libtwice.a twice.o").status, 0);
    assert_eq!(work.run("lind-ranlib", "libtwice.a").status, 0);
    assert!(work.run("lind-nm", "libtwice.a").stdout.contains("T twice"));
    assert_eq!(work.run("lind-strip", "--strip-debug libtwice.a").status, 0);
    work.ok("-nostdlib -L. bare.c -ltwice -o prog");
}

#[test]
fn options_of_elf_links_are_accepted() {
    let work = Work::new(&[BARE, TWICE]);
    let answer = work.ok(
        "-nostdlib -pie -rdynamic -Wl,-z,relro,-z,now -Wl,--build-id -Wl,-soname,x -Wl,-rpath -Wl,/x -Wl,--as-needed \
         -Wl,--start-group bare.c twice.c -Wl,--end-group -lgcc_s -o prog",
    );
    assert_eq!(answer.stderr, "");
}

#[test]
fn a_call_through_a_wrong_prototype_is_pointed_out() {
    let work = Work::new(&[
        (
            "bare.c",
            "extern int twice(void); void _start(void) { twice(); }\n",
        ),
        TWICE,
    ]);
    let answer = work.ok("-nostdlib bare.c twice.c -o prog");
    assert!(
        answer.stderr.contains("function signature mismatch: twice"),
        "{}",
        answer.stderr
    );
}

#[test]
fn link_time_optimisation_works() {
    let work = Work::new(&[BARE, TWICE]);
    work.ok("-flto -O2 -nostdlib bare.c twice.c -o prog");
    assert!(has(&work.path("prog"), b"\x04lind1"));
}

#[test]
fn links_are_reproducible() {
    let work = Work::new(&[BARE, TWICE]);
    let bytes = || {
        work.ok("-g -O2 -nostdlib bare.c twice.c -o prog");
        fs::read(work.path("prog")).unwrap()
    };
    assert_eq!(bytes(), bytes());
}

#[test]
fn tentative_definitions_meet_with_fcommon() {
    let work = Work::new(&[
        (
            "one.c",
            "int shared; int set; void _start(void) { shared = set; }\n",
        ),
        (
            "two.c",
            "int shared; int set = 0x12345678; static int own; int *get(void) { return &own; }\n",
        ),
    ]);
    assert!(
        work.cc("-nostdlib one.c two.c -o prog")
            .stderr
            .contains("duplicate symbol: shared")
    );
    work.ok("-fcommon -nostdlib one.c two.c -o prog");
    work.ok("-fcommon -c one.c two.c");
    work.ok("-nostdlib two.o one.o -o prog");
    work.ok("-nostdlib one.o two.o -o prog");
    // The initialised definition is the one that is used.
    assert!(has(&work.path("prog"), &0x1234_5678_u32.to_le_bytes()));
    work.ok("-fcommon -c one.c -o named.o");
    work.ok("-nostdlib named.o two.o -o prog");
    assert!(!work.run("lind-nm", "two.o").stdout.contains(" V own"));
}
