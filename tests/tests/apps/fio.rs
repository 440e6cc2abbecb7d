//! fio: jobs of every kind of input and output on files, sockets and processors, with their data verified.
//!
//! What is compared is whether each job failed and how much it read and wrote, which the same seed makes the same.

use std::path::PathBuf;

use lind_tests::Result;
use lind_tests::apps::build::Builder;
use lind_tests::debian::Patches;

use crate::scripts::{Script, compare};

/// Functions that run jobs: `run` prints each job's name, error, and KiB read and written; `end` what does not depend on
/// time, its name and error; both print fio's status.
macro_rules! jobs {
    ($($script:literal),+) => {
        concat!(
            "job() { fields=$1; shift; ./fio --minimal --size=1m --verify_fatal=1 --do_verify=1 --name=job \"$@\" 2> /dev/null | grep ';' | cut -d ';' -f $fields; echo ${PIPESTATUS[0]}; rm -f job.* local-*; }; run() { job 3,5,6,47 \"$@\"; }; end() { job 3,5 \"$@\"; }; ",
            "mixed() { for option; do echo \"$option\"; run --rw=randrw --verify=crc32c --$option; done; }; ",
            $($script),+
        )
    };
}

/// Four ways to read and write with an engine of fio's.
macro_rules! engine {
    ($name:literal) => {
        (
            concat!("engine ", $name),
            jobs!(
                "for rw in write randrw; do for how in --thread --numjobs=2; do run --ioengine=",
                $name,
                " --rw=$rw --verify=crc32c $how; done; done"
            ),
        )
    };
}

/// What it does.
const SCRIPTS: &[Script] = &[
    engine!("sync"),
    engine!("psync"),
    engine!("vsync"),
    engine!("pvsync"),
    engine!("pvsync2"),
    engine!("mmap"),
    (
        "engine posixaio",
        jobs!(
            "for rw in write randrw; do for depth in 1 8; do run --ioengine=posixaio --rw=$rw --verify=crc32c --iodepth=$depth; run --ioengine=posixaio --rw=$rw --verify=md5 --iodepth=$depth --thread --numjobs=2; done; done"
        ),
    ),
    (
        "engine splice",
        jobs!(
            "run --ioengine=splice --rw=write; run --ioengine=splice --rw=randrw --verify=md5; run --ioengine=splice --rw=read --numjobs=2 --thread"
        ),
    ),
    (
        "engines of files",
        jobs!(
            "for engine in ftruncate falloc; do run --ioengine=$engine --rw=write; done; run --ioengine=filecreate --rw=write --nrfiles=50 --create_on_open=1 --filesize=4k --size=200k; for engine in filestat filedelete; do run --ioengine=$engine --rw=write --nrfiles=50 --filesize=4k --size=200k; done; run --ioengine=null --rw=randrw; ls"
        ),
    ),
    (
        "engines of processors and programs",
        jobs!(
            "end --ioengine=cpuio --cpuload=50 --cpuchunks=20000 --runtime=1 --time_based --numjobs=2; end --ioengine=cpuio --cpuload=100 --cpumode=qsort --runtime=1 --time_based --thread; end --ioengine=exec --program=/bin/echo --arguments=text --runtime=1 --time_based"
        ),
    ),
    (
        "sums",
        jobs!(
            "for sum in md5 crc64 crc32c crc32 crc16 crc7 sha1 sha256 sha512 sha3-224 sha3-256 sha3-384 sha3-512 xxhash pattern null; do echo $sum; run --rw=randwrite --verify=$sum --verify_pattern=0xdeadbeef%o --verify_interval=1k; done"
        ),
    ),
    (
        "buffers",
        jobs!(
            "for memory in malloc shm mmap mmapshared; do for how in --thread --group_reporting; do run --rw=randrw --iomem=$memory --verify=crc32c --numjobs=2 $how; done; done; mixed iomem_align=64k zero_buffers=1 refill_buffers=1 scramble_buffers=0 'buffer_pattern=\"abcd\"' buffer_compress_percentage=50 dedupe_percentage=50 lockmem=1m"
        ),
    ),
    (
        "what is written reaches the disk",
        jobs!(
            "mixed fsync=8 fdatasync=8 sync=1 sync=dsync sync_file_range=wait_before,write,wait_after:8 end_fsync=1 fsync_on_close=1 direct=1 create_fsync=0 atomic=0"
        ),
    ),
    (
        "files",
        jobs!(
            "mixed nrfiles=7 'nrfiles=7 --openfiles=3 --file_service_type=roundrobin' 'nrfiles=5 --file_service_type=sequential' unlink=1 overwrite=1 file_append=1 pre_read=1 invalidate=0 fallocate=none fallocate=posix fallocate=keep fallocate=truncate fallocate=native filesize=256k offset=256k 'offset_increment=64k --numjobs=3' unique_filename=0 fadvise_hint=sequential fadvise_hint=random write_hint=short write_hint=extreme"
        ),
    ),
    (
        "sizes of blocks",
        jobs!(
            "mixed bs=512 bs=64k 'bsrange=512-16k --ba=512' bssplit=1k/50:4k/30:16k/20 bs=2k,8k norandommap=1 random_generator=lfsr random_generator=tausworthe64 randseed=17 number_ios=100 loops=3 rwmixread=80 percentage_random=50 rw_sequencer=identical zonemode=strided\\ --zonesize=64k\\ --zonerange=128k\\ --zoneskip=64k; for d in zipf:1.2 pareto:0.9 normal:50; do run --rw=randread --random_distribution=$d; done"
        ),
    ),
    (
        "verifying while writing",
        jobs!(
            "mixed verify_async=2 'verify_async=2 --ioengine=posixaio --iodepth=8' 'verify_backlog=16 --verify_backlog_batch=4' verify_dump=1 experimental_verify=1 verify_offset=16 continue_on_error=verify"
        ),
    ),
    (
        "many jobs",
        jobs!(
            "run --rw=randrw --verify=crc32c --numjobs=8; run --rw=randrw --verify=crc32c --numjobs=8 --thread; run --rw=randrw --verify=md5 --numjobs=4 --thread --ioengine=posixaio --iodepth=4 --name=other --rw=randrw --ioengine=mmap --numjobs=4 --verify=crc32c --name=third --rw=write --stonewall --verify=sha1; run --rw=write --name=after --wait_for=job --rw=read --name=late --startdelay=200ms --rw=randwrite --verify=md5; end --rw=randrw --flow=1 --name=slow --flow=-1 --rw=randrw; rm -f other.* third.* after.* late.* slow.*"
        ),
    ),
    (
        "time",
        jobs!(
            "for o in rate=8m rate_iops=2000 'rate_iops=2000 --rate_process=poisson' thinktime=100 max_latency=20s 'runtime=1 --time_based' 'runtime=1 --time_based --ramp_time=500ms --thread' clocksource=gettimeofday clocksource=clock_gettime gtod_reduce=1 gtod_cpu=0 'status-interval=200ms --output=job.out' nice=5 'prio=3 --prioclass=2' cpus_allowed=0 exec_prerun=true exitall=1 unified_rw_reporting=1; do echo \"$o\"; end --rw=randrw --$o; done"
        ),
    ),
    (
        "locks between jobs",
        jobs!(
            "for how in --thread --group_reporting; do for lock in exclusive readwrite; do end --rw=randrw --filename=job.shared --lockfile=$lock --numjobs=4 $how; end --rw=randread --filename=job.shared --lockfile=$lock --numjobs=4 $how; done; done"
        ),
    ),
    (
        "sockets",
        jobs!(
            "./fio --minimal --ioengine=net --size=1m --bs=4k --name=server --protocol=tcp --port=47751 --listen=1 --rw=read --name=client --startdelay=1 --protocol=tcp --port=47751 --hostname=127.0.0.1 --rw=write 2> /dev/null | grep ';' | cut -d ';' -f 3,5; echo ${PIPESTATUS[0]}; ./fio --minimal --ioengine=net --size=1m --bs=4k --name=server --protocol=unix --filename=socket --rw=read --name=client --startdelay=1 --protocol=unix --filename=socket --rw=write 2> /dev/null | grep ';' | cut -d ';' -f 3,5,6,47"
        ),
    ),
    (
        "a server and its clients",
        jobs!(
            "printf '[served]\\nrw=randrw\\nsize=1m\\nverify=md5\\n[second]\\nthread\\nrw=randwrite\\nsize=1m\\nverify=sha256\\n' > served.fio; for how in sock:fio.sock ip:127.0.0.1,47753; do ./fio --server=$how > /dev/null 2>&1 & p=$!; for i in $(seq 100); do ./fio --client=$how --minimal served.fio > out 2>&1 && break; sleep 0.1; done; ./fio --client=$how served.fio 2>&1 | grep -o 'err= *[0-9]*\\|io=[0-9]*KiB' | sort; kill $p; wait $p; echo $?; done"
        ),
    ),
    (
        "what was written is found again",
        jobs!(
            "f() { ./fio --minimal --name=job --size=1m --rw=write --verify=md5 --number_ios=100 --filename=f \"$@\" 2> /dev/null | grep ';' | cut -d ';' -f 3,5,6,47; echo ${PIPESTATUS[0]}; }; f --do_verify=0 --verify_state_save=1; ls *.state; f --verify_only=1 --verify_state_load=1; printf X | dd of=f bs=1 seek=5000 conv=notrunc 2> /dev/null; f --verify_only=1 | cut -d ';' -f 1,2; run --rw=randwrite --verify=crc32c --write_iolog=log; run --read_iolog=log; run --read_iolog=log --replay_no_stall=1 --thread; grep -c write log; run --rw=randwrite --write_lat_log=l --write_bw_log=l --write_iops_log=l; ls l_*"
        ),
    ),
    (
        "interrupted",
        jobs!(
            "for how in --thread --group_reporting; do timeout -s INT 4 ./fio --minimal --name=job --size=1m --rw=randrw --time_based --runtime=60 --numjobs=2 $how > /dev/null 2>&1; echo $?; done"
        ),
    ),
    (
        "what is wrong with a job",
        jobs!(
            "./fio --parse-only --name=job --rw=randrw; echo $?; ./fio --name=job --rw=absent 2>&1 | head -n 3"
        ),
    ),
];

/// Runs every script both ways.
pub(crate) fn check(builder: &Builder) -> Result<()> {
    compare(builder, build, SCRIPTS)
}

fn build(builder: &Builder) -> Result<Vec<PathBuf>> {
    let cc = builder.tool("cc");
    // It has code for some processors only; the others, and here both toolchains, use the compiler's.
    let configure = [
        "./configure",
        "--disable-native",
        "--disable-numa",
        "--disable-http",
        &format!("--cc={cc}"),
        "--cpu=generic",
    ];
    let fio = builder.build(
        "fio",
        Patches::Applied,
        &[&configure, &["make", "-j2", &format!("CC={cc}"), "fio"]],
    )?;
    Ok(vec![fio.directory().join("fio")])
}
