//! Path resolution against a model: a tree in memory that is walked the way path_resolution(7) says.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by a panic"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use common::{CWD, Guest, mount};
use proptest::prelude::*;
use rawposix::{Access, Config, Errno};

const NAMES: [&str; 4] = ["a", "b", "c", "m"];

/// A file of the model.
#[derive(Clone, Debug)]
enum Item {
    Dir {
        parent: usize,
        entries: BTreeMap<String, usize>,
    },
    File,
    Link(String),
}

/// A tree of numbered items; number 0 is the root.
#[derive(Clone, Debug)]
struct Model {
    items: Vec<Item>,
    /// Where each item lies on the host.
    host: Vec<PathBuf>,
}

/// What a path leads to, or why it leads nowhere.
type Found = Result<usize, Errno>;

impl Model {
    fn new(root: &Path) -> Self {
        Self {
            items: vec![Item::Dir {
                parent: 0,
                entries: BTreeMap::new(),
            }],
            host: vec![root.to_path_buf()],
        }
    }

    fn add(&mut self, dir: usize, name: &str, item: Item, host: PathBuf) -> Option<usize> {
        let number = self.items.len();
        let Item::Dir { entries, .. } = &mut self.items[dir] else {
            return None;
        };
        if entries.contains_key(name) {
            return None;
        }
        entries.insert(name.to_owned(), number);
        self.items.push(item);
        self.host.push(host);
        Some(number)
    }

    fn dirs(&self) -> Vec<usize> {
        (0..self.items.len())
            .filter(|i| matches!(self.items[*i], Item::Dir { .. }))
            .collect()
    }

    fn resolve(&self, start: usize, path: &str, follow: bool, links: &mut u32) -> Found {
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        let mut at = if path.starts_with('/') { 0 } else { start };
        let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        for (place, name) in names.iter().enumerate() {
            let last = place + 1 == names.len();
            let Item::Dir { parent, entries } = &self.items[at] else {
                return Err(Errno::ENOTDIR);
            };
            let next = match *name {
                "." => at,
                ".." => *parent,
                name => *entries.get(name).ok_or(Errno::ENOENT)?,
            };
            at = match &self.items[next] {
                Item::Link(target) if !last || follow || path.ends_with('/') => {
                    *links += 1;
                    if *links > 40 {
                        return Err(Errno::ELOOP);
                    }
                    self.resolve(at, target, true, links)?
                }
                _ => next,
            };
        }
        if path.ends_with('/') && !matches!(self.items[at], Item::Dir { .. }) {
            return Err(Errno::ENOTDIR);
        }
        Ok(at)
    }
}

/// A path of a few names, with dots, doubled and trailing slashes.
fn path() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        5 => proptest::sample::select(&NAMES[..]).prop_map(str::to_owned),
        1 => Just(String::from(".")),
        2 => Just(String::from("..")),
    ];
    (
        any::<bool>(),
        proptest::collection::vec(name, 1..6),
        any::<bool>(),
        0..4_u32,
    )
        .prop_map(|(absolute, names, doubled, trailing)| {
            let text = names.join(if doubled { "//" } else { "/" });
            let start = if absolute { "/" } else { "" };
            let end = if trailing == 0 { "/" } else { "" };
            format!("{start}{text}{end}")
        })
}

#[derive(Clone, Debug)]
enum Make {
    Dir,
    File,
    Link(String),
}

fn make() -> impl Strategy<Value = Make> {
    prop_oneof![3 => Just(Make::Dir), 2 => Just(Make::File), 3 => path().prop_map(Make::Link)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn resolves_as_the_model(
        makes in proptest::collection::vec((any::<prop::sample::Index>(), proptest::sample::select(&NAMES[..]), make()), 1..25),
        lookups in proptest::collection::vec((any::<prop::sample::Index>(), path(), any::<bool>()), 1..40),
    ) {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("root");
        let mounted = outer.path().join("mounted");
        fs::create_dir(&root).unwrap();
        fs::create_dir(&mounted).unwrap();
        // A mount in the root, over a name that the root itself does not have.
        let mut model = Model::new(&root);
        let point = Item::Dir { parent: 0, entries: BTreeMap::new() };
        model.add(0, "m", point, mounted.clone()).unwrap();
        for (place, name, make) in makes {
            let dirs = model.dirs();
            let dir = dirs[place.index(dirs.len())];
            let host = model.host[dir].join(name);
            let item = match &make {
                Make::Dir => Item::Dir { parent: dir, entries: BTreeMap::new() },
                Make::File => Item::File,
                Make::Link(target) => Item::Link(target.clone()),
            };
            if model.add(dir, name, item, host.clone()).is_some() {
                match make {
                    Make::Dir => fs::create_dir(&host).unwrap(),
                    Make::File => fs::write(&host, "").unwrap(),
                    Make::Link(target) => symlink(target, &host).unwrap(),
                }
            }
        }
        let mut guest = Guest::new(Config {
            root: Some(root),
            mounts: vec![mount(&mounted, "/m", Access::ReadWrite)],
            ..Config::default()
        });
        for (start, path, follow) in lookups {
            let dirs = model.dirs();
            let start = dirs[start.index(dirs.len())];
            let expected = model.resolve(start, &path, follow, &mut 0);
            // The start is reached by its inode: through the model's own names from the root.
            guest.chdir("/").unwrap();
            let way = way_to(&model, start);
            let fd = guest.open(&way, 0o10_000_000).unwrap();
            guest.call("fchdir", &[fd]).unwrap();
            let flags = if follow { 0 } else { 0x100 };
            let by_cwd = guest.statx(CWD, &path, flags).map(|stat| stat.ino);
            let by_fd = guest.statx(fd, &path, flags).map(|stat| stat.ino);
            guest.close(fd);
            let expected = expected.map(|item| fs::symlink_metadata(&model.host[item]).unwrap().ino());
            prop_assert_eq!(&by_cwd, &expected, "{} from {}", path, way);
            prop_assert_eq!(&by_fd, &expected, "{} from {}", path, way);
            // open takes another way to the last name.
            let opened = guest.open(&path, 0o4000 | if follow { 0 } else { 0o400_000 });
            if let Ok(fd) = opened {
                let stat = guest.statx(fd, "", 0x1000).map(|stat| stat.ino);
                prop_assert_eq!(&stat, &expected, "open of {} from {}", path, way);
                guest.close(fd);
            } else if follow {
                prop_assert_eq!(opened.map(u64::from), expected, "open of {} from {}", path, way);
            }
        }
    }
}

/// The path of a directory from the root.
fn way_to(model: &Model, dir: usize) -> String {
    let mut names = Vec::new();
    let mut at = dir;
    while at != 0 {
        let Item::Dir { parent, .. } = &model.items[at] else {
            panic!("no directory")
        };
        let Item::Dir { entries, .. } = &model.items[*parent] else {
            panic!("no directory")
        };
        names.push(
            entries
                .iter()
                .find(|(_, item)| **item == at)
                .unwrap()
                .0
                .clone(),
        );
        at = *parent;
    }
    names.reverse();
    format!("/{}", names.join("/"))
}
