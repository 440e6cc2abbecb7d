//! Threads in calls that block, and in park, are interrupted without a lost wake-up.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rawposix_interrupt::{Freeze, HostThread, Interrupted, Parked};
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::time::{ClockId, Timespec};

const ROUNDS: u32 = 20_000;
/// A busy machine makes fewer rounds.
const LONG_ENOUGH: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs `call` on a thread that is interrupted once per round, at all sorts of moments.
fn interrupted(call: impl Fn(&HostThread) + Send + 'static) {
    let host = HostThread::new();
    let rounds = Arc::new(AtomicU32::new(0));
    let worker = {
        let (host, rounds) = (Arc::clone(&host), Arc::clone(&rounds));
        thread::spawn(move || {
            host.attach().unwrap();
            rounds.store(1, Ordering::Release);
            while !host.is_ending() {
                call(&host);
                assert!(host.take_attention());
                rounds.fetch_add(1, Ordering::Release);
            }
        })
    };
    while rounds.load(Ordering::Acquire) == 0 {
        thread::yield_now();
    }
    let begin = Instant::now();
    for round in 1..=ROUNDS {
        if begin.elapsed() > LONG_ENOUGH {
            break;
        }
        for _ in 0..round % 500 {
            std::hint::spin_loop();
        }
        host.interrupt();
        let start = Instant::now();
        while rounds.load(Ordering::Acquire) == round {
            thread::yield_now();
            assert!(
                start.elapsed() < PATIENCE,
                "round {round}: a wake-up was lost"
            );
        }
    }
    host.end();
    worker.join().unwrap();
}

/// Makes the call until it ends by the interruption; a late repetition of an earlier signal may end it as well.
fn until_interrupted<T: std::fmt::Debug>(
    host: &HostThread,
    mut call: impl FnMut() -> Result<T, Errno>,
) {
    while !host.has_attention() {
        match host.block(&mut call) {
            Err(Errno::INTR) => {}
            result => panic!("the call ended by itself: {result:?}"),
        }
    }
}

#[test]
fn read_is_interrupted() {
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    interrupted(move |host| {
        let _open = &writer;
        until_interrupted(host, || rustix::io::read(&reader, &mut [0_u8; 1]));
    });
}

#[test]
fn sleep_is_interrupted() {
    let far = Timespec {
        tv_sec: i64::from(i32::MAX),
        tv_nsec: 0,
    };
    interrupted(move |host| {
        until_interrupted(host, || {
            rustix::thread::clock_nanosleep_absolute(ClockId::Realtime, &far)
        });
    });
}

#[test]
fn poll_is_interrupted() {
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    interrupted(move |host| {
        let _open = &writer;
        until_interrupted(host, || {
            rustix::event::poll(&mut [PollFd::new(&reader, PollFlags::IN)], None)
        });
    });
}

#[test]
fn park_is_interrupted() {
    interrupted(|host| assert_eq!(host.park(None), Parked::Interrupted));
}

#[test]
fn park_ends_at_its_deadline() {
    let host = HostThread::new();
    let start = Instant::now();
    let end = start.checked_add(Duration::from_millis(30));
    assert_eq!(host.park(end), Parked::TimedOut);
    assert!(start.elapsed() >= Duration::from_millis(30));
}

#[test]
fn a_wakeup_before_the_wait_counts() {
    let host = HostThread::new();
    host.unpark();
    assert_eq!(host.park(None), Parked::Woken);
    host.unpark();
    host.forget_wakeup();
    assert_eq!(host.park(Some(Instant::now())), Parked::TimedOut);
}

#[test]
fn an_interruption_keeps_the_thread_in_the_host() {
    let host = HostThread::new();
    assert_eq!(host.leave(), Ok(()));
    host.enter();
    host.interrupt();
    assert_eq!(host.leave(), Err(Interrupted));
    assert!(host.take_attention());
    assert!(!host.take_attention());
    assert_eq!(host.leave(), Ok(()));
}

#[test]
fn a_frozen_thread_stays_in_its_call() {
    let host = HostThread::new();
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    let left = Arc::new(AtomicU32::new(0));
    let worker = {
        let (host, left) = (Arc::clone(&host), Arc::clone(&left));
        thread::spawn(move || {
            host.attach().unwrap();
            let call = || rustix::io::read(&reader, &mut [0_u8; 1]);
            while host.block(call) != Ok(1) {}
            host.leave().unwrap();
            left.store(1, Ordering::Release);
            host.enter();
        })
    };
    thread::sleep(Duration::from_millis(20));
    let freeze = Freeze::new([Arc::clone(&host)]);
    let second = Freeze::new([Arc::clone(&host)]);
    rustix::io::write(&writer, &[1]).unwrap();
    thread::sleep(Duration::from_millis(20));
    drop(second);
    thread::sleep(Duration::from_millis(20));
    assert_eq!(left.load(Ordering::Acquire), 0);
    drop(freeze);
    worker.join().unwrap();
    assert_eq!(left.load(Ordering::Acquire), 1);
}

#[test]
fn threads_that_come_and_go_can_be_frozen() {
    for _ in 0..200 {
        let hosts: Vec<_> = (0..4).map(|_| HostThread::new()).collect();
        let workers: Vec<_> = hosts
            .iter()
            .cloned()
            .map(|host| {
                thread::spawn(move || {
                    host.attach().unwrap();
                    for _ in 0..10 {
                        let _ = host.leave();
                        host.enter();
                    }
                })
            })
            .collect();
        drop(Freeze::new(hosts));
        for worker in workers {
            worker.join().unwrap();
        }
    }
}

#[test]
fn threads_in_and_out_of_the_host_can_be_frozen_again_and_again() {
    let hosts: Vec<_> = (0..3).map(|_| HostThread::new()).collect();
    let turns: Arc<AtomicU32> = Arc::default();
    let workers: Vec<_> = hosts
        .iter()
        .cloned()
        .map(|host| {
            let turns = Arc::clone(&turns);
            thread::spawn(move || {
                host.attach().unwrap();
                while !host.is_ending() {
                    if host.leave().is_ok() {
                        turns.fetch_add(1, Ordering::Relaxed);
                    }
                    host.enter();
                    host.take_attention();
                }
            })
        })
        .collect();
    let begin = Instant::now();
    for _ in 0..20_000 {
        if begin.elapsed() > LONG_ENOUGH {
            break;
        }
        hosts.iter().for_each(|host| host.interrupt());
        drop(Freeze::new(hosts.clone()));
    }
    hosts.iter().for_each(|host| host.end());
    for worker in workers {
        worker.join().unwrap();
    }
    assert!(turns.load(Ordering::Relaxed) > 0);
}
