//! What an evaluation spends: bytes are counted, and a long text is normalized once.

use allocation_counter::measure;
use proptest::prelude::*;
use scim2_core::work::{Work, WorkExceeded};
use scim2_core::{Compat, Object, Registry, Value};
use scim2_filter::{CompiledFilter, ElementFilter, Filter, Resolver};
use scim2_testkit::strategies;

const LONG: usize = 100_000;

fn compiled(text: &str) -> CompiledFilter {
    let registry = Registry::standard();
    let user = registry.resource_type("User").expect("built in");
    let filter: Filter = text.parse().expect("a filter");
    CompiledFilter::new(&filter, user, Compat::default()).expect("fits")
}

fn element_filter(text: &str) -> ElementFilter {
    let registry = Registry::standard();
    let user = registry.resource_type("User").expect("built in");
    let emails = user.find(None, "emails", None).expect("built in");
    let filter: Filter = text.parse().expect("a filter");
    Resolver::new(user, Compat::default()).element_filter(&filter, emails).expect("fits")
}

/// What it costs to run the filter over the user.
#[track_caller]
fn spent(filter: &CompiledFilter, user: &Object) -> u64 {
    let work = Work::unlimited();
    filter.matches_within(user, &work).expect("no limit");
    work.spent()
}

fn with_email(text: &str) -> Object {
    let email = Object::from_iter([("value", Value::from(text))]);
    Object::from_iter([("userName", Value::from("ada")), ("emails", vec![Value::from(email)].into())])
}

fn terms(count: usize) -> String {
    (0..count).map(|n| format!("emails.value co \"{n:03}\"")).collect::<Vec<_>>().join(" or ")
}

#[test]
fn hundred_terms_over_one_long_text_normalize_it_once() {
    let user = with_email(&"É".repeat(LONG / 2));
    let (one, hundred) = (compiled(&terms(1)), compiled(&terms(100)));
    let first = spent(&one, &user);
    let more = spent(&hundred, &user) - first;
    // Each further term searches the key, and does not make it again.
    assert!(more < 99 * 2 * LONG as u64, "{first} {more}");
    let key_bytes = |filter: &CompiledFilter| measure(|| assert!(!filter.matches(&user))).bytes_total;
    assert!(key_bytes(&hundred) < key_bytes(&one) + 1000);
    assert!(key_bytes(&one) > LONG as u64 / 2);
}

#[test]
fn hundred_terms_over_one_long_element_normalize_it_once() {
    let terms: Vec<String> = (0..100).map(|n| format!("value co \"{n:03}\"")).collect();
    let filter = element_filter(&terms.join(" or "));
    let email = Value::from(Object::from_iter([("value", Value::from("É".repeat(LONG / 2).as_str()))]));
    assert!(measure(|| assert!(!filter.matches(&email))).bytes_total < 4 * LONG as u64);
}

#[test]
fn texts_of_all_lengths_match_alike() {
    for unit in ["aB", "É\u{301}ß", "ﬁ"] {
        for repeated in [1, 50, 100, 200, 1000] {
            let text = unit.repeat(repeated);
            let user = with_email(&text);
            for (op, operand, expected) in [
                ("eq", &*text.to_uppercase(), true),
                ("eq", &*format!("{text}x"), false),
                ("ne", &*format!("{text}x"), true),
                ("sw", unit, true),
                ("ew", unit, true),
                ("co", unit, true),
                ("co", "zz", false),
                ("ge", &*text, true),
                ("lt", &*format!("{text}x"), true),
                ("gt", &*text, false),
            ] {
                let filter = compiled(&format!("emails.value {op} {}", Value::from(operand)));
                assert_eq!(filter.matches(&user), expected, "{op} {unit} {repeated}");
            }
        }
    }
}

#[test]
fn work_grows_with_bytes_and_stops_at_the_limit() {
    let filter = compiled(&terms(50));
    let (short, long) = (with_email("ada@example.com"), with_email(&"x".repeat(LONG)));
    assert!(spent(&filter, &short) < 5000);
    let whole = spent(&filter, &long);
    assert!(whole > 50 * LONG as u64, "{whole}");
    assert_eq!(filter.matches_within(&long, &Work::with_limit(whole)), Ok(false));
    assert_eq!(filter.matches_within(&long, &Work::with_limit(whole - 1)), Err(WorkExceeded));
    assert_eq!(filter.matches_within(&long, &Work::with_limit(0)), Err(WorkExceeded));
}

fn user_and_filter() -> impl Strategy<Value = (Object, String)> {
    let registry = Registry::standard();
    let user = registry.resource_type("User").expect("built in");
    (strategies::resource(user), strategies::filter(user))
}

proptest! {
    #[test]
    fn evaluation_with_less_work_than_it_costs_is_refused((user, filter) in user_and_filter()) {
        let filter = compiled(&filter);
        let matches = filter.matches(&user);
        let cost = spent(&filter, &user);
        let within = |limit| {
            let work = Work::with_limit(limit);
            let found = filter.matches_within(&user, &work);
            (found, work.spent() <= limit)
        };
        prop_assert_eq!(within(cost), (Ok(matches), true));
        if cost > 0 {
            prop_assert_eq!(within(cost - 1), (Err(WorkExceeded), true));
        }
    }

    /// A text that is `times` as long costs at most `times` as much, and no byte is free.
    #[test]
    fn work_is_proportional_to_the_bytes_of_texts(
        text in "[a-zÀ-ÿ]{1,12}",
        operand in "[a-zÀ-ÿ]{1,12}",
        times in 2_usize..2000,
        count in 1_usize..20,
    ) {
        let cost = |times: usize| {
            let term = format!("emails.value eq \"{operand}\"");
            let terms = vec![term; count].join(" or ");
            spent(&compiled(&terms), &with_email(&text.repeat(times)))
        };
        let (once, longer) = (cost(1), cost(times));
        prop_assert!(longer <= once * times as u64, "{longer} > {times} * {once}");
        prop_assert!(longer >= (text.len() * times) as u64, "{longer} < {} * {times}", text.len());
    }
}
