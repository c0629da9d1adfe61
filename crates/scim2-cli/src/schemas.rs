//! The folder of `--schemas`: schemas and resource types as JSON
//! ([RFC 7643 §6 and §7](https://www.rfc-editor.org/rfc/rfc7643#section-6)).
//!
//! Each `*.json` file, also in sub-folders, holds one document, an array of documents or a ListResponse. A
//! schema or resource type with the identity of a built-in one replaces it, so a folder can give `User` another
//! extension.

use std::path::{Path, PathBuf};

use scim2_core::compiled::CompileError;
use scim2_core::schema::{Attribute, Documents, ResourceType, Schema};
use scim2_core::{Compat, Registry};

/// Endpoints that the protocol uses.
const RESERVED: [&str; 6] =
    ["/Me", "/Bulk", "/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/.search"];

/// The common attributes of [RFC 7643 §3.1](https://www.rfc-editor.org/rfc/rfc7643#section-3.1).
const COMMON: [&str; 4] = ["schemas", "id", "externalId", "meta"];

/// How deep sub-folders are read. It also ends loops of symbolic links.
const MAX_FOLDER_DEPTH: usize = 3;

/// The built-in schemas and resource types of `compat`, and those of these folders.
///
/// Deviations from RFC 7643 that were read, and settings without effect, are logged as warnings.
///
/// # Errors
/// Names the file, the document and the attribute at fault.
pub(crate) fn load(folders: &[PathBuf], compat: &Compat) -> Result<Registry, String> {
    let (registry, warnings) = read(folders, compat)?;
    for warning in warnings {
        tracing::warn!("schema file: {warning}");
    }
    Ok(registry)
}

fn read(folders: &[PathBuf], compat: &Compat) -> Result<(Registry, Vec<String>), String> {
    let (builtin_schemas, builtin_types) = Registry::standard_documents(compat);
    let mut loaded = Loaded::default();
    for folder in folders {
        loaded.folder(folder)?;
    }
    let schemas: Vec<Schema> = builtin_schemas
        .iter()
        .filter(|known| loaded.schemas.iter().all(|(schema, _)| schema.id != known.id))
        .chain(loaded.schemas.iter().map(|(schema, _)| schema))
        .cloned()
        .collect();
    let types: Vec<ResourceType> = builtin_types
        .iter()
        .filter(|known| loaded.types.iter().all(|(type_, _)| type_.name != known.name))
        .chain(loaded.types.iter().map(|(type_, _)| type_))
        .cloned()
        .collect();
    loaded.warn_of_shadowing((&builtin_schemas, &builtin_types), &types);
    for (type_, file) in &loaded.types {
        let same = types.iter().filter(|other| other.endpoint.eq_ignore_ascii_case(&type_.endpoint));
        if same.count() > 1 {
            return Err(format!(
                "{}: resource type `{}`: another resource type has the endpoint `{}`",
                file.display(),
                type_.name,
                type_.endpoint
            ));
        }
    }
    // A schema that no resource type uses is compiled alone. Otherwise its faults would only show with the
    // first resource type that uses it. The discovery schemas are skipped: they nest deeper than others may,
    // and are known to be right.
    let known = Registry::standard();
    for (schema, file) in &loaded.schemas {
        let has = |type_: &ResourceType| {
            type_.schema == schema.id
                || type_.schema_extensions.iter().any(|extension| extension.schema == schema.id)
        };
        if types.iter().any(has) || known.schema(schema.id.as_str()).is_some() {
            continue;
        }
        loaded.warnings.push(format!(
            "{}: schema `{}`: no resource type uses it: `/Schemas` lists it, but no resource can have its attributes; \
             name it in `schema` or `schemaExtensions` of a resource type",
            file.display(),
            schema.id
        ));
        let alone = ResourceType::new("Alone", "/Alone", schema.id.clone());
        Registry::with(vec![schema.clone()], vec![alone])
            .map_err(|error| format!("{}: {error}", file.display()))?;
    }
    let registry = Registry::with(schemas, types).map_err(|error| match loaded.file_of(&error) {
        Some(file) => format!("{}: {error}", file.display()),
        None => error.to_string(),
    })?;
    Ok((registry, loaded.warnings))
}

/// The `*.json` files of a folder and its sub-folders.
fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let unreadable = |error| format!("the folder of schemas `{}` cannot be read: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
            files.push(path);
        } else if depth > 0 && path.is_dir() {
            collect(&path, depth - 1, files)?;
        }
    }
    Ok(())
}

/// The documents, each with its file.
#[derive(Default)]
struct Loaded {
    schemas: Vec<(Schema, PathBuf)>,
    types: Vec<(ResourceType, PathBuf)>,
    warnings: Vec<String>,
}

impl Loaded {
    fn folder(&mut self, folder: &Path) -> Result<(), String> {
        let mut files = Vec::new();
        collect(folder, MAX_FOLDER_DEPTH, &mut files)?;
        if files.is_empty() {
            return Err(format!("the folder of schemas `{}` holds no *.json file", folder.display()));
        }
        // Folders list files in any order. Sorted, they load in the same order on every system.
        files.sort();
        files
            .iter()
            .try_for_each(|file| self.file(file).map_err(|error| format!("{}: {error}", file.display())))
    }

    fn file(&mut self, file: &Path) -> Result<(), String> {
        let json = std::fs::read(file).map_err(|error| error.to_string())?;
        let documents = Documents::from_json(&json).map_err(|error| error.to_string())?;
        self.warnings
            .extend(documents.warnings.iter().map(|warning| format!("{}: {warning}", file.display())));
        documents.schemas.into_iter().try_for_each(|schema| self.schema(schema, file))?;
        documents.resource_types.into_iter().try_for_each(|type_| self.resource_type(type_, file))
    }

    fn schema(&mut self, schema: Schema, file: &Path) -> Result<(), String> {
        if let Some((_, other)) = self.schemas.iter().find(|(known, _)| known.id == schema.id) {
            return Err(format!("the schema `{}` is also defined in {}", schema.id, other.display()));
        }
        for attribute in &schema.attributes {
            check(attribute).map_err(|error| format!("schema `{}`: {error}", schema.id))?;
        }
        self.schemas.push((schema, file.to_owned()));
        Ok(())
    }

    fn resource_type(&mut self, type_: ResourceType, file: &Path) -> Result<(), String> {
        if let Some((_, other)) = self.types.iter().find(|(known, _)| known.name == type_.name) {
            return Err(format!("the resource type `{}` is also defined in {}", type_.name, other.display()));
        }
        let named = type_.endpoint.strip_prefix('/').is_some_and(|name| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        });
        if !named || RESERVED.iter().any(|taken| taken.eq_ignore_ascii_case(&type_.endpoint)) {
            return Err(format!(
                "resource type `{}`: expected an endpoint of its own such as `/Badges`, found `{}`",
                type_.name,
                type_.endpoint.escape_debug()
            ));
        }
        self.types.push((type_, file.to_owned()));
        Ok(())
    }

    /// The file at fault when documents do not fit together.
    fn file_of(&self, error: &CompileError) -> Option<&Path> {
        let file = match error.resource_type() {
            Some(name) => self.types.iter().find(|(type_, _)| type_.name == name).map(|(_, file)| file),
            None => {
                self.schemas.iter().find(|(schema, _)| schema.id == *error.schema()).map(|(_, file)| file)
            }
        };
        file.map(PathBuf::as_path)
    }

    /// Warns of legal documents that are easily written by mistake: a document that replaces a built-in one,
    /// and an attribute with the name of a common one.
    fn warn_of_shadowing(&mut self, builtin: (&[Schema], &[ResourceType]), types: &[ResourceType]) {
        let mut warnings = Vec::new();
        for (schema, file) in &self.schemas {
            let place = format!("{}: schema `{}`", file.display(), schema.id);
            if builtin.0.iter().any(|known| known.id == schema.id) {
                warnings.push(format!("{place}: takes the place of the built-in schema"));
            }
            let is_extension = |type_: &ResourceType| {
                type_.schema_extensions.iter().any(|extension| extension.schema == schema.id)
            };
            let effect = if types.iter().any(|type_| type_.schema == schema.id) {
                "this definition is ignored"
            } else if types.iter().any(is_extension) {
                "clients will take this attribute of the extension for it; rename it"
            } else {
                continue; // a schema that no resource type uses is warned of as a whole
            };
            for name in COMMON {
                if schema.attributes.iter().any(|attribute| attribute.name == *name) {
                    warnings.push(format!(
                        "{place}: attribute `{name}`: RFC 7643 §3.1 defines it for all resources, {effect}"
                    ));
                }
            }
        }
        for (type_, file) in &self.types {
            if builtin.1.iter().any(|known| known.name == type_.name) {
                warnings.push(format!(
                    "{}: resource type `{}`: takes the place of the built-in resource type",
                    file.display(),
                    type_.name
                ));
            }
        }
        self.warnings.append(&mut warnings);
    }
}

/// Refuses characteristics that no resource can satisfy.
fn check(attribute: &Attribute) -> Result<(), String> {
    use scim2_core::schema::{AttributeType, Mutability, Returned};

    let name = &attribute.name;
    if attribute.mutability == Mutability::ReadOnly && attribute.required {
        tracing::debug!(attribute = %name, "required and readOnly: clients need not send it");
    }
    if attribute.mutability == Mutability::WriteOnly && attribute.returned == Returned::Always {
        return Err(format!("attribute `{name}`: writeOnly contradicts returned `always` (RFC 7643 §7)"));
    }
    if attribute.type_ == AttributeType::Complex && attribute.sub_attributes.is_empty() {
        return Err(format!("attribute `{name}`: a complex attribute needs `subAttributes`"));
    }
    attribute
        .sub_attributes
        .iter()
        .try_for_each(|sub| check(sub).map_err(|error| format!("attribute `{name}`: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[track_caller]
    fn error(files: &[(&str, &str)]) -> String {
        let folder = folder(files);
        let error = load(&[folder.path().to_owned()], &Compat::default()).unwrap_err();
        error
            .replace(&format!("{}/", folder.path().display()), "")
            .replace(&folder.path().display().to_string(), "DIR")
    }

    const BADGE: &str = r#"[
        {"id": "urn:example:1.0:Badge", "name": "Badge", "attributes": [{"name": "number", "required": true}]},
        {"name": "Badge", "endpoint": "/Badges", "schema": "urn:example:1.0:Badge"}
    ]"#;

    #[test]
    fn a_folder_adds_to_what_is_built_in() {
        let folder = folder(&[("badge.json", BADGE), ("readme.txt", "not json")]);
        let registry = load(&[folder.path().to_owned()], &Compat::default()).unwrap();
        let names: Vec<_> = registry.resource_types().map(|type_| type_.name()).collect();
        assert_eq!(names, ["User", "Group", "Badge"]);
        assert!(registry.by_endpoint("/Badges").unwrap().find(None, "NUMBER", None).is_some());
    }

    #[test]
    fn a_folder_may_replace_what_is_built_in() {
        let user = r#"{"name": "User", "endpoint": "/Users",
            "schema": "urn:ietf:params:scim:schemas:core:2.0:User",
            "schemaExtensions": [{"schema": "urn:example:1.0:Badge"}]}"#;
        let folder = folder(&[("badge.json", BADGE), ("user.json", user)]);
        let registry = load(&[folder.path().to_owned()], &Compat::default()).unwrap();
        assert!(registry.resource_type("User").unwrap().find_extension("urn:example:1.0:badge").is_some());
    }

    #[test]
    fn every_folder_that_comes_with_the_program_loads() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
        let entries = std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path());
        let folders: Vec<_> = entries.filter(|path| path.is_dir()).collect();
        assert_eq!(folders.len(), 3);
        let registry = load(&folders, &Compat::default()).unwrap();
        assert_eq!(load(&[root], &Compat::default()).unwrap().schemas().len(), registry.schemas().len());
        let device = registry.resource_type("Device").unwrap();
        assert!(device.groups().is_some());
        let irk = device.find(Some("urn:ietf:params:scim:schemas:extension:ble:2.0:Device"), "irk", None);
        assert!(device.attribute(irk.unwrap()).is_never_returned());
        assert!(registry.by_endpoint("/EndpointApps").is_some() && registry.by_endpoint("/Badges").is_some());
    }

    #[test]
    fn errors_name_file_and_attribute() {
        assert_eq!(error(&[]), "the folder of schemas `DIR` holds no *.json file");
        assert_eq!(
            error(&[("a.json", r#"{"id": "urn:a:b", "attributes": [{"name": "x", "type": "strnig"}]}"#)]),
            "a.json: schema `urn:a:b`: attribute `x`: `type`: expected `string`, `boolean`, `decimal`, \
             `integer`, `dateTime`, `binary`, `reference` or `complex`, found `strnig`"
        );
        assert_eq!(
            error(&[("a.json", r#"{"name": "A", "endpoint": "/Me", "schema": "urn:a:b"}"#)]),
            "a.json: resource type `A`: expected an endpoint of its own such as `/Badges`, found `/Me`"
        );
        assert_eq!(
            error(&[("a.json", r#"{"name": "A", "endpoint": "/As", "schema": "urn:a:b"}"#)]),
            "a.json: resource type `A` names the schema `urn:a:b`, which is not defined"
        );
        assert_eq!(
            error(&[("a.json", BADGE), ("b.json", r#"{"id": "urn:example:1.0:badge", "attributes": []}"#)]),
            "b.json: the schema `urn:example:1.0:badge` is also defined in a.json"
        );
        assert_eq!(
            error(&[("a.json", r#"{"name": "A", "endpoint": "/users", "schema": "urn:a:b"}"#)]),
            "a.json: resource type `A`: another resource type has the endpoint `/users`"
        );
        assert_eq!(
            error(&[(
                "a.json",
                r#"{"id": "urn:a:b", "attributes": [{"name": "x", "type": "complex",
                    "subAttributes": [{"name": "y", "mutability": "writeOnly", "returned": "always"}]}]}"#
            )]),
            "a.json: schema `urn:a:b`: attribute `x`: attribute `y`: writeOnly contradicts returned `always` \
             (RFC 7643 §7)"
        );
        assert!(error(&[("a.json", "{\"id\": 1")]).starts_with("a.json: "));
        assert_eq!(
            error(&[("a.json", "{}")]),
            "a.json: expected a schema (with `attributes`) or a resource type (with `endpoint`)"
        );
    }

    #[track_caller]
    fn warnings(files: &[(&str, &str)]) -> Vec<String> {
        let folder = folder(files);
        let (_, warnings) = read(&[folder.path().to_owned()], &Compat::default()).unwrap();
        warnings
            .into_iter()
            .map(|warning| warning.replace(&format!("{}/", folder.path().display()), ""))
            .collect()
    }

    const THING: &str = r#"{"name": "Thing", "endpoint": "/Things", "schema": "urn:a:Thing"}"#;

    /// Deviations of published schema files that can only mean one thing.
    #[test]
    fn unambiguous_shapes_load_with_a_warning_that_names_file_schema_and_key() {
        let schema = r#"[{"id": "urn:a:Thing", "NAME": "Thing", "vendor": 1, "attributes": [
            {"name": "owner", "type": "reference", "referenceTypes": "User"},
            {"name": "mac", "uniqueness": "Manufacturer", "pattern": "^[0-9A-F:]+$", "caseexact": true},
            {"name": "mobile", "type": "bool", "required": "False", "multiValued": "TRUE"},
            {"name": "size", "type": "INT", "mutability": "readwrite"},
            {"name": "parts", "subAttributes": {"name": "value", "canonicalValues": "a"}},
            {"name": "boss", "referenceTypes": ["User"]}
        ]}, {"id": "urn:a:Empty", "meta": {"resourceType": "Schema"}}]"#;
        let type_ = r#"{"id": "things", "name": "Thing", "endpoint": "Things", "schema": "urn:a:Thing",
            "schemaExtensions": ["urn:a:Empty"]}"#;
        let files = [("schema.json", schema), ("type.json", type_)];
        assert_eq!(
            warnings(&files),
            [
                "schema.json: schema `urn:a:Thing`: `NAME`: read as `name`",
                "schema.json: schema `urn:a:Thing`: `vendor`: no key of RFC 7643 §6 and §7 at this place, ignored",
                "schema.json: schema `urn:a:Thing`: attribute `owner`: `referenceTypes`: a string is read as an array \
                 of one",
                "schema.json: schema `urn:a:Thing`: attribute `mac`: `pattern`: no key of RFC 7643 §6 and §7 at this \
                 place, ignored",
                "schema.json: schema `urn:a:Thing`: attribute `mac`: `caseexact`: read as `caseExact`",
                "schema.json: schema `urn:a:Thing`: attribute `mac`: `uniqueness`: `Manufacturer` is unknown, read as \
                 `none`: equal values are accepted",
                "schema.json: schema `urn:a:Thing`: attribute `mobile`: `multiValued`: a string is read as `true`",
                "schema.json: schema `urn:a:Thing`: attribute `mobile`: `required`: a string is read as `false`",
                "schema.json: schema `urn:a:Thing`: attribute `mobile`: `type`: `bool` is read as `boolean`",
                "schema.json: schema `urn:a:Thing`: attribute `size`: `mutability`: `readwrite` is read as `readWrite`",
                "schema.json: schema `urn:a:Thing`: attribute `size`: `type`: `int` is read as `integer`",
                "schema.json: schema `urn:a:Thing`: attribute `parts`: `subAttributes`: an object is read as an array \
                 of one",
                "schema.json: schema `urn:a:Thing`: attribute `parts`: attribute `value`: `canonicalValues`: a string \
                 is read as an array of one",
                "schema.json: schema `urn:a:Thing`: attribute `parts`: `type`: missing, read as `complex` because of \
                 `subAttributes`",
                "schema.json: schema `urn:a:Thing`: attribute `boss`: `type`: missing, read as `reference` because of \
                 `referenceTypes`",
                "schema.json: schema `urn:a:Empty`: `attributes`: missing, read as a schema without any",
                "type.json: resource type `Thing`: `id`: `things` is not kept, the id of a resource type is its name",
                "type.json: resource type `Thing`: `endpoint`: read as `/Things`",
                "type.json: resource type `Thing`: `schemaExtensions`: `urn:a:Empty` is read as an extension that is \
                 not required",
            ]
        );
        let folder = folder(&files);
        let registry = load(&[folder.path().to_owned()], &Compat::default()).unwrap();
        let thing = registry.by_endpoint("/Things").unwrap();
        let def = |name: &str| thing.attribute(thing.find(None, name, None).unwrap());
        assert!(def("mac").case_exact() && def("mobile").multi_valued() && !def("mobile").required());
        assert_eq!(def("owner").reference_types(), ["User"]);
        assert!(def("parts").is_complex());
    }

    #[test]
    fn schema_of_no_resource_type_is_reported_at_start() {
        let schema = r#"{"id": "urn:a:Spare", "attributes": [{"name": "x"}]}"#;
        let warnings = warnings(&[("spare.json", schema), ("badge.json", BADGE)]);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].starts_with("spare.json: schema `urn:a:Spare`: no resource type uses it"));
    }

    #[test]
    fn document_in_place_of_built_in_one_is_reported_at_start() {
        const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
        let files = format!(
            r#"[{{"name": "User", "endpoint": "/Users", "schema": "{USER}"}},
                {{"id": "{USER}", "attributes": [{{"name": "userName"}}]}}]"#
        );
        assert_eq!(
            warnings(&[("own.json", &files)]),
            [
                format!("own.json: schema `{USER}`: takes the place of the built-in schema"),
                "own.json: resource type `User`: takes the place of the built-in resource type".to_owned(),
            ]
        );
    }

    #[test]
    fn common_attribute_in_own_schema_is_reported_at_start() {
        let files = r#"[
            {"id": "urn:a:Thing", "attributes": [{"name": "ID"}, {"name": "meta", "type": "string"}, {"name": "x"}]},
            {"id": "urn:a:More", "attributes": [{"name": "schemas"}, {"name": "x"}]},
            {"name": "Thing", "endpoint": "/Things", "schema": "urn:a:Thing",
             "schemaExtensions": [{"schema": "urn:a:More"}]}
        ]"#;
        assert_eq!(
            warnings(&[("own.json", files)]),
            [
                "own.json: schema `urn:a:Thing`: attribute `id`: RFC 7643 §3.1 defines it for all resources, this \
                 definition is ignored",
                "own.json: schema `urn:a:Thing`: attribute `meta`: RFC 7643 §3.1 defines it for all resources, this \
                 definition is ignored",
                "own.json: schema `urn:a:More`: attribute `schemas`: RFC 7643 §3.1 defines it for all resources, \
                 clients will take this attribute of the extension for it; rename it",
            ]
        );
    }

    #[test]
    fn document_that_does_not_fit_is_blamed_and_not_the_one_it_names() {
        let thing = |extensions: &str| {
            format!(
                r#"{{"name": "Thing", "endpoint": "/Things", "schema": "urn:example:1.0:Badge", "schemaExtensions": {extensions}}}"#
            )
        };
        let twice = thing(r#"[{"schema": "urn:example:1.0:Badge"}]"#);
        assert_eq!(
            error(&[("badge.json", BADGE), ("thing.json", &twice)]),
            "thing.json: resource type `Thing` names the schema `urn:example:1.0:Badge` twice"
        );
        let other = thing(r#"[{"schema": "urn:a:Gone"}]"#).replace("Thing", "Other");
        let gone = thing(r#"[{"schema": "urn:a:Gone"}]"#);
        assert_eq!(
            error(&[("badge.json", BADGE), ("other.json", &other), ("thing.json", &gone)]),
            "other.json: resource type `Other` names the schema `urn:a:Gone`, which is not defined"
        );
        for (text, expected) in [
            (
                thing("7"),
                "resource type `Thing`: `schemaExtensions`: expected an array of extensions, found a number",
            ),
            (
                thing(r#"["not a uri"]"#),
                "resource type `Thing`: `schemaExtensions`: `schema`: a schema URI holds no space, quote, bracket or \
                 control character, found ` ` at byte 3 of `not a uri`",
            ),
            (
                format!("[{BADGE}, 7]"),
                "element 1 of 2: expected a schema (with `attributes`) or a resource type (with `endpoint`)",
            ),
            (
                r#"{"name": "A", "endpoint": "/As", "schema": "urn:a:b", "attributes": {}}"#.to_owned(),
                "resource type `A` names the schema `urn:a:b`, which is not defined",
            ),
            (
                r#"{"id": "urn:a:b", "attributes": {}}"#.to_owned(),
                "schema `urn:a:b`: `attributes`: expected an array of attributes, found an object without members",
            ),
            (
                r#"{"id": "urn:a:b", "attributes": [{"name": "x", "subAttributes": [{"name": "1y"}]}]}"#
                    .to_owned(),
                "schema `urn:a:b`: attribute `x`: attribute `1y`: `name`: an attribute name begins with a letter, found `1` \
                 at byte 0 of `1y`",
            ),
        ] {
            assert_eq!(error(&[("x.json", &text)]), format!("x.json: {expected}"));
        }
    }

    #[test]
    fn files_that_come_with_the_program_need_no_warning() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
        let (_, warnings) = read(&[root], &Compat::default()).unwrap();
        assert_eq!(warnings, Vec::<String>::new());
    }

    /// Each error of a document names file, document, attribute, key, and what was expected.
    #[test]
    fn errors_of_a_document_say_where_and_what_was_expected() {
        let schema = |attributes: &str| format!(r#"{{"id": "urn:a:b", "attributes": {attributes}}}"#);
        for (text, expected) in [
            ("{\"id\": tru}".to_owned(), "a.json: the file is not JSON: expected ident, at line 1 column 11"),
            (String::new(), "a.json: the file is empty, expected JSON"),
            ("7".to_owned(), "a.json: expected a JSON object or an array of them, found a number"),
            (
                r#"{"attributes": []}"#.to_owned(),
                "a.json: schema: `id` is missing: expected the URI of the schema",
            ),
            (
                r#"{"id": 5, "attributes": []}"#.to_owned(),
                "a.json: schema: `id`: expected a string, found a number",
            ),
            (schema("7"), "a.json: schema `urn:a:b`: `attributes`: expected an array of attributes, found a number"),
            (
                schema("[7]"),
                "a.json: schema `urn:a:b`: `attributes`: expected an array of objects, found a number",
            ),
            (schema("[{}]"), "a.json: schema `urn:a:b`: an attribute lacks its `name`"),
            (
                schema(r#"[{"name": "x", "required": 1}]"#),
                "a.json: schema `urn:a:b`: attribute `x`: `required`: expected `true` or `false`, found a number",
            ),
            (
                schema(r#"[{"name": "x", "canonicalValues": [1]}]"#),
                "a.json: schema `urn:a:b`: attribute `x`: `canonicalValues`: expected an array of strings, found a \
                 number",
            ),
            (
                schema(r#"[{"name": "x", "subAttributes": [{"name": "y", "returned": "sometimes"}]}]"#),
                "a.json: schema `urn:a:b`: attribute `x`: attribute `y`: `returned`: expected `always`, `never`, \
                 `default` or `request`, found `sometimes`",
            ),
            (
                r#"{"endpoint": "/As"}"#.to_owned(),
                "a.json: resource type: `name` is missing: expected its name",
            ),
            (
                r#"{"name": "A", "endpoint": "/As"}"#.to_owned(),
                "a.json: resource type `A`: `schema` is missing: expected the URI of its schema",
            ),
            (
                r#"{"name": "A", "endpoint": "/As", "schema": "urn:a:b", "schemaExtensions": [{"required": true}]}"#
                    .to_owned(),
                "a.json: resource type `A`: `schemaExtensions`: `schema` is missing: expected the URI of the extension",
            ),
        ] {
            assert_eq!(error(&[("a.json", &text)]), expected, "{text}");
        }
    }

    /// A password is stored as a hash, or refused.
    #[test]
    fn password_that_would_be_stored_in_plain_text_is_refused() {
        let secret = r#""mutability": "writeOnly", "returned": "never""#;
        let core = "urn:ietf:params:scim:schemas:core:2.0:User";
        for (id, attribute, path) in [
            ("urn:a:Thing", r#"{"name": "password"}"#.to_owned(), "password"),
            ("urn:a:Thing", r#"{"name": "PassWord", "returned": "never"}"#.to_owned(), "PassWord"),
            (
                "urn:a:Thing",
                r#"{"name": "password", "mutability": "writeOnly", "returned": "request"}"#.to_owned(),
                "password",
            ),
            ("urn:a:Thing", format!(r#"{{"name": "password", "multiValued": true, {secret}}}"#), "password"),
            (
                "urn:a:Thing",
                format!(
                    r#"{{"name": "account", "type": "complex", "subAttributes": [{{"name": "password", {secret}}}]}}"#
                ),
                "account.password",
            ),
            (
                core,
                r#"{"name": "userName"}, {"name": "password", "returned": "default"}"#.to_owned(),
                "password",
            ),
        ] {
            let schema = format!(r#"{{"id": "{id}", "attributes": [{attribute}]}}"#);
            let files = [("a.json", schema.as_str()), ("t.json", THING)];
            let files = if id == core { &files[..1] } else { &files[..] };
            let error = error(files);
            let expected = format!("a.json: `{path}` of `{id}` would not be kept secret: ");
            assert!(error.starts_with(&expected), "{error}");
        }
        let schema = format!(r#"{{"id": "urn:a:Thing", "attributes": [{{"name": "password", {secret}}}]}}"#);
        assert_eq!(warnings(&[("a.json", &schema), ("t.json", THING)]), Vec::<String>::new());
        let extension = r#"{"name": "Thing", "endpoint": "/Things", "schema": "urn:example:1.0:Badge",
            "schemaExtensions": [{"schema": "urn:a:Thing"}]}"#;
        let error = error(&[("a.json", &schema), ("badge.json", BADGE), ("t.json", extension)]);
        assert!(
            error.contains("`urn:a:Thing:password` of `urn:a:Thing` would not be kept secret"),
            "{error}"
        );
    }
}
