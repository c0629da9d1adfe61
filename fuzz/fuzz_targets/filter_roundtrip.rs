//! What a filter prints reads back as the same filter; what the strict grammar reads means the same
//! under every leniency; errors lie within the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim2_filter::{FilterParser, Leniency};

fuzz_target!(|text: &str| {
    let strict = FilterParser::new();
    let lenient = strict.leniency(Leniency::ALL);
    for parser in [strict, lenient] {
        match parser.parse(text) {
            Ok(filter) => {
                let printed = filter.to_string();
                let again = parser.max_length(usize::MAX).parse(&printed).expect("a printed filter reads back");
                assert_eq!(again, filter, "{printed}");
                assert_eq!(again.to_string(), printed);
            }
            Err(error) => {
                assert!(error.span().end <= text.len());
                assert!(!error.to_string().contains('\n'));
                assert!(!format!("{error:#}").is_empty());
            }
        }
    }
    if let Ok(filter) = strict.parse(text) {
        assert_eq!(lenient.parse(text), Ok(filter));
    }
});
