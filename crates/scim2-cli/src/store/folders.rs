//! Folders that the program makes, and paths that mean one.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::path::Path;

use crate::failure::Failure;

/// Makes a folder if it is missing, only one level, and nothing right below the root.
///
/// # Errors
/// Names the folder and the reason.
pub(crate) fn make_missing(folder: &Path) -> Result<(), Failure> {
    let shown = folder.display();
    let failed =
        |error: &std::io::Error| Failure::usage(format!("the folder `{shown}` cannot be made: {error}"));
    match std::fs::metadata(folder) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => return Err(Failure::usage(format!("`{shown}` is not a folder"))),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(Failure::usage(format!("the folder `{shown}` cannot be used: {error}"))),
    }
    if folder.parent().is_some_and(|parent| parent.parent().is_none() && parent.has_root()) {
        return Err(missing(folder));
    }
    expect_parent(folder)?;
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        // Only its owner looks in.
        builder.mode(0o700);
    }
    match builder.create(folder) {
        Ok(()) => Ok(()),
        // Another process was quicker.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(&error)),
    }
}

/// Refuses a path whose folder is missing.
///
/// # Errors
/// Names the uppermost folder that is missing.
pub(crate) fn expect_parent(path: &Path) -> Result<(), Failure> {
    let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    match path.ancestors().skip(1).take_while(is_missing).last() {
        Some(folder) => Err(missing(folder)),
        None => Ok(()),
    }
}

fn missing(folder: &Path) -> Failure {
    Failure::usage(format!("the folder `{}` is not there; make it first", folder.display()))
}

/// Whether a path can only mean a folder, be it there or not: it ends with a separator or a dot.
pub(crate) fn is_folder_name(path: &Path) -> bool {
    let text = path.as_os_str().to_string_lossy();
    let last = text.rsplit(std::path::is_separator).next().unwrap_or_default();
    matches!(last, "" | "." | "..")
}

/// Refuses a path that means a folder where a file is expected.
///
/// # Errors
/// Names the path; `what` says where on the command line it stands.
pub(crate) fn expect_file(what: &str, path: &Path) -> Result<(), Failure> {
    if is_folder_name(path) || path.is_dir() {
        let shown = path.display();
        return Err(Failure::usage(format!("{what}`{shown}` is a folder; expected the name of a file")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_separator_at_the_end_means_a_folder() {
        for folder in ["a/", "/", "a/b//", ".", "..", "a/.", "a/.."] {
            assert!(is_folder_name(Path::new(folder)), "{folder}");
        }
        for file in ["a", "a/b", "a.", "a..", ".a"] {
            assert!(!is_folder_name(Path::new(file)), "{file}");
        }
    }
}
