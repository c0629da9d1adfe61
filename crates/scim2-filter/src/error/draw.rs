use alloc::string::String;
use core::fmt;
use core::ops::Range;

/// How much of the text is kept before and after the fault, in characters.
const CONTEXT: usize = 30;

/// The part of a text around a fault, ready to be drawn on one line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Window {
    line: String,
    /// The column of the caret in `line`, in characters.
    column: usize,
    carets: usize,
}

impl Window {
    pub(super) fn new(text: &str, span: Range<usize>) -> Self {
        let start = floor(text, span.start);
        let end = floor(text, span.end).max(start);
        let (before, rest) = text.split_at_checked(start).unwrap_or((text, ""));
        let (marked, after) = rest.split_at_checked(end - start).unwrap_or((rest, ""));
        let from = before.char_indices().rev().nth(CONTEXT - 1).map_or(0, |(at, _)| at);
        let mut line = String::from(if from == 0 { "" } else { "…" });
        line.extend(before.get(from..).unwrap_or_default().chars().map(printable));
        let column = line.chars().count();
        line.extend(marked.chars().take(CONTEXT).map(printable));
        let carets = (line.chars().count() - column).max(1);
        let room = CONTEXT.saturating_sub(carets);
        line.extend(after.chars().take(room).map(printable));
        let cut = marked.chars().nth(CONTEXT).is_some() || after.chars().nth(room).is_some();
        line.push_str(if cut { "…" } else { "" });
        Self { line, column, carets }
    }

    pub(super) fn draw(&self, f: &mut fmt::Formatter<'_>, hint: Option<&str>) -> fmt::Result {
        let Self { line, column, carets } = self;
        if !line.is_empty() {
            write!(f, "\n  | {line}\n  | {:column$}{:^<carets$}", "", "")?;
        }
        match hint {
            Some(hint) => write!(f, "\n  = hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// The last character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

fn printable(letter: char) -> char {
    if letter.is_control() { '\u{fffd}' } else { letter }
}
