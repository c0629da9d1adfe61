//! The commands that move or mend all data of a store at once.

use std::path::PathBuf;

use scim2_store::AuditHead;

use crate::config::{Checking, Loading, Settings, Storing};

/// Load users, groups and other resources from a file with a JSON object a line.
///
/// Each line is a resource as SCIM writes it: what `scim2 export` wrote, or what another server answered,
/// one resource a line. It is checked and stored as a POST is, with its audit row; ids, times, versions and
/// hashed passwords of an export are kept. `password` in clear is hashed, which takes some hundredths of a
/// second each. A line without an id gets one. The resource type is that of meta.resourceType, of schemas,
/// or of --type.
///
/// Run it again to go on after an interruption: what is there is left as it is, members that are missing
/// are added. A resource that is there and differs is refused unless --replace is given. Members may stand
/// in the file before the resources they name; those that are in neither file nor store are left out and
/// told.
///
/// A list as a server answers it (a ListResponse), on one line or many, is read as the resources in it.
///
/// What is refused is told with the number of its line and the reason, never with its values, and does not
/// keep the rest back. A resource is at most as large as a server takes it (--max-body), its members aside. The store must not be served meanwhile.
#[derive(clap::Args)]
#[command(after_help = "\
Exit codes: 0 all of it is stored; 3 the rest is stored, some lines or members were refused; 1 it stopped on \
the way, what came before is stored; 2 the command line, the file's name or the store is wrong.

Examples:
  scim2 import users.jsonl
  scim2 import --dry-run --report refused.jsonl users.jsonl
  zstd -dc export.jsonl.zst | scim2 import --store sqlite:/var/lib/scim2/scim2.db -
  jq -c '.Resources[]' page1.json page2.json | scim2 import --type User -")]
pub(crate) struct ImportArgs {
    /// The file, `-` for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The resource type of lines that do not say it
    #[arg(long = "type", value_name = "NAME")]
    pub(crate) resource_type: Option<String>,
    /// Give resources that are there and differ the content of their lines
    #[arg(long)]
    pub(crate) replace: bool,
    /// Find out what would be refused and store nothing; a store that is not there counts as empty
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write what was refused to this file: a JSON object with line and reason for each
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Write the report over a file that is there
    #[arg(long, requires = "report")]
    pub(crate) force: bool,
    /// Print the summary as a JSON object on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// The tenant whose resources they become
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) tenant: String,
    /// Say nothing but what went wrong
    #[arg(long, short)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) settings: Settings<Loading>,
}

/// Write all users, groups and other resources to a file, a JSON object a line.
///
/// Each line is a resource as SCIM writes it, ordered by resource type and id, with meta (no location) and,
/// unless --no-secrets is given, the hashes of passwords; what is computed (groups of users, names of
/// members) is left out. A group of more than 10000 members goes on in lines that are PatchOps which add
/// members. All of it is of one moment, while `scim2 serve` runs on the same store. Importing the file into
/// an empty store and exporting that gives the same bytes.
///
/// FILE is written under the name FILE.part and renamed when it is complete; only its owner may read it. A
/// pipe or a device is written to as it is.
/// Tokens and the audit log are no part of it: `scim2 backup` has everything.
#[derive(clap::Args)]
#[command(after_help = "\
Exit codes: 0 all of it is written; 3 all but resources of types that --schemas does not have; 1 it stopped on the way (--resume goes on); 2 the command line, the file's \
name or the store is wrong.

Examples:
  scim2 export scim2.jsonl
  scim2 export --type Group --no-secrets - | jq -r .displayName
  scim2 export --resume scim2.jsonl")]
pub(crate) struct ExportArgs {
    /// The file, `-` for standard output
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) file: PathBuf,
    /// Only resources of this type; may be given more than once
    #[arg(long = "type", value_name = "NAME")]
    pub(crate) resource_types: Vec<String>,
    /// Leave out the hashes of passwords and all else that the schemas hide: writeOnly, or returned `never`
    #[arg(long)]
    pub(crate) no_secrets: bool,
    /// Go on with FILE.part where it ends; what came before is then of an earlier moment
    #[arg(long)]
    pub(crate) resume: bool,
    /// Write over a file that is there
    #[arg(long)]
    pub(crate) force: bool,
    /// The tenant whose resources are written
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) tenant: String,
    /// Say nothing but what went wrong
    #[arg(long, short)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) settings: Settings<Checking>,
}

/// Copy the whole store to a file: resources, tokens (as hashes) and the audit log.
///
/// Works while `scim2 serve` runs on the same store; the copy is of one moment and is checked. FILE appears
/// when it is whole and on the disk, and only its owner may read it. In a folder it is named by the time.
/// `scim2 restore` puts it back; it is a store that can also be served, checked and exported as it is.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  scim2 backup /var/backups/scim2/     (the / means a folder, made if there is none)
  scim2 backup --store sqlite:/var/lib/scim2/scim2.db --force latest.db
  scim2 fsck --store sqlite:latest.db")]
pub(crate) struct BackupArgs {
    /// The file, or a folder with `/` behind it for scim2-<time>.db; printed when it is made
    #[arg(value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// Put it in the place of a file that is there
    #[arg(long)]
    pub(crate) force: bool,
    /// Say nothing but what went wrong
    #[arg(long, short)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) settings: Settings<Storing>,
}

/// Put a backup in the place of the store.
///
/// The backup is checked first and stays as it is. The store must not be served meanwhile; one that is
/// there is replaced only with --force, and stays whole if the restore fails.
///
/// Tokens that were revoked or deleted in the store that is replaced stay revoked, unless --revive-tokens is
/// given. Each token for which something changes is named. The audit log gets a row `store.restore`.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  scim2 restore --store sqlite:/var/lib/scim2/scim2.db --force /var/backups/scim2/scim2-20261122T105010Z.db")]
pub(crate) struct RestoreArgs {
    /// The file that `scim2 backup` made
    #[arg(value_name = "FILE")]
    pub(crate) from: PathBuf,
    /// Replace the store that is there: all that it holds is lost
    #[arg(long)]
    pub(crate) force: bool,
    /// Let tokens become valid again that were revoked or deleted after the backup
    #[arg(long)]
    pub(crate) revive_tokens: bool,
    /// Say nothing but what went wrong
    #[arg(long, short)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) settings: Settings<Storing>,
}

/// Check that everything in the store agrees: bodies, index, members, counts, triggers, the file itself, and the
/// audit log with itself, with the tokens and with the versions of resources.
///
/// Ends with 0 if so; else prints a line for each disagreement and ends with 1. Changes nothing and works
/// while `scim2 serve` runs on the same store; give it the same --schemas and --compat, which say what is
/// unique.
///
/// With --repair, what is derived is made again (index rows, display names, counts, triggers), and
/// memberships that lead nowhere are taken away. The store must not be served meanwhile. What nothing else
/// tells, a body that is no JSON or a broken audit log, is left and told: for that there are backups.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  scim2 fsck --store sqlite:/var/lib/scim2/scim2.db
  scim2 fsck --head 812:3f1c…   (a head of an earlier day)
  scim2 fsck --repair --schemas ./my-schemas")]
pub(crate) struct FsckArgs {
    /// Make again what is derived
    #[arg(long)]
    pub(crate) repair: bool,
    /// A head that the audit log had before, as `scim2 audit --head` prints it and a server logs it; may be given
    /// more than once
    #[arg(long = "head", value_name = "COUNT:HASH", conflicts_with = "repair")]
    pub(crate) heads: Vec<AuditHead>,
    #[command(flatten)]
    pub(crate) settings: Settings<Checking>,
}
