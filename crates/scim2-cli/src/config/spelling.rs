//! Which name was probably meant.

/// The name that differs in the fewest letters, if it is close enough to have been meant.
pub(super) fn closest<N: AsRef<str>>(name: &str, names: impl Iterator<Item = N>) -> Option<N> {
    let distances = names.map(|other| (distance(name, other.as_ref()), other));
    let (distance, other) =
        distances.min_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.as_ref().cmp(y.as_ref())))?;
    // Of a short name little is left when most of it is changed.
    (distance <= 3 && distance * 2 < other.as_ref().len()).then_some(other)
}

/// How many letters to add, take away or change, dashes counting as underscores.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let letter = if letter == '-' { '_' } else { letter };
        let mut next = vec![i + 1];
        for ((other, pair), left) in b.iter().zip(row.windows(2)).zip(0..) {
            let [diagonal, above] = pair else { continue };
            let before = next.get(left).copied().unwrap_or(usize::MAX - 1);
            next.push((diagonal + usize::from(letter != *other)).min(above + 1).min(before + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
