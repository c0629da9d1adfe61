//! Prints the users of a file, or of the standard input, that match a filter: one JSON object a line in, one a
//! line out.
//!
//! ```sh
//! cargo run -p scim2-filter --example filter_jsonl -- 'emails[type eq "work"] and active eq true' users.jsonl
//! ```

use std::error::Error;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::ExitCode;

use scim2_core::json::JsonReader;
use scim2_core::{Compat, Registry};
use scim2_filter::{CompiledFilter, FilterParser};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let text = arguments.next().ok_or("usage: filter_jsonl FILTER [FILE]")?;
    let input: Box<dyn Read> = match arguments.next() {
        Some(file) => Box::new(File::open(file)?),
        None => Box::new(io::stdin()),
    };
    let registry = Registry::standard();
    let user = registry.resource_type("User").ok_or("the standard registry has users")?;
    let compat = Compat::default();

    // A filter from a person gets the drawing, not the line.
    let filter = FilterParser::new().leniency(compat.into()).parse(&text);
    let filter = filter.map_err(|error| format!("{error:#}"))?;
    let filter = CompiledFilter::new(&filter, user, compat)?;

    let mut out = io::stdout().lock();
    for line in BufReader::new(input).lines() {
        let line = line?;
        if filter.matches(&JsonReader::new().object(line.as_bytes())?) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}
