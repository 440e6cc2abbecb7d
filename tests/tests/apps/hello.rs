//! GNU hello: an ordinary autoconf package.

use lind_tests::Result;
use lind_tests::apps::build::{Builder, expect};
use lind_tests::debian::Patches;

/// It greets in every way that it can.
pub(crate) fn check(builder: &Builder) -> Result<()> {
    let mut configure = vec!["./configure".to_owned(), "--quiet".to_owned()];
    configure.extend(builder.configure());
    let configure: Vec<&str> = configure.iter().map(String::as_str).collect();
    let hello = builder.build("hello", Patches::Applied, &[&configure, &["make", "-j2"]])?;
    let data = tempfile::tempdir().map_err(|e| e.to_string())?;
    let run = |arguments: &[&str]| hello.run("hello", arguments, data.path(), "");
    expect("hello", "Hello, world!\n", &run(&[])?)?;
    expect("hello -t", "hello, world\n", &run(&["-t"])?)?;
    expect(
        "hello --greeting",
        "Moin, Welt\n",
        &run(&["--greeting=Moin, Welt"])?,
    )?;
    let version = run(&["--version"])?;
    if !version.starts_with("hello (GNU Hello) 2.10\n") {
        return Err(format!("hello --version says:\n{version}"));
    }
    Ok(())
}
