//! `scim2 filter --match`: the lines of a file that a filter matches.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal as _, Read as _, Write as _};
use std::sync::Arc;

use scim2_core::json::JsonReader;
use scim2_core::{CompiledType, Mode};
use scim2_filter::{CompiledFilter, Filter};

use crate::args::DONE;
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::terminal::JsonLines;

/// The longest line, in bytes: longer than any resource a service provider here takes.
const LONGEST_LINE: u64 = 64 << 20;

pub(super) fn run(
    resource_type: &Arc<CompiledType>,
    config: &Config,
    filter: &Filter,
    file: &str,
) -> Outcome {
    let filter =
        CompiledFilter::new(filter, resource_type, config.compat_or(Mode::Strict)).map_err(Failure::usage)?;
    let lines: Box<dyn BufRead> = if file == "-" {
        Box::new(BufReader::new(io::stdin().lock()))
    } else {
        let opened = File::open(file)
            .map_err(|error| Failure::usage(format!("`{}` cannot be read: {error}", file.escape_debug())))?;
        Box::new(BufReader::new(opened))
    };
    print_matching(lines, &filter, file)
}

fn print_matching(mut lines: Box<dyn BufRead>, filter: &CompiledFilter, file: &str) -> Outcome {
    let out = io::BufWriter::new(io::stdout().lock());
    let mut out = JsonLines::new(out, io::stdout().is_terminal());
    let reader = JsonReader::new();
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let read = lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
        if read.map_err(|error| Failure::run(format!("{file}: {error}")))? == 0 {
            break;
        }
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        let resource =
            reader.object(text).map_err(|error| Failure::run(format!("{file}: line {number}: {error}")));
        let resource = match resource {
            Ok(resource) => resource,
            Err(failure) => {
                // Print the matches before the fault first, then report the fault.
                let _ = out.flush();
                return Err(failure);
            }
        };
        if filter.matches(&resource) {
            if !line.ends_with(b"\n") {
                line.push(b'\n');
            }
            match out.write_all(&line) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return DONE,
                Err(error) => return Err(Failure::run(format!("standard output: {error}"))),
            }
        }
    }
    match out.flush() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::run(format!("standard output: {error}")))
        }
        _ => DONE,
    }
}
