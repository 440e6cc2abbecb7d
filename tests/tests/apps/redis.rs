//! redis: a server, its client and its benchmark in one sandbox; saving in a fork, a kill and a restart.

use std::path::PathBuf;

use lind_tests::Result;
use lind_tests::apps::build::Builder;
use lind_tests::debian::Patches;

use crate::scripts::{Script, compare};

/// Functions that start a server and wait for it.
macro_rules! with_server {
    ($script:literal) => {
        concat!(
            "ask() { ./redis-cli -p 47777 \"$@\"; }; ",
            "serve() { ./redis-server --port 47777 --save '' --logfile log \"$@\" & p=$!; ",
            "for i in $(seq 200); do test \"$(ask ping 2> /dev/null)\" = PONG && return; sleep 0.1; done; echo no server; }; ",
            $script
        )
    };
}

/// What they do together.
const SCRIPTS: &[Script] = &[
    (
        "commands",
        with_server!(
            "serve --unixsocket socket; ask set a 1; ask incr a; ./redis-cli -s socket get a; ask rpush list x y z; ask lrange list 0 -1; ask zadd set 2 two 1 one; ask zrange set 0 -1 withscores; ask eval 'return redis.call(\"get\", KEYS[1]) + 1' 1 a; ask nothing; ask subscribe c | head -n 3 & sleep 1; ask publish c message; ask dbsize; ask shutdown nosave; wait $p; echo $?"
        ),
    ),
    (
        "the benchmark",
        with_server!(
            "serve; ./redis-benchmark -p 47777 -n 2000 -q -t set,get,incr,lpush,mset -P 4 | tr '\\r' '\\n' | grep -c 'requests per second'; ask dbsize; ask shutdown nosave; wait $p; echo $?"
        ),
    ),
    (
        "saving in the background, and loading",
        with_server!(
            "serve --enable-debug-command yes; ask debug populate 20000 > /dev/null; ask set kept yes; ask bgsave; for i in $(seq 200); do ask info persistence | tr -d '\\r' | grep -q rdb_bgsave_in_progress:0 && break; sleep 0.1; done; ask info persistence | tr -d '\\r' | grep last_bgsave_status; ask set lost yes; kill -9 $p; wait $p 2> /dev/null; echo $?; serve; ask dbsize; ask get kept; ask exists lost; ask shutdown nosave; wait $p"
        ),
    ),
    (
        "what was written is kept over a kill",
        with_server!(
            "serve --appendonly yes --appendfsync always; for i in $(seq 20); do ask set k$i $i > /dev/null; done; ask bgrewriteaof > /dev/null; ask set last yes; kill -9 $p; wait $p 2> /dev/null; echo $?; serve --appendonly yes; ask dbsize; ask get k20; ask get last; ask shutdown nosave; wait $p"
        ),
    ),
];

/// Runs every script both ways.
pub(crate) fn check(builder: &Builder) -> Result<()> {
    compare(builder, build, SCRIPTS)
}

fn build(builder: &Builder) -> Result<Vec<PathBuf>> {
    let cc = format!("CC={}", builder.tool("cc"));
    let ar = format!("AR={}", builder.tool("ar"));
    let ranlib = format!("RANLIB={}", builder.tool("ranlib"));
    // Debian's patches replace the libraries that come with it by packages.
    let mut make = vec!["make", "-j2", "-C", "src", &cc, &ar, &ranlib];
    make.extend(["MALLOC=libc", "USE_SYSTEMD=no", "uname_S=Linux"]);
    let programs = ["redis-server", "redis-cli", "redis-benchmark"];
    make.extend(programs);
    let redis = builder.build("redis", Patches::Skipped, &[&make])?;
    let path = |program| redis.directory().join("src").join(program);
    Ok(programs.map(path).to_vec())
}
