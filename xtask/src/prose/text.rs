//! Takes the prose out of a source: the comments and string literals of Rust, the paragraphs of Markdown.

/// Consecutive prose: a comment of several lines, a string literal, a paragraph. Line breaks are spaces, and code in
/// backticks is blank, so that a phrase is found across lines and code is not taken for English.
#[derive(Debug, Default)]
pub(crate) struct Passage {
    text: String,
    /// Where each line begins in the text, with its number.
    lines: Vec<(usize, usize)>,
}

impl Passage {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The number of the line that holds the byte at this offset.
    pub(crate) fn line(&self, at: usize) -> usize {
        let line = self.lines.iter().rev().find(|(start, _)| *start <= at);
        line.map_or(0, |(_, number)| *number)
    }

    fn push_line(&mut self, number: usize, line: &str) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.lines.push((self.text.len(), number));
        self.text.push_str(line.trim());
    }

    /// Adds the passage if it has any words, with its code made blank.
    fn finish(self, passages: &mut Vec<Self>) {
        let text = without_code(&self.text);
        if text.contains(' ') {
            passages.push(Self { text, ..self });
        }
    }
}

/// Replaces the bytes between backticks by as many letters `x`, so that offsets stay.
fn without_code(text: &str) -> String {
    let mut in_code = false;
    let mut blank = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '`' => in_code = !in_code,
            _ if in_code => {
                blank.extend(std::iter::repeat_n('x', c.len_utf8()));
                continue;
            }
            _ => {}
        }
        blank.push(c);
    }
    // An odd backtick begins no code.
    if in_code { text.to_owned() } else { blank }
}

/// The paragraphs of a Markdown file, without its code blocks and the parts of tables that are not text.
pub(crate) fn of_markdown(source: &str) -> Vec<Passage> {
    let mut passages = Vec::new();
    let mut passage = Passage::default();
    let mut in_fence = false;
    for (index, line) in source.lines().enumerate() {
        let trimmed = line.trim_start();
        let is_fence = trimmed.starts_with("```");
        let begins = is_fence || trimmed.is_empty() || trimmed.starts_with(['#', '|', '-', '>']);
        if begins {
            std::mem::take(&mut passage).finish(&mut passages);
        }
        if is_fence {
            in_fence = !in_fence;
        } else if in_fence {
            // Code.
        } else if trimmed.starts_with('|') {
            for cell in trimmed.split('|') {
                let mut passage = Passage::default();
                passage.push_line(index + 1, cell);
                passage.finish(&mut passages);
            }
        } else {
            passage.push_line(index + 1, trimmed.trim_start_matches(['-', '>', ' ']));
        }
    }
    passage.finish(&mut passages);
    passages
}

/// The comments and string literals of a Rust source.
pub(crate) fn of_rust(source: &str) -> Vec<Passage> {
    let mut passages = Vec::new();
    let mut comment = Passage::default();
    let mut in_fence = false;
    let mut literals = Literals::default();
    for (index, line) in source.lines().enumerate() {
        let trimmed = line.trim_start();
        if literals.open.is_none() && trimmed.starts_with("//") {
            let words = trimmed.trim_start_matches(['/', '!']).trim();
            let is_fence = words.starts_with("```");
            if is_fence || words.is_empty() || words.starts_with(['#', '|', '-']) {
                std::mem::take(&mut comment).finish(&mut passages);
            }
            if is_fence {
                in_fence = !in_fence;
            } else if !in_fence {
                comment.push_line(index + 1, words.trim_start_matches(['|', '-', ' ']));
            }
            continue;
        }
        std::mem::take(&mut comment).finish(&mut passages);
        in_fence = false;
        if let Some(words) = literals.read_line(index + 1, line, &mut passages) {
            comment.push_line(index + 1, words);
            std::mem::take(&mut comment).finish(&mut passages);
        }
    }
    comment.finish(&mut passages);
    passages
}

/// Finds string literals line by line. It knows escapes, raw strings and character literals, and nothing else of Rust.
#[derive(Default)]
struct Literals {
    open: Option<Literal>,
}

/// A string literal that has begun, and how many `#` end it if it is raw.
struct Literal {
    passage: Passage,
    raw: Option<usize>,
}

impl Literals {
    /// Reads one line, adds the literals that end in it, and returns the comment at its end.
    fn read_line<'a>(
        &mut self,
        number: usize,
        line: &'a str,
        passages: &mut Vec<Passage>,
    ) -> Option<&'a str> {
        let mut rest = line;
        loop {
            if let Some(literal) = &mut self.open {
                let Some((words, after)) = literal.split(rest) else {
                    literal.passage.push_line(number, rest.trim_end_matches('\\'));
                    return None;
                };
                literal.passage.push_line(number, words);
                rest = after;
                if let Some(literal) = self.open.take() {
                    literal.passage.finish(passages);
                }
            }
            let at = rest.find(['"', '\'', '/'])?;
            let (before, found) = rest.split_at(at);
            if let Some(comment) = found.strip_prefix("//") {
                return Some(comment.trim_start_matches('/'));
            }
            let hashes = before.len() - before.trim_end_matches('#').len();
            if let Some(after) = found.strip_prefix('"') {
                let raw = before.trim_end_matches('#').ends_with('r').then_some(hashes);
                self.open = Some(Literal { passage: Passage::default(), raw });
                rest = after;
            } else if let Some(after) =
                ["'\"'", "'\\\"'", "'\\''", "'/'"].iter().find_map(|it| found.strip_prefix(*it))
            {
                rest = after;
            } else {
                // A lifetime, another character or a division.
                let mut chars = found.chars();
                chars.next();
                rest = chars.as_str();
            }
        }
    }
}

impl Literal {
    /// Splits the text at the end of the literal, if it ends there.
    fn split<'a>(&self, text: &'a str) -> Option<(&'a str, &'a str)> {
        if let Some(hashes) = self.raw {
            return text.split_once(&format!("\"{}", "#".repeat(hashes)));
        }
        let mut escaped = false;
        for (at, c) in text.char_indices() {
            match c {
                '"' if !escaped => return Some((text.get(..at)?, text.get(at + 1..)?)),
                _ => escaped = c == '\\' && !escaped,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(passages: &[Passage]) -> Vec<&str> {
        passages.iter().map(Passage::text).collect()
    }

    #[test]
    fn rust_prose_is_comments_and_string_literals() {
        let source = "/// One `is no` two\n/// three.\nfn f<'a>(c: char) {\n    let a = '\"'; let b = \"four \\\" five \\\n        \
                      six\"; // seven eight\n    let c = r#\"nine \" ten\"#;\n}\n/// ```\n/// let it = \"is no\";\n/// ```\n";
        let passages = of_rust(source);
        let expected = ["One `xxxxx` two three.", "four \\\" five six", "seven eight", "nine \" ten"];
        assert_eq!(texts(&passages), expected);
        assert_eq!(passages[0].line(0), 1);
        assert_eq!(passages[0].line(17), 2);
        assert_eq!(passages[1].line(14), 5);
    }

    #[test]
    fn markdown_prose_is_paragraphs_and_cells() {
        let source = "# A title\n\none\ntwo\n- three four\n\n```sh\nis no\n```\n| five six | `is no` |\n";
        assert_eq!(texts(&of_markdown(source)), ["# A title", "one two", "three four", "five six"]);
    }
}
