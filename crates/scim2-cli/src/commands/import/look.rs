//! A look at the beginning of a file: whether it can be lines of JSON at all.

/// How many lines are looked at.
const LINES: usize = 10;

/// What the beginnings of files are that are often mistaken for what is in them.
const MAGIC: &[(&[u8], &str)] = &[
    (b"\x1f\x8b", "is compressed; give `gzip -dc FILE | scim2 import -`"),
    (b"\x28\xb5\x2f\xfd", "is compressed; give `zstd -dc FILE | scim2 import -`"),
    (b"PK\x03\x04", "is a ZIP archive or a workbook; expected a text file with a JSON object a line"),
    (
        b"SQLite format 3\0",
        "is a database; `scim2 export` writes what import reads, `scim2 restore` reads a backup",
    ),
    (b"\xff\xfe", "is UTF-16; expected UTF-8"),
    (b"\xfe\xff", "is UTF-16; expected UTF-8"),
];

/// How resources stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A JSON object on each line.
    Lines,
    /// One JSON object on several lines.
    Document,
}

/// Says how to read a file, or what is wrong with a file of which this is the beginning, if none of its first lines can be understood. One
/// line that can is enough: the others are then told one by one.
pub(super) fn at(beginning: &[u8]) -> Result<Shape, &'static str> {
    if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| beginning.starts_with(magic)) {
        return Err(what);
    }
    let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning);
    let lines = || text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let Some(first) = lines().next() else { return Ok(Shape::Lines) };
    if first.starts_with(b"[") {
        return Err("is a JSON array; expected a JSON object a line, which `jq -c '.[]'` makes of it");
    }
    if first == b"{" {
        return Ok(Shape::Document);
    }
    if lines().take(LINES).any(|line| line.starts_with(b"{")) {
        return Ok(Shape::Lines);
    }
    Err(if lines().take(LINES).all(is_text) {
        "has no JSON object in its first lines; expected JSON Lines: an object a line"
    } else {
        "is not text; expected JSON Lines: an object a line, in UTF-8"
    })
}

/// Text may be cut off within a character.
fn is_text(line: &[u8]) -> bool {
    let is_utf8 = match std::str::from_utf8(line) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    is_utf8 && !line.contains(&0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_lines_is_read_and_what_cannot_is_told_what_it_is() {
        for lines in [
            &b""[..],
            b"\n\n",
            b"{\"userName\":\"ada\"}",
            b"\xef\xbb\xbf {\"userName\":\"ada\"}\r\n",
            b"a heading\n{\"userName\":\"ada\"}\n",
            b"\xff\xff\n{\"userName\":\"ada\"}\n",
            b"{\"userName\":\"b\xc3",
        ] {
            assert_eq!(at(lines), Ok(Shape::Lines), "{lines:?}");
        }
        assert_eq!(at(b"{\n  \"schemas\": []\n}"), Ok(Shape::Document));
        for (lines, what) in [
            (&b"\x1f\x8b\x08\0"[..], "gzip -dc"),
            (b"SQLite format 3\0\x10\0", "is a database"),
            (b"\xff\xfe{\0\"\0", "UTF-16"),
            (b"\x7fELF\x02\x01\0\0\n\0\0", "is not text"),
            (b"\xc3\x28\n", "is not text"),
            (b"id,userName\n1,ada\n", "has no JSON object"),
            (b"b\xc3", "has no JSON object"),
            (b"[\n  {\"userName\":\"ada\"}\n]", "is a JSON array"),
        ] {
            let told = at(lines).expect_err("cannot be");
            assert!(told.contains(what), "{lines:?}: {told}");
        }
    }
}
