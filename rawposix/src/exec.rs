//! execve(2): another program in the same process.
//!
//! The program is opened and the arguments are copied before anything changes; the engine loads the module, and
//! [`Thread::execute`] is the point of no return.

use std::fs::File;
use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_memory::AddressSpace;

use crate::control::Control;
use crate::fd::OpenFile;
use crate::fs::busy::InUse;
use crate::sandbox::Image;
use crate::startup::Startup;
use crate::thread::Thread;
use crate::trace::TracedCall;

/// A program that is to be executed.
#[derive(Debug)]
pub struct ExecRequest {
    pub(crate) file: File,
    pub(crate) program: Arc<Program>,
    pub(crate) image: Image,
    pub(crate) traced: Option<TracedCall>,
}

/// The file that a process executes, to which `/proc/PID/exe` leads.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) file: Arc<OpenFile>,
    /// Nobody writes to it meanwhile.
    #[expect(dead_code, reason = "its end is what it is for")]
    in_use: InUse,
}

impl Program {
    /// A program that is in use from now on.
    pub(crate) fn new(file: Arc<OpenFile>, in_use: InUse) -> Self {
        Self { file, in_use }
    }
}

impl ExecRequest {
    /// The program's file, open for reading at its start.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The path that was given to execve(2), for messages.
    pub fn path(&self) -> &[u8] {
        &self.image.path
    }
}

impl Thread {
    /// Executes the program, whose module declares this many bytes of memory. The thread is then the only one of its
    /// process, has an empty address space with the program's image in it, and its old frames must never run again.
    ///
    /// # Errors
    /// What the engine returns to the guest instead, which has not changed; or how the thread ended meanwhile.
    pub fn execute(&mut self, request: ExecRequest, initial_memory: u64) -> Result<(), Control> {
        let ExecRequest {
            mut image,
            program,
            traced,
            ..
        } = request;
        image.initial_memory = initial_memory;
        match self.replace(image, program) {
            Ok(()) => {
                if let (Some(tracer), Some(call)) = (&self.world.tracer, traced) {
                    tracer.leave(self, call, 0, None);
                }
                Ok(())
            }
            Err(errno) => Err(self.leave(traced, Err(errno))),
        }
    }

    /// The engine cannot load the program: the call fails with `errno`.
    pub fn fail_exec(&mut self, request: ExecRequest, errno: Errno) -> Control {
        let ExecRequest { traced, .. } = request;
        self.leave(traced, Err(errno))
    }

    fn replace(&mut self, image: Image, program: Arc<Program>) -> Result<(), Errno> {
        let credentials = self.process.credentials();
        let startup = Startup::new(
            &image,
            credentials.user.effective,
            credentials.group.effective,
        )?;
        let space = AddressSpace::new()?;
        space.map_image(image.initial_memory)?;
        self.process.begin_execute(self.tid())?;
        // As on Linux, only the end of the process ends this wait.
        while !self.process.is_single() {
            if self.process.end().is_some() {
                return Err(Errno::EINTR);
            }
            self.task.host.park_uninterrupted();
        }
        // From here on there is no way back.
        self.release_memory();
        let name = image.name();
        self.process.execute(Arc::clone(&space), image, program);
        let task = if self.tid() == self.process.pid {
            self.task.set_name(&name);
            Arc::clone(&self.task)
        } else {
            self.world.family.take_over(self.tid(), self.process.pid);
            Arc::new(self.task.renamed(self.process.pid, name))
        };
        self.process.become_leader(Arc::clone(&task));
        self.replace_program(task, space, startup);
        self.task.host.begin();
        self.release_vfork();
        Ok(())
    }
}
