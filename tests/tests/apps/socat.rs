//! socat: relays between TCP, UDP, unix sockets, programs and files, within one sandbox.

use std::path::PathBuf;

use lind_tests::Result;
use lind_tests::apps::build::Builder;
use lind_tests::debian::Patches;

use crate::scripts::{Script, compare};

/// What two of them do together. A client tries again until its server listens.
const SCRIPTS: &[Script] = &[
    (
        "TCP",
        "./socat -t10 TCP4-LISTEN:47717,reuseaddr PIPE & echo hello | ./socat -t10 - TCP4:127.0.0.1:47717,retry=50,interval=0.1; wait; echo $?",
    ),
    (
        "TCP with a child for each connection",
        "./socat -t10 TCP4-LISTEN:47718,reuseaddr,fork EXEC:'tr a-z A-Z' & p=$!; for i in one two three; do echo $i | ./socat -t10 - TCP4:localhost:47718,retry=50,interval=0.1; done; kill $p; wait $p; echo $?",
    ),
    (
        "ten megabytes over TCP",
        "./socat -u TCP4-LISTEN:47719,reuseaddr - | wc -c & head -c 10000000 /dev/zero | ./socat -u - TCP4:127.0.0.1:47719,retry=50,interval=0.1; wait",
    ),
    (
        "UDP",
        "./socat -u UDP4-RECVFROM:47720 - & sleep 0.5; echo datagram | ./socat -u - UDP4-SENDTO:127.0.0.1:47720; wait",
    ),
    (
        "a unix socket",
        "./socat -t10 UNIX-LISTEN:socket,fork EXEC:cat & p=$!; echo hello | ./socat -t10 - UNIX-CONNECT:socket,retry=50,interval=0.1; echo again | ./socat -t10 - UNIX-CONNECT:socket; test -S socket && echo a socket; kill $p; wait $p; ls",
    ),
    (
        "an abstract name",
        "./socat ABSTRACT-LISTEN:lind-test-socat PIPE & echo hello | ./socat -t10 - ABSTRACT-CONNECT:lind-test-socat,retry=50,interval=0.1; wait; echo $?",
    ),
    (
        "unix datagrams",
        "./socat -u UNIX-RECV:datagrams - > got & p=$!; while ! test -S datagrams; do sleep 0.1; done; for i in 1 2 3; do echo $i | ./socat -u - UNIX-SENDTO:datagrams; done; sleep 0.5; kill $p; wait $p; cat got",
    ),
    (
        "from one protocol to another",
        "./socat -t10 UNIX-LISTEN:relay TCP4:127.0.0.1:47721,retry=50,interval=0.1 & ./socat -t10 TCP4-LISTEN:47721,reuseaddr SYSTEM:'read line; echo \"got $line\"' & echo text | ./socat -t10 - UNIX-CONNECT:relay,retry=50,interval=0.1; wait",
    ),
    // Only what a program says is certain: one that is to read may be killed by socat's end before it has.
    (
        "a program",
        "echo text | ./socat -t10 - EXEC:'sed s/e/E/'; ./socat -u EXEC:'echo text',pipes -; ./socat -u OPEN:socat,rdonly /dev/null; echo $?",
    ),
    (
        "nobody there",
        "./socat - TCP4:127.0.0.1:47722 < /dev/null 2> /dev/null; echo $?; ./socat - UNIX-CONNECT:absent < /dev/null 2> /dev/null; echo $?",
    ),
];

/// Runs every script both ways.
pub(crate) fn check(builder: &Builder) -> Result<()> {
    compare(builder, build, SCRIPTS)
}

fn build(builder: &Builder) -> Result<Vec<PathBuf>> {
    let mut configure = vec!["./configure".to_owned(), "--quiet".to_owned()];
    configure.extend(builder.configure());
    for feature in ["openssl", "readline", "libwrap"] {
        configure.push(format!("--disable-{feature}"));
    }
    let configure: Vec<&str> = configure.iter().map(String::as_str).collect();
    let steps: &[&[&str]] = &[&configure, &["make", "-j2", "socat"]];
    let socat = builder.build("socat", Patches::Applied, steps)?;
    Ok(vec![socat.directory().join("socat")])
}
