//! `va_start` in functions whose callers leave their arguments out.

use std::fs;

use crate::work::{Work, has};

/// Uses `va_start` in the ways that programs have.
const READER: (&str, &str) = (
    "reader.c",
    "#define __need___va_list\n\
     #include <stdarg.h>\n\
     #ifdef va_start\n\
     #error a part of the header is all of it\n\
     #endif\n\
     static __gnuc_va_list kept;\n\
     #include <stdarg.h>\n\
     #include <stdarg.h>\n\
     struct state { va_list list; };\n\
     int header(int first, ...);\n\
     int header(int first, ...)\n\
     {\n\
     \tva_list list;\n\
     \tint value;\n\
     \tva_start(list, first);\n\
     \tvalue = va_arg(list, int);\n\
     \tva_end(list);\n\
     \tva_start(kept, first);\n\
     \treturn first + value + va_arg(kept, int);\n\
     }\n\
     int member(struct state *state, ...);\n\
     int member(struct state *state, ...)\n\
     {\n\
     \tint value;\n\
     \t__builtin_va_start(state->list, state);\n\
     \tvalue = __builtin_va_arg(state->list, int);\n\
     \t__builtin_va_end(state->list);\n\
     \treturn value;\n\
     }\n",
);

/// C23's form.
const ONE: (&str, &str) = (
    "one.c",
    "#include <stdarg.h>\n\
     int one(...) { va_list list; va_start(list); int value = va_arg(list, int); va_end(list); return value; }\n\
     int two(int n, ...) { va_list list; va_start(list, n); int value = va_arg(list, int); va_end(list); return value; }\n",
);

#[test]
fn zeros_stand_for_arguments_that_are_not_there() {
    let work = Work::new(&[READER, ONE]);
    for line in ["-O0 reader.c", "-O2 reader.c", "-std=c23 -O2 one.c"] {
        let code = work.ok(&format!("-S {line} -o -")).stdout;
        // One object for all of a source's functions.
        assert_eq!(code.matches(".skip\t64").count(), 1, "{line}: {code}");
        assert!(code.contains("select") || code.contains("br_if"), "{line}");
    }
}

#[test]
fn no_standard_and_no_warning_minds_it() {
    let work = Work::new(&[READER, ONE]);
    // All that clang can warn of; C23's macro has its own name in it, of which only -Weverything warns.
    for (standard, but) in [
        ("c90", ""),
        ("c99", ""),
        ("gnu17", ""),
        ("c23", "-Wno-disabled-macro-expansion"),
    ] {
        let line = format!("-std={standard} -Weverything -pedantic {but} -fsyntax-only reader.c");
        let said = work.ok(&line).stderr;
        assert!(!said.contains("command line"), "{line}: {said}");
    }
    work.ok("-std=c89 -ansi -O2 -Wall -Wextra -Wcast-qual -Wwrite-strings -Werror -c reader.c");
    for standard in ["c++98", "c++11", "c++20", "c++23"] {
        work.ok(&format!(
            "-x c++ -std={standard} -Wall -Wextra -Wold-style-cast -Wcast-qual -pedantic-errors -Werror -fsyntax-only reader.c"
        ));
    }
    for standard in ["-std=c23", "--std=gnu2x", "-std=c17 -std=c2y"] {
        work.ok(&format!(
            "{standard} -Wall -Wextra -pedantic-errors -Werror -c one.c"
        ));
    }
    // As clang says it without the macro.
    let old = work.cc("-std=c23 -std=c17 -c one.c");
    assert_ne!(old.status, 0);
}

#[test]
fn it_needs_no_header_and_shows_in_no_list_of_them() {
    let own = "typedef __builtin_va_list va_list;\n\
               #define va_start(list, last) __builtin_va_start(list, last)\n\
               #define va_arg __builtin_va_arg\n";
    let work = Work::new(&[
        READER,
        (
            "user.c",
            "#include <stdarg.h>\n\
             int f(int n, ...) { va_list list; va_start(list, n); return va_arg(list, int); }\n",
        ),
    ]);
    fs::create_dir(work.path("own")).unwrap();
    fs::write(work.path("own/stdarg.h"), own).unwrap();
    for line in [
        "-nostdinc -Iown",
        "-Iown",
        "-isystem own",
        "-ffreestanding",
        "-nostdlibinc",
    ] {
        let code = work.ok(&format!("{line} -O2 -S user.c -o -")).stdout;
        assert!(code.contains(".skip\t64"), "{line}");
    }
    assert_eq!(work.ok("-MM reader.c").stdout, "reader.o: reader.c\n");
    let all = work.ok("-M reader.c").stdout;
    assert!(
        all.contains("/include/stdarg.h") && !all.contains("lind"),
        "{all}"
    );
}

#[test]
fn preprocessed_and_assembler_sources_are_what_they_were() {
    let work = Work::new(&[
        READER,
        ("plain.c", "int plain(void);\n"),
        (
            "low.s",
            ".globl low\nlow:\n.functype low () -> ()\nend_function\n",
        ),
        (
            "pre.S",
            "#define NAME low\n.globl NAME\nNAME:\n.functype NAME () -> ()\nend_function\n",
        ),
    ]);
    let text = work.ok("-E -P plain.c").stdout;
    assert_eq!(text.trim(), "int plain(void);");
    // What was preprocessed may be compiled later, as either kind of file.
    work.ok("-E reader.c -o later.i");
    work.ok("-E -P reader.c -o later.c");
    for (name, flags) in [("later.i", "-Werror -Wall"), ("later.c", "-Werror -Wall")] {
        work.ok(&format!("{flags} -O2 -c {name} -o later.o"));
    }
    work.ok("-Werror -c low.s -o low.o");
    work.ok("-Werror -c pre.S -o pre.o");
    assert!(!has(&work.path("pre.o"), b"va_start"));
}
