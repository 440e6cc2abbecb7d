//! How the arguments of kernel AIO are shown.

use rawposix_abi::flags::{GuestFlags, RwFlags};
use rawposix_abi::structs::{AioSigset, IoEvent, Iocb};
use rawposix_memory::GuestPtr;

use super::kinds::{Show, ShowStruct, list};
use super::text::address;
use super::{Moment, Shown, errno_of};
use crate::syscall::args::{AioContext, IoCbs, IoEvents, Words};

/// The names of `IOCB_CMD_*`, by their numbers.
const COMMANDS: [&str; 9] = [
    "IOCB_CMD_PREAD",
    "IOCB_CMD_PWRITE",
    "IOCB_CMD_FSYNC",
    "IOCB_CMD_FDSYNC",
    "4 /* IOCB_CMD_??? */",
    "IOCB_CMD_POLL",
    "IOCB_CMD_NOOP",
    "IOCB_CMD_PREADV",
    "IOCB_CMD_PWRITEV",
];

impl ShowStruct for Iocb {
    fn text(&self) -> String {
        let command = COMMANDS.get(usize::from(self.lio_opcode));
        let command = command.map_or_else(
            || format!("{:#x} /* IOCB_CMD_??? */", self.lio_opcode),
            |name| (*name).to_owned(),
        );
        let mut text = format!(
            "{{aio_data={:#x}, aio_lio_opcode={command}, aio_fildes={}, aio_buf={:#x}, aio_nbytes={}, aio_offset={}",
            self.data,
            self.fildes.cast_signed(),
            self.buf,
            self.nbytes,
            self.offset
        );
        if self.rw_flags != 0 {
            text.push_str(", aio_rw_flags=");
            RwFlags::write(self.rw_flags, &mut text);
        }
        if self.flags & 1 != 0 {
            text += &format!(", aio_resfd={}", self.resfd.cast_signed());
        }
        text + "}"
    }
}

impl ShowStruct for IoEvent {
    fn text(&self) -> String {
        format!(
            "{{data={:#x}, obj={:#x}, res={}, res2={}}}",
            self.data, self.obj, self.res, self.res2
        )
    }
}

impl ShowStruct for AioSigset {
    fn text(&self) -> String {
        format!(
            "{{sigmask={}, sigsetsize={}}}",
            address(self.sigmask),
            self.size
        )
    }
}

impl Show for AioContext {
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String> {
        let addr = words.take();
        let id = match shown.moment {
            Moment::Before => return None,
            Moment::After(word) if errno_of(word).is_some() => None,
            Moment::After(_) => shown.memory.read(GuestPtr::<u32>::new(addr)).ok(),
        };
        Some(id.map_or_else(|| address(addr), |id| format!("[{id:#x}]")))
    }
}

impl Show for IoCbs {
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String> {
        let count = words.last();
        let addr = words.take();
        if count.cast_signed() < 0 {
            return Some(address(addr));
        }
        Some(list(shown, addr, count, |request: &u32| {
            match shown.memory.read(GuestPtr::<Iocb>::new(*request)) {
                Ok(request) => request.text(),
                Err(_) => address(*request),
            }
        }))
    }
}

impl Show for IoEvents {
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String> {
        let addr = words.take();
        match shown.moment {
            Moment::Before => None,
            Moment::After(word) if errno_of(word).is_some() => Some(address(addr)),
            Moment::After(count) => {
                let count = u32::try_from(count).unwrap_or(0);
                Some(list(shown, addr, count, IoEvent::text))
            }
        }
    }
}
