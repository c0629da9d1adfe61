//! Prints the PATCH that turns one user into another, for service providers of three kinds:
//!
//! ```sh
//! cargo run -p scim2-patch --example diff_two_users
//! ```

use scim2_core::Registry;
use scim2_core::resource::{Email, Name, User};
use scim2_patch::{DiffOptions, PatchOp};

fn main() -> Result<(), &'static str> {
    let registry = Registry::standard();
    let type_ = registry.resource_type("User").ok_or("the standard registry has users")?;

    let mut before = User::new("ada@example.com");
    before.name = Some(Name::new("Ada", "Byron"));
    before.emails.push(Email::new("ada@example.com").with_type("work").as_primary());
    before.emails.push(Email::new("ada@example.net").with_type("home"));

    let mut after = before.clone();
    after.name = Some(Name::new("Ada", "King"));
    after.title = Some("Countess".to_owned());
    after.emails.truncate(1);

    let mut plain = DiffOptions::DEFAULT;
    plain.value_paths = false;
    let mut without_path = DiffOptions::DEFAULT;
    without_path.without_path = true;
    for (understands, options) in
        [("all of PATCH", DiffOptions::DEFAULT), ("no value paths", plain), ("no paths at all", without_path)]
    {
        println!("for one that understands {understands}:");
        for operation in PatchOp::between(&before, &after, type_, &options).operations() {
            let path = operation.path().map(ToString::to_string).unwrap_or_default();
            let value = operation.value().map(ToString::to_string).unwrap_or_default();
            println!("  {} {path} {value}", operation.op());
        }
    }
    Ok(())
}
