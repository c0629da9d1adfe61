//! Serializes trees as their text, and reads them with the strict parser and its default limits.

use alloc::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::{AttrPath, Filter, PatchPath, ValuePath};

macro_rules! as_text {
    ($($tree:ty),*) => {$(
        impl Serialize for $tree {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $tree {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    )*};
}

as_text!(AttrPath, Filter, PatchPath, ValuePath);

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn trees_travel_as_text() {
        let filter: Filter = serde_json::from_str(r#""userName EQ \"a\"""#).unwrap();
        assert_eq!(serde_json::to_string(&filter).unwrap(), r#""userName eq \"a\"""#);
        let error = serde_json::from_str::<Filter>(r#""userName eq""#).unwrap_err().to_string();
        assert!(error.starts_with("expected a comparison value"), "{error}");
    }
}
