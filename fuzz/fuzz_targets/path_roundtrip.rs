//! What a PATCH path prints reads back as the same path, and so for the path of an attribute.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim2_filter::{FilterParser, Leniency};

fuzz_target!(|text: &str| {
    for leniency in [Leniency::NONE, Leniency::ALL] {
        let parser = FilterParser::new().leniency(leniency);
        if let Ok(path) = parser.parse_path(text) {
            let printed = path.to_string();
            let again = parser.max_length(usize::MAX).parse_path(&printed);
            assert_eq!(again, Ok(path), "{printed}");
        }
        if let Ok(path) = parser.parse_attr_path(text) {
            assert_eq!(path.as_str(), text);
            assert_eq!(parser.parse_path(text).map(|path| path.to_string()), Ok(text.to_owned()));
        }
    }
});
