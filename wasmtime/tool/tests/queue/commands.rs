//! `export`, `refresh`, `check`, `upgrade` and `status` on a small queue.

use crate::repository::{Repository, numbered, upstream};

#[test]
fn an_edit_goes_to_the_patch_that_touches_the_file() {
    let r = Repository::new();
    r.patch("one", "src/a.c", 5, "five");
    r.patch("two", "src/b.c", 5, "FIVE");
    let two = r.read("demo/patches/two.patch");
    r.edit("src/a.c", "a 15\n", "fifteen\n");
    assert!(r.ok(&["export"]).contains("demo: demo: one.patch\n"));
    let one = r.read("demo/patches/one.patch");
    assert!(
        one.contains("+five\n") && one.contains("+fifteen\n"),
        "{one}"
    );
    assert_eq!(r.read("demo/patches/two.patch"), two);
    assert_eq!(r.read("demo/patches/series"), "one.patch\ntwo.patch\n");
    assert!(r.ok(&["export"]).contains("no edits to export"));
    r.ok(&["check"]);
}

#[test]
fn a_file_of_no_patch_needs_a_name() {
    let r = Repository::new();
    r.ok(&["import"]);
    let empty = r.queue();
    r.edit("src/a.c", "a 5\n", "five\n");
    let said = r.fails(&["export"]);
    assert!(
        said.contains("no patch touches these files yet\n  src/a.c"),
        "{said}"
    );
    assert!(said.contains("--into NAME"), "{said}");
    assert_eq!(r.queue(), empty);
    r.ok(&["export", "--into", "one"]);
    assert_eq!(r.read("demo/patches/series"), "one.patch\n");
    // Its author still has to say why.
    let said = r.fails(&["check"]);
    assert!(
        said.contains("one.patch: it has no 'Reason:' trailer"),
        "{said}"
    );
    r.describe("one");
    r.ok(&["check"]);
}

#[test]
fn new_files_live_in_the_overlay() {
    let r = Repository::new();
    r.ok(&["import"]);
    r.write("target/demo/src/new.c", "new\n");
    r.write("target/demo/src/new.c.orig", "litter\n");
    assert!(r.ok(&["export"]).contains("overlay src/new.c\n"));
    assert_eq!(r.read("demo/overlay/src/new.c"), "new\n");
    assert!(!r.path("demo/overlay/src/new.c.orig").exists());
    r.edit("src/new.c", "new", "newer");
    r.ok(&["export"]);
    assert_eq!(r.read("demo/overlay/src/new.c"), "newer\n");
    std::fs::remove_file(r.path("target/demo/src/new.c")).unwrap();
    assert!(r.ok(&["export"]).contains("overlay src/new.c removed\n"));
    assert!(!r.path("demo/overlay/src/new.c").exists());
}

#[test]
fn a_deleted_file_is_a_patch() {
    let r = Repository::new();
    r.ok(&["import"]);
    std::fs::remove_file(r.path("target/demo/src/b.c")).unwrap();
    r.ok(&["export", "--into", "drop"]);
    assert!(r.read("demo/patches/drop.patch").contains("+++ /dev/null"));
    r.ok(&["import", "--until", "none"]);
    assert!(r.path("target/demo/src/b.c").exists());
    r.ok(&["import"]);
    assert!(!r.path("target/demo/src/b.c").exists());
}

#[test]
fn an_edit_undone_removes_its_patch() {
    let r = Repository::new();
    r.patch("one", "src/a.c", 5, "five");
    r.edit("src/a.c", "five\n", "a 5\n");
    assert!(
        r.ok(&["export"])
            .contains("one.patch removed: it would change nothing")
    );
    assert_eq!(r.read("demo/patches/series"), "");
    assert!(!r.path("demo/patches/one.patch").exists());
    r.ok(&["check"]);
}

#[test]
fn export_does_not_depend_on_how_the_edits_came() {
    let make = |first: (&str, &str), second: (&str, &str)| {
        let r = Repository::new();
        r.ok(&["import"]);
        for (old, new) in [first, second] {
            r.edit("src/a.c", &format!("{old}\n"), &format!("{new}\n"));
            r.ok(&["export", "--into", "one"]);
        }
        r.read("demo/patches/one.patch")
    };
    let (x, y) = (("a 3", "three"), ("a 17", "seventeen"));
    assert_eq!(make(x, y), make(y, x));
}

#[test]
fn an_earlier_patch_is_edited_after_import_until() {
    let r = Repository::new();
    r.patch("one", "src/a.c", 3, "three");
    r.patch("two", "src/a.c", 17, "seventeen");
    // The last patch owns the file in the complete tree.
    r.edit("src/a.c", "a 9\n", "nine\n");
    let said = r.fails(&["export", "--into", "one"]);
    assert!(
        said.contains("src/a.c: two.patch changes it after one.patch"),
        "{said}"
    );
    r.ok(&["import", "--force"]);

    r.ok(&["import", "--until", "one"]);
    assert!(!r.read("target/demo/src/a.c").contains("seventeen"));
    r.edit("src/a.c", "three\n", "three\nand a half\n");
    r.ok(&["export"]);
    assert!(r.read("demo/patches/one.patch").contains("+and a half"));
    let two = r.read("demo/patches/two.patch");
    assert!(
        two.contains("@@ -15,7 +15,7 @@") && !two.contains("half"),
        "{two}"
    );
    assert!(r.ok(&["status"]).contains("imported until one.patch"));
    r.ok(&["import"]);
    assert!(r.read("target/demo/src/a.c").contains("and a half"));
    assert!(r.read("target/demo/src/a.c").contains("seventeen"));
    r.ok(&["check"]);
}

#[test]
fn a_new_patch_can_be_put_between_others() {
    let r = Repository::new();
    r.patch("one", "src/a.c", 3, "three");
    r.patch("three", "src/b.c", 17, "seventeen");
    r.ok(&["import", "--until", "demo/one"]);
    r.edit("README", "demo", "DEMO");
    r.ok(&["export", "--into", "two"]);
    assert_eq!(
        r.read("demo/patches/series"),
        "one.patch\ntwo.patch\nthree.patch\n"
    );
    assert!(r.ok(&["status"]).contains("imported until two.patch"));
}

#[test]
fn an_edit_that_a_later_patch_does_not_survive_is_written_and_reported() {
    let r = Repository::new();
    r.patch("one", "src/a.c", 3, "three");
    r.patch("two", "src/a.c", 5, "five");
    let two = r.read("demo/patches/two.patch");
    r.ok(&["import", "--until", "one"]);
    r.edit("src/a.c", "a 5\n", "a new 5\n");
    let said = r.fails(&["export"]);
    assert!(said.contains("demo: two.patch does not apply"), "{said}");
    assert!(said.contains("--until demo/one.patch"), "{said}");
    assert!(r.read("demo/patches/one.patch").contains("+a new 5"));
    assert_eq!(r.read("demo/patches/two.patch"), two);
    // The way that the hint names.
    r.ok(&["import", "--until", "demo/one.patch"]);
    r.edit("src/a.c", "a new 5\n", "five\n");
    r.ok(&["export", "--into", "two"]);
    let two = r.read("demo/patches/two.patch");
    assert!(
        two.starts_with("Change the demo.\n") && two.contains("-a new 5\n+five\n"),
        "{two}"
    );
    r.ok(&["import"]);
    r.ok(&["check"]);
}

#[test]
fn an_edit_under_a_changed_queue_does_not_undo_the_change() {
    let r = Repository::new();
    r.patch("one", "src/a.c", 5, "five");
    r.edit("src/b.c", "b 5\n", "mine\n");
    r.edit("src/a.c", "a 15\n", "mine\n");
    let text = r.read("demo/patches/one.patch");
    r.write("demo/patches/one.patch", &text.replace("+five", "+FIVE"));
    let said = r.fails(&["export", "--into", "two"]);
    assert!(
        said.contains("src/a.c was edited, and the queue's version of it has changed"),
        "{said}"
    );
    // An edit of another file can be exported.
    r.edit("src/a.c", "mine\n", "a 15\n");
    r.ok(&["export", "--into", "two"]);
    assert!(r.read("target/demo/src/a.c").contains("FIVE"));
    assert!(r.read("target/demo/src/b.c").contains("mine"));
}

#[test]
fn the_executable_bit_of_upstream_cannot_change() {
    let r = Repository::new();
    r.ok(&["import"]);
    let file = r.path("target/demo/README");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(file, mode).unwrap();
    let said = r.fails(&["export", "--into", "one"]);
    assert!(
        said.contains("README: a patch cannot change links or the executable bit"),
        "{said}"
    );
}

#[test]
fn check_names_every_fault() {
    let r = Repository::new();
    r.patch("one", "src/a.c", 5, "five");
    r.patch("two", "src/b.c", 5, "five");
    assert_eq!(r.ok(&["check"]), "demo: 1 sources, 2 patches: in order\n");
    let one = r.read("demo/patches/one.patch");
    r.write("demo/patches/one.patch", &one.replace("Upstream: no\n", ""));
    let two = r.read("demo/patches/two.patch");
    r.write(
        "demo/patches/two.patch",
        &two.replace("--- a/src", "diff a b\n--- a/src"),
    );
    let before = r.queue();
    let said = r.fails(&["check"]);
    assert!(said.contains("2 faults"), "{said}");
    assert!(
        said.contains("one.patch: it has no 'Upstream:' trailer"),
        "{said}"
    );
    assert!(
        said.contains("two.patch: not as export writes it"),
        "{said}"
    );
    assert_eq!(r.queue(), before);
    r.ok(&["refresh"]);
    assert_eq!(r.read("demo/patches/two.patch"), two);
}

#[test]
fn check_does_not_look_at_the_imported_tree() {
    let r = Repository::new();
    r.patch("one", "src/a.c", 5, "five");
    r.edit("src/a.c", "five", "edited");
    r.ok(&["check"]);
    assert!(r.read("target/demo/src/a.c").contains("edited"));
}

#[test]
fn check_compares_the_pins_with_cargo_lock() {
    let r = Repository::new();
    let pin = r.read("demo/upstream.toml");
    r.write(
        "demo/upstream.toml",
        &pin.replace("\n\n[[", "\nlocks = [\"Cargo.lock\", \"none.lock\"]\n\n[["),
    );
    let lock = |version: &str, checksum: &str| {
        r.write(
            "Cargo.lock",
            &format!("[[package]]\nname = \"demo\"\nversion = \"{version}\"\n{checksum}"),
        );
    };
    lock("1.0", "");
    r.ok(&["check"]);
    lock("0.9", "");
    let said = r.fails(&["check"]);
    assert!(
        said.contains("Cargo.lock has demo 0.9, upstream.toml pins 1.0"),
        "{said}"
    );
    lock("1.0", "checksum = \"12\"\n");
    let said = r.fails(&["check"]);
    assert!(said.contains("has checksum 12 for demo 1.0"), "{said}");
    let digest = pin
        .split("sha256 = \"")
        .nth(1)
        .unwrap()
        .trim_end_matches("\"\n");
    lock("1.0", &format!("checksum = \"{digest}\"\n"));
    r.ok(&["check"]);
}

#[test]
fn an_upgrade_carries_the_patches_over() {
    let r = Repository::new();
    r.patch("one", "src/a.c", 5, "five");
    let mut files = upstream();
    files[3].1 = format!("a zero\n{}", numbered("a", 20));
    r.archive("1.1", &files);
    assert!(
        r.ok(&["upgrade", "demo", "--to", "1.1"])
            .contains("demo: demo 1.0 -> 1.1\n")
    );
    assert!(r.read("demo/patches/one.patch").contains("@@ -3,7 +3,7 @@"));
    let pin = r.read("demo/upstream.toml");
    assert!(
        pin.starts_with("# The demo.\n") && pin.contains("file = \"demo-1.1.tar.gz\""),
        "{pin}"
    );
    assert!(r.ok(&["status"]).contains("is older than the queue"));
    r.ok(&["import"]);
    assert!(r.read("target/demo/src/a.c").starts_with("a zero\na 1\n"));
    r.ok(&["check"]);
    assert!(
        r.ok(&["upgrade", "demo", "--to", "1.1"])
            .contains("nothing newer")
    );
}

#[test]
fn an_upgrade_names_the_patch_that_does_not_fit() {
    let r = Repository::new();
    r.patch("one", "src/a.c", 5, "five");
    r.patch("two", "src/b.c", 5, "five");
    let mut files = upstream();
    files[3].1 = numbered("a", 20).replace("a 5\n", "a five\n");
    r.archive("1.1", &files);
    let said = r.fails(&["upgrade", "demo", "--to", "1.1"]);
    assert!(
        said.contains("demo: one.patch does not apply\n  src/a.c: hunk 1 (line 2)"),
        "{said}"
    );
    assert!(
        said.contains("cargo tool import demo --until demo/none"),
        "{said}"
    );
    // Made again by hand, as the hint says; nothing was lost of its description.
    r.ok(&["import", "demo", "--until", "demo/none"]);
    r.edit("src/a.c", "a five\n", "five\n");
    r.ok(&["export", "demo", "--into", "one"]);
    assert!(r.read("demo/patches/one.patch").contains("Reason: a test"));
    r.ok(&["import"]);
    r.ok(&["check"]);
    let said = r.fails(&["upgrade", "demo", "--to", "9"]);
    assert!(said.contains("cannot read demo/demo-9.tar.gz"), "{said}");
}

#[test]
fn status_shows_patches_and_edits() {
    let r = Repository::new();
    assert!(r.ok(&["status"]).contains("demo 1.0: not imported"));
    r.patch("one", "src/a.c", 5, "five");
    r.edit("src/b.c", "b 5", "mine");
    r.write("target/demo/new", "new\n");
    std::fs::remove_file(r.path("target/demo/README")).unwrap();
    let said = r.ok(&["status"]);
    for line in [
        "is up to date",
        "applied  one.patch",
        "edited   src/b.c",
        "new      new",
        "deleted  README",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
}

#[test]
fn wrong_names_are_answered_with_the_right_ones() {
    let r = Repository::new();
    let said = r.fails(&["import", "dem"]);
    assert!(
        said.contains("there is no queue 'dem'\nhint: the queues are: demo"),
        "{said}"
    );
    let said = r.fails(&["import", "--until", "x"]);
    assert!(said.contains("there is no patch 'x'"), "{said}");
    let said = r.fails(&["export", "--root", "/nonexistent"]);
    assert!(said.contains("/nonexistent"), "{said}");
}

#[test]
fn help_teaches_the_way_of_working() {
    let said = Repository::new().ok(&["--help"]);
    for word in [
        "fetch",
        "import",
        "export",
        "refresh",
        "check",
        "upgrade",
        "status",
        "overlay/",
        "--into NAME",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }
}
