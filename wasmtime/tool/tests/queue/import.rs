//! `import`: what it makes, what it leaves alone, and how it fails.

use std::fs;

use crate::repository::{Repository, numbered, tick, upstream};

#[test]
fn an_import_has_upstreams_files_the_patches_and_the_overlay() {
    let r = Repository::new();
    r.write("demo/overlay/src/new.c", "new\n");
    r.patch("one", "src/a.c", 5, "five");
    assert_eq!(
        r.read("target/demo/src/a.c"),
        numbered("a", 20).replace("a 5\n", "five\n")
    );
    assert_eq!(r.read("target/demo/src/b.c"), numbered("b", 20));
    assert_eq!(r.read("target/demo/src/new.c"), "new\n");
    assert!(r.is_executable("target/demo/configure"));
    assert!(!r.is_executable("target/demo/README"));
}

#[test]
fn an_unchanged_queue_is_not_imported_again() {
    let r = Repository::new();
    assert!(
        r.ok(&["import"])
            .contains("demo: demo 1.0: 0 of 0 patches, 0 new files")
    );
    let time = r.modified("target/demo");
    fs::remove_dir_all(r.path("target/downloads")).unwrap();
    assert_eq!(r.ok(&["import"]), "demo: up to date\n");
    assert_eq!(r.modified("target/demo"), time);
    assert!(!r.path("target/downloads").exists());
}

#[test]
fn files_and_directories_that_stay_keep_their_time() {
    let r = Repository::new();
    r.patch("one", "src/a.c", 5, "five");
    let times = |paths: &[&str]| {
        paths
            .iter()
            .map(|p| r.modified(&format!("target/demo/{p}")))
            .collect::<Vec<_>>()
    };
    let stay = ["README", "configure", "src/b.c", "src"];
    let (before, a) = (times(&stay), r.modified("target/demo/src/a.c"));
    tick();
    let text = r.read("demo/patches/one.patch").replace("+five", "+FIVE");
    r.write("demo/patches/one.patch", &text);
    r.write("demo/overlay/new/file", "new\n");
    r.ok(&["import"]);
    assert_eq!(times(&stay), before);
    assert!(r.modified("target/demo/src/a.c") > a);
    assert!(r.modified("target/demo/new/file") > a);
    // A new directory entry is a change of the directory.
    r.write("demo/overlay/src/file", "new\n");
    r.ok(&["import"]);
    assert!(r.modified("target/demo/src") > a);
    assert_eq!(times(&["README", "src/b.c"]), [before[0], before[2]]);
}

#[test]
fn configure_never_looks_older_than_its_input() {
    let r = Repository::new();
    r.ok(&["import"]);
    let configure = r.modified("target/demo/configure");
    assert!(r.modified("target/demo/configure.ac") <= configure);
    tick();
    r.edit("configure.ac", "AC_INIT", "AC_INIT(demo)");
    r.ok(&["export", "--into", "ac"]);
    r.ok(&["import", "--until", "none"]);
    r.ok(&["import"]);
    assert_eq!(r.read("target/demo/configure.ac"), "AC_INIT(demo)\n");
    assert_eq!(r.modified("target/demo/configure"), configure);
    assert!(r.modified("target/demo/configure.ac") <= configure);
}

#[test]
fn a_wrong_digest_stops_everything() {
    let r = Repository::new();
    let mut files = upstream();
    files[0].1 = "altered\n".to_owned();
    r.archive("1.0", &files);
    let said = r.fails(&["import"]);
    assert!(
        said.contains("demo 1.0: the digest of the archive is"),
        "{said}"
    );
    assert!(said.contains("upstream.toml says"), "{said}");
    assert!(!r.path("target/demo").exists());
    assert_eq!(fs::read_dir(r.path("target/downloads")).unwrap().count(), 0);
}

#[test]
fn an_archive_altered_after_its_download_is_not_used() {
    let r = Repository::new();
    r.ok(&["fetch"]);
    r.write("target/downloads/demo-1.0.tar.gz", "altered");
    r.ok(&["import"]);
    assert_eq!(r.read("target/demo/README"), "demo\n");
}

#[test]
fn a_missing_archive_is_a_sentence() {
    let r = Repository::new();
    fs::remove_file(r.path("demo/demo-1.0.tar.gz")).unwrap();
    let said = r.fails(&["import"]);
    assert!(
        said.contains("cannot read demo/demo-1.0.tar.gz: No such file"),
        "{said}"
    );
}

#[test]
fn a_patch_that_does_not_fit_leaves_the_tree_as_it_was() {
    let r = Repository::new();
    r.patch("one", "src/a.c", 5, "five");
    let text = r.read("demo/patches/one.patch");
    r.write("demo/patches/one.patch", &text.replace("-a 5", "-a five"));
    let said = r.fails(&["import"]);
    assert!(
        said.contains("demo 1.0: one.patch does not apply"),
        "{said}"
    );
    assert!(
        said.contains("src/a.c: hunk 1 (line 2): its old lines are not in the file"),
        "{said}"
    );
    assert!(said.contains("hint: correct the patch"), "{said}");
    assert!(r.read("target/demo/src/a.c").contains("five\n"));

    // The right lines at another place: no fuzz, but a way to correct it.
    r.write(
        "demo/patches/one.patch",
        &text.replace("@@ -2,7 +2,7 @@", "@@ -3,7 +3,7 @@"),
    );
    let said = r.fails(&["import"]);
    assert!(
        said.contains("it would fit at line 2 only") && said.contains("refresh"),
        "{said}"
    );
    r.ok(&["refresh"]);
    assert_eq!(r.read("demo/patches/one.patch"), text);
}

#[test]
fn an_overlay_file_may_not_hide_one_of_upstream() {
    let r = Repository::new();
    r.write("demo/overlay/src/a.c", "mine\n");
    for command in ["import", "check"] {
        let said = r.fails(&[command]);
        assert!(
            said.contains("overlay file src/a.c exists upstream"),
            "{said}"
        );
    }
    assert!(!r.path("target/demo").exists());
}

#[test]
fn a_patch_file_outside_the_series_is_refused() {
    let r = Repository::new();
    r.write(
        "demo/patches/stray.patch",
        "--- a/README\n+++ b/README\n@@ -1 +1 @@\n-demo\n+x\n",
    );
    let said = r.fails(&["import"]);
    assert!(
        said.contains("stray.patch is not listed in series"),
        "{said}"
    );
}

#[test]
fn edits_are_not_overwritten_unless_asked() {
    let r = Repository::new();
    r.ok(&["import"]);
    r.edit("src/a.c", "a 5\n", "mine\n");
    // Nothing to import: the edits are built.
    assert_eq!(r.ok(&["import"]), "demo: up to date\n");
    r.write("demo/overlay/new", "new\n");
    let said = r.fails(&["import"]);
    assert!(
        said.contains("target/demo has edits that are in no patch\n  src/a.c\n"),
        "{said}"
    );
    assert!(
        said.contains("cargo tool export demo") && said.contains("--force"),
        "{said}"
    );
    assert!(r.read("target/demo/src/a.c").contains("mine"));
    r.ok(&["import", "--force"]);
    assert_eq!(r.read("target/demo/src/a.c"), numbered("a", 20));
    assert_eq!(r.read("target/demo/new"), "new\n");
    // Force discards edits of a tree that is otherwise up to date as well.
    r.edit("src/a.c", "a 5\n", "mine\n");
    r.ok(&["import", "--force"]);
    assert_eq!(r.read("target/demo/src/a.c"), numbered("a", 20));
}

#[test]
fn a_tree_made_otherwise_is_not_overwritten() {
    let r = Repository::new();
    r.write("target/demo/file", "mine\n");
    let said = r.fails(&["import"]);
    assert!(said.contains("was not made by import"), "{said}");
    assert_eq!(r.read("target/demo/file"), "mine\n");
    r.ok(&["import", "--force"]);
    assert!(!r.path("target/demo/file").exists());
}

#[test]
fn an_interrupted_import_is_never_used() {
    let r = Repository::new();
    // Killed while it wrote the first tree.
    r.write("target/demo.new/src/a.c", "half");
    r.ok(&["import"]);
    assert_eq!(r.read("target/demo/src/a.c"), numbered("a", 20));
    assert!(!r.path("target/demo.new").exists());

    // Killed between moving the old tree away and the new one in.
    r.edit("src/b.c", "b 5\n", "mine\n");
    fs::rename(r.path("target/demo"), r.path("target/demo.old")).unwrap();
    r.write("target/demo.new/src/a.c", "half");
    assert_eq!(r.ok(&["import"]), "demo: up to date\n");
    assert!(r.read("target/demo/src/b.c").contains("mine"));
    r.ok(&["export", "--into", "kept"]);
    assert!(r.read("demo/patches/kept.patch").contains("+mine"));
    assert!(!r.path("target/demo.new").exists() && !r.path("target/demo.old").exists());
}

#[test]
fn an_archive_cannot_write_outside_its_tree() {
    let r = Repository::new();
    r.pin("1.0", &[("README", "demo\n".to_owned())]);
    // The tar crate refuses to write such a path, so the name is changed in the raw archive.
    let file = r.path("demo/demo-1.0.tar.gz");
    let mut raw = Vec::new();
    let gz = fs::read(&file).unwrap();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&gz[..]), &mut raw).unwrap();
    let mut header = tar::Header::new_gnu();
    header.as_mut_bytes().copy_from_slice(&raw[..512]);
    header.as_mut_bytes()[..100].fill(0);
    header.as_mut_bytes()[..15].copy_from_slice(b"demo/../../evil");
    header.set_cksum();
    raw[..512].copy_from_slice(header.as_bytes());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, &raw).unwrap();
    let bytes = gzip.finish().unwrap();
    fs::write(&file, &bytes).unwrap();
    r.pin_file("1.0");
    let said = r.fails(&["import"]);
    assert!(said.contains("leaves the archive's directory"), "{said}");
}
