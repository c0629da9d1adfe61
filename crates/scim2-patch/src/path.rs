//! The text of a path, and what it takes to read it.

use scim2_core::{Compat, Quirk};
use scim2_filter::{FilterError, FilterParser, Leniency, PatchPath};

/// What a path may depart in from the grammar.
const TOLERATED: [Quirk; 3] = [Quirk::UrnWrong, Quirk::FilterUnquoted, Quirk::FilterLoose];

/// Reads a path and notes which quirks that took.
///
/// A path to the letter is read once; of another it is found out what it needs.
pub(crate) fn parse(
    text: &str,
    parser: FilterParser,
    compat: &Compat,
    mut note: impl FnMut(Quirk),
) -> Result<PatchPath, FilterError> {
    let letter = parser.leniency(Leniency::NONE).parse_path(text);
    let tolerated = Leniency::from(compat);
    if letter.is_ok() || tolerated == Leniency::NONE {
        return letter;
    }
    let path = parser.leniency(tolerated).parse_path(text)?;
    let reads = |compat: &Compat| parser.leniency(Leniency::from(compat)).parse_path(text).is_ok();
    needed(compat, &TOLERATED, reads).for_each(&mut note);
    Ok(path)
}

/// The quirks without which something does not work that works with all of them. Where one of two
/// would do, it is the later.
pub(crate) fn needed(
    compat: &Compat,
    quirks: &[Quirk],
    works: impl Fn(&Compat) -> bool,
) -> impl Iterator<Item = Quirk> {
    let mut least = *compat;
    quirks.iter().copied().filter(move |quirk| {
        let without = least.with(*quirk, false);
        let spare = works(&without);
        if spare {
            least = without;
        }
        !spare
    })
}
