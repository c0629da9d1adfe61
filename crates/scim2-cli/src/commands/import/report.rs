//! The file that says what was refused.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::args::ImportArgs;
use crate::commands::output::{is_stream, same, spare_store};
use crate::config::Config;
use crate::failure::Failure;
use crate::store::folders::expect_file;

/// A report that is being written.
pub(super) struct Report {
    file: BufWriter<File>,
    /// Where it was made, if nothing was there before.
    new: Option<PathBuf>,
}

/// Makes the file, in the place of none unless that is asked for, and never in that of the input or of the store.
///
/// # Errors
/// Names the file and the reason.
pub(super) fn create(path: &Path, config: &Config, args: &ImportArgs) -> Result<Report, Failure> {
    let refused = |why: &str| Err(Failure::usage(format!("`--report`: `{}` {why}", path.display())));
    spare_store(config, "`--report`: ", path)?;
    expect_file("`--report`: ", path)?;
    let stream = is_stream(path);
    if !stream && same(path, &args.file) {
        return refused("is the file that is read");
    }
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // It names people.
        options.mode(0o600);
    }
    if !stream {
        options.create(true).truncate(true).create_new(!args.force);
    }
    let there = path.exists();
    let opened = options.open(path).and_then(|file| {
        #[cfg(unix)]
        if !stream {
            use std::os::unix::fs::PermissionsExt as _;
            // A file that was there may have been for others too.
            file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        }
        Ok(file)
    });
    match opened {
        Ok(file) => {
            Ok(Report { file: BufWriter::new(file), new: if there { None } else { Some(path.to_owned()) } })
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            refused("is there already; --force writes over it")
        }
        Err(error) => refused(&format!("cannot be written: {error}")),
    }
}

impl Report {
    /// Removes the file before anything is written to it.
    pub(super) fn give_up(self) {
        if let Some(path) = self.new {
            // If this fails, an empty file remains.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Write for Report {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
