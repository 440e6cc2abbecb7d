//! The files directly in `/proc` that are about the machine and the sandbox as a whole.

use std::fmt::Write;
use std::time::Duration;

use rustix::time::ClockId;

use super::process::state_of;
use super::{RELEASE, VERSION};
use crate::sandbox::World;

/// What a file says.
pub(super) fn contents(name: &str, world: &World) -> String {
    match name {
        // Figures of the machine, as a container would see them.
        "cpuinfo" | "meminfo" | "vmstat" => of_host(name),
        "cmdline" => String::from("lind\n"),
        "devices" => String::from(
            "Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/ptmx\n136 pts\n\nBlock devices:\n",
        ),
        "filesystems" => String::from("nodev\tproc\nnodev\ttmpfs\nnodev\tdevpts\nnodev\thostfs\n"),
        "loadavg" => {
            let (running, all) = population(world);
            let last = world.family.last_id();
            // As sysinfo(2): the machine's, in units of 1/65536.
            let [one, five, fifteen] = rustix::system::sysinfo().loads.map(|load| {
                let hundredths = (u128::from(load) * 100) >> 16;
                format!("{}.{:02}", hundredths / 100, hundredths % 100)
            });
            format!("{one} {five} {fifteen} {running}/{all} {last}\n")
        }
        "partitions" => String::from("major minor  #blocks  name\n\n"),
        "swaps" => String::from("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
        "stat" => statistics(world),
        "uptime" => {
            let up = world.started.elapsed();
            let idle = idle_time(world, processors());
            format!("{} {}\n", seconds(up), seconds(idle))
        }
        "version" => format!("Linux version {RELEASE} (lind) {VERSION}\n"),
        _ => String::new(),
    }
}

/// What the host's file of the same name says.
fn of_host(name: &str) -> String {
    std::fs::read_to_string(format!("/proc/{name}")).unwrap_or_default()
}

fn seconds(time: Duration) -> String {
    format!("{}.{:02}", time.as_secs(), time.subsec_millis() / 10)
}

/// The processors that `cpuinfo` lists.
fn processors() -> u32 {
    let listed = of_host("cpuinfo");
    let listed = listed.lines().filter(|line| line.starts_with("processor"));
    u32::try_from(listed.count()).unwrap_or(1).max(1)
}

/// Processor time of the whole sandbox. As for processes, all of it counts as the user's.
fn busy_time() -> Duration {
    let time = rustix::time::clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

fn idle_time(world: &World, processors: u32) -> Duration {
    let all = world.started.elapsed().saturating_mul(processors);
    all.saturating_sub(busy_time())
}

/// Threads that run now, and all threads.
fn population(world: &World) -> (usize, usize) {
    let mut counts = (0, 0);
    for process in world.family.living() {
        for task in process.tasks() {
            counts.1 += 1;
            if state_of(&process, Some(&task)) == 'R' {
                counts.0 += 1;
            }
        }
    }
    counts
}

/// `stat`: the time that processors have spent on the sandbox since it started, in hundredths of a second.
fn statistics(world: &World) -> String {
    let processors = processors();
    let busy = busy_time();
    let idle = idle_time(world, processors);
    let ticks = |time: Duration| time.as_millis() / 10;
    let mut text = String::new();
    let mut line = |name: &str, share: u32| {
        let _ = writeln!(
            text,
            "cpu{name} {} 0 0 {} 0 0 0 0 0 0",
            ticks(busy / share),
            ticks(idle / share),
        );
    };
    line(" ", 1);
    for processor in 0..processors {
        line(&processor.to_string(), processors);
    }
    let (running, _) = population(world);
    let _ = write!(
        text,
        "intr 0\nctxt 0\nbtime {}\nprocesses {}\nprocs_running {running}\nprocs_blocked 0\n",
        world.started_at.tv_sec,
        world.family.last_id(),
    );
    text
}
