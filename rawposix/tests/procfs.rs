//! `/proc` as the sandbox's processes see it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by a panic"
)]

mod common;

use common::Guest;
use rawposix::{Config, Errno, Private};

fn guest_as(uid: u32, gid: u32) -> Guest {
    let mut guest = Guest::new(Config {
        uid,
        gid,
        hostname: String::from("box"),
        ..Config::default()
    });
    guest.thread.bind();
    guest
}

fn text(guest: &mut Guest, path: &str) -> String {
    String::from_utf8(guest.read_file(path).unwrap()).unwrap()
}

#[test]
fn there_are_the_sandboxs_processes_and_no_others() {
    let mut guest = guest_as(1000, 100);
    let names = guest.list("/proc").unwrap();
    let pids: Vec<_> = names
        .iter()
        .filter(|name| name.parse::<u32>().is_ok())
        .collect();
    assert_eq!(pids, ["1", "2"]);
    assert_eq!(guest.readlink("/proc/self").unwrap(), "2");
    assert_eq!(guest.stat("/proc/3").unwrap_err(), Errno::ENOENT);
    assert_eq!(text(&mut guest, "/proc/sys/kernel/hostname"), "box\n");
    // The first one is lind, which is root's.
    assert!(text(&mut guest, "/proc/1/stat").starts_with("1 (lind) S 0 "));
    assert_eq!(guest.stat("/proc/1").unwrap().uid, 0);
    assert_eq!(guest.read_file("/proc/1/environ"), Err(Errno::EACCES));
    assert_eq!(guest.list("/proc/1/fd").unwrap_err(), Errno::EACCES);
    assert_eq!(guest.readlink("/proc/1/exe"), Err(Errno::EACCES));
    let own = guest.stat("/proc/2").unwrap();
    assert_eq!((own.uid, own.gid), (1000, 100));
}

#[test]
fn the_status_says_who_a_process_is() {
    let mut guest = guest_as(1000, 100);
    let status = text(&mut guest, "/proc/self/status");
    for line in [
        "Name:\ttest\n",
        "Uid:\t1000\t1000\t1000\t1000\n",
        "Gid:\t100\t100\t100\t100\n",
        "CapEff:\t0000000000000000\n",
        "PPid:\t1\n",
        "Threads:\t1\n",
    ] {
        assert!(status.contains(line), "{line} in {status}");
    }
    let fields = text(&mut guest, "/proc/self/stat");
    assert!(fields.starts_with("2 (test) "), "{fields}");
    assert_eq!(fields.split(' ').count(), 52);
    assert_eq!(fields.split(' ').nth(3), Some("1"));
    let first = text(&mut guest, "/proc/1/stat");
    assert_eq!(first.split(' ').count(), 52, "{first}");
}

#[test]
fn root_has_capabilities_and_can_give_them_up() {
    let mut guest = guest_as(0, 0);
    let status = text(&mut guest, "/proc/self/status");
    assert!(status.contains("CapEff:\t00000000000405f9\n"), "{status}");
    guest.call("setgid", &[7]).unwrap();
    let groups = guest.bytes(&[7, 0, 0, 0, 8, 0, 0, 0]);
    guest.call("setgroups", &[2, groups]).unwrap();
    assert_eq!(
        guest.call("setgroups", &[65537, groups]),
        Err(Errno::EINVAL)
    );
    assert_eq!(guest.call("setgroups", &[1, 8]), Err(Errno::EFAULT));
    guest.call("setuid", &[5]).unwrap();
    let status = text(&mut guest, "/proc/self/status");
    assert!(status.contains("Uid:\t5\t5\t5\t5\n"), "{status}");
    assert!(status.contains("Groups:\t7 8 \n"), "{status}");
    assert!(status.contains("CapPrm:\t0000000000000000\n"), "{status}");
    assert_eq!(guest.call("setuid", &[0]), Err(Errno::EPERM));
    assert_eq!(guest.call("setgroups", &[1, groups]), Err(Errno::EPERM));
}

#[test]
fn descriptors_are_what_they_are() {
    let mut guest = guest_as(1000, 1000);
    let null = guest.open("/dev/null", 1 | 0o2_000_000).unwrap();
    let link = format!("/proc/self/fd/{null}");
    assert_eq!(guest.readlink(&link).unwrap(), "/dev/null");
    let info = text(&mut guest, &format!("/proc/self/fdinfo/{null}"));
    assert!(info.starts_with("pos:\t0\nflags:\t02"), "{info}");
    let names = guest.list("/proc/self/fdinfo").unwrap();
    assert!(names.contains(&null.to_string()));
    guest.close(null);
    assert_eq!(guest.readlink(&link), Err(Errno::ENOENT));
    assert_eq!(
        guest.read_file(&format!("/proc/self/fdinfo/{null}")),
        Err(Errno::ENOENT)
    );
}

#[test]
fn files_that_are_read_anew_are_up_to_date() {
    let mut guest = guest_as(1000, 1000);
    let fd = guest.open("/proc/self/comm", 2).unwrap();
    assert_eq!(guest.read_fd(fd).unwrap(), b"test\n");
    let name = guest.string("another name that is long");
    assert_eq!(guest.call("write", &[fd, name, 25]), Ok(25));
    let result = guest.room(8);
    guest.call("llseek", &[fd, 0, 0, result, 0]).unwrap();
    assert_eq!(guest.read_fd(fd).unwrap(), b"another name th\n");
    assert_eq!(guest.open("/proc/self/stat", 1), Err(Errno::EACCES));
}

#[test]
fn the_table_of_mounts_makes_nothing() {
    let mut guest = guest_as(1000, 1000);
    let mounts = text(&mut guest, "/proc/mounts");
    for line in [
        "tmpfs / tmpfs ro",
        "proc /proc proc",
        "devpts /dev/pts devpts",
        "tmpfs /tmp tmpfs rw",
    ] {
        assert!(mounts.contains(line), "{line} in {mounts}");
    }
    let info = text(&mut guest, "/proc/self/mountinfo");
    assert!(
        info.lines().all(|line| line.split(' ').count() == 10),
        "{info}"
    );
}

#[test]
fn private_directories_lie_where_they_are_asked_for() {
    let mut guest = Guest::new(Config {
        private: ["/run", "/var/cache"]
            .map(|path| Private {
                guest: path.into(),
                options: rawposix::PrivateOptions::default(),
            })
            .to_vec(),
        ..Config::default()
    });
    for path in ["/run", "/var/cache", "/tmp"] {
        let name = format!("{path}/file");
        guest.write_file(&name, "text").unwrap();
        assert_eq!(guest.list(path).unwrap(), ["file"]);
        let stat = guest.stat(path).unwrap();
        assert_eq!(stat.mode & 0o7777, 0o1777);
        // Each is a file system of its own, under the number that the table of mounts has.
        let device = format!("{}:{} / {path} ", stat.dev_major, stat.dev_minor);
        let mounts = String::from_utf8(guest.read_file("/proc/self/mountinfo").unwrap()).unwrap();
        assert!(mounts.contains(&device), "{device} is not in {mounts}");
        assert_eq!(guest.stat(&name).unwrap().dev_minor, stat.dev_minor);
    }
    assert_eq!(guest.write_file("/var/file", "text"), Err(Errno::EROFS));
}
