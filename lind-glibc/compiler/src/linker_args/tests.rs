//! What becomes of linker options in GNU syntax.

use super::*;

fn translated(line: &str) -> LinkerArgs {
    attempt(line).unwrap()
}

fn attempt(line: &str) -> Result<LinkerArgs, Error> {
    let items: Vec<Item> = line
        .split_whitespace()
        .map(|word| Item::Raw(OsString::from(word)))
        .collect();
    translate(&items, Path::new("/rt/builtins.a"))
}

fn args(line: &str) -> String {
    translated(line)
        .args
        .iter()
        .map(|arg| arg.to_str().unwrap())
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn elf_options_are_left_out() {
    let line = "-z relro -znow --build-id=sha1 --hash-style=gnu --as-needed -( -) --start-group --end-group -rpath /x -rpath=/y \
                -rpath-link /z -soname x.so.1 -h x --dynamic-linker /ld.so --version-script=map --version-script map \
                --dynamic-list=l -export-dynamic -E -Bsymbolic-functions -pie --no-undefined -m elf_i386 --sort-common \
                --enable-new-dtags --eh-frame-hdr --exclude-libs ALL -R/run";
    assert_eq!(args(line), "");
}

#[test]
fn the_linkers_own_options_pass() {
    assert_eq!(
        args("--gc-sections --wrap=f -Map=m -O1 --trace"),
        "--gc-sections --wrap=f --Map=m -O1 --trace"
    );
    assert_eq!(
        args("-Map m --whole-archive x.a --no-whole-archive"),
        "--Map=m --whole-archive x.a --no-whole-archive"
    );
    assert_eq!(
        args("-u a -ub --undefined c --undefined=d"),
        "--undefined=a --undefined=b --undefined=c --undefined=d"
    );
    assert_eq!(
        args("--unresolved-symbols=ignore-all"),
        "--unresolved-symbols=ignore-all"
    );
}

#[test]
fn gccs_libraries_are_the_builtins() {
    assert_eq!(
        args("-lgcc -lm -lgcc_s -lgcc_eh -l c"),
        "/rt/builtins.a -lm -lc"
    );
}

#[test]
fn missing_start_files_of_gcc_are_not_needed() {
    assert_eq!(args("crtbeginT.o a.o crtend.o"), "a.o");
    assert_eq!(args("dir/crtbegin.o"), "dir/crtbegin.o");
}

#[test]
fn the_stack_size_is_the_users() {
    assert_eq!(
        translated("-z stack-size=1048576").stack_size,
        Some(1 << 20)
    );
    assert_eq!(
        translated("-zstack-size=0x100000").stack_size,
        Some(1 << 20)
    );
    assert_eq!(translated("-z relro").stack_size, None);
    assert!(attempt("-z stack-size=big").is_err());
}

#[test]
fn entry_points_can_be_chosen() {
    assert!(translated("-e main").entry);
    assert!(translated("--entry=main").entry);
    assert!(translated("--no-entry").entry);
    assert!(!translated("a.o").entry);
}

#[test]
fn undefined_symbols_never_become_imports() {
    assert_eq!(args("--allow-undefined"), "--unresolved-symbols=ignore-all");
    assert_eq!(
        args("--import-undefined"),
        "--unresolved-symbols=ignore-all"
    );
}

#[test]
fn shared_objects_and_linker_scripts_are_refused() {
    for line in [
        "-shared",
        "--shared",
        "-Bshareable",
        "-G",
        "-T x.ld",
        "-Tx.ld",
        "--script=x.ld",
    ] {
        assert!(attempt(line).is_err(), "{line}");
    }
}

#[test]
fn questions_are_noticed() {
    assert!(translated("--version").version);
    assert!(translated("-v").version);
    assert!(!translated("-v").has_input);
    assert!(translated("-v -lc").has_input);
}

#[test]
fn a_missing_value_is_an_error() {
    assert!(attempt("-rpath").is_err());
    assert!(attempt("-u").is_err());
}
