//! What the command line says, and how commands end.

use std::path::Path;

use crate::binary::{command, done, run, run_with_input};

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// One line on standard error, nothing on standard output, exit code 2.
#[track_caller]
fn refused(arguments: &[&str], line: &str) {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(folder.path(), arguments);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{}", ran.err);
    assert_eq!(ran.err, format!("scim2: {line}\n"));
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 0, "a mistake leaves nothing behind");
}

#[test]
fn mistake_is_one_line_and_exit_code_2() {
    refused(&["serve", "--color", "red"], "unexpected argument '--color' found");
    refused(
        &["serve", "--port", "9000"],
        "unexpected argument '--port' found; `--listen 127.0.0.1:8080` sets address and port",
    );
    refused(
        &["serve", "--request-timeout", "5 weeks"],
        "`--request-timeout`: expected a time from 1 to 86400 seconds such as 90, 90s, 5m or 1h, found `5 weeks`",
    );
    refused(&["restore", "nope.db"], "there is no file `nope.db`");
    refused(&["serve", "--compat"], "a value is required for '--compat <MODE>' but none was supplied");
    refused(
        &["serve", "--compat", "lax"],
        "`--compat`: expected `default`, `strict` or `profile`, found `lax`",
    );
    refused(
        &["serve", "--listen", "8080"],
        "`--listen`: expected an address and a port such as 127.0.0.1:8080, found `8080`",
    );
    refused(
        &["filter", "a pr", "--type", "Nope"],
        "`--type`: there is no resource type `Nope`, only `User`, `Group`",
    );
    refused(
        &["serve", "--log", "foo"],
        "`--log`: expected `error`, `warn`, `info`, `debug`, `trace` or a list such as `warn,scim2=debug`, \
         found `foo`",
    );
    refused(
        &["serve", "--sensitive-attributes", "userName,nope"],
        "`nope` cannot be sensitive: no resource type has such an attribute",
    );
    refused(
        &["serve", "--store", "mysql://u:secretpw@h/db"],
        "`--store`: expected `sqlite:PATH`, `postgres://USER@HOST/DATABASE` or `memory`, found `mysql://…@h/db`",
    );
    refused(
        &["serve", "--store", "postgres://u:secret@pw@h/db"],
        "`--store`: expected `postgres://USER:PASSWORD@HOST/DATABASE`: `@`, `/` and `?` in a user name or \
         password are written `%40`, `%2F` and `%3F`",
    );
    refused(
        &["serve", "--store", "mysql://x"],
        "`--store`: expected `sqlite:PATH`, `postgres://USER@HOST/DATABASE` or `memory`, found `mysql://x`",
    );
    refused(
        &["serve", "--string-bool", "maybe"],
        "`--string-bool`: expected `true` or `false`, found `maybe`",
    );
    refused(
        &["serve", "--config", "none.toml"],
        "the configuration file `none.toml` cannot be read: No such file or directory (os error 2)",
    );
    refused(
        &["serve", "--listen", "127.0.0.1:0", "--schemas", "none"],
        "the folder of schemas `none` cannot be read: No such file or directory (os error 2)",
    );
    refused(&["tokens"], "unrecognized subcommand 'tokens' tip: a similar subcommand exists: 'token'");
    refused(&["token", "list"], "the store `./scim2-data/scim2.db`: there is no such database");
    refused(
        &["audit", "--store", "memory"],
        "a store in memory belongs to the process that serves it; expected `--store sqlite:PATH`",
    );
    refused(
        &["token", "create", "--expires", "soon"],
        "`--expires`: expected a dateTime such as 2027-01-31T00:00:00Z or a time from now such as 90d, found \
         `soon`",
    );
    refused(
        &["filter", "a pr", "--match", "none.jsonl", "--type", "Users"],
        "`--type`: there is no resource type `Users`, only `User`, `Group`",
    );
    refused(
        &["filter", "userName pr", "--match", "none.jsonl"],
        "`none.jsonl` cannot be read: No such file or directory (os error 2)",
    );
}

#[test]
fn impossible_store_path_is_one_line_and_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(folder.path(), &["serve", "--listen", "127.0.0.1:0", "--store", "sqlite:far/away/x.db"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.starts_with("scim2: the store `far/away/x.db`: "), "{}", ran.err);
    assert_eq!(ran.err.lines().count(), 1);

    std::fs::write(folder.path().join("other.db"), "this is a text, and no database at all").unwrap();
    let ran = run(folder.path(), &["serve", "--listen", "127.0.0.1:0", "--store", "sqlite:other.db"]);
    assert_eq!((ran.code, ran.err.lines().count()), (Some(2), 1), "{}", ran.err);
}

#[test]
fn mistake_in_file_or_environment_names_its_place() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("scim2.toml"), "patch_respons = \"body\"\n").unwrap();
    let ran = run(folder.path(), &["serve", "--config", "scim2.toml"]);
    assert_eq!(ran.code, Some(2));
    assert_eq!(
        ran.err,
        "scim2: scim2.toml: line 1: there is no key `patch_respons`; did you mean `patch_response`?\n"
    );

    std::fs::write(folder.path().join("scim2.toml"), "max_results = \n").unwrap();
    let ran = run(folder.path(), &["serve", "--config", "scim2.toml"]);
    assert_eq!((ran.code, ran.err.lines().count()), (Some(2), 1), "{}", ran.err);
    assert!(ran.err.starts_with("scim2: scim2.toml: line 1: "), "{}", ran.err);

    std::fs::write(folder.path().join("scim2.toml"), "unknown_member = \"keep\"\n").unwrap();
    let ran = run(folder.path(), &["serve", "--config", "scim2.toml"]);
    assert_eq!(
        ran.err,
        "scim2: scim2.toml: line 1: `unknown_member`: expected `refuse` or `drop`, found `keep`\n"
    );

    let output =
        command(folder.path(), &["serve"]).env("SCIM2_PATCH_RESPONSE", "all").output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "scim2: `SCIM2_PATCH_RESPONSE`: expected `auto`, `body` or `no-content`, found `all`\n"
    );
}

#[test]
fn unknown_variable_gets_a_warning_from_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["token", "create"][..], &["token", "list"], &["audit"], &["fsck"]] {
        let output = command(folder.path(), arguments).env("SCIM2_STROE", "memory").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let warning = "the variable `SCIM2_STROE` has no effect; did you mean `SCIM2_STORE`?";
        assert!(output.status.success() && said.contains(warning), "{arguments:?}: {said}");
    }
}

#[test]
fn config_check_prints_each_value_and_where_it_was_set() {
    let folder = tempfile::tempdir().unwrap();
    let file = "store = \"postgres://ada:secretpw@db.example.com/scim2\"\n\nmax_results = 50\nschemas = [\"a, b\"]\n";
    std::fs::write(folder.path().join("scim2.toml"), file).unwrap();
    std::fs::create_dir(folder.path().join("a, b")).unwrap();
    let badge = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/example-badge/Badge.json");
    std::fs::copy(badge, folder.path().join("a, b/Badge.json")).unwrap();
    let check = |arguments: &[&str]| {
        let mut command = command(folder.path(), &["config", "check", "--config", "scim2.toml"]);
        let output = command
            .args(arguments)
            .env("SCIM2_BOOTSTRAP_TOKEN", "4efee9fcb8c5f3ce8ff33d4012150be4")
            .env("SCIM2_STRING_BOOL", "off")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let printed = check(&["--max-body", "1MiB"]);
    let lines: Vec<&str> = printed.lines().collect();
    for line in [
        "config = scim2.toml  # `--config`",
        "listen = 127.0.0.1:8080  # default",
        "store = postgres://ada@db.example.com:5432/scim2  # scim2.toml: line 1: `store`",
        "schemas = a, b  # scim2.toml: line 4: `schemas`",
        "max_results = 50  # scim2.toml: line 3: `max_results`",
        "max_body = 1MiB  # `--max-body`",
        "scan_limit = (no limit)  # default",
        "documentation_uri is not set",
        "string_bool = off  # `SCIM2_STRING_BOOL`",
        "SCIM2_BOOTSTRAP_TOKEN is set; it counts only while the store has no token",
    ] {
        assert!(lines.contains(&line), "{line}\n\n{printed}");
    }
    let printed = printed + &check(&["--json"]);
    assert!(!printed.contains("secretpw") && !printed.contains("4efee9fc"), "{printed}");
    assert!(
        printed.contains(r#"{"from":"scim2.toml: line 3: `max_results`","key":"max_results","value":"50"}"#)
    );
    assert!(!folder.path().join("scim2-data").exists(), "a check makes no store");
}

#[test]
fn config_check_refuses_what_serve_refuses() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("scim2.toml"), "# limits\nmax_depth = 1000\n").unwrap();
    for arguments in [
        &["--config", "scim2.toml"][..],
        &["--schemas", "none"],
        &["--sensitive-attributes", "color"],
        &["--indexed", "User:color"],
        &["--audit-key-file", "none"],
    ] {
        let [check, serve] =
            [&["config", "check"][..], &["serve", "--listen", "127.0.0.1:0"]].map(|command| {
                let ran = run(folder.path(), &[command, arguments].concat());
                (ran.code, ran.err)
            });
        assert_eq!(check, serve, "{arguments:?}");
        assert_eq!((check.0, check.1.lines().count()), (Some(2), 1), "{arguments:?}");
    }
}

#[test]
fn config_schema_describes_the_file() {
    let schema: serde_json::Value = serde_json::from_str(&done(here(), &["config", "schema"])).unwrap();
    assert_eq!(schema["properties"]["max_results"]["default"], 200);
    assert_eq!(schema["additionalProperties"], false);
    // Members such as `x-value` are for our own help texts.
    assert!(!schema.to_string().contains("x-"), "{schema:#}");
}

#[test]
fn missing_backup_is_reported_before_the_existing_store() {
    let folder = tempfile::tempdir().unwrap();
    done(folder.path(), &["token", "create"]);
    let ran = run(folder.path(), &["restore", "nope.db"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(2), "scim2: there is no file `nope.db`\n"));
}

#[test]
fn version_and_help_texts_match_snapshots() {
    assert_eq!(done(here(), &["--version"]), format!("scim2 {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(done(here(), &["version"]), done(here(), &["--version"]));
    assert_eq!(done(here(), &["help"]), done(here(), &["--help"]));
    assert_eq!(done(here(), &["help", "serve"]), done(here(), &["serve", "--help"]));
    insta::assert_snapshot!("help", done(here(), &["--help"]));
    insta::assert_snapshot!("help-serve", done(here(), &["serve", "--help"]));
    insta::assert_snapshot!("help-token-create", done(here(), &["token", "create", "--help"]));
    insta::assert_snapshot!("help-audit", done(here(), &["audit", "--help"]));
    insta::assert_snapshot!("help-filter", done(here(), &["filter", "--help"]));
    let bare = run(here(), &[]);
    assert_eq!(bare.code, Some(2));
    assert!(bare.err.contains("Usage: scim2"), "{}", bare.err);
}

#[test]
fn filter_is_printed_canonically_and_as_a_tree() {
    insta::assert_snapshot!(done(here(), &["filter", r#"title PR AND (userType eq "a" or not (emails[type eq "work" and value co "@x"]))"#]), @r#"
    title pr and (userType eq "a" or not (emails[type eq "work" and value co "@x"]))

    and
      title pr
      or
        userType eq "a"
        not
          emails[]
            and
              type eq "work"
              value co "@x"
    "#);
}

#[test]
fn wrong_filter_is_printed_with_a_caret() {
    let ran = run(here(), &["filter", "userName = 'bjensen'"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    insta::assert_snapshot!(ran.err, @r"
    scim2: expected `pr`, `eq`, `ne`, `co`, `sw`, `ew`, `gt`, `ge`, `lt` or `le`, found `=` at byte 9
      | userName = 'bjensen'
      |          ^
      = hint: write `eq` for it
    ");
}

#[test]
fn filter_is_strict_without_a_mode() {
    let outside = r#"emails[type eq "work"].value eq "x""#;
    let refused = run(here(), &["filter", outside]);
    assert_eq!(refused.code, Some(2));
    let note = "  = note: `--compat default` understands it, and so does `scim2 serve`\n";
    assert!(refused.err.ends_with(note), "{}", refused.err);
    assert_eq!(run(here(), &["filter", outside, "--compat", "strict"]).code, Some(2));
    let out = done(here(), &["filter", "--compat", "default", outside]);
    assert!(out.starts_with("emails[type eq \"work\" and value eq \"x\"]\n"), "{out}");
    let output = command(here(), &["filter", outside]).env("SCIM2_COMPAT", "default").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn matching_lines_are_printed_byte_for_byte() {
    let lines = concat!(
        r#"{"userName":"Bjensen",  "emails":[{"type":"work","value":"a@example.com"}]}"#,
        "\n\n",
        r#"{"userName":"other","emails":[{"type":"home","value":"a@example.com"}]}"#,
        "\r\n",
        r#"{"USERNAME":"BJENSEN2"}"#,
    );
    let matching = |filter: &str| run_with_input(here(), &["filter", filter, "--match", "-"], lines);
    let ran = matching(r#"emails[type eq "work" and value ew "example.com"]"#);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(ran.out.lines().collect::<Vec<_>>(), [lines.lines().next().unwrap()]);
    assert_eq!(matching(r#"userName sw "bjensen""#).out.lines().count(), 2);
    assert_eq!(matching(r#"userName eq "nobody""#).out, "");
    assert_eq!(matching(r#"userName eq "other""#).out.lines().count(), 1);
    assert!(matching(r#"userName eq "other""#).out.ends_with("}\r\n"), "the end of a line is part of it");
    assert!(matching(r#"userName eq "bjensen2""#).out.ends_with("}\n"), "and the last line has one");

    let ran = matching(r#"color eq "red""#);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{}", ran.err);
    let ran =
        run_with_input(here(), &["filter", "title pr", "--match", "-"], "{\"title\":\"x\"}\nnot json\n");
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.out, "{\"title\":\"x\"}\n");
    assert!(ran.err.starts_with("scim2: -: line 2: "), "{}", ran.err);
}
