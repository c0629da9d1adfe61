//! The file of an export: written beside its name, put in its place when it is complete.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use scim2_core::{Object, ResourceId};

use crate::commands::output::{beside, is_stream, target};
use crate::commands::sync_folder;
use crate::failure::Failure;
use crate::store::folders::expect_file;

/// How much is read at a time from the end of a file that is resumed.
const STEP: u64 = 1 << 20;

pub(super) struct Target {
    path: PathBuf,
    /// `None` for what is written to as it is.
    part: Option<PathBuf>,
    file: BufWriter<File>,
    from: Option<(String, ResourceId)>,
}

impl Target {
    /// Opens `FILE.part`. With `resume` it keeps its content except for the last resource, which may be incomplete and is
    /// written again.
    pub(super) fn open(path: &Path, resume: bool, force: bool) -> Result<Self, Failure> {
        let failed =
            |error: io::Error| Failure::usage(format!("`{}` cannot be written: {error}", path.display()));
        expect_file("", path)?;
        if is_stream(path) {
            if resume {
                return Err(Failure::usage(format!(
                    "`--resume` needs a file; it cannot be used with `{}`",
                    path.display()
                )));
            }
            let file = OpenOptions::new().write(true).open(path).map_err(failed)?;
            return Ok(Self::new(path.to_owned(), None, file, None));
        }
        if path.exists() && !force {
            return Err(Failure::usage(format!(
                "`{}` is there already; --force writes over it",
                path.display()
            )));
        }
        // A link stays one: what it leads to is replaced.
        let path = target(path);
        let part = beside(&path, ".part");
        if !resume
            && let Err(error) = std::fs::remove_file(&part)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(failed(error));
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(resume).create_new(!resume);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            // It holds hashes of passwords, and names and addresses of people. Nobody leads it elsewhere by a link.
            options.mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
        }
        let mut file = options.open(&part).map_err(failed)?;
        let from = if resume { rewind(&mut file).map_err(failed)? } else { None };
        Ok(Self::new(path, Some(part), file, from))
    }

    fn new(path: PathBuf, part: Option<PathBuf>, file: File, from: Option<(String, ResourceId)>) -> Self {
        Self { path, part, file: BufWriter::with_capacity(1 << 18, file), from }
    }

    /// The resource to begin with.
    pub(super) fn from(&self) -> Option<(String, ResourceId)> {
        self.from.clone()
    }

    pub(super) fn file(&mut self) -> &mut dyn Write {
        &mut self.file
    }

    /// Puts the file in its place, safe from a crash of the machine.
    pub(super) fn complete(mut self) -> Result<(), Failure> {
        let flushed = self.file.flush();
        let put = |part: &Path| {
            self.file.get_ref().sync_all()?;
            std::fs::rename(part, &self.path)?;
            sync_folder(&self.path)
        };
        flushed
            .and_then(|()| self.part.as_deref().map_or(Ok(()), put))
            .map_err(|error| Failure::run(format!("`{}` cannot be written: {error}", self.path.display())))
    }
}

/// Cuts off the last resource, with what follows it, and says which it was.
fn rewind(file: &mut File) -> io::Result<Option<(String, ResourceId)>> {
    let mut end = file.seek(SeekFrom::End(0))?;
    while let Some((begin, line)) = last_line(file, end)? {
        end = begin;
        file.set_len(end)?;
        if let Some(resource) = resource_of(&line) {
            file.seek(SeekFrom::End(0))?;
            return Ok(Some(resource));
        }
    }
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(None)
}

/// The last line before `end`, complete or not, and where it begins.
fn last_line(file: &mut File, end: u64) -> io::Result<Option<(u64, Vec<u8>)>> {
    if end == 0 {
        return Ok(None);
    }
    let mut tail: Vec<u8> = Vec::new();
    let mut begin = end;
    loop {
        let step = STEP.min(begin);
        begin -= step;
        let mut more = vec![0; usize::try_from(step).unwrap_or_default()];
        file.seek(SeekFrom::Start(begin))?;
        file.read_exact(&mut more)?;
        more.append(&mut tail);
        tail = more;
        // The end of the line itself does not count.
        let inner = tail.strip_suffix(b"\n").unwrap_or(&tail);
        if let Some(at) = inner.iter().rposition(|byte| *byte == b'\n') {
            let line = tail.split_off(at + 1);
            return Ok(Some((begin + at as u64 + 1, line)));
        }
        if begin == 0 {
            return Ok(Some((0, tail)));
        }
    }
}

/// The type and id of a complete line that is a resource.
fn resource_of(line: &[u8]) -> Option<(String, ResourceId)> {
    let object: Object = serde_json::from_slice(line.strip_suffix(b"\n")?).ok()?;
    if object.contains("Operations") {
        return None;
    }
    let resource_type = object.get("meta")?.as_object()?.get_str("resourceType")?.to_owned();
    Some((resource_type, ResourceId::parse(object.get_str("id")?).ok()?))
}
