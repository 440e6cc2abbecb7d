//! Attempts to leave the sandbox. Each answers what Linux answers in a chroot, and none reaches the file outside.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by a panic"
)]

mod common;

use std::fs;
use std::os::unix::fs::symlink;

use common::world::World;
use common::{CWD, Guest, mount};
use rawposix::{Access, Config, Errno};

const O_DIRECTORY: u32 = 0o200_000;
const O_PATH: u32 = 0o10_000_000;
const O_CREAT: u32 = 0o100;
const O_WRONLY: u32 = 1;
const O_NOFOLLOW: u32 = 0o400_000;

/// The secret's path from the host's root, the way an attacker would know it.
fn absolute(world: &World) -> String {
    world.outer().join("secret").to_str().unwrap().to_owned()
}

#[test]
fn dot_dot_at_the_root_stays() {
    let world = World::new();
    let mut guest = world.guest();
    assert_eq!(guest.read_file("../secret"), Err(Errno::ENOENT));
    assert_eq!(guest.read_file("/../../../../secret"), Err(Errno::ENOENT));
    assert_eq!(guest.read_file("/a/../../secret"), Err(Errno::ENOENT));
    assert_eq!(
        guest.read_file("a/b/c/../../../../secret"),
        Err(Errno::ENOENT)
    );
    assert_eq!(guest.read_file("/../file").unwrap(), b"inside");
}

#[test]
fn absolute_path_of_the_host_is_the_sandboxs() {
    let world = World::new();
    assert_eq!(
        world.guest().read_file(&absolute(&world)),
        Err(Errno::ENOENT)
    );
}

#[test]
fn dot_dot_through_a_working_directory_stays() {
    let world = World::new();
    let mut guest = world.guest();
    guest.chdir("a/b").unwrap();
    assert_eq!(guest.read_file("../../../secret"), Err(Errno::ENOENT));
    for _ in 0..8 {
        guest.chdir("..").unwrap();
    }
    assert_eq!(guest.cwd().unwrap(), "/");
    assert_eq!(guest.read_file("secret"), Err(Errno::ENOENT));
}

#[test]
fn dot_dot_through_a_descriptor_stays() {
    let world = World::new();
    let mut guest = world.guest();
    let dir = guest.open("a", O_DIRECTORY).unwrap();
    assert_eq!(guest.open_at(dir, "../../secret", 0, 0), Err(Errno::ENOENT));
    let root = guest.open("/", O_PATH | O_DIRECTORY).unwrap();
    assert_eq!(guest.open_at(root, "../secret", 0, 0), Err(Errno::ENOENT));
    let above = guest.open_at(root, "..", O_PATH | O_DIRECTORY, 0).unwrap();
    assert_eq!(guest.statx(above, "file", 0).unwrap().size, 6);
}

#[test]
fn relative_link_stays() {
    let world = World::new();
    symlink("../secret", world.root().join("link")).unwrap();
    symlink("../../../../../secret", world.root().join("a/b/link")).unwrap();
    let mut guest = world.guest();
    assert_eq!(guest.read_file("link"), Err(Errno::ENOENT));
    assert_eq!(guest.read_file("a/b/link"), Err(Errno::ENOENT));
    assert_eq!(guest.stat("link").unwrap_err(), Errno::ENOENT);
}

#[test]
fn absolute_link_starts_at_the_sandboxs_root() {
    let world = World::new();
    symlink(absolute(&world), world.root().join("link")).unwrap();
    symlink("/file", world.root().join("a/inner")).unwrap();
    let mut guest = world.guest();
    assert_eq!(guest.read_file("link"), Err(Errno::ENOENT));
    assert_eq!(guest.read_file("a/inner").unwrap(), b"inside");
}

#[test]
fn link_in_the_middle_stays() {
    let world = World::new();
    symlink("..", world.root().join("up")).unwrap();
    symlink(world.outer(), world.root().join("out")).unwrap();
    let mut guest = world.guest();
    assert_eq!(guest.read_file("up/secret"), Err(Errno::ENOENT));
    assert_eq!(guest.read_file("out/secret"), Err(Errno::ENOENT));
    assert_eq!(guest.chdir("out"), Err(Errno::ENOENT));
    assert_eq!(
        guest.read_file("a/b/c/../../../up/file").unwrap(),
        b"inside"
    );
}

#[test]
fn links_made_by_the_guest_stay() {
    let world = World::new();
    let mut guest = world.guest();
    guest.symlink("../secret", "one").unwrap();
    guest.symlink(&absolute(&world), "two").unwrap();
    guest.symlink("a/../../secret", "three").unwrap();
    for name in ["one", "two", "three"] {
        assert_eq!(guest.read_file(name), Err(Errno::ENOENT), "{name}");
        assert_eq!(
            guest.path_call("fchmodat", name, &[0o777]),
            Err(Errno::ENOENT),
            "{name}"
        );
    }
}

#[test]
fn creating_through_a_dangling_link_creates_inside() {
    let world = World::new();
    let mut guest = world.guest();
    guest.symlink("../planted", "link").unwrap();
    guest.write_file("link", "x").unwrap();
    assert!(!world.outer().join("planted").exists());
    assert_eq!(fs::read(world.root().join("planted")).unwrap(), b"x");
}

#[test]
fn links_in_circles_end() {
    let world = World::new();
    let mut guest = world.guest();
    guest.symlink("two", "one").unwrap();
    guest.symlink("one", "two").unwrap();
    assert_eq!(guest.read_file("one"), Err(Errno::ELOOP));
    guest.symlink("self", "self").unwrap();
    assert_eq!(guest.chdir("self"), Err(Errno::ELOOP));
    assert_eq!(guest.open("one", O_CREAT | O_WRONLY), Err(Errno::ELOOP));
}

#[test]
fn long_chain_of_links_ends() {
    let world = World::new();
    let mut guest = world.guest();
    guest.symlink("file", "l0").unwrap();
    for i in 1..=45 {
        guest
            .symlink(&format!("l{}", i - 1), &format!("l{i}"))
            .unwrap();
    }
    assert_eq!(guest.read_file("l39").unwrap(), b"inside");
    assert_eq!(guest.read_file("l40"), Err(Errno::ELOOP));
}

#[test]
fn long_paths_are_refused() {
    let world = World::new();
    let mut guest = world.guest();
    let up = "../".repeat(1360) + "secret";
    assert_eq!(guest.read_file(&up), Err(Errno::ENOENT));
    assert_eq!(
        guest.read_file(&("../".repeat(1400) + "secret")),
        Err(Errno::ENAMETOOLONG)
    );
    assert_eq!(guest.read_file(&"x".repeat(256)), Err(Errno::ENAMETOOLONG));
    assert_eq!(
        guest.read_file(&("/".to_owned() + &"y".repeat(5000))),
        Err(Errno::ENAMETOOLONG)
    );
}

#[test]
fn proc_self_root_is_the_sandboxs() {
    let world = World::new();
    let mut guest = world.guest();
    assert_eq!(
        guest.read_file("/proc/self/root/../secret"),
        Err(Errno::ENOENT)
    );
    assert_eq!(guest.read_file("/proc/self/root/file").unwrap(), b"inside");
    assert_eq!(guest.readlink("/proc/self/root").unwrap(), "/");
    assert_eq!(
        guest.read_file("/proc/2/root/proc/2/root/../../secret"),
        Err(Errno::ENOENT)
    );
    // Process 1 is lind.
    assert_eq!(guest.read_file("/proc/1/root/file"), Err(Errno::EACCES));
}

#[test]
fn proc_self_cwd_is_the_sandboxs() {
    let world = World::new();
    let mut guest = world.guest();
    guest.chdir("a").unwrap();
    assert_eq!(
        guest.read_file("/proc/self/cwd/../../secret"),
        Err(Errno::ENOENT)
    );
    assert_eq!(guest.readlink("/proc/self/cwd").unwrap(), "/a");
    assert_eq!(
        guest.read_file("/proc/self/cwd/../file").unwrap(),
        b"inside"
    );
}

#[test]
fn proc_self_fd_shows_the_guests_descriptors_only() {
    let world = World::new();
    let mut guest = world.guest();
    let dir = guest.open("a", O_DIRECTORY).unwrap();
    assert_eq!(
        guest.read_file(&format!("/proc/self/fd/{dir}/../../secret")),
        Err(Errno::ENOENT)
    );
    assert_eq!(
        guest.readlink(&format!("/proc/self/fd/{dir}")).unwrap(),
        "/a"
    );
    for fd in 10..64 {
        assert_eq!(
            guest.open(&format!("/proc/self/fd/{fd}"), 0),
            Err(Errno::ENOENT)
        );
        assert_eq!(guest.open(&format!("/dev/fd/{fd}"), 0), Err(Errno::ENOENT));
    }
}

#[test]
fn other_processes_of_the_host_do_not_exist() {
    let world = World::new();
    let mut guest = world.guest();
    let host = std::process::id();
    assert_ne!(host, 2);
    assert_eq!(guest.list(&format!("/proc/{host}")), Err(Errno::ENOENT));
    let root = format!("/proc/{host}/root{}", absolute(&world));
    assert_eq!(guest.read_file(&root), Err(Errno::ENOENT));
    let numbers = guest
        .list("/proc")
        .unwrap()
        .into_iter()
        .filter(|name| name.parse::<i32>().is_ok());
    assert_eq!(numbers.collect::<Vec<_>>(), ["1", "2"]);
}

#[test]
fn directory_moved_within_the_sandbox_leads_to_where_it_is() {
    let world = World::new();
    let mut guest = world.guest();
    let deep = guest.open("a/b/c", O_DIRECTORY).unwrap();
    guest.rename("/a/b/c", "/c").unwrap();
    // Were `..` taken as it was at opening, three steps would lead outside.
    assert_eq!(
        guest.open_at(deep, "../../../secret", 0, 0),
        Err(Errno::ENOENT)
    );
    assert_eq!(guest.statx(deep, "../file", 0).unwrap().size, 6);
}

#[test]
fn directory_moved_out_by_the_host_leads_nowhere() {
    let world = World::new();
    let mut guest = world.guest();
    let dir = guest.open("a/b", O_DIRECTORY).unwrap();
    guest.chdir("a/b/c").unwrap();
    fs::rename(world.root().join("a/b"), world.outer().join("moved")).unwrap();
    assert_eq!(guest.open_at(dir, "../secret", 0, 0), Err(Errno::ENOENT));
    assert_eq!(guest.read_file("../../secret"), Err(Errno::ENOENT));
    assert_eq!(guest.cwd(), Err(Errno::ENOENT));
    // What is open stays open.
    assert!(guest.statx(dir, "c", 0).is_ok());
}

#[test]
fn o_path_descriptor_gives_no_way_up() {
    let world = World::new();
    let mut guest = world.guest();
    let root = guest.open("/", O_PATH).unwrap();
    assert_eq!(guest.open_at(root, "../secret", 0, 0), Err(Errno::ENOENT));
    let link = {
        guest.symlink("../secret", "link").unwrap();
        guest.open("link", O_PATH | O_NOFOLLOW).unwrap()
    };
    assert_eq!(guest.read_fd(link), Err(Errno::EBADF));
    assert_eq!(
        guest.open(&format!("/proc/self/fd/{link}"), 0),
        Err(Errno::ELOOP)
    );
}

#[test]
fn hard_links_to_the_outside_cannot_be_made() {
    let world = World::new();
    let mut guest = world.guest();
    assert_eq!(guest.link("../secret", "got"), Err(Errno::ENOENT));
    assert_eq!(guest.link(&absolute(&world), "got"), Err(Errno::ENOENT));
    guest.symlink("../secret", "link").unwrap();
    let (old, new) = (guest.string("link"), guest.string("got"));
    assert_eq!(
        guest.call("linkat", &[CWD, old, CWD, new, 0x400]),
        Err(Errno::ENOENT)
    );
    assert_eq!(guest.link("/dev/null", "null"), Err(Errno::EXDEV));
}

#[test]
fn changes_of_the_root_need_privileges() {
    let world = World::new();
    let mut guest = world.guest();
    let (a, b) = (guest.string("/"), guest.string("/a"));
    for (name, arguments) in [
        ("mount", vec![a, b, 0, 4096, 0]),
        ("umount2", vec![b, 0]),
        ("chroot", vec![b]),
        ("pivot_root", vec![a, b]),
        ("open_tree", vec![CWD, a, 0]),
    ] {
        assert_eq!(guest.call(name, &arguments), Err(Errno::EPERM), "{name}");
    }
    // No file is a namespace here.
    assert_eq!(guest.call("setns", &[0, 0]), Err(Errno::EINVAL));
    assert_eq!(guest.call("unshare", &[0x1000_0000]), Err(Errno::EPERM));
}

#[test]
fn mount_points_cannot_be_moved_or_removed() {
    let world = World::new();
    fs::create_dir(world.outer().join("data")).unwrap();
    let mut guest = Guest::new(Config {
        root: Some(world.root()),
        mounts: vec![mount(
            &world.outer().join("data"),
            "/a/b",
            Access::ReadWrite,
        )],
        ..Config::default()
    });
    assert_eq!(guest.rename("/a/b", "/moved"), Err(Errno::EBUSY));
    assert_eq!(
        guest.path_call("unlinkat", "/a/b", &[0x200]),
        Err(Errno::EBUSY)
    );
    assert_eq!(guest.mkdir("/a/b"), Err(Errno::EEXIST));
    assert_eq!(guest.rename("/file", "/a/b/file"), Err(Errno::EXDEV));
    assert_eq!(guest.link("/file", "/a/b/file"), Err(Errno::EXDEV));
}

#[test]
fn dot_dot_of_a_mount_is_the_sandboxs_parent() {
    let world = World::new();
    fs::create_dir_all(world.outer().join("data/sub")).unwrap();
    let mut guest = Guest::new(Config {
        root: Some(world.root()),
        mounts: vec![mount(
            &world.outer().join("data"),
            "/a/b",
            Access::ReadWrite,
        )],
        ..Config::default()
    });
    assert_eq!(guest.read_file("/a/b/../../file").unwrap(), b"inside");
    assert_eq!(guest.read_file("/a/b/../secret"), Err(Errno::ENOENT));
    let sub = guest.open("/a/b/sub", O_DIRECTORY).unwrap();
    assert_eq!(guest.open_at(sub, "../../secret", 0, 0), Err(Errno::ENOENT));
    assert_eq!(guest.statx(sub, "../../../file", 0).unwrap().size, 6);
    guest.chdir("/a/b/sub").unwrap();
    assert_eq!(guest.cwd().unwrap(), "/a/b/sub");
    guest.chdir("../..").unwrap();
    assert_eq!(guest.cwd().unwrap(), "/a");
}

#[test]
fn link_out_of_a_grant_resolves_in_the_sandbox() {
    let world = World::new();
    let data = world.outer().join("data");
    fs::create_dir(&data).unwrap();
    symlink("../secret", data.join("up")).unwrap();
    symlink("/etc/passwd", data.join("passwd")).unwrap();
    let mut guest = Guest::with_mount(&data, "/data");
    assert_eq!(guest.read_file("/data/up"), Err(Errno::ENOENT));
    assert_eq!(guest.read_file("/data/passwd"), Err(Errno::ENOENT));
    assert_eq!(guest.read_file("/data/../secret"), Err(Errno::ENOENT));
}

#[test]
fn read_only_grant_stays_as_it_is() {
    let world = World::new();
    let mut guest = Guest::new(Config {
        mounts: vec![mount(&world.root(), "/data", Access::ReadOnly)],
        ..Config::default()
    });
    assert_eq!(guest.read_file("/data/file").unwrap(), b"inside");
    assert_eq!(guest.open("/data/file", O_WRONLY), Err(Errno::EROFS));
    assert_eq!(
        guest.open("/data/new", O_CREAT | O_WRONLY),
        Err(Errno::EROFS)
    );
    assert_eq!(guest.open("/data/file", 0o1000), Err(Errno::EROFS));
    assert_eq!(guest.mkdir("/data/dir"), Err(Errno::EROFS));
    assert_eq!(guest.unlink("/data/file"), Err(Errno::EROFS));
    assert_eq!(guest.rename("/data/file", "/data/other"), Err(Errno::EROFS));
    assert_eq!(
        guest.path_call("fchmodat", "/data/file", &[0]),
        Err(Errno::EROFS)
    );
    let fd = guest.open("/data/file", 0).unwrap();
    assert_eq!(
        guest.open(&format!("/proc/self/fd/{fd}"), 2),
        Err(Errno::EROFS)
    );
    assert_eq!(guest.call("fchmod", &[fd, 0]), Err(Errno::EROFS));
    assert_eq!(
        guest.path_call("utimensat_time64", "/data/file", &[0, 0]),
        Err(Errno::EROFS)
    );
    let path = guest.string("/data/file");
    assert_eq!(guest.call("truncate64", &[path, 0, 0]), Err(Errno::EROFS));
    assert_eq!(fs::read(world.root().join("file")).unwrap(), b"inside");
}

#[test]
fn the_hosts_proc_is_not_granted() {
    let made = rawposix::Sandbox::new(Config {
        mounts: vec![mount("/proc".as_ref(), "/host", Access::ReadOnly)],
        ..Config::default()
    });
    assert_eq!(made.unwrap_err().errno, Errno::EACCES);
    let mut guest = Guest::new(Config {
        mounts: vec![mount("/".as_ref(), "/host", Access::ReadOnly)],
        ..Config::default()
    });
    assert_eq!(
        guest.read_file("/host/proc/self/status"),
        Err(Errno::EACCES)
    );
    assert_eq!(guest.list("/host/proc"), Err(Errno::EACCES));
}

#[test]
fn without_grants_there_is_nothing_of_the_hosts() {
    let mut guest = Guest::new(Config::default());
    assert_eq!(guest.list("/").unwrap(), ["dev", "etc", "proc", "tmp"]);
    assert_eq!(guest.list("/tmp").unwrap(), [""; 0]);
    assert_eq!(guest.read_file("/etc/passwd"), Err(Errno::ENOENT));
    assert_eq!(guest.open("/new", O_CREAT | O_WRONLY), Err(Errno::EROFS));
    assert_eq!(guest.open("/dev/mem", 0), Err(Errno::ENOENT));
    assert_eq!(guest.write_file("/tmp/file", "x"), Ok(1));
}
