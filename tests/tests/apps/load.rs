//! stress and postmark: load of all kinds at once, and a mail server's files.

use std::path::PathBuf;

use lind_tests::Result;
use lind_tests::apps::build::Builder;
use lind_tests::debian::Patches;

use crate::scripts::{Script, compare};

/// Kinds of load, alone and together; `stress` ends with the number of workers that failed.
const STRESS: &[Script] = &[
    (
        "each kind",
        "for what in '--cpu 3' '--io 2' '--hdd 2 --hdd-bytes 2m' '--vm 2 --vm-bytes 8m' '--vm 2 --vm-bytes 4m --vm-stride 512' '--vm 2 --vm-bytes 8m --vm-keep' '--vm 1 --vm-bytes 4m --vm-hang 1'; do ./stress --quiet $what --timeout 2; echo $?; done; ls",
    ),
    (
        "all at once",
        "./stress --cpu 4 --io 2 --vm 4 --vm-bytes 4m --hdd 2 --hdd-bytes 1m --timeout 8 | sed 's/\\[[0-9]*\\]//; s/in [0-9]*s/in time/'; echo ${PIPESTATUS[0]}",
    ),
    (
        "many workers",
        "./stress --quiet --cpu 60 --timeout 3; echo $?; ./stress --quiet --vm 40 --vm-bytes 256k --timeout 3; echo $?",
    ),
    (
        "the backoff, a dry run, wrong options",
        "./stress --quiet --cpu 4 --backoff 100000 --timeout 2; echo $?; ./stress --dry-run --cpu 2 --timeout 1 | wc -l; for wrong in '--cpu 0' --absent; do ./stress $wrong 2>&1 | head -n 1 | sed 's/\\[[0-9]*\\]//'; done",
    ),
    (
        "a worker is killed",
        "./stress --quiet --cpu 2 --timeout 5 2> /dev/null & p=$!; until read -r c rest < /proc/$p/task/$p/children; test -n \"$c\"; do sleep 0.1; done; kill -9 $c; wait $p; echo $?",
    ),
];

/// Files of a mail server: what is made, read, changed and removed depends on the seed only.
const POSTMARK: &[Script] = &[
    (
        "transactions",
        "for more in '' 'set subdirectories 20' 'set buffering false' 'set bias read 9' 'set bias create 2' 'set read 4096'; do printf '%s\\n' 'set number 300' 'set transactions 1500' \"$more\" 'set location .' run quit | ./postmark | grep -v 'seconds\\|second\\|bytes/' | grep -i 'created\\|read\\|appended\\|deleted\\|alone' | sed 's/ *(.*//'; done; ls",
    ),
    (
        "large files, another seed",
        "printf '%s\\n' 'set number 20' 'set size 100000 1000000' 'set transactions 100' 'set seed 7' 'set location .' run quit | ./postmark | grep -i 'created\\|read\\|appended\\|deleted' | sed 's/ *(.*//'; ls",
    ),
    (
        "several at once",
        "for i in 1 2 3 4; do mkdir d$i; printf '%s\\n' 'set number 200' 'set transactions 500' \"set seed $i\" \"set location d$i\" run quit | ./postmark > out$i & done; wait; cat out* | grep -i 'created\\|read\\|appended\\|deleted' | sed 's/ *(.*//'; ls d*",
    ),
];

/// Runs every script of stress both ways.
pub(crate) fn check_stress(builder: &Builder) -> Result<()> {
    compare(builder, build_stress, STRESS)
}

/// Runs every script of postmark both ways.
pub(crate) fn check_postmark(builder: &Builder) -> Result<()> {
    compare(builder, build_postmark, POSTMARK)
}

fn build_stress(builder: &Builder) -> Result<Vec<PathBuf>> {
    let mut configure = vec!["./configure", "--quiet"];
    let options = builder.configure();
    configure.extend(options.iter().map(String::as_str));
    let update = ["autoreconf", "--force", "--install"];
    let steps: &[&[&str]] = &[&update, &configure, &["make", "-j2"]];
    let stress = builder.build("stress", Patches::Applied, steps)?;
    Ok(vec![stress.directory().join("src/stress")])
}

fn build_postmark(builder: &Builder) -> Result<Vec<PathBuf>> {
    // It calls functions that it does not declare.
    let cc = format!("CC={} -std=gnu89 -O2", builder.tool("cc"));
    let postmark = builder.build("postmark", Patches::Applied, &[&["make", &cc]])?;
    Ok(vec![postmark.directory().join("postmark")])
}
