//! The numbers of a JSON text as they are written.

use std::cell::Cell;

use crate::value::Number;

/// Finds, one after the other, the numbers that no integer of 64 bits holds.
///
/// serde hands such a number over as a double, after which its spelling is lost. The parser reads a
/// text from its beginning to its end, so the n-th number that it hands over as a double is the
/// n-th one found here. Nothing is read as long as there is no such number.
#[derive(Debug)]
pub(super) struct Spellings<'t> {
    json: &'t str,
    /// How far it has been searched.
    at: Cell<usize>,
}

impl<'t> Spellings<'t> {
    /// Of a text that the parser is about to read.
    pub(super) fn new(json: &'t str) -> Self {
        Self { json, at: Cell::new(0) }
    }

    pub(super) fn next(&self) -> Option<&'t str> {
        loop {
            let rest = self.json.get(self.at.get()..)?;
            let found = rest.get(rest.find(|letter: char| matches!(letter, '"' | '-' | '0'..='9'))?..)?;
            if let Some(string) = found.strip_prefix('"') {
                self.go_on_at(after_string(string));
                continue;
            }
            let stops = |letter: char| !matches!(letter, '0'..='9' | '+' | '-' | '.' | 'e' | 'E');
            let (number, rest) = found.split_at_checked(found.find(stops).unwrap_or(found.len()))?;
            self.go_on_at(rest);
            if is_double(number) {
                return Some(number);
            }
        }
    }

    fn go_on_at(&self, rest: &str) {
        self.at.set(self.json.len() - rest.len());
    }
}

/// The text with small numbers of the same length, which the parser hands over as doubles too, in
/// place of those that are larger than any double.
pub(super) fn within_range(json: &str) -> String {
    let mut within = String::with_capacity(json.len());
    let spellings = Spellings::new(json);
    while let Some(number) = spellings.next() {
        let is_beyond = number.parse().is_ok_and(f64::is_infinite) && number.parse::<Number>().is_ok();
        if !is_beyond {
            continue;
        }
        let start = spellings.at.get() - number.len();
        within.push_str(json.get(within.len()..start).unwrap_or_default());
        let sign = if number.starts_with('-') { "-" } else { "" };
        within.push_str(sign);
        within.push_str("0.");
        // A number that is too large has five characters at least: `1e309`.
        within.extend(std::iter::repeat_n('0', number.len() - sign.len() - "0.".len()));
    }
    within.push_str(json.get(within.len()..).unwrap_or_default());
    within
}

/// What follows the closing quote.
fn after_string(string: &str) -> &str {
    let mut rest = string;
    while let Some(at) = rest.find(['"', '\\']) {
        let escape = rest.as_bytes().get(at) == Some(&b'\\');
        // What is escaped is ASCII: the parser refused everything else before it came here.
        rest = rest.get(at + 1 + usize::from(escape)..).unwrap_or_default();
        if !escape {
            return rest;
        }
    }
    ""
}

/// Says whether the parser hands the number over as a double: `-0` too, for its sign.
fn is_double(number: &str) -> bool {
    number == "-0" || (number.parse::<i64>().is_err() && number.parse::<u64>().is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_no_integer_holds() {
        let json = r#"{"1.5":"2.5 \" 3.5 \\","a":[1,-1.25,-0,9223372036854775808,18446744073709551616],
            "b":{"\u0031e1":1E400}, "c":-9223372036854775809}"#;
        let spellings = Spellings::new(json);
        let found: Vec<_> = std::iter::from_fn(|| spellings.next()).collect();
        assert_eq!(found, ["-1.25", "-0", "18446744073709551616", "1E400", "-9223372036854775809"]);
        assert_eq!(Spellings::new(r#"{"a":"unclosed 1.5"#).next(), None);
    }

    #[test]
    fn what_is_beyond_doubles_is_replaced_at_its_length() {
        let long = "9".repeat(310);
        let json = format!(r#"["1e999",1e999,-2.5E+400 ,1.5,{long},1e-999,01e999,1.e999]"#);
        let zeros = "0".repeat(308);
        let within = format!(r#"["1e999",0.000,-0.000000 ,1.5,0.{zeros},1e-999,01e999,1.e999]"#);
        assert_eq!(within_range(&json), within);
    }
}
