//! What the parser makes of command lines.

use super::*;

fn parsed(line: &str) -> Invocation {
    parse(&words(line)).unwrap()
}

fn refused(line: &str) -> String {
    parse(&words(line)).unwrap_err().to_string()
}

fn words(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}

fn raw(arg: &str) -> Item {
    Item::Raw(OsString::from(arg))
}

fn source(path: &str) -> Item {
    Item::Source {
        path: OsString::from(path),
        language: None,
    }
}

fn object(path: &str) -> Item {
    Item::Object(OsString::from(path))
}

#[test]
fn a_source_alone_is_a_link() {
    let invocation = parsed("a.c");
    assert!(invocation.is_link());
    assert_eq!(invocation.items, [source("a.c")]);
    assert_eq!(invocation.output, None);
}

#[test]
fn stages_before_the_link_are_clangs() {
    for stage in ["-c", "-S", "-E", "-M", "-MM", "-fsyntax-only"] {
        let invocation = parsed(&format!("{stage} -O2 a.c -o out"));
        assert!(!invocation.is_link(), "{stage}");
        assert_eq!(invocation.clang, words(&format!("{stage} -O2 a.c -o out")));
    }
    assert!(parsed("-MD -MMD a.c").is_link());
}

#[test]
fn headers_are_compiled_not_linked() {
    assert!(!parsed("a.h").is_link());
    assert!(!parsed("-x c-header a.c -o a.pch").is_link());
    assert!(parsed("a.h b.o").is_link());
}

#[test]
fn values_of_options_are_not_inputs() {
    let line = "-I inc -D X -U Y -include a.h -isystem sys -idirafter b.c -MF d.c -MT t.c -MQ q.c -mllvm -x -Xclang c.c";
    let invocation = parsed(&format!("{line} main.c"));
    assert_eq!(invocation.items, [source("main.c")]);
    assert_eq!(invocation.flags, words(line));
}

#[test]
fn the_order_of_a_link_is_kept() {
    let invocation = parsed(
        "-Lx a.o -lfoo -Wl,--whole-archive,b.a -Xlinker --no-whole-archive c.c -l bar -L dir d.s e.S",
    );
    let expected = [
        raw("-Lx"),
        object("a.o"),
        raw("-lfoo"),
        raw("--whole-archive"),
        raw("b.a"),
        raw("--no-whole-archive"),
        source("c.c"),
        raw("-lbar"),
        raw("-Ldir"),
        source("d.s"),
        source("e.S"),
    ];
    assert_eq!(invocation.items, expected);
    assert_eq!(invocation.flags, Vec::<OsString>::new());
}

#[test]
fn a_language_holds_until_the_next() {
    let invocation = parsed("-x c - -xnone b.c -x assembler c.txt");
    let with = |path: &str, language: &str| Item::Source {
        path: OsString::from(path),
        language: Some(OsString::from(language)),
    };
    assert_eq!(
        invocation.items,
        [with("-", "c"), source("b.c"), with("c.txt", "assembler")]
    );
}

#[test]
fn outputs_may_be_attached() {
    assert_eq!(parsed("a.c -o x").output, Some(OsString::from("x")));
    assert_eq!(parsed("a.c -ox").output, Some(OsString::from("x")));
    assert_eq!(parsed("a.c --output=x").output, Some(OsString::from("x")));
    assert_eq!(parsed("a.c -o x -o y").output, Some(OsString::from("y")));
}

#[test]
fn the_last_optimisation_counts() {
    let level = |line: &str| parsed(&format!("{line} a.c")).optimization;
    assert_eq!(level(""), Optimization::None);
    assert_eq!(level("-O"), Optimization::None);
    assert_eq!(level("-O2"), Optimization::Speed);
    assert_eq!(level("-O3"), Optimization::Most);
    assert_eq!(level("-O9"), Optimization::Most);
    assert_eq!(level("-Ofast"), Optimization::Most);
    assert_eq!(level("-O2 -Os"), Optimization::Size);
    assert_eq!(level("-Oz -O2"), Optimization::Speed);
    assert_eq!(level("-O2 -Og"), Optimization::None);
}

#[test]
fn standard_parts_can_be_left_out() {
    let standard = |line: &str| parsed(&format!("{line} a.c")).standard;
    let parts = |start_file, c_library, builtins| Standard {
        start_file,
        c_library,
        builtins,
    };
    assert_eq!(standard(""), parts(true, true, true));
    assert_eq!(standard("-nostdlib"), parts(false, false, false));
    assert_eq!(standard("-nostartfiles"), parts(false, true, true));
    assert_eq!(standard("-nodefaultlibs"), parts(true, false, false));
    assert_eq!(standard("-nolibc"), parts(true, false, true));
}

#[test]
fn options_without_meaning_are_swallowed() {
    let line = "-fPIC -fpie -pie -no-pie -static -static-pie -rdynamic -fuse-ld=gold -static-libgcc -m32 -ftls-model=initial-exec";
    let invocation = parsed(&format!("{line} a.c"));
    assert_eq!(invocation.flags, Vec::<OsString>::new());
    assert_eq!(invocation.items, [source("a.c")]);
}

#[test]
fn the_last_word_on_common_symbols_counts() {
    let tentative = |line: &str| parsed(&format!("{line} a.c")).tentative;
    assert_eq!(tentative(""), Tentative::Strong);
    assert_eq!(tentative("-fcommon"), Tentative::Common);
    assert_eq!(tentative("-fcommon -fno-common"), Tentative::Strong);
    assert_eq!(parsed("-fcommon a.c").flags, Vec::<OsString>::new());
}

#[test]
fn pthread_reaches_the_preprocessor() {
    assert_eq!(parsed("-pthread a.c").flags, words("-pthread"));
}

#[test]
fn undef_is_not_the_linkers() {
    let invocation = parsed("-undef -u main -Dx a.c");
    assert_eq!(invocation.flags, words("-undef -Dx"));
    assert_eq!(invocation.items, [raw("-u"), raw("main"), source("a.c")]);
}

#[test]
fn dependency_files_of_a_link_are_named_by_the_driver() {
    assert!(parsed("-MD a.c").dependencies);
    assert!(!parsed("-MD -MF d a.c").dependencies);
    assert!(!parsed("-MMD -MFd a.c").dependencies);
    assert!(!parsed("a.c").dependencies);
}

#[test]
fn questions_take_one_or_two_dashes() {
    let question = |line: &str| parsed(line).question.unwrap();
    assert_eq!(
        question("-print-prog-name=ld"),
        Question::ProgramName("ld".to_owned())
    );
    assert_eq!(
        question("--print-prog-name=ld"),
        Question::ProgramName("ld".to_owned())
    );
    assert_eq!(
        question("-print-file-name=libc.a"),
        Question::FileName("libc.a".to_owned())
    );
    assert_eq!(question("--print-libgcc-file-name"), Question::Builtins);
    assert_eq!(question("-print-lind-share"), Question::Share);
    assert_eq!(question("--version -c a.c"), Question::Version);
    assert_eq!(question("-v"), Question::Clang);
}

#[test]
fn nothing_to_do_is_an_error() {
    assert_eq!(refused(""), "error: no input files");
    assert_eq!(refused("-O2"), "error: no input files");
    assert_eq!(refused("a.c -o"), "error: argument to '-o' is missing");
}

#[test]
fn what_cannot_be_is_refused() {
    assert!(refused("-m64 a.c").contains("32-bit pointers"));
    assert!(refused("-dynamiclib a.c").contains("linked statically"));
    assert!(refused("-fsanitize=address a.c").contains("no sanitizer run-time library"));
}

#[test]
fn trapping_sanitizers_work() {
    let invocation = parsed("-fsanitize=undefined -fsanitize-trap=undefined -c a.c");
    assert_eq!(
        invocation.clang.last(),
        Some(&OsString::from("-fno-sanitize=function"))
    );
}

#[test]
fn arguments_need_not_be_text() {
    use std::os::unix::ffi::OsStringExt;
    let name = OsString::from_vec(b"caf\xe9.c".to_vec());
    let define = OsString::from_vec(b"-DX=\xe9".to_vec());
    let invocation = parse(&[define.clone(), name.clone()]).unwrap();
    assert_eq!(invocation.flags, [define]);
    assert_eq!(
        invocation.items,
        [Item::Source {
            path: name,
            language: None
        }]
    );
}
