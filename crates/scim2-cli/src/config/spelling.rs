//! Which name was probably meant.

/// The name that differs in the fewest letters, if it is close enough to have been meant. Dashes count as underscores.
pub(super) fn closest<N: AsRef<str>>(name: &str, names: impl Iterator<Item = N>) -> Option<N> {
    let name = name.replace('-', "_");
    let distances = names.map(|other| (strsim::levenshtein(&name, other.as_ref()), other));
    let (distance, other) =
        distances.min_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.as_ref().cmp(y.as_ref())))?;
    // If half of a short name has to change, it was another name.
    (distance <= 3 && distance * 2 < other.as_ref().len()).then_some(other)
}
