//! Drives the microvisor without WebAssembly: arguments are written into guest memory, calls are made by name.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each test uses its own part"
)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by a panic"
)]

pub mod world;

use std::path::Path;
use std::sync::Arc;

use rawposix::{Access, Config, Control, Errno, ExitStatus, Image, Mount, Sandbox, Thread};
use rawposix_abi::table;
use rawposix_memory::{GuestPtr, GuestSlice};

/// `AT_FDCWD` as a word.
pub const CWD: u32 = (-100_i32).cast_unsigned();

/// A guest process with an area for arguments.
pub struct Guest {
    pub sandbox: Arc<Sandbox>,
    pub thread: Thread,
    next: u32,
}

/// What a call came to.
pub type Answer = Result<u32, Errno>;

impl Guest {
    pub fn new(config: Config) -> Self {
        let sandbox = Sandbox::new(config).unwrap();
        let image = Image {
            argv: vec![b"test".to_vec()],
            path: b"/test".to_vec(),
            initial_memory: 4 << 20,
            ..Image::default()
        };
        let thread = sandbox.start(image).unwrap();
        Self {
            sandbox,
            thread,
            next: 0x2_0000,
        }
    }

    /// A sandbox whose root is a host directory.
    pub fn in_root(root: &Path) -> Self {
        Self::new(Config {
            root: Some(root.to_path_buf()),
            ..Config::default()
        })
    }

    /// A sandbox with one writable grant.
    pub fn with_mount(host: &Path, guest: &str) -> Self {
        Self::new(Config {
            mounts: vec![mount(host, guest, Access::ReadWrite)],
            ..Config::default()
        })
    }

    /// Makes a system call by name.
    pub fn control(&mut self, name: &str, arguments: &[u32]) -> Control {
        let call = table::by_name(name).unwrap();
        let mut words = [0; 6];
        words[..arguments.len()].copy_from_slice(arguments);
        self.thread.syscall(i32::from(call.number), words)
    }

    /// Makes a system call that returns.
    pub fn call(&mut self, name: &str, arguments: &[u32]) -> Answer {
        match self.control(name, arguments) {
            Control::Return(word) if (-4095..0).contains(&word) => {
                Err(Errno::from_raw(u16::try_from(-word).unwrap()).unwrap())
            }
            Control::Return(word) => Ok(word.cast_unsigned()),
            other => panic!("{name} did not return: {other:?}"),
        }
    }

    /// Makes a system call that ends the process.
    pub fn end(&mut self, name: &str, arguments: &[u32]) -> ExitStatus {
        match self.control(name, arguments) {
            Control::Exit(status) => status,
            other => panic!("{name} did not end the thread: {other:?}"),
        }
    }

    /// Room in guest memory.
    pub fn room(&mut self, size: u32) -> u32 {
        let start = self.next;
        self.next += size.next_multiple_of(16);
        if self.next > 0x20_0000 {
            self.next = 0x2_0000;
            return self.room(size);
        }
        start
    }

    pub fn bytes(&mut self, bytes: &[u8]) -> u32 {
        let start = self.room(u32::try_from(bytes.len()).unwrap());
        self.thread
            .memory()
            .write_bytes(GuestPtr::new(start), bytes)
            .unwrap();
        start
    }

    pub fn string(&mut self, text: &str) -> u32 {
        self.bytes(&[text.as_bytes(), &[0]].concat())
    }

    pub fn load(&self, start: u32, length: u32) -> Vec<u8> {
        self.thread
            .memory()
            .read_slice(GuestSlice::new(GuestPtr::new(start), length))
            .unwrap()
    }

    pub fn open_at(&mut self, dirfd: u32, path: &str, flags: u32, mode: u32) -> Answer {
        let path = self.string(path);
        self.call("openat", &[dirfd, path, flags, mode])
    }

    pub fn open(&mut self, path: &str, flags: u32) -> Answer {
        self.open_at(CWD, path, flags, 0o666)
    }

    pub fn close(&mut self, fd: u32) {
        self.call("close", &[fd]).unwrap();
    }

    /// Everything a file holds.
    pub fn read_file(&mut self, path: &str) -> Result<Vec<u8>, Errno> {
        let fd = self.open(path, 0)?;
        let result = self.read_fd(fd);
        self.close(fd);
        result
    }

    pub fn read_fd(&mut self, fd: u32) -> Result<Vec<u8>, Errno> {
        let room = self.room(4096);
        let mut all = Vec::new();
        loop {
            let count = self.call("read", &[fd, room, 4096])?;
            if count == 0 {
                return Ok(all);
            }
            all.extend(self.load(room, count));
        }
    }

    pub fn write_file(&mut self, path: &str, text: &str) -> Answer {
        let fd = self.open(path, 0o1101)?;
        let bytes = self.bytes(text.as_bytes());
        let result = self.call("write", &[fd, bytes, u32::try_from(text.len()).unwrap()]);
        self.close(fd);
        result
    }

    pub fn path_call(&mut self, name: &str, path: &str, more: &[u32]) -> Answer {
        let path = self.string(path);
        self.call(name, &[&[CWD, path], more].concat())
    }

    pub fn mkdir(&mut self, path: &str) -> Answer {
        self.path_call("mkdirat", path, &[0o777])
    }

    pub fn unlink(&mut self, path: &str) -> Answer {
        self.path_call("unlinkat", path, &[0])
    }

    pub fn symlink(&mut self, target: &str, path: &str) -> Answer {
        let (target, path) = (self.string(target), self.string(path));
        self.call("symlinkat", &[target, CWD, path])
    }

    pub fn link(&mut self, old: &str, new: &str) -> Answer {
        let (old, new) = (self.string(old), self.string(new));
        self.call("linkat", &[CWD, old, CWD, new, 0])
    }

    pub fn rename(&mut self, old: &str, new: &str) -> Answer {
        let (old, new) = (self.string(old), self.string(new));
        self.call("renameat2", &[CWD, old, CWD, new, 0])
    }

    pub fn chdir(&mut self, path: &str) -> Answer {
        let path = self.string(path);
        self.call("chdir", &[path])
    }

    pub fn cwd(&mut self) -> Result<String, Errno> {
        let room = self.room(4096);
        let length = self.call("getcwd", &[room, 4096])?;
        Ok(String::from_utf8(self.load(room, length - 1)).unwrap())
    }

    pub fn readlink(&mut self, path: &str) -> Result<String, Errno> {
        let room = self.room(4096);
        let length = self.path_call("readlinkat", path, &[room, 4096])?;
        Ok(String::from_utf8(self.load(room, length)).unwrap())
    }

    /// The metadata of a path, links followed.
    pub fn stat(&mut self, path: &str) -> Result<rawposix_abi::structs::Statx, Errno> {
        self.statx(CWD, path, 0)
    }

    pub fn statx(
        &mut self,
        dirfd: u32,
        path: &str,
        flags: u32,
    ) -> Result<rawposix_abi::structs::Statx, Errno> {
        let room = self.room(256);
        let path = self.string(path);
        self.call("statx", &[dirfd, path, flags, 0xfff, room])?;
        Ok(self.thread.memory().read(GuestPtr::new(room)).unwrap())
    }

    /// The names in a directory, sorted, without `.` and `..`.
    pub fn list(&mut self, path: &str) -> Result<Vec<String>, Errno> {
        let fd = self.open(path, 0o200_000)?;
        let room = self.room(512);
        let mut names = Vec::new();
        loop {
            let count = self.call("getdents64", &[fd, room, 512])?;
            if count == 0 {
                break;
            }
            let records = self.load(room, count);
            let mut rest: &[u8] = &records;
            while !rest.is_empty() {
                let length = usize::from(u16::from_le_bytes([rest[16], rest[17]]));
                let name: Vec<u8> = rest[19..length]
                    .iter()
                    .copied()
                    .take_while(|b| *b != 0)
                    .collect();
                names.push(String::from_utf8(name).unwrap());
                rest = &rest[length..];
            }
        }
        self.close(fd);
        names.retain(|name| name != "." && name != "..");
        names.sort();
        Ok(names)
    }
}

pub fn mount(host: &Path, guest: &str, access: Access) -> Mount {
    Mount {
        host: host.to_path_buf(),
        guest: guest.into(),
        access,
    }
}
