//! The work of a PATCH is bounded by its limit and proportional to the bytes of the texts in it.

use proptest::prelude::*;
use scim2_core::work::Work;
use scim2_core::{Compat, Object, Quirk, Value};
use scim2_patch::{Limits, Op, PatchOp, apply_within};
use scim2_testkit::strategies::{self, PatchOperation};

use crate::fuzzed;
use crate::generated::any_type;
use crate::support::resource_type;

proptest! {
    #[test]
    fn patch_with_less_work_than_it_costs_is_refused(
        (type_, before, operations) in any_type().prop_flat_map(|type_| {
            let operations = prop::collection::vec(strategies::patch_operation(&type_), 1..5);
            (Just(type_.clone()), strategies::resource(&type_), operations)
        })
    ) {
        let compat = Compat::default().with(Quirk::UsernameAny, true);
        let operations: Vec<Value> = operations.iter().map(PatchOperation::to_value).collect();
        let message = Object::from_iter([
            ("schemas", Value::from(vec![PatchOp::SCHEMA])),
            ("Operations", operations.into()),
        ]);
        let op = PatchOp::from_object(message, &compat, &Limits::DEFAULT).expect("operations of the test kit");
        fuzzed::check_work(&type_, &before, &op, &compat);
    }

    /// Texts that are `times` as long cost at most `times` as much, and no byte is free.
    #[test]
    fn work_is_proportional_to_the_bytes_of_texts(
        texts in prop::collection::vec("[a-zÀ-ÿ]{1,12}", 1..12),
        given in prop::collection::vec("[a-zÀ-ÿ]{1,12}", 1..12),
        times in 2_usize..40,
        form in 0..FORMS,
    ) {
        let once = cost(&texts, &given, form, 1);
        let longer = cost(&texts, &given, form, times);
        prop_assert!(longer <= once * times as u64, "{longer} > {times} * {once}");
        let bytes: usize = given.iter().take(1).map(|text| text.len() * times).sum();
        prop_assert!(longer >= bytes as u64, "{longer} < {bytes}");
    }
}

/// How many forms of an operation [`cost`] knows.
const FORMS: usize = 8;

/// The work of one operation on a user with these texts in its e-mail addresses, each text repeated.
fn cost(texts: &[String], given: &[String], form: usize, times: usize) -> u64 {
    let text = |text: &String| text.repeat(times);
    let email = |it: &String| Value::from(Object::from_iter([("value", text(it)), ("display", text(it))]));
    let emails = |texts: &[String]| Value::from(texts.iter().map(email).collect::<Vec<_>>());
    let first = text(&given[0]);
    let displays: Vec<Value> =
        given.iter().map(|it| Value::from(Object::from_iter([("display", text(it))]))).collect();
    let any_of =
        given.iter().map(|it| format!("display eq \"{}\"", text(it))).collect::<Vec<_>>().join(" or ");
    let (op, path, value): (_, Option<String>, Option<Value>) = match form {
        0 => (Op::Replace, Some("title".to_owned()), Some(first.into())),
        1 => (Op::Add, Some("emails".to_owned()), Some(emails(given))),
        2 => (Op::Replace, Some("emails".to_owned()), Some(emails(given))),
        3 => (Op::Replace, Some("emails.display".to_owned()), Some(first.into())),
        4 => (Op::Replace, Some(format!("emails[display eq \"{first}\"].display")), Some(first.into())),
        5 => (Op::Remove, Some(format!("emails[{any_of}]")), None),
        6 => (Op::Remove, Some("emails".to_owned()), Some(displays.into())),
        _ => (
            Op::Add,
            None,
            Some(Object::from_iter([("title", Value::from(first)), ("emails", emails(given))]).into()),
        ),
    };
    let path = path.map(|path| path.parse().expect("a path"));
    let op = PatchOp::new().with(op, path, value);
    let mut user = Object::from_iter([("userName", Value::from("ada")), ("emails", emails(texts))]);
    let work = Work::unlimited();
    let applied = apply_within(&op, &mut user, &resource_type("User"), &Compat::default(), &work);
    applied.expect("it succeeds");
    work.spent()
}
