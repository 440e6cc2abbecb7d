//! A thread in a loop without calls is redirected, stopped and ended.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::arch::global_asm;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, setrlimit};

use rawposix_interrupt::{Context, Freeze, HostThread, Redirect, Redirected, install};

// Counts until it is redirected. The end of the function is where the redirection leads: it returns 1 or 2.
global_asm!(
    ".globl test_guest_spin, test_guest_end",
    "test_guest_spin:",
    "lock inc qword ptr [rdi]",
    "jmp test_guest_spin",
    "test_guest_signal:",
    "mov eax, 1",
    "ret",
    "test_guest_trap:",
    "mov eax, 2",
    "ret",
    "test_guest_end:",
);

unsafe extern "C" {
    fn test_guest_spin(counter: *const AtomicU64) -> u32;
    safe fn test_guest_signal();
    safe fn test_guest_trap();
}

struct Test;

fn is_spinning(pc: usize) -> bool {
    (test_guest_spin as *const () as usize..test_guest_signal as *const () as usize).contains(&pc)
}

fn program_counter(context: &mut Context) -> &mut i64 {
    let index = usize::try_from(libc::REG_RIP).unwrap();
    context.uc_mcontext.gregs.get_mut(index).unwrap()
}

fn redirect(context: &mut Context, to: extern "C" fn()) -> Redirected {
    let pc = program_counter(context);
    if is_spinning(usize::try_from(*pc).unwrap()) {
        *pc = i64::try_from(to as *const () as usize).unwrap();
        Redirected::Yes
    } else {
        Redirected::NotHere
    }
}

impl Redirect for Test {
    fn can_stop(&self, context: &mut Context) -> bool {
        is_spinning(usize::try_from(*program_counter(context)).unwrap())
    }
    fn deliver(&self, context: &mut Context) -> Redirected {
        redirect(context, test_guest_signal)
    }
    fn end(&self, context: &mut Context) -> Redirected {
        redirect(context, test_guest_trap)
    }
}

/// A thread that counts, is interrupted and goes on, until it is ended.
fn run(host: &HostThread, counter: &AtomicU64, signals: &AtomicU64) {
    loop {
        if host.leave().is_ok() {
            // SAFETY: the function only adds to the counter, which outlives it.
            let code = unsafe { test_guest_spin(counter) };
            host.enter();
            if code == 2 {
                return;
            }
        } else {
            host.enter();
        }
        if host.is_ending() {
            return;
        }
        if host.take_attention() {
            signals.fetch_add(1, Ordering::Release);
        }
    }
}

fn wait_for(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        thread::yield_now();
        assert!(start.elapsed() < Duration::from_secs(60), "it hangs");
    }
}

#[test]
fn a_spinning_guest_is_interrupted_and_ended() {
    install(&Test);
    let host = HostThread::new();
    let (counter, signals) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let worker = {
        let (host, counter, signals) = (host.clone(), counter.clone(), signals.clone());
        thread::spawn(move || {
            host.attach().unwrap();
            run(&host, &counter, &signals);
        })
    };
    wait_for(|| counter.load(Ordering::Relaxed) > 0);
    let begin = Instant::now();
    for round in 0..20_000 {
        // A busy machine makes fewer rounds.
        if begin.elapsed() > Duration::from_secs(10) {
            break;
        }
        host.interrupt();
        wait_for(|| signals.load(Ordering::Acquire) > round);
    }
    host.end();
    worker.join().unwrap();
}

#[test]
fn frozen_guests_do_not_move() {
    freeze_and_interrupt();
    // Neither a queued signal nor a timer is to be had.
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Sigpending, none).unwrap();
    freeze_and_interrupt();
}

fn freeze_and_interrupt() {
    install(&Test);
    let hosts: Vec<_> = (0..3).map(|_| HostThread::new()).collect();
    let counters: Arc<[AtomicU64; 3]> = Arc::default();
    let signals: Arc<AtomicU64> = Arc::default();
    let stop = Arc::new(AtomicBool::new(false));
    let mut workers: Vec<_> = hosts
        .iter()
        .cloned()
        .enumerate()
        .map(|(index, host)| {
            let (counters, signals) = (counters.clone(), signals.clone());
            thread::spawn(move || {
                host.attach().unwrap();
                run(&host, counters.get(index).unwrap(), &signals);
            })
        })
        .collect();
    workers.push({
        let (hosts, stop) = (hosts.clone(), stop.clone());
        thread::spawn(move || {
            while !stop.load(Ordering::Acquire) {
                hosts.iter().for_each(|host| host.interrupt());
                thread::yield_now();
            }
        })
    });
    let read = || -> Vec<u64> {
        let all = counters.iter();
        all.map(|c| c.load(Ordering::SeqCst)).collect()
    };
    let begin = Instant::now();
    for _ in 0..1000 {
        if begin.elapsed() > Duration::from_secs(5) {
            break;
        }
        let freeze = Freeze::new(hosts.clone());
        let before = read();
        thread::yield_now();
        for _ in 0..1000 {
            std::hint::spin_loop();
        }
        assert_eq!(before, read());
        drop(freeze);
    }
    stop.store(true, Ordering::Release);
    workers.pop().unwrap().join().unwrap();
    for host in &hosts {
        host.end();
    }
    for worker in workers {
        worker.join().unwrap();
    }
    assert!(signals.load(Ordering::Acquire) > 0);
}
