//! The folder of `--schemas`: schemas and resource types as JSON
//! ([RFC 7643 §6 and §7](https://www.rfc-editor.org/rfc/rfc7643#section-6)).
//!
//! Each `*.json` file, also in folders within the folder, holds one document, an array of documents
//! or a ListResponse. Names of members are read in any letter case. A schema or a resource type of
//! the same identity as a built-in one takes its place, so a folder can give `User` another
//! extension.

use std::path::{Path, PathBuf};

use scim2_core::json::JsonReader;
use scim2_core::schema::{Attribute, ResourceType, Schema};
use scim2_core::{Compat, Registry};

use document::Document;

mod document;

/// Endpoints that the protocol has taken.
const RESERVED: [&str; 6] =
    ["/Me", "/Bulk", "/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/.search"];

/// How deep folders may stand in folders: no one orders schemas deeper, and links in a circle end.
const DEEPEST: usize = 3;

/// The built-in schemas and resource types as `compat` has them, and those of these folders.
///
/// # Errors
/// Names the file, the document and the attribute at fault.
pub(crate) fn load(folders: &[PathBuf], compat: &Compat) -> Result<Registry, String> {
    let (builtin_schemas, builtin_types) = Registry::standard_documents(compat);
    let mut loaded = Loaded::default();
    for folder in folders {
        loaded.folder(folder)?;
    }
    let schemas = builtin_schemas
        .into_iter()
        .filter(|known| loaded.schemas.iter().all(|(schema, _)| schema.id != known.id))
        .chain(loaded.schemas.iter().map(|(schema, _)| schema.clone()))
        .collect();
    let types: Vec<ResourceType> = builtin_types
        .into_iter()
        .filter(|known| loaded.types.iter().all(|(type_, _)| type_.name != known.name))
        .chain(loaded.types.iter().map(|(type_, _)| type_.clone()))
        .collect();
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
    // A schema that no resource type has is looked at alone, or its faults would come to light with
    // the first that has it. Those of discovery, which nest deeper than others may, are known.
    let known = Registry::standard();
    for (schema, file) in &loaded.schemas {
        let has = |type_: &ResourceType| {
            type_.schema == schema.id
                || type_.schema_extensions.iter().any(|extension| extension.schema == schema.id)
        };
        if types.iter().any(has) || known.schema(schema.id.as_str()).is_some() {
            continue;
        }
        let alone = ResourceType::new("Alone", "/Alone", schema.id.clone());
        Registry::with(vec![schema.clone()], vec![alone])
            .map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Registry::with(schemas, types).map_err(|error| match loaded.file_of(&error) {
        Some(file) => format!("{}: {error}", file.display()),
        None => error.to_string(),
    })
}

/// The `*.json` files of a folder and of the folders in it.
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

/// What was found, with the file it was found in.
#[derive(Default)]
struct Loaded {
    schemas: Vec<(Schema, PathBuf)>,
    types: Vec<(ResourceType, PathBuf)>,
}

impl Loaded {
    fn folder(&mut self, folder: &Path) -> Result<(), String> {
        let mut files = Vec::new();
        collect(folder, DEEPEST, &mut files)?;
        if files.is_empty() {
            return Err(format!("the folder of schemas `{}` holds no *.json file", folder.display()));
        }
        // The order of a folder is the operating system's; ours is the same everywhere.
        files.sort();
        files
            .iter()
            .try_for_each(|file| self.file(file).map_err(|error| format!("{}: {error}", file.display())))
    }

    fn file(&mut self, file: &Path) -> Result<(), String> {
        let json = std::fs::read(file).map_err(|error| error.to_string())?;
        let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&json);
        let value = JsonReader::new().value(json).map_err(|error| error.to_string())?;
        for document in document::read(&value)? {
            match document {
                Document::Schema(schema) => self.schema(schema, file)?,
                Document::ResourceType(type_) => self.resource_type(type_, file)?,
            }
        }
        Ok(())
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

    /// The file to look into when the documents do not fit together.
    fn file_of(&self, error: &scim2_core::compiled::CompileError) -> Option<&Path> {
        let of_schema = self.schemas.iter().find(|(schema, _)| schema.id == *error.schema());
        let of_type = self.types.iter().find(|(type_, _)| {
            type_.schema == *error.schema()
                || type_.schema_extensions.iter().any(|extension| extension.schema == *error.schema())
        });
        of_schema.map(|(_, file)| file).or(of_type.map(|(_, file)| file)).map(PathBuf::as_path)
    }
}

/// What a schema document can say that no resource could obey.
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
        assert!(device.attribute(irk.unwrap()).is_hidden());
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
}
