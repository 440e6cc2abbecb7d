//! The fault handler leaves other faults to the handler before it. One test: signal handlers
//! belong to the whole process.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a panic is how a test fails"
)]

use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use rawposix_abi::Errno;
use rawposix_memory::{AddressSpace, GuestPtr};

static PAGE: AtomicPtr<libc::c_void> = AtomicPtr::new(ptr::null_mut());
static FAULTS: AtomicUsize = AtomicUsize::new(0);

/// Counts a fault and makes the page accessible, so that the access succeeds when repeated.
extern "C" fn repair(_: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel passes siginfo to handlers installed with SA_SIGINFO.
    let info = unsafe { &*info };
    // SAFETY: the signal is a fault, which has an address.
    let addr = unsafe { info.si_addr() };
    if addr != PAGE.load(Ordering::SeqCst) {
        std::process::abort();
    }
    FAULTS.fetch_add(1, Ordering::SeqCst);
    // SAFETY: the page is the test's own.
    unsafe { libc::mprotect(addr, 4096, libc::PROT_READ | libc::PROT_WRITE) };
}

#[test]
fn faults_elsewhere_go_to_the_earlier_handler() {
    match std::env::var("FAULT_TEST").as_deref() {
        Ok("access") => {
            default_first();
            // SAFETY: no access is made: the fault ends this process, which is the test.
            unsafe { ptr::without_provenance::<u8>(8).read_volatile() };
        }
        Ok("signal") => {
            default_first();
            let own = libc::pid_t::try_from(std::process::id()).unwrap();
            // SAFETY: the signal ends this process, which is the test.
            unsafe { libc::kill(own, libc::SIGSEGV) };
        }
        _ => {
            chained();
            for case in ["access", "signal"] {
                let status = Command::new(std::env::current_exe().unwrap())
                    .env("FAULT_TEST", case)
                    .args(["--exact", "faults_elsewhere_go_to_the_earlier_handler"])
                    .output()
                    .unwrap()
                    .status;
                assert_eq!(status.signal(), Some(libc::SIGSEGV), "{case}");
            }
        }
    }
}

/// Installs over the default action, and checks that a guest fault is survived.
fn default_first() {
    // SAFETY: the default action for SIGSEGV.
    unsafe { libc::signal(libc::SIGSEGV, libc::SIG_DFL) };
    let space = AddressSpace::new().unwrap();
    assert_eq!(space.read(GuestPtr::<u32>::new(0)), Err(Errno::EFAULT));
}

fn chained() {
    // SAFETY: all-zero is a valid sigaction.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = repair;
    action.sa_sigaction = handler as libc::sighandler_t;
    action.sa_flags = libc::SA_SIGINFO;
    // SAFETY: the handler has the type that SA_SIGINFO asks for.
    unsafe { libc::sigaction(libc::SIGSEGV, &raw const action, ptr::null_mut()) };
    // SAFETY: a new mapping at a place the kernel chooses.
    let page = unsafe {
        libc::mmap(
            ptr::null_mut(),
            4096,
            libc::PROT_NONE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    assert_ne!(page, libc::MAP_FAILED);
    PAGE.store(page, Ordering::SeqCst);

    let space = AddressSpace::new().unwrap();
    for _ in 0..100 {
        assert_eq!(space.read(GuestPtr::<u32>::new(0)), Err(Errno::EFAULT));
    }
    assert_eq!(FAULTS.load(Ordering::SeqCst), 0);
    // SAFETY: the handler makes the page writable at the first fault.
    unsafe { page.cast::<u8>().write_volatile(5) };
    // SAFETY: the page is readable now.
    let value = unsafe { page.cast::<u8>().read_volatile() };
    assert_eq!((value, FAULTS.load(Ordering::SeqCst)), (5, 1));
    assert_eq!(space.write(GuestPtr::<u32>::new(0), &1), Err(Errno::EFAULT));
    assert_eq!(FAULTS.load(Ordering::SeqCst), 1);
}
