//! `scim2 backup` and `scim2 restore`: the whole store to a file and back.

use std::path::Path;
use std::time::Duration;

use chrono::Utc;
use scim2_store::{
    Admin, CopyError, CopyErrorKind, OpenError, OpenErrorKind, RestoreOptions, Restored, RestoredToken,
    TokenFate,
};

use crate::args::{BackupArgs, DONE, RestoreArgs};
use crate::commands::output::{is_stream, same, spare_store, target};
use crate::commands::progress::Progress;
use crate::commands::{configured, print};
use crate::failure::{Failure, Outcome, say};
use crate::store::{self, OPERATOR, folders};
use crate::terminal::Shown;

pub(crate) fn backup(args: &BackupArgs) -> Outcome {
    let config = configured(&args.settings)?;
    if args.to == Path::new("-") {
        return Err(Failure::usage(
            "a backup cannot go to standard output, for it is checked after it is written; give the name of a file",
        ));
    }
    if folders::is_folder_name(&args.to) {
        folders::make_missing(&args.to)?;
    }
    folders::expect_parent(&args.to)?;
    let to = if args.to.is_dir() {
        args.to.join(format!("scim2-{}.db", Utc::now().format("%Y%m%dT%H%M%SZ")))
    } else {
        args.to.clone()
    };
    spare_store(&config, "", &to)?;
    if is_stream(&to) {
        return Err(Failure::usage(format!("`{}` is not a file; expected the name of one", to.display())));
    }
    if to.exists() && !args.force {
        return Err(there(&to));
    }
    // A link stays one: what it leads to is replaced.
    let file = target(&to);
    let mut bar = Bar::new(args.quiet);
    let path = store::path_of(&config)?;
    let copied = Admin::backup(path, &file, |done, all| bar.at(done, all));
    let size = copied.map_err(|error| match error.kind() {
        CopyErrorKind::Open => store::unopened(path.display(), &error),
        CopyErrorKind::Io => Failure::run(format!("`{}`: {error}", to.display())),
        _ => failure(error),
    })?;
    let elapsed = bar.finish();
    print(to.display())?;
    if !args.quiet {
        say(format_args!("{}; {:.1} s; checked", megabytes(size), elapsed.as_secs_f64()));
    }
    DONE
}

pub(crate) fn restore(args: &RestoreArgs) -> Outcome {
    let config = configured(&args.settings)?;
    let path = store::path_of(&config)?;
    if !args.from.exists() {
        return Err(Failure::usage(format!("there is no file `{}`", args.from.display())));
    }
    folders::expect_file("", &args.from)?;
    folders::expect_file("the store ", path)?;
    if path.exists() && !args.force {
        return Err(there(path));
    }
    if same(&args.from, path) {
        return Err(Failure::usage(format!("`{}` is the store itself", args.from.display())));
    }
    store::make_folder(path)?;
    let now = Utc::now();
    let mut options = RestoreOptions::new(OPERATOR, &format!("restore-{}", uuid::Uuid::now_v7()), now);
    options.revive_tokens = args.revive_tokens;
    options.audit_keys = config.audit_keys.clone();
    let mut bar = Bar::new(args.quiet);
    let Restored { size, tokens, .. } =
        Admin::restore(&args.from, path, &options, |done, all| bar.at(done, all))
            .map_err(|error| unrestored(error, &args.from, path))?;
    let elapsed = bar.finish();
    // Also with --quiet: who can log in has changed.
    tokens.iter().for_each(tell);
    if !args.quiet {
        say(format_args!(
            "the store `{}` is that of `{}`: {}; {:.1} s; checked",
            path.display(),
            args.from.display(),
            megabytes(size),
            elapsed.as_secs_f64()
        ));
    }
    DONE
}

/// Says what a restore changed about a token.
fn tell(restored: &RestoredToken) {
    let RestoredToken { token, fate, .. } = restored;
    let fate = match fate {
        TokenFate::StaysRevoked => {
            "is valid in the backup and stays revoked, as it was in the store (--revive-tokens)"
        }
        TokenFate::Revived => "becomes valid again: it was revoked or deleted after the backup",
        TokenFate::New => "becomes valid: it comes with the backup",
        TokenFate::Lost => "is not valid any more: it was made after the backup",
        _ => "was changed",
    };
    say(format_args!("token {} `{}` {fate}", Shown(&token.id), Shown(&token.name)));
}

fn there(path: &Path) -> Failure {
    Failure::usage(format!("`{}` is there already; --force replaces it", path.display()))
}

/// A file that cannot be opened is a mistake in the command line, as for every other command.
fn failure(error: CopyError) -> Failure {
    match error.kind() {
        CopyErrorKind::Open => Failure::usage(error),
        _ => Failure::run(error),
    }
}

/// As [`failure`], and says which of the two files does not open.
fn unrestored(error: CopyError, from: &Path, path: &Path) -> Failure {
    let open = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<OpenError>());
    match (error.kind(), open.map(OpenError::kind)) {
        (
            CopyErrorKind::Open,
            Some(
                OpenErrorKind::Empty
                | OpenErrorKind::NotOurs
                | OpenErrorKind::Newer
                | OpenErrorKind::Missing
                | OpenErrorKind::AuditKey,
            ),
        ) => Failure::usage(format!("the backup `{}`: {error}", from.display())),
        (CopyErrorKind::Tokens, _) => Failure::usage(format!(
            "the store `{}` that is replaced: {error}; --revive-tokens restores all the same, and then tokens that \
             were revoked after the backup are valid again",
            path.display()
        )),
        (CopyErrorKind::Open, Some(OpenErrorKind::InUse)) => store::unopened(path.display(), &error),
        _ => failure(error),
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}

/// A bar whose length is known from the first step on.
struct Bar {
    progress: Option<Progress>,
    quiet: bool,
    done: u64,
}

impl Bar {
    fn new(quiet: bool) -> Self {
        Self { progress: None, quiet, done: 0 }
    }

    fn at(&mut self, done: u64, all: u64) {
        let progress = self.progress.get_or_insert_with(|| Progress::new("pages", Some(all), self.quiet));
        let more = done.saturating_sub(self.done);
        progress.advance(more, more);
        self.done = done;
    }

    fn finish(self) -> Duration {
        self.progress.map_or(Duration::ZERO, |progress| progress.finish())
    }
}
