//! The commands that copy, check or repair all data of a store at once.

use std::path::PathBuf;

use scim2_store::AuditHead;

use crate::config::{Checking, Loading, Settings, Storing};

/// Load users, groups and other resources from a file with a JSON object on each line.
///
/// Each line is a SCIM resource: from `scim2 export`, or from the answer of another server, one resource on a line. It
/// is checked and stored like the body of a POST, with its row in the audit log. Ids, times, versions and hashed
/// passwords of an export are kept. A `password` in plain text is hashed, which takes some hundredths of a second each. A line
/// without an id gets one. The resource type comes from meta.resourceType, from schemas, or from --type.
///
/// After an interruption run the command again: resources that are in the store already stay as they are, and missing
/// members are added. A resource that is in the store with other content is refused unless --replace is given. Members
/// may come before the resources they name. Members that are neither in the file nor in the store are left out and
/// reported.
///
/// A list as a server answers it (a ListResponse), on one line or many, is read as the resources in it.
///
/// A refused line is reported with its number and the reason, never with its values, and the other lines are loaded. A
/// resource may be as large as a server accepts (--max-body), without its members. Do not run `scim2 serve` on the store
/// at the same time.
#[derive(clap::Args)]
#[command(after_help = "\
Exit codes: 0 everything is stored; 3 some lines or members were refused, the rest is stored; 1 it stopped early, and \
what came before is stored; 2 the command line, the file name or the store is wrong.

Examples:
  scim2 import users.jsonl
  scim2 import --dry-run --report refused.jsonl users.jsonl
  zstd -dc export.jsonl.zst | scim2 import --store sqlite:/var/lib/scim2/scim2.db -
  jq -c '.Resources[]' page1.json page2.json | scim2 import --type User -")]
pub(crate) struct ImportArgs {
    /// The file; `-` for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The resource type of lines that do not name theirs
    #[arg(long = "type", value_name = "NAME")]
    pub(crate) resource_type: Option<String>,
    /// Replace resources that are in the store with other content
    #[arg(long)]
    pub(crate) replace: bool,
    /// Report what would be refused, and store nothing; a missing store counts as empty
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write refused lines to this file: a JSON object with line and reason for each
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Overwrite the report file if it exists
    #[arg(long, requires = "report")]
    pub(crate) force: bool,
    /// Print the summary as a JSON object on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// The tenant that gets the resources
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) tenant: String,
    /// Print only errors
    #[arg(long, short)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) settings: Settings<Loading>,
}

/// Write all users, groups and other resources to a file, a JSON object on each line.
///
/// Each line is a SCIM resource. The lines are ordered by resource type and id, and have meta (without location) and,
/// unless --no-secrets is given, the hashes of passwords. Computed values (groups of users, names of members) are left
/// out. A group of more than 10000 members continues in lines that are PatchOps which add members. The export is one
/// consistent snapshot, and `scim2 serve` may run on the same store. Importing the file into an empty store and exporting
/// that gives the same bytes.
///
/// FILE is written as FILE.part and renamed when it is complete. Only its owner may read it. A pipe or a device is
/// written to directly. Tokens and the audit log are not exported: `scim2 backup` has everything.
#[derive(clap::Args)]
#[command(after_help = "\
Exit codes: 0 everything is written; 3 everything except resources of types that are not in --schemas; 1 it stopped \
early (--resume continues); 2 the command line, the file name or the store is wrong.

Examples:
  scim2 export scim2.jsonl
  scim2 export --type Group --no-secrets - | jq -r .displayName
  scim2 export --resume scim2.jsonl")]
pub(crate) struct ExportArgs {
    /// The file; `-` for standard output
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) file: PathBuf,
    /// Only resources of this type; may be given more than once
    #[arg(long = "type", value_name = "NAME")]
    pub(crate) resource_types: Vec<String>,
    /// Leave out password hashes and all other attributes that are writeOnly or returned `never`
    #[arg(long)]
    pub(crate) no_secrets: bool,
    /// Continue FILE.part where it ends; its earlier lines are then older than the rest
    #[arg(long)]
    pub(crate) resume: bool,
    /// Overwrite the file if it exists
    #[arg(long)]
    pub(crate) force: bool,
    /// The tenant whose resources are written
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) tenant: String,
    /// Print only errors
    #[arg(long, short)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) settings: Settings<Checking>,
}

/// Copy the whole store to a file: resources, tokens (as hashes) and the audit log.
///
/// Works while `scim2 serve` runs on the same store. The copy is one consistent snapshot, and it is checked. FILE appears
/// when it is complete and on the disk; only its owner may read it. In a folder its name is the time. `scim2 restore`
/// puts it back. The copy is a store itself: it can be served, checked and exported.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  scim2 backup /var/backups/scim2/     (the / means a folder, made if it is missing)
  scim2 backup --store sqlite:/var/lib/scim2/scim2.db --force latest.db
  scim2 fsck --store sqlite:latest.db")]
pub(crate) struct BackupArgs {
    /// The file, or a folder with `/` at its end for scim2-<time>.db; its name is printed
    #[arg(value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// Overwrite the file if it exists
    #[arg(long)]
    pub(crate) force: bool,
    /// Print only errors
    #[arg(long, short)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) settings: Settings<Storing>,
}

/// Replace the store by a backup.
///
/// The backup is checked first, and is not changed. Stop `scim2 serve` before. An existing store is replaced only with
/// --force, and stays intact if the restore fails.
///
/// Tokens that were revoked or deleted in the replaced store stay revoked, unless --revive-tokens is given. Each token
/// that changes is reported. The audit log gets a row `store.restore`.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  scim2 restore --store sqlite:/var/lib/scim2/scim2.db --force /var/backups/scim2/scim2-20261122T105010Z.db")]
pub(crate) struct RestoreArgs {
    /// The file that `scim2 backup` wrote
    #[arg(value_name = "FILE")]
    pub(crate) from: PathBuf,
    /// Replace the existing store; everything in it is lost
    #[arg(long)]
    pub(crate) force: bool,
    /// Make tokens valid again that were revoked or deleted after the backup
    #[arg(long)]
    pub(crate) revive_tokens: bool,
    /// Print only errors
    #[arg(long, short)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) settings: Settings<Storing>,
}

/// Check the store for inconsistencies: bodies, index, members, counts, triggers, the file itself, and the audit log with
/// its hashes, the tokens and the versions of resources.
///
/// Ends with 0 if everything is consistent. If not, prints a line for each inconsistency and ends with 1. Changes
/// nothing, and works while `scim2 serve` runs on the same store. Give it the same --schemas and --compat as the server:
/// they decide which attributes are unique.
///
/// With --repair, derived data is rebuilt (index rows, display names, counts, triggers), and memberships that refer to
/// nothing are removed. Stop `scim2 serve` before. What cannot be derived from other data, such as a body that is not
/// JSON or a broken audit log, is reported and left as it is: restore a backup.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  scim2 fsck --store sqlite:/var/lib/scim2/scim2.db
  scim2 fsck --head 812:3f1c…   (a head from an earlier day)
  scim2 fsck --repair --schemas ./my-schemas")]
pub(crate) struct FsckArgs {
    /// Rebuild derived data
    #[arg(long)]
    pub(crate) repair: bool,
    /// An earlier head of the audit log, as `scim2 audit --head` prints it and a server logs it; may be given more than
    /// once
    #[arg(long = "head", value_name = "COUNT:HASH", conflicts_with = "repair")]
    pub(crate) heads: Vec<AuditHead>,
    #[command(flatten)]
    pub(crate) settings: Settings<Checking>,
}
