//! Shows how a filter is understood: its canonical text, its tree, and what each name means for a user.
//!
//! ```sh
//! cargo run -p scim2-filter --example explain -- 'title pr or not(emails co "example.com")'
//! ```

use std::error::Error;
use std::process::ExitCode;

use scim2_core::{Compat, Registry};
use scim2_filter::{AttrExp, Filter, Resolver, Target};

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
    let text = std::env::args().nth(1).ok_or("usage: explain FILTER")?;
    let filter: Filter = text.parse().map_err(|error| format!("{error:#}"))?;
    println!("{filter}\n");
    explain(&filter, 0);

    let registry = Registry::standard();
    let user = registry.resource_type("User").ok_or("the standard registry has users")?;
    let resolver = Resolver::new(user, Compat::default());
    println!();
    for used in filter.attr_paths().filter(|used| used.parent.is_none()) {
        match resolver.attribute(used.path)? {
            Target::Attribute(id) => {
                let def = user.attribute(id);
                let many = if def.multi_valued() { "multi-valued " } else { "" };
                println!("{used}: {many}{}", def.attribute_type().as_str());
            }
            Target::Extension(_) | Target::Resource => println!("{used}: a whole schema"),
        }
    }
    match resolver.filter(&filter) {
        Ok(_) => println!("\nthe filter can be run over users"),
        Err(error) => println!("\n{error}"),
    }
    Ok(())
}

/// Prints the tree, indented; no deeper than the parser allows.
fn explain(filter: &Filter, depth: usize) {
    let indent = 2 * depth;
    match filter {
        Filter::And(operands) => list("all of", operands, depth),
        Filter::Or(operands) => list("any of", operands, depth),
        Filter::Not(negation) => {
            println!("{:indent$}not", "");
            explain(negation.filter(), depth + 1);
        }
        Filter::ValuePath(value_path) => {
            println!("{:indent$}one element of {} has", "", value_path.attr());
            explain(value_path.filter(), depth + 1);
        }
        Filter::Attr(AttrExp::Present { path }) => println!("{:indent$}{path} has a value", ""),
        Filter::Attr(exp @ AttrExp::Compare { .. }) => println!("{:indent$}{exp}", ""),
    }
}

fn list(what: &str, operands: &[Filter], depth: usize) {
    println!("{:indent$}{what}", "", indent = 2 * depth);
    for operand in operands {
        explain(operand, depth + 1);
    }
}
