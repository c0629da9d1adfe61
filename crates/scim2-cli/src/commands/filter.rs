//! `scim2 filter`: what a filter says, and which lines it matches.

use std::fmt::Write as _;

use scim2_core::{Compat, Mode};
use scim2_filter::{Filter, FilterParser, Leniency};

use crate::args::{DONE, FilterArgs};
use crate::commands::import::resource_type;
use crate::commands::{configured, print};
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::schemas;

mod matching;

pub(crate) fn run(args: &FilterArgs) -> Outcome {
    let config = configured(&args.settings)?;
    let filter = parse(&config, &args.filter)?;
    let registry = schemas::load(&config.schemas, &config.compat()).map_err(Failure::usage)?;
    let resource_type = resource_type(&registry, &args.resource_type)?;
    match &args.file {
        Some(file) => matching::run(&resource_type, &config, &filter, file),
        None => {
            print(format!("{filter}\n\n{}", tree(&filter)))?;
            DONE
        }
    }
}

/// Reads the filter: strictly, unless another mode was asked for by name. An error says if the mode that `serve` has
/// by default would understand the filter.
fn parse(config: &Config, text: &str) -> Result<Filter, Failure> {
    parser(config, Leniency::from(config.compat_or(Mode::Strict))).parse(text).map_err(|error| {
        let mut drawn = format!("{error:#}");
        if parser(config, Leniency::from(Compat::default())).parse(text).is_ok() {
            drawn.push_str("\n  = note: `--compat default` understands it, and so does `scim2 serve`");
        }
        Failure::drawn(drawn)
    })
}

fn parser(config: &Config, leniency: Leniency) -> FilterParser {
    FilterParser::new()
        .max_length(config.limits.max_filter_length)
        .max_depth(config.limits.max_filter_depth)
        .max_terms(config.limits.max_filter_terms)
        .leniency(leniency)
}

/// A line a node, indented by its depth.
fn tree(filter: &Filter) -> String {
    let mut text = String::new();
    draw(filter, 0, &mut text);
    text.truncate(text.trim_end().len());
    text
}

/// Recurses no deeper than the filter nests, which the parser bounds.
fn draw(filter: &Filter, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    // Writing to a string does not fail.
    let _ = match filter {
        Filter::And(_) => writeln!(text, "{indent}and"),
        Filter::Or(_) => writeln!(text, "{indent}or"),
        Filter::Not(_) => writeln!(text, "{indent}not"),
        Filter::Attr(expression) => writeln!(text, "{indent}{expression}"),
        Filter::ValuePath(path) => writeln!(text, "{indent}{}[]", path.attr()),
    };
    match filter {
        Filter::And(operands) | Filter::Or(operands) => {
            operands.iter().for_each(|operand| draw(operand, depth + 1, text));
        }
        Filter::Not(negation) => draw(negation.filter(), depth + 1, text),
        Filter::ValuePath(path) => draw(path.filter(), depth + 1, text),
        Filter::Attr(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_indented_by_its_depth() {
        let filter = r#"a pr and (not (b eq 1) or emails[type eq "work" and value pr])"#;
        let drawn = "and\n  a pr\n  or\n    not\n      b eq 1\n    emails[]\n      and\n        type eq \"work\"\n        value pr";
        assert_eq!(tree(&filter.parse().unwrap()), drawn);
    }
}
