//! The kinds of values: how each is read, its name in help texts, and its JSON Schema.
//!
//! A field of a configuration struct names its kind with `#[serde(with = "As::<Size>")]`. Flags and variables are
//! text; the file also has numbers and booleans. All of them become text first, so a value is read by the same rule
//! wherever it stands.

use std::fmt;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use scim2_core::Mode;
use scim2_core::discovery::PaginationMethod;
use scim2_store::AuditKeys;
use serde::de::{Deserializer, Error, SeqAccess, Unexpected, Visitor};
use url::Url;

use super::{LogFormat, PatchResponse, StoreUrl, UnknownMember, read};

/// A kind of value.
pub(super) trait Kind {
    type Value;

    /// The name of the value in help texts.
    const VALUE_NAME: &'static str;

    /// Reads a value as a person writes it. The error says what was expected.
    fn read(text: &str) -> Result<Self::Value, String>;

    /// The value if no layer has one.
    fn missing() -> Result<Self::Value, String> {
        Err("expected a value".to_owned())
    }

    /// How the value is best written in the file.
    fn schema() -> Schema;
}

/// One value of a kind, for `#[serde(with = …)]`.
pub(super) struct As<K>(PhantomData<K>);

impl<K: Kind> As<K> {
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<K::Value, D::Error> {
        match deserializer.deserialize_any(TextVisitor { lists: false })? {
            Some(texts) => K::read(&texts.concat()),
            None => K::missing(),
        }
        .map_err(D::Error::custom)
    }
}

impl<K: Kind> JsonSchema for As<K> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        K::VALUE_NAME.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = K::schema();
        schema.insert("x-value".to_owned(), K::VALUE_NAME.into());
        schema
    }
}

/// A list of values of a kind. A text is a list of one value, or of several with commas between them.
pub(super) struct List<K>(PhantomData<K>);

impl<K: Element> List<K> {
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<K::Value>, D::Error> {
        let texts = deserializer.deserialize_any(TextVisitor { lists: true })?.unwrap_or_default();
        let values: Result<_, _> = texts.iter().flat_map(|text| K::split(text)).map(K::read).collect();
        values.map_err(D::Error::custom)
    }
}

impl<K: Element> JsonSchema for List<K> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        K::VALUE_NAME.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": K::schema(), "x-value": K::VALUE_NAME })
    }
}

/// What a list holds.
pub(super) trait Element: Kind {
    /// The values in a text. Paths of folders may have commas in them.
    fn split(text: &str) -> Vec<&str> {
        text.split(',').map(str::trim).collect()
    }
}

/// A value that need not be set.
pub(super) struct Maybe<K>(PhantomData<K>);

impl<K: Kind> Kind for Maybe<K> {
    type Value = Option<K::Value>;
    const VALUE_NAME: &'static str = K::VALUE_NAME;

    fn read(text: &str) -> Result<Self::Value, String> {
        K::read(text).map(Some)
    }

    fn missing() -> Result<Self::Value, String> {
        Ok(None)
    }

    fn schema() -> Schema {
        K::schema()
    }
}

/// Reads texts, whole numbers and booleans as text; nothing as `None`.
struct TextVisitor {
    /// Whether several values may stand in an array.
    lists: bool,
}

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Option<Vec<String>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a whole number or a boolean")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(vec![text.to_owned()]))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(vec![number.to_string()]))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(vec![number.to_string()]))
    }

    fn visit_bool<E: Error>(self, boolean: bool) -> Result<Self::Value, E> {
        Ok(Some(vec![boolean.to_string()]))
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
        if !self.lists {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self));
        }
        let mut texts = Vec::new();
        while let Some(Text(text)) = values.next_element()? {
            texts.push(text);
        }
        Ok(Some(texts))
    }
}

/// A value in an array.
struct Text(String);

impl<'de> serde::Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = deserializer.deserialize_any(TextVisitor { lists: false })?.unwrap_or_default();
        Ok(Self(texts.concat()))
    }
}

macro_rules! kinds {
    ($($name:ident, $value_name:literal: $value:ty, $read:expr, $schema:tt;)*) => {$(
        pub(super) enum $name {}

        impl Kind for $name {
            type Value = $value;
            const VALUE_NAME: &'static str = $value_name;

            fn read(text: &str) -> Result<$value, String> {
                $read(text)
            }

            fn schema() -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

kinds! {
    Flag, "BOOL": bool, read::boolean, { "type": "boolean" };
    Count, "N": usize, read::positive, { "type": "integer", "minimum": 1, "maximum": i32::MAX };
    Depth, "N": usize, read::depth,
        { "type": "integer", "minimum": 1, "maximum": scim2_core::json::JsonReader::MAX_DEPTH };
    FilterDepth, "N": usize, read::filter_depth,
        { "type": "integer", "minimum": 0, "maximum": scim2_filter::MAX_DEPTH_CEILING };
    Size, "SIZE": usize, read::size,
        { "type": ["integer", "string"], "minimum": 1, "maximum": i32::MAX, "pattern": "^[0-9]+ *([KkMm][Ii])?[Bb]?$" };
    Time, "TIME": Duration, read::seconds,
        { "type": ["integer", "string"], "minimum": 1, "maximum": 86_400, "pattern": "^[0-9]+ *[smhd]?$" };
    TimeOrNever, "TIME": Duration, read::seconds_or_never,
        { "type": ["integer", "string"], "minimum": 0, "maximum": 86_400, "pattern": "^[0-9]+ *[smhd]?$" };
    LongSeconds, "TIME": usize, read::long_seconds,
        { "type": ["integer", "string"], "minimum": 1, "maximum": i32::MAX, "pattern": "^[0-9]+ *[smhd]?$" };
    Address, "ADDR": SocketAddr, read::address, { "type": "string" };
    Store, "URL": StoreUrl, read::store, { "type": "string" };
    BaseUrl, "URL": Url, read::base_url, { "type": "string", "format": "uri" };
    HttpUrl, "URL": Url, read::url, { "type": "string", "format": "uri" };
    UrlPath, "PATH": String, read::base_path, { "type": "string", "pattern": "^(/.*)?$" };
    File, "FILE": PathBuf, |path: &str| Ok(path.into()), { "type": "string" };
    Folder, "DIR": PathBuf, |path: &str| Ok(path.into()), { "type": "string" };
    TypeAndPath, "ATTRIBUTES": String, |name: &str| Ok(name.to_owned()), { "type": "string" };
    AttributePath, "PATHS": String, read::attribute, { "type": "string" };
    LogLevels, "LEVEL": String, read::log, { "type": "string" };
}

impl Element for TypeAndPath {}
impl Element for AttributePath {}
impl Element for Folder {
    fn split(text: &str) -> Vec<&str> {
        vec![text]
    }
}

macro_rules! choices {
    ($($name:ident, $value_name:literal: $value:ty { $($text:literal => $choice:expr,)* })*) => {$(
        pub(super) enum $name {}

        impl Kind for $name {
            type Value = $value;
            const VALUE_NAME: &'static str = $value_name;

            fn read(text: &str) -> Result<$value, String> {
                read::one_of(text, &[$(($text, $choice)),*])
            }

            fn schema() -> Schema {
                json_schema!({ "enum": [$($text),*] })
            }
        }
    )*};
}

choices! {
    CompatMode, "MODE": Mode {
        "default" => Mode::Default, "strict" => Mode::Strict, "profile" => Mode::Profile,
    }
    PatchAnswer, "WHAT": PatchResponse {
        "auto" => PatchResponse::Auto, "body" => PatchResponse::Body, "no-content" => PatchResponse::NoContent,
    }
    MemberPolicy, "WHAT": UnknownMember {
        "refuse" => UnknownMember::Refuse, "drop" => UnknownMember::Drop,
    }
    Pagination, "WAY": PaginationMethod {
        "index" => PaginationMethod::Index, "cursor" => PaginationMethod::Cursor,
    }
    LineFormat, "FORMAT": LogFormat {
        "text" => LogFormat::Text, "json" => LogFormat::Json,
    }
}

/// Threads, by default one for each core.
pub(super) enum Threads {}

impl Kind for Threads {
    type Value = usize;
    const VALUE_NAME: &'static str = "N";

    fn read(text: &str) -> Result<usize, String> {
        read::threads(text)
    }

    fn missing() -> Result<usize, String> {
        Ok(std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
    }

    fn schema() -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": read::MAX_THREADS })
    }
}

/// The keys in a file, which is read with the configuration.
pub(super) enum KeyFile {}

impl Kind for KeyFile {
    type Value = AuditKeys;
    const VALUE_NAME: &'static str = "FILE";

    fn read(text: &str) -> Result<AuditKeys, String> {
        read::audit_keys(text)
    }

    fn missing() -> Result<AuditKeys, String> {
        Ok(AuditKeys::default())
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string" })
    }
}
