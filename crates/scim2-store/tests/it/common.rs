//! A store in a folder that goes away, and resources for it.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Utc};
use scim2_core::{CompiledType, Object, Registry, ResourceId};
use scim2_server::store::{Include, Member, MembersWrite, Write};
use scim2_server::{Context, TenantId};
use scim2_store::{Admin, SqliteOptions, SqliteStore};

#[cfg(feature = "postgres")]
pub(crate) mod postgres;

/// Runs each of these functions of a store as a test of each engine.
macro_rules! on_each_engine {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[test]
                fn $test() {
                    super::$test(&crate::common::fixture().store);
                }
            )+
        }

        #[cfg(feature = "postgres")]
        mod postgres {
            $(
                #[test]
                fn $test() {
                    if let Some(fixture) = crate::common::postgres::fixture() {
                        super::$test(&fixture.store);
                    }
                }
            )+
        }
    };
}
pub(crate) use on_each_engine;

/// Waits for a future of either engine: one of them needs a runtime.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build().expect("a runtime")
    });
    RUNTIME.block_on(future)
}

/// Waits for a future where it is made.
pub(crate) trait Wait: Future + Sized {
    fn wait(self) -> Self::Output {
        block_on(self)
    }
}

impl<F: Future> Wait for F {}

pub(crate) struct Fixture {
    pub(crate) store: SqliteStore,
    pub(crate) path: PathBuf,
    folder: Option<tempfile::TempDir>,
}

impl Fixture {
    /// Closes the store and leaves the folder.
    pub(crate) fn close(mut self) -> tempfile::TempDir {
        self.folder.take().expect("taken only here")
    }
}

pub(crate) fn fixture() -> Fixture {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scim2.db");
    let store = SqliteStore::open(&path, SqliteOptions::default()).expect("opens");
    Fixture { store, path, folder: Some(folder) }
}

impl Drop for Fixture {
    /// Whatever a test did, what it leaves behind agrees.
    fn drop(&mut self) {
        if !std::thread::panicking() && self.folder.is_some() {
            let admin = Admin::open(&self.path).expect("opens");
            let report = admin.fsck(&Registry::standard()).wait().expect("checks");
            assert!(report.is_clean(), "{report}");
        }
    }
}

pub(crate) fn context() -> Context {
    Context {
        base_url: "https://example.com/scim/v2".into(),
        request_id: "request".into(),
        ..Context::new(Arc::new(Registry::standard()), TenantId::default(), "test", time(0))
    }
}

pub(crate) fn time(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).expect("in range")
}

pub(crate) fn type_of(cx: &Context, name: &str) -> Arc<CompiledType> {
    Arc::clone(cx.registry.resource_type(name).expect("built in"))
}

pub(crate) fn id(text: &str) -> ResourceId {
    ResourceId::parse(text).expect("an id")
}

pub(crate) fn object(json: &str) -> Object {
    serde_json::from_str(json).expect("an object")
}

/// A write of a resource whose body is `json` and an id.
pub(crate) fn write(cx: &Context, type_name: &str, id_text: &str, json: &str) -> Write {
    let mut body = object(json);
    body.insert("id", id_text);
    Write {
        resource_type: type_of(cx, type_name),
        id: id(id_text),
        body,
        never_returned: Object::new(),
        members: MembersWrite::Keep,
        changed: Vec::new(),
        include: Include::default(),
    }
}

pub(crate) fn user(cx: &Context, id: &str, user_name: &str) -> Write {
    let json = format!(
        r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"{user_name}",
            "displayName":"D {user_name}","emails":[{{"value":"{user_name}@example.com","type":"work"}}]}}"#
    );
    write(cx, "User", id, &json)
}

pub(crate) fn group(cx: &Context, id: &str, members: &[&str]) -> Write {
    let json =
        format!(r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"G {id}"}}"#);
    Write {
        members: MembersWrite::Set(members.iter().map(|id| member("User", id)).collect()),
        ..write(cx, "Group", id, &json)
    }
}

pub(crate) fn member(type_name: &str, id_text: &str) -> Member {
    Member { value: id(id_text), resource_type: type_name.into(), display: None }
}
