//! Files that commands write: never the store, never what is read, and always what the path leads to.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::config::{Config, StoreUrl};
use crate::failure::Failure;

/// The most symbolic links that are followed one by one.
const LINKS: usize = 40;

/// The suffixes of the files that belong to a store.
const COMPANIONS: &[&str] = &["", "-wal", "-shm", "-journal", ".lock"];

/// Refuses a path that leads to the store or to one of its companions.
///
/// # Errors
/// Names the path; `what` says where on the command line it stands.
pub(super) fn spare_store(config: &Config, what: &str, path: &Path) -> Result<(), Failure> {
    let StoreUrl::Sqlite(store) = &config.store else { return Ok(()) };
    let is_store = |store: &Path| {
        COMPANIONS.iter().any(|suffix| {
            let file = beside(store, suffix);
            same(&file, path) || same(&file, &beside(path, ".part"))
        })
    };
    // SQLite has its companions beside the file that a link leads to.
    if is_store(store) || is_store(&target(store)) {
        let path = path.display();
        return Err(Failure::usage(format!("{what}`{path}` belongs to the store and is not written over")));
    }
    Ok(())
}

/// Whether both lead to one file, be it there or not.
pub(super) fn same(one: &Path, other: &Path) -> bool {
    if target(one) == target(other) {
        return true;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let file = |path: &Path| std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
        file(one).is_some_and(|found| file(other) == Some(found))
    }
    #[cfg(not(unix))]
    false
}

/// The file a path leads to, through symbolic links, be it there or not.
pub(super) fn target(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        if let Ok(found) = path.canonicalize() {
            return found;
        }
        match std::fs::read_link(&path) {
            Ok(to) => path = folder(&path).join(to),
            Err(_) => break,
        }
    }
    match (folder(&path).canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

/// Whether something is there that is neither a file nor a folder: a pipe, a terminal, a device.
pub(super) fn is_stream(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// The path with a suffix to its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_one_file_whether_it_is_there_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::os::unix::fs::symlink("a", at("link")).unwrap();
        assert!(same(&at("link"), &at("a")) && !same(&at("a"), &at("b")));
        std::fs::write(at("a"), "").unwrap();
        std::fs::hard_link(at("a"), at("b")).unwrap();
        assert!(same(&at("link"), &at("a")) && same(&at("link"), &at("b")));
        std::os::unix::fs::symlink("round", at("round")).unwrap();
        assert_eq!(target(&at("round")).file_name(), at("round").file_name());
        assert!(!is_stream(&at("a")) && !is_stream(folder.path()) && !is_stream(&at("none")));
    }
}
