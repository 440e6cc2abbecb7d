//! The machine: randomness and figures. See getrandom(2), sysinfo(2).

use rawposix_abi::Errno;
use rawposix_abi::flags::GetrandomFlags;
use rawposix_abi::structs::Sysinfo;
use rawposix_memory::GuestSlice;

use super::args::{Len, Out, OutBuf};
use crate::thread::Thread;

pub(super) fn getrandom(
    thread: &mut Thread,
    buf: OutBuf,
    count: Len,
    flags: GetrandomFlags,
) -> Result<usize, Errno> {
    thread.block(|| {
        thread
            .memory()
            .getrandom(GuestSlice::new(buf.0, count.0), flags.bits())
    })
}

pub(super) fn sysinfo(thread: &mut Thread, info: Out<Sysinfo>) -> Result<(), Errno> {
    let host = rustix::system::sysinfo();
    // In pages, so that a machine of many gigabytes fits the 32-bit fields.
    let unit = 4096;
    let host_unit = u64::from(host.mem_unit.max(1));
    let pages = |amount: u64| {
        u32::try_from(amount.saturating_mul(host_unit) / u64::from(unit)).unwrap_or(u32::MAX)
    };
    let answer = Sysinfo {
        uptime: i32::try_from(thread.process.uptime().as_secs()).unwrap_or(i32::MAX),
        loads: host
            .loads
            .map(|load| u32::try_from(load).unwrap_or(u32::MAX)),
        totalram: pages(host.totalram),
        freeram: pages(host.freeram),
        sharedram: pages(host.sharedram),
        bufferram: pages(host.bufferram),
        totalswap: pages(host.totalswap),
        freeswap: pages(host.freeswap),
        procs: u16::try_from(thread.world.family.living().len()).unwrap_or(u16::MAX),
        mem_unit: unit,
        ..Sysinfo::default()
    };
    thread.memory().write(info.0, &answer)
}
