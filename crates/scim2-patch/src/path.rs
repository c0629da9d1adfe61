//! Reads the text of a path and finds out which quirks that needs.

use scim2_core::{Compat, Quirk};
use scim2_filter::{FilterError, FilterParser, Leniency, PatchPath};

/// The quirks that change how a path is read.
const TOLERATED: [Quirk; 3] = [Quirk::UrnWrong, Quirk::FilterUnquoted, Quirk::FilterLoose];

/// Reads a path and notes the quirks that it needs.
///
/// A path that follows the grammar is read once. Another one is read again without each quirk.
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

/// The quirks that something needs, if it works with all of them. If either of two quirks is enough, the later one is
/// returned.
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
