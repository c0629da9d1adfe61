use alloc::vec::Vec;

use super::FilterErrorKind;

/// What the author of a text probably meant by `rest`, for a common mistake.
pub(super) fn hint(kind: FilterErrorKind, before: &str, rest: &str) -> Option<&'static str> {
    let word = word(rest);
    match kind {
        _ if is_percent_encoded(rest) => Some("the text is percent-encoded twice: encode it once"),
        FilterErrorKind::Operator if ends_in_not(before) && !rest.is_empty() => {
            Some("`not` stands before parentheses: `not (title pr)`")
        }
        FilterErrorKind::AttrPath
            if before.ends_with('[') && rest.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            Some("elements are chosen by a filter, not by an index")
        }
        FilterErrorKind::AttrPath if rest.starts_with('!') => connective(rest),
        FilterErrorKind::AttrPath if rest.starts_with(QUOTES) && !before.ends_with(char::is_alphanumeric) => {
            Some("attributes stand without quotes")
        }
        FilterErrorKind::Operator | FilterErrorKind::AttrPath | FilterErrorKind::Space => operator(word),
        FilterErrorKind::CompValue => value(rest),
        FilterErrorKind::Number if word.ends_with(';') => Some("strings stand in double quotes"),
        FilterErrorKind::Number => Some("numbers are written as in JSON, strings in double quotes"),
        FilterErrorKind::Operand | FilterErrorKind::Connective => connective(rest),
        FilterErrorKind::ValuePath if rest.starts_with('.') => {
            Some("write the sub-attribute into the brackets: `emails[type eq \"work\" and value eq \"x\"]`")
        }
        FilterErrorKind::String if rest.starts_with('\\') => {
            Some("write `\\\\` for a backslash; `\\u` takes four digits, surrogates in pairs")
        }
        FilterErrorKind::Trailing if rest.starts_with('[') => Some("a path has one filter and no index"),
        FilterErrorKind::Unclosed => Some("every `(` needs its `)`, every `[` its `]`"),
        _ => None,
    }
}

/// The quotes that people and word processors put around a word.
const QUOTES: [char; 10] = ['"', '\'', '“', '”', '„', '‟', '‘', '’', '«', '»'];

/// Says whether the last word is `not`.
fn ends_in_not(before: &str) -> bool {
    is(before.trim_end().rsplit([' ', '(', '[']).next().unwrap_or_default(), &["not"])
}

fn operator(word: &str) -> Option<&'static str> {
    Some(match word {
        _ if word.starts_with("!=") || word.starts_with("<>") => "write `ne` for it",
        _ if word.starts_with('=') => "write `eq` for it",
        _ if word.starts_with(">=") => "write `ge` for it",
        _ if word.starts_with("<=") => "write `le` for it",
        _ if word.starts_with('>') => "write `gt` for it",
        _ if word.starts_with('<') => "write `lt` for it",
        _ if is(word, &["like", "contains", "includes", "matches"]) => {
            "`co` asks whether a string contains another"
        }
        _ if is(word, &["startswith", "starts", "begins"]) => {
            "`sw` asks whether a string starts with another"
        }
        _ if is(word, &["endswith", "ends"]) => "`ew` asks whether a string ends with another",
        _ if is(word, &["equals", "is"]) => "write `eq` for it",
        _ if is(word, &["present", "exists"]) => "write `pr` for it",
        _ if is(word, &["in"]) => "write a list as `eq` joined by `or`",
        _ if is(word, &["not"]) => "write `ne`, or `not (…)` around the whole test",
        _ => return None,
    })
}

const PLACEHOLDER: &str = "a placeholder that nobody filled in? strings stand in double quotes";

/// Says whether `rest` begins with a byte in percent-encoding.
fn is_percent_encoded(rest: &str) -> bool {
    matches!(rest.as_bytes(), [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

/// The text up to the next space, quote or bracket.
fn word(rest: &str) -> &str {
    rest.split([' ', '"', '(', ')', '[', ']']).next().unwrap_or_default()
}

fn value(rest: &str) -> Option<&'static str> {
    match rest.chars().next()? {
        '\'' => Some("strings stand in double quotes, not single ones"),
        '`' | '´' => Some("strings stand in double quotes, not backticks or accents"),
        quote if QUOTES.contains(&quote) => {
            Some("strings stand in plain double quotes `\"`, not typographic ones")
        }
        '(' | '[' => Some("a comparison takes one value; write a list as `eq` joined by `or`"),
        '&' => Some("an HTML entity is not decoded here: write a plain `\"`"),
        '$' | '?' | '<' | '{' | ':' | '%' => Some(PLACEHOLDER),
        '*' => Some("there are no wildcards: `co`, `sw` and `ew` look for a part of a string"),
        _ if is(word(rest), &["undefined", "NaN", "None", "nil"]) => Some(PLACEHOLDER),
        letter if letter.is_alphanumeric() => Some("strings stand in double quotes"),
        _ => None,
    }
}

fn connective(rest: &str) -> Option<&'static str> {
    Some(match rest.as_bytes().first()? {
        b'&' => "write `and` for it",
        b'|' => "write `or` for it",
        b'!' => "write `not (…)` for it",
        b')' => "no `(` is open here",
        b']' => "no `[` is open here",
        b',' => "join expressions by `and` or `or`",
        _ => {
            let word = rest.split([' ', '(']).next().unwrap_or_default();
            if is(word, &["and", "or"]) {
                "a space stands before and after `and` and `or`"
            } else {
                return None;
            }
        }
    })
}

fn is(word: &str, words: &[&str]) -> bool {
    words.iter().any(|other| word.eq_ignore_ascii_case(other))
}

/// The innermost bracket that is not closed. Brackets in strings do not count.
pub(super) fn unclosed(text: &str) -> Option<usize> {
    let mut open = Vec::new();
    let mut in_string = false;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'(' | b'[' if !in_string => open.push(at),
            b')' | b']' if !in_string => drop(open.pop()),
            _ => {}
        }
    }
    open.pop()
}
