//! No PATCH panics; a refused one changes nothing; one that succeeds can be led back to by a difference.
//! The input is a PatchOp, a line break and a user, both as JSON.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use scim2_core::json::JsonReader;
use scim2_core::validate::Purpose;
use scim2_core::{Compat, Registry};
use scim2_patch::{DiffOptions, Limits, MemberDelta, PatchOp, apply, diff};

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::standard);

fuzz_target!(|text: &str| {
    let (message, resource) = text.split_once('\n').unwrap_or((text, r#"{"userName":"ada"}"#));
    let Ok(message) = JsonReader::new().object(message.as_bytes()) else { return };
    let Ok(body) = JsonReader::new().object(resource.as_bytes()) else { return };
    for type_ in REGISTRY.resource_types() {
        let Ok(before) = type_.canonicalise(body.clone(), Purpose::Create, &Compat::default()) else { continue };
        let before = before.object;
        for compat in [Compat::default(), Compat::strict(), Compat::profile()] {
            let Ok(op) = PatchOp::from_object(message.clone(), &compat, &Limits::DEFAULT) else { continue };
            let _ = MemberDelta::split(&op, type_, &compat);
            let mut after = before.clone();
            match apply(&op, &mut after, type_, &compat) {
                Ok(applied) => {
                    assert!(applied.changed() || after == before);
                    type_.check_required(&after).expect("what is required stays");
                }
                Err(error) => {
                    assert_eq!(after, before);
                    assert!(!error.to_string().contains('\n'));
                }
            }
            let purpose = Purpose::Replace { current: &before };
            if let Ok(wanted) = type_.canonicalise(after, purpose, &Compat::default()) {
                let mut led = before.clone();
                let op = diff(&before, &wanted.object, type_, &DiffOptions::DEFAULT);
                let _ = apply(&op, &mut led, type_, &Compat::default());
            }
        }
    }
});
