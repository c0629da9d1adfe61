//! Text that others wrote, made safe for terminals.
//!
//! Names in a file, a token, a log or an error message may hold control characters that move the cursor, change the
//! colors or the title of a terminal, and invisible characters that make a line read as another one. All output of
//! the program passes through here: [`say`](crate::failure::say) and the functions that print lines.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};

/// Text of others as a part of a line: nothing in it is acted upon by a terminal, and it stays on the line.
pub(crate) struct Shown<T>(pub(crate) T);

impl<T: fmt::Display> fmt::Display for Shown<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        // `pad` keeps columns straight.
        f.pad(&escaped(&text, |c| c == '\n' || is_unsafe(c), unicode))
    }
}

/// Whole lines: all is kept from the terminal but the ends of the lines.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, is_unsafe, unicode)
}

/// JSON, which stays JSON with the same meaning: JSON has no such characters but in its strings.
pub(crate) fn json(text: &str) -> Cow<'_, str> {
    escaped(text, is_unsafe, utf16)
}

/// Whether a terminal could act upon it, or a reader not see it. Joiners, which some scripts need, are not meant.
fn is_unsafe(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        c if c.is_control() => true,
        // The marks, embeddings and isolates of bidirectional text; separators of lines; what is invisible.
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' => true,
        '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' => true,
        '\u{e0000}'..='\u{e007f}' => true,
        _ => false,
    }
}

fn escaped(text: &str, is_unsafe: impl Fn(char) -> bool, write: fn(&mut String, char)) -> Cow<'_, str> {
    if !text.chars().any(&is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe(c) { write(&mut safe, c) } else { safe.push(c) }
    }
    Cow::Owned(safe)
}

fn unicode(to: &mut String, c: char) {
    to.extend(c.escape_default());
}

fn utf16(to: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        to.push_str(&format!("\\u{unit:04x}"));
    }
}

/// A stream of JSON lines. Lines for a terminal are escaped; lines for a pipe or file are not changed.
pub(crate) struct JsonLines<W> {
    out: W,
    is_terminal: bool,
}

impl<W: Write> JsonLines<W> {
    pub(crate) fn new(out: W, is_terminal: bool) -> Self {
        Self { out, is_terminal }
    }
}

/// Each call writes whole lines.
impl<W: Write> Write for JsonLines<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.is_terminal {
            self.out.write_all(json(&String::from_utf8_lossy(line)).as_bytes())?;
            Ok(line.len())
        } else {
            self.out.write(line)
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The lines of the log, escaped by one rule in both formats. Only ESC is kept, which the formatter writes itself to
/// color a line: it escapes the ESC of others.
pub(crate) struct LogLines<W> {
    pub(crate) out: W,
    pub(crate) is_json: bool,
}

/// Each call writes whole lines.
impl<W: Write> Write for LogLines<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let write = if self.is_json { utf16 } else { unicode };
        let line_text = String::from_utf8_lossy(line);
        let safe = escaped(&line_text, |c| c != '\u{1b}' && is_unsafe(c), write);
        self.out.write_all(safe.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_a_terminal_that_it_acts_upon() {
        let text = "a\u{1b}]0;title\u{7}b\rc\u{9b}31m\u{202e}txt.exe\u{2066}\u{200b}\u{e0041}\u{7f}";
        for safe in [lines(text).into_owned(), json(text).into_owned(), Shown(text).to_string()] {
            assert!(safe.chars().all(|c| (' '..='~').contains(&c)), "{safe}");
        }
        assert_eq!(lines("\u{1b}\u{202e}"), "\\u{1b}\\u{202e}");
        assert_eq!(lines("a\nb\tc Žižek 山田 \u{200d}"), "a\nb\tc Žižek 山田 \u{200d}");
        assert_eq!(Shown("a\nb").to_string(), "a\\nb");
        assert_eq!(format!("{:6}|", Shown("a\n")), "a\\n   |");
    }

    #[test]
    fn log_lines_keep_their_colors_and_hide_nothing() {
        for (is_json, expected) in
            [(false, "\u{1b}[32mx\u{1b}[0m \\u{202e}"), (true, "\u{1b}[32mx\u{1b}[0m \\u202e")]
        {
            let mut log = LogLines { out: Vec::new(), is_json };
            log.write_all("\u{1b}[32mx\u{1b}[0m \u{202e}".as_bytes()).unwrap();
            assert_eq!(String::from_utf8(log.out).unwrap(), expected);
        }
    }

    #[test]
    fn log_lines_of_both_formats_hold_no_control_character_of_others() {
        for is_json in [false, true] {
            let mut log = LogLines { out: Vec::new(), is_json };
            log.write_all("a\u{9b}31m\u{85}\u{7f}\r\u{80}\u{9f}\u{2028}\u{202e}b\n".as_bytes()).unwrap();
            let written = String::from_utf8(log.out).unwrap();
            assert!(written.trim_end().chars().all(|c| (' '..='~').contains(&c)), "{written}");
        }
    }

    #[test]
    fn escaped_json_means_the_same() {
        let text = serde_json::json!({"name\u{202e}": "a\u{7f}\u{9b}\u{e0041}\u{1b}"}).to_string();
        let safe = json(&text);
        assert!(safe.is_ascii(), "{safe}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&safe), read(&text));
    }
}
