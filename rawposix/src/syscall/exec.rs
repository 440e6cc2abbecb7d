//! Executing programs. See execve(2), execveat(2).

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_abi::flags::{AT_FDCWD, AtFlags, OpenFlags};
use rawposix_memory::{GuestCStr, GuestPtr};
use rustix::fs::{Access, FileType, OFlags};

use super::args::{Argv, DirFd, Envp, Path};
use crate::cage::Process;
use crate::exec::{ExecRequest, Program};
use crate::fd::{CloseOnExec, Object, OpenFile, Origin};
use crate::fs::busy::InUse;
use crate::fs::dir::FileId;
use crate::fs::node::{Node, reopen};
use crate::fs::permission::Rights;
use crate::fs::walk::Follow;
use crate::landlock::FileAccess;
use crate::sandbox::Image;
use crate::startup::{ARG_MAX, MAX_ARG_STRLEN};
use crate::thread::{Step, Thread};

/// Bytes of a file that say what kind of program it is: `BINPRM_BUF_SIZE`.
const HEAD: usize = 256;
/// Scripts whose interpreter is a script, and so on: as many as Linux follows.
const DEPTH: usize = 5;
/// How a WebAssembly module begins.
const MODULE: &[u8] = b"\0asm";

pub(super) fn execve(thread: &mut Thread, path: Path, argv: Argv, envp: Envp) -> Result<(), Errno> {
    execveat(thread, DirFd(AT_FDCWD), path, argv, envp, AtFlags::empty())
}

pub(super) fn execveat(
    thread: &mut Thread,
    dirfd: DirFd,
    path: Path,
    argv: Argv,
    envp: Envp,
    flags: AtFlags,
) -> Result<(), Errno> {
    let allowed = AtFlags::EMPTY_PATH | AtFlags::SYMLINK_NOFOLLOW;
    if !allowed.contains(flags) {
        return Err(Errno::EINVAL);
    }
    let path = thread.read_path(path.0)?;
    let (mut program, mut name) = open(thread, dirfd.0, &path, flags)?;
    let given = name.clone();
    let mut room = ARG_MAX;
    let mut argv = strings(thread, argv.0, &mut room)?;
    let envp = strings(thread, envp.0, &mut room)?;
    if argv.is_empty() {
        // As Linux does since 5.18, so that no program takes its environment for its arguments.
        argv.push(Vec::new());
    }
    for depth in 0.. {
        let head = head_of(&program.file)?;
        let Some(script) = Script::parse(&head)? else {
            break;
        };
        if depth == 0 && is_lost(thread, dirfd.0, &path) {
            // The interpreter could not open the script by the name it would get.
            return Err(Errno::ENOENT);
        }
        if depth == DEPTH {
            return Err(Errno::ELOOP);
        }
        let arguments = argv.split_off(1.min(argv.len()));
        argv = vec![script.interpreter.clone()];
        argv.extend(script.argument);
        argv.push(name);
        argv.extend(arguments);
        (program, name) = open(thread, AT_FDCWD, &script.interpreter, AtFlags::empty())?;
    }
    let image = Image {
        argv,
        envp,
        path: given,
        initial_memory: 0,
    };
    thread.step = Some(Step::Exec(Box::new(ExecRequest {
        file: program.file.try_clone().map_err(Errno::from)?,
        program: program.keep(),
        image,
        traced: None,
    })));
    Ok(())
}

/// Whether the path that names the file goes through a descriptor that execve(2) closes.
fn is_lost(thread: &Thread, dirfd: i32, path: &[u8]) -> bool {
    let by_descriptor = dirfd != AT_FDCWD && !path.starts_with(b"/");
    let flag = thread
        .process
        .with_files(|files| files.close_on_exec(dirfd));
    by_descriptor && flag == Ok(CloseOnExec::Yes)
}

/// A file that is to be executed.
struct Executable {
    file: File,
    origin: Origin,
    in_use: InUse,
}

impl Executable {
    fn keep(self) -> Arc<Program> {
        let file = OpenFile::host_file(self.file.into(), self.origin, OpenFlags::empty());
        Arc::new(Program::new(file, self.in_use))
    }
}

/// Opens what is to be executed; gives it, with the path that names it. `ETXTBSY` when somebody writes to it.
fn open(
    thread: &Thread,
    dirfd: i32,
    path: &[u8],
    flags: AtFlags,
) -> Result<(Executable, Vec<u8>), Errno> {
    let follow = if flags.contains(AtFlags::SYMLINK_NOFOLLOW) {
        Follow::No
    } else {
        Follow::Yes
    };
    let node = thread.node_or_file(dirfd, path, flags, follow)?;
    let name = match (path, dirfd) {
        (b"", fd) => format!("/dev/fd/{fd}").into_bytes(),
        (path, AT_FDCWD) => path.to_vec(),
        ([b'/', ..], _) => path.to_vec(),
        (path, fd) => [format!("/dev/fd/{fd}/").as_bytes(), path].concat(),
    };
    let (file, origin) = open_node(&thread.process, &node)?;
    let in_use = thread.world.busy.execute(FileId::of(&file)?)?;
    let executable = Executable {
        file,
        origin,
        in_use,
    };
    Ok((executable, name))
}

fn open_node(process: &Process, node: &Node) -> Result<(File, Origin), Errno> {
    process.check_domain(node, FileAccess::EXECUTE)?;
    match node {
        Node::Host(host) if host.kind == FileType::RegularFile => {
            if let Some(guard) = process.guard() {
                guard.check(&host.fd, Rights::EXECUTE)?;
            }
            rustix::fs::access(host.proc_path(), Access::EXEC_OK)?;
            let file = File::from(host.open(OFlags::RDONLY)?);
            Ok((file, Origin::Mount(host.mount)))
        }
        Node::Open(file) => open_description(process, file),
        Node::Host(host) if host.kind == FileType::Symlink => Err(Errno::ELOOP),
        Node::Link(_) => Err(Errno::ELOOP),
        _ => Err(Errno::EACCES),
    }
}

fn open_description(process: &Process, file: &OpenFile) -> Result<(File, Origin), Errno> {
    match file.object() {
        Object::Path(node) => open_node(process, node),
        Object::Host(host) => {
            let stat = rustix::fs::fstat(&host.fd)?;
            if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
                return Err(Errno::EACCES);
            }
            if stat.st_mode & 0o111 == 0 {
                return Err(Errno::EACCES);
            }
            // What lind was given open for writing only is not given for reading.
            let mode = rustix::fs::fcntl_getfl(&host.fd)? & OFlags::RWMODE;
            if matches!(host.origin, Origin::Stream) && mode == OFlags::WRONLY {
                return Err(Errno::EACCES);
            }
            if let (Some(guard), Origin::Mount(_)) = (process.guard(), &host.origin) {
                guard.check(&host.fd, Rights::EXECUTE)?;
            }
            let file = File::from(reopen(&host.fd, OFlags::RDONLY)?);
            Ok((file, host.origin.clone()))
        }
        Object::Dir(_) | Object::Own(_) => Err(Errno::EACCES),
    }
}

fn head_of(file: &File) -> Result<Vec<u8>, Errno> {
    let mut head = vec![0; HEAD];
    let mut length = 0;
    while let Some(rest) = head.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, length as u64)? {
            0 => break,
            count => length += count,
        }
    }
    head.truncate(length);
    Ok(head)
}

/// What separates the words of a script's first line.
fn blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn trim(line: &[u8]) -> &[u8] {
    let Some(start) = line.iter().position(|byte| !blank(byte)) else {
        return &[];
    };
    let end = line.iter().rposition(|byte| !blank(byte));
    line.get(start..=end.unwrap_or(start)).unwrap_or_default()
}

/// The first line of a script.
struct Script {
    interpreter: Vec<u8>,
    argument: Option<Vec<u8>>,
}

impl Script {
    /// `None` for a module, `ENOEXEC` for what is neither.
    fn parse(head: &[u8]) -> Result<Option<Self>, Errno> {
        if head.starts_with(MODULE) {
            return Ok(None);
        }
        let line = head.strip_prefix(b"#!").ok_or(Errno::ENOEXEC)?;
        let (line, complete) = match line.iter().position(|byte| *byte == b'\n') {
            Some(end) => (line.get(..end).unwrap_or_default(), true),
            None => (line, head.len() < HEAD),
        };
        let line = trim(line);
        let end = line.iter().position(blank);
        if line.is_empty() || (end.is_none() && !complete) {
            // A path that was cut off would name another program.
            return Err(Errno::ENOEXEC);
        }
        let (interpreter, rest) = line.split_at(end.unwrap_or(line.len()));
        let argument = trim(rest);
        Ok(Some(Self {
            interpreter: interpreter.to_vec(),
            argument: (!argument.is_empty()).then(|| argument.to_vec()),
        }))
    }
}

/// Reads an array of strings, which ends with a null pointer. `E2BIG` when they take more than `room`.
fn strings(thread: &Thread, array: u32, room: &mut usize) -> Result<Vec<Vec<u8>>, Errno> {
    let mut strings = Vec::new();
    let mut place = GuestPtr::<u32>::new(array);
    if place.is_null() {
        return Ok(strings);
    }
    loop {
        let pointer = thread.memory().read(place)?;
        if pointer == 0 {
            return Ok(strings);
        }
        let string = thread
            .memory()
            .read_cstr(GuestCStr::new(pointer), MAX_ARG_STRLEN)
            .map_err(|errno| match errno {
                Errno::ENAMETOOLONG => Errno::E2BIG,
                errno => errno,
            })?
            .into_bytes();
        *room = room
            .checked_sub(string.len() + 1 + size_of::<u32>())
            .ok_or(Errno::E2BIG)?;
        strings.push(string);
        place = place.checked_add(1).ok_or(Errno::EFAULT)?;
    }
}
