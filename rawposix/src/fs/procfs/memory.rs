//! The mappings of a process: `maps`, `smaps` and `smaps_rollup`.

use std::fmt::Write;

use rawposix_memory::{AddressSpace, Mapping, Protection, RegionKind, Sharing};

use crate::cage::Process;
use crate::fs::place;

fn program_path(process: &Process) -> Vec<u8> {
    match process.program() {
        Some(program) => place::path_of_file(process.mounts(), &program),
        None => process.image().path.clone(),
    }
}

fn line(process: &Process, mapping: &Mapping) -> Vec<u8> {
    let flag = |set: bool, letter: char| if set { letter } else { '-' };
    let line = format!(
        "{:08x}-{:08x} {}{}{}{} {:08x} {:02x}:{:02x} {}",
        mapping.start,
        mapping.end,
        flag(mapping.protection.contains(Protection::READ), 'r'),
        flag(mapping.protection.contains(Protection::WRITE), 'w'),
        flag(mapping.protection.contains(Protection::EXEC), 'x'),
        if mapping.sharing == Sharing::Shared {
            's'
        } else {
            'p'
        },
        mapping.offset,
        mapping.label.device >> 8 & 0xff,
        mapping.label.device & 0xff,
        mapping.label.inode,
    );
    // Paths stand in one column.
    let mut line = format!("{line:<73}").into_bytes();
    match mapping.kind {
        RegionKind::Heap => line.extend_from_slice(b"[heap]"),
        RegionKind::Image => line.extend_from_slice(&program_path(process)),
        RegionKind::Mapping => line.extend_from_slice(&mapping.label.path),
    }
    line.push(b'\n');
    line
}

pub(super) fn maps(process: &Process) -> Vec<u8> {
    let mappings = process.space().mappings();
    mappings
        .iter()
        .flat_map(|mapping| line(process, mapping))
        .collect()
}

/// What `smaps` counts of mappings, in bytes. Whether a page of a shared file has been written is not known: it counts as
/// clean, and shared memory without a file as dirty.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// What others map as well.
    shared_clean: u64,
    shared_dirty: u64,
    private_clean: u64,
    private_dirty: u64,
    /// What belongs to no file.
    anonymous: u64,
    /// The share in what others map as well, by kind: half, as if there was one other.
    anonymous_share: u64,
    file_share: u64,
    shared_memory_share: u64,
    swapped: u64,
    locked: u64,
}

impl Counts {
    fn of(space: &AddressSpace, mapping: &Mapping) -> Self {
        // What is unmapped meanwhile, or not told by the host, is not resident.
        let found = space
            .residency(mapping.start..mapping.end)
            .unwrap_or_default();
        let share = found.only + found.common / 2;
        let mut counts = Self {
            private_dirty: found.anonymous,
            anonymous: found.anonymous,
            anonymous_share: found.anonymous,
            swapped: found.swapped,
            ..Self::default()
        };
        match (mapping.sharing, mapping.nameless) {
            // What a process has from its parent and neither has written since, lind keeps like a file.
            (Sharing::Private, true) => {
                counts.private_dirty += found.only;
                counts.shared_dirty = found.common;
                counts.anonymous += found.only + found.common;
                counts.anonymous_share += share;
            }
            (Sharing::Shared, true) => {
                counts.private_dirty += found.only;
                counts.shared_dirty = found.common;
                counts.shared_memory_share = share;
            }
            (_, false) => {
                counts.private_clean = found.only;
                counts.shared_clean = found.common;
                counts.file_share = share;
            }
        }
        if mapping.locked {
            counts.locked = counts.share();
        }
        counts
    }

    fn resident(self) -> u64 {
        self.shared_clean + self.shared_dirty + self.private_clean + self.private_dirty
    }

    /// The proportional share.
    fn share(self) -> u64 {
        self.anonymous_share + self.file_share + self.shared_memory_share
    }

    fn with(self, other: Self) -> Self {
        Self {
            shared_clean: self.shared_clean + other.shared_clean,
            shared_dirty: self.shared_dirty + other.shared_dirty,
            private_clean: self.private_clean + other.private_clean,
            private_dirty: self.private_dirty + other.private_dirty,
            anonymous: self.anonymous + other.anonymous,
            anonymous_share: self.anonymous_share + other.anonymous_share,
            file_share: self.file_share + other.file_share,
            shared_memory_share: self.shared_memory_share + other.shared_memory_share,
            swapped: self.swapped + other.swapped,
            locked: self.locked + other.locked,
        }
    }

    /// The lines that both files have; `kinds` says whether the shares of the kinds of memory are shown.
    fn write(self, kinds: Kinds, text: &mut Vec<u8>) {
        let mut rows = vec![
            ("Rss", self.resident()),
            ("Pss", self.share()),
            ("Pss_Dirty", self.private_dirty + self.shared_dirty / 2),
        ];
        if kinds == Kinds::Shown {
            rows.extend([
                ("Pss_Anon", self.anonymous_share),
                ("Pss_File", self.file_share),
                ("Pss_Shmem", self.shared_memory_share),
            ]);
        }
        rows.extend([
            ("Shared_Clean", self.shared_clean),
            ("Shared_Dirty", self.shared_dirty),
            ("Private_Clean", self.private_clean),
            ("Private_Dirty", self.private_dirty),
            ("Referenced", self.resident()),
            ("Anonymous", self.anonymous),
            ("LazyFree", 0),
            ("AnonHugePages", 0),
            ("ShmemPmdMapped", 0),
            ("FilePmdMapped", 0),
            ("Shared_Hugetlb", 0),
            ("Private_Hugetlb", 0),
            ("Swap", self.swapped),
            ("SwapPss", self.swapped),
            ("Locked", self.locked),
        ]);
        for (name, bytes) in rows {
            row(text, name, bytes);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kinds {
    Shown,
    Hidden,
}

fn row(text: &mut Vec<u8>, name: &str, bytes: u64) {
    let name = format!("{name}:");
    text.extend_from_slice(format!("{name:<16}{:>8} kB\n", bytes / 1024).as_bytes());
}

/// The two-letter flags of `VmFlags`.
fn flags(mapping: &Mapping) -> String {
    let mut flags = String::from("VmFlags: ");
    let shared = mapping.sharing == Sharing::Shared;
    let accounted = !shared && mapping.nameless && mapping.protection.contains(Protection::WRITE);
    let letters = [
        (mapping.protection.contains(Protection::READ), "rd"),
        (mapping.protection.contains(Protection::WRITE), "wr"),
        (mapping.protection.contains(Protection::EXEC), "ex"),
        (shared, "sh"),
        (true, "mr"),
        (true, "mw"),
        (true, "me"),
        (shared, "ms"),
        (mapping.locked, "lo"),
        (accounted, "ac"),
        (true, "sd"),
    ];
    for (_, letters) in letters.iter().filter(|(set, _)| *set) {
        let _ = write!(flags, "{letters} ");
    }
    flags + "\n"
}

pub(super) fn smaps(process: &Process) -> Vec<u8> {
    const PAGE: u64 = AddressSpace::PAGE_SIZE as u64;
    let space = process.space();
    let mut text = Vec::new();
    for mapping in space.mappings() {
        text.extend(line(process, &mapping));
        row(&mut text, "Size", u64::from(mapping.end - mapping.start));
        row(&mut text, "KernelPageSize", PAGE);
        row(&mut text, "MMUPageSize", PAGE);
        Counts::of(&space, &mapping).write(Kinds::Hidden, &mut text);
        text.extend_from_slice(b"THPeligible:    0\n");
        text.extend_from_slice(flags(&mapping).as_bytes());
    }
    text
}

pub(super) fn rollup(process: &Process) -> Vec<u8> {
    let space = process.space();
    let mappings = space.mappings();
    let start = mappings.first().map_or(0, |mapping| mapping.start);
    let end = mappings.last().map_or(0, |mapping| mapping.end);
    let head = format!("{start:08x}-{end:08x} ---p 00000000 00:00 0");
    let mut text = format!("{head:<73}[rollup]\n").into_bytes();
    mappings
        .iter()
        .map(|mapping| Counts::of(&space, mapping))
        .fold(Counts::default(), Counts::with)
        .write(Kinds::Shown, &mut text);
    text
}
