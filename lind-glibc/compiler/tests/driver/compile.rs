//! Questions, compilations and refusals.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::work::{TWICE, Work, answer};

#[test]
fn it_says_what_it_is() {
    let work = Work::new(&[]);
    let version = work.ok("--version").stdout;
    assert!(version.contains("clang version"), "{version}");
    assert!(version.contains("lind-cc "), "{version}");
    assert_eq!(work.ok("-dumpmachine").stdout, "wasm32-unknown-linux-gnu\n");
    assert!(
        work.ok("-v")
            .stderr
            .contains("Target: wasm32-unknown-linux-gnu")
    );
    assert!(work.ok("-Wl,--version").stdout.starts_with("LLD "));
    assert!(
        work.run("lind-ld", "--version")
            .stdout
            .contains("compatible with GNU linkers")
    );
    assert!(
        work.run("lind-as", "--version")
            .stdout
            .starts_with("GNU assembler")
    );
}

#[test]
fn it_tells_where_things_are() {
    let work = Work::new(&[]);
    fs::create_dir_all(work.path("sysroot/usr/lib")).unwrap();
    fs::write(work.path("sysroot/usr/lib/libc.a"), "").unwrap();
    let sysroot = work.path("sysroot");
    let print = |question: &str| {
        work.ok(&format!("-print-{question}"))
            .stdout
            .trim_end()
            .to_owned()
    };
    assert_eq!(Path::new(&print("sysroot")), sysroot);
    assert_eq!(
        Path::new(&print("file-name=libc.a")),
        sysroot.join("usr/lib/libc.a")
    );
    assert_eq!(print("file-name=crtbegin.o"), "crtbegin.o");
    assert!(
        Path::new(&print("file-name=include"))
            .join("stddef.h")
            .exists()
    );
    assert!(print("libgcc-file-name").ends_with("usr/lib/libclang_rt.builtins-wasm32.a"));
    assert!(print("search-dirs").contains("sysroot/usr/lib"));
    assert_eq!(print("multi-os-directory"), ".");
    assert!(print("prog-name=ld").contains("wasm-ld"));
    assert_eq!(print("prog-name=unheard-of"), "unheard-of");
    work.run("lind-ld", "--version");
    assert_eq!(Path::new(&print("prog-name=ld")), work.path("lind-ld"));
}

#[test]
fn it_finds_its_shared_files_in_an_installation() {
    let work = Work::new(&[]);
    fs::create_dir_all(work.path("bin")).unwrap();
    fs::create_dir_all(work.path("share/lind/cmake")).unwrap();
    fs::write(work.path("share/lind/cmake/lind.cmake"), "").unwrap();
    fs::copy(env!("CARGO_BIN_EXE_lind-cc"), work.path("bin/lind-cc")).unwrap();
    let output = Command::new(work.path("bin/lind-cc"))
        .arg("-print-lind-share")
        .output()
        .unwrap();
    let expected = work.path("share/lind").canonicalize().unwrap();
    assert_eq!(Path::new(answer(output).stdout.trim_end()), expected);
}

#[test]
fn it_compiles_and_stops_where_it_is_told() {
    let work = Work::new(&[TWICE]);
    work.ok("-c twice.c");
    assert!(
        fs::read(work.path("twice.o"))
            .unwrap()
            .starts_with(b"\0asm")
    );
    assert!(work.ok("-S -O2 twice.c -o -").stdout.contains("i32."));
    assert!(work.ok("-E twice.c").stdout.contains("int twice(int x)"));
    assert_eq!(work.ok("-MM twice.c").stdout, "twice.o: twice.c\n");
    work.ok("-MD -c twice.c -o out.o");
    assert_eq!(
        fs::read_to_string(work.path("out.d")).unwrap(),
        "out.o: twice.c\n"
    );
    work.ok("-c -x assembler /dev/null -o empty.o");
}

#[test]
fn it_reads_standard_input() {
    let work = Work::new(&[TWICE]);
    let input = fs::File::open(work.path("twice.c")).unwrap();
    let output = work
        .tool("lind-cc", "-x c -c - -o in.o")
        .stdin(input)
        .output()
        .unwrap();
    assert_eq!(answer(output).status, 0);
    assert!(work.path("in.o").exists());
}

#[test]
fn it_reads_response_files() {
    let work = Work::new(&[TWICE, ("args", "-c 'twice.c' \\\n -o \"from args.o\"\n")]);
    work.ok("@args");
    assert!(work.path("from args.o").exists());
}

#[test]
fn programs_see_glibcs_target() {
    let work = Work::new(&[]);
    let macros = work.ok("-dM -E -x c /dev/null").stdout;
    for line in [
        "__linux__ 1",
        "__gnu_linux__ 1",
        "__unix__ 1",
        "__wasm32__ 1",
        "__WINT_TYPE__ unsigned int",
        "__wasm_simd128__ 1",
    ] {
        assert!(macros.contains(&format!("#define {line}\n")), "{line}");
    }
    assert!(!macros.contains("#define __PIC__"));
    assert!(
        work.ok("-pthread -dM -E -x c /dev/null")
            .stdout
            .contains("#define _REENTRANT 1")
    );
}

#[test]
fn no_flag_of_ours_warns() {
    let work = Work::new(&[TWICE, ("asm.s", ""), ("pre.S", "")]);
    for line in [
        "-c twice.c",
        "-S twice.c",
        "-E twice.c",
        "-M twice.c",
        "-c asm.s",
        "-c pre.S",
        "-fsyntax-only twice.c",
    ] {
        let answer = work.ok(&format!("-Werror -Wall -Wextra {line}"));
        assert_eq!(answer.stderr, "", "{line}");
    }
    // A flag that clang does not know still fails, as configure scripts expect.
    assert_ne!(work.cc("-Werror -fno-such-flag -c twice.c").status, 0);
}

#[test]
fn loops_are_unrolled_only_for_speed() {
    let work = Work::new(&[TWICE]);
    let commands = |level: &str| work.ok(&format!("-### {level} -c twice.c")).stderr;
    assert!(commands("-O2").contains("-unroll-partial-threshold=150"));
    assert!(commands("-O3").contains("-unroll-partial-threshold=300"));
    for level in ["", "-O0", "-O1", "-Os", "-O2 -Oz"] {
        assert!(
            !commands(level).contains("unroll-partial-threshold"),
            "{level}"
        );
    }
}

#[test]
fn what_cannot_be_is_refused_with_a_hint() {
    let work = Work::new(&[TWICE]);
    for (line, sentence) in [
        (
            "-shared twice.c -o libtwice.so",
            "lind programs are linked statically",
        ),
        ("-Wl,-shared twice.c", "lind programs are linked statically"),
        ("-dynamiclib twice.c", "lind programs are linked statically"),
        ("-m64 twice.c", "32-bit pointers"),
        ("-T script.ld twice.c", "linker scripts are not possible"),
        (
            "-fsanitize=address twice.c",
            "no sanitizer run-time library",
        ),
        ("twice.c -o prog", "no C library in"),
    ] {
        let answer = work.cc(line);
        assert_eq!(answer.status, 1, "{line}");
        assert!(
            answer.stderr.starts_with("lind-cc: error: "),
            "{line}: {}",
            answer.stderr
        );
        assert!(
            answer.stderr.contains(sentence),
            "{line}: {}",
            answer.stderr
        );
        assert!(
            answer.stderr.contains("\nhint: "),
            "{line}: {}",
            answer.stderr
        );
    }
    // x86's own flags are unknown to clang for this target.
    assert_ne!(work.cc("-march=native -c twice.c").status, 0);
    assert_ne!(work.cc("-msse2 -c twice.c").status, 0);
    // Compiling for a shared library is harmless.
    work.ok("-shared -fPIC -c twice.c");
}

#[test]
fn a_missing_tool_is_named() {
    let work = Work::new(&[TWICE]);
    let output = work
        .tool("lind-cc", "-c twice.c")
        .env("LIND_CLANG", "/no/such/clang")
        .output()
        .unwrap();
    let missing = answer(output);
    assert_eq!(missing.status, 1);
    assert_eq!(
        missing.stderr,
        "lind-cc: error: cannot find '/no/such/clang', which LIND_CLANG names\n\
         hint: set LIND_CLANG to the path of clang, or unset it\n"
    );
}

#[test]
fn pkg_config_sees_only_libraries_for_lind() {
    let work = Work::new(&[]);
    let directory = work.path("sysroot/usr/lib/pkgconfig");
    fs::create_dir_all(&directory).unwrap();
    let file =
        "prefix=/usr\nName: own\nDescription: own\nVersion: 1\nLibs: -L${prefix}/lib -lown\n";
    fs::write(directory.join("own.pc"), file).unwrap();
    let list = work.run("lind-pkg-config", "--list-all");
    if list.stderr.contains("pkg-config not found") {
        assert!(list.stderr.contains("\nhint: "));
        return;
    }
    assert_eq!(list.stdout.lines().count(), 1, "{}", list.stdout);
    let libraries = work.run("lind-pkg-config", "--libs own").stdout;
    assert!(
        libraries.contains(&format!(
            "-L{}/usr/lib -lown",
            work.path("sysroot").display()
        )),
        "{libraries}"
    );
}
