//! Prints the users that match a filter, one JSON object a line in, one a line out:
//!
//! ```sh
//! cargo run --example filter_jsonl -- 'emails[type eq "work"] and active eq true' < users.jsonl
//! ```

use std::error::Error;
use std::io::{self, BufRead, Write};

use scim2_core::json::JsonReader;
use scim2_core::{Compat, Registry};
use scim2_filter::{CompiledFilter, FilterParser};

fn main() -> Result<(), Box<dyn Error>> {
    let text = std::env::args().nth(1).ok_or("usage: filter_jsonl FILTER < FILE")?;
    let registry = Registry::standard();
    let user = registry.resource_type("User").ok_or("the standard registry has users")?;
    let compat = Compat::default();

    // A filter from a person gets the drawing, not the line.
    let filter = FilterParser::new().leniency(compat.into()).parse(&text);
    let filter = filter.map_err(|error| format!("{error:#}"))?;
    let filter = CompiledFilter::new(&filter, user, compat)?;

    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line?;
        if filter.matches(&JsonReader::new().object(line.as_bytes())?) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}
