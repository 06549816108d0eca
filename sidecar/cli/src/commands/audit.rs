//! `hold audit`: fetch a trail from a sidecar, and verify it where there is no network at all.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context as _};
use audit::bundle::{stated_header, verify, VerifyError, BUNDLE_BYTES_MAX};
use audit::report::Report;
use clap::Subcommand;
use hub_light::TrustPoint;
use serde_json::{json, Value};

use super::doc::Sidecar;
use crate::context::Context;
use crate::keyring::write_over;
use crate::reply::{fields, table, Reply, Verdict};

/// What `hold audit` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Fetch a sidecar's trail into one file
    #[command(alias = "bundle")]
    Fetch {
        /// The sidecar's address; otherwise `[sidecar] url` of config.toml
        #[arg(long, value_name = "URL")]
        sidecar: Option<String>,
        /// The key to ask with; its DID needs the policy's permission to audit
        #[arg(long, value_name = "NAME")]
        from: Option<String>,
        /// Begin after this anchor; at the first leaf when left out
        #[arg(long, value_name = "ANCHOR")]
        after: Option<u64>,
        /// End with this anchor; the newest final one when left out
        #[arg(long, value_name = "ANCHOR")]
        until: Option<u64>,
        /// The file to write
        #[arg(long, value_name = "FILE", default_value = "trail.hold")]
        out: PathBuf,
    },
    /// Verify a trail, offline: 0 it holds, 1 it does not, 2 it could not be read
    Verify {
        /// The trail
        file: PathBuf,
        /// The block that you trust, from a source of your own
        #[arg(long, value_name = "HEIGHT:HASH")]
        trust: String,
    },
    /// Verify a trail, offline, and report what it shows: populations, documents, decisions
    Report {
        /// The trail
        file: PathBuf,
        /// The block that you trust, from a source of your own
        #[arg(long, value_name = "HEIGHT:HASH")]
        trust: String,
        /// Write the report to FILE as JSON
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    },
}

/// Runs one of them.
///
/// # Errors
/// When there is nothing to verify. A trail that does not hold is an answer: no.
pub fn run(context: &Context, command: Command) -> anyhow::Result<Reply> {
    match command {
        Command::Fetch {
            sidecar,
            from,
            after,
            until,
            out,
        } => {
            let asked = Asked {
                after,
                until,
                out: &out,
            };
            super::hub::runtime()?.block_on(fetch(
                context,
                sidecar.as_deref(),
                from.as_deref(),
                &asked,
            ))
        }
        Command::Verify { file, trust } => Ok(match judged(&file, &trust)? {
            Ok(report) => holds(&file, &report),
            Err(error) => refused(&file, &error),
        }),
        Command::Report { file, trust, json } => Ok(match judged(&file, &trust)? {
            Ok(report) => {
                if let Some(path) = json {
                    write_over(&path, report.to_json().as_bytes(), 0o644)
                        .with_context(|| format!("cannot write {}", path.display()))?;
                }
                Reply::yes(report.to_text(), as_json(&report))
            }
            Err(error) => refused(&file, &error),
        }),
    }
}

/// Reads and verifies; the outer error is "could not tell", the inner one "no".
fn judged(file: &Path, trust: &str) -> anyhow::Result<Result<Report, VerifyError>> {
    let trust: TrustPoint = trust
        .parse()
        .with_context(|| format!("\"{trust}\" is no trust point"))?;
    let bytes = read(file)?;
    Ok(verify(&bytes, trust))
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let opened = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    let mut bytes = Vec::new();
    // One byte more than is verified at once, so that the verifier says why it refuses.
    opened
        .take(BUNDLE_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {}", file.display()))?;
    Ok(bytes)
}

fn holds(file: &Path, report: &Report) -> Reply {
    let populations = &report.populations;
    let authors: std::collections::BTreeSet<&str> = report
        .documents
        .iter()
        .flat_map(|document| &document.commits)
        .map(|commit| commit.author.as_str())
        .collect();
    let counting = report
        .documents
        .iter()
        .flat_map(|document| &document.commits)
        .filter(|commit| commit.counts)
        .count();
    let from = match &report.log.from {
        Some(anchor) => format!("anchor {} (leaf {})", anchor.index, anchor.size),
        None => "its first leaf".to_owned(),
    };
    let to = &report.log.to;
    let text = format!(
        "verified: {} holds under block {} of {}\n\n{}{}\n\nEvery byte was checked, nothing was \
         fetched. `hold audit report` tells it document by document.",
        file.display(),
        report.header.height,
        report.chain,
        fields(&[
            (
                "signed by",
                format!(
                    "{} of {} voting power, {} validators",
                    report.header.signed_power, report.header.total_power, report.header.validators
                ),
            ),
            ("operator", report.log.operator.clone()),
            (
                "sealed by",
                match &report.log.issuer {
                    Some(issuer) if *issuer == report.log.operator => {
                        "the operator: nothing was left out since".to_owned()
                    }
                    Some(issuer) => format!("{issuer}: nothing was left out since"),
                    None => "nobody: bodies or attestations may have been left out".to_owned(),
                },
            ),
            (
                "log",
                format!(
                    "{}, from {from} to anchor {} ({} leaves)",
                    report.log.id, to.index, to.size
                ),
            ),
            (
                "leaves",
                format!(
                    "{} without a gap: {} shown whole, {} linked, {} closed",
                    populations.leaves,
                    populations.leaves_opened,
                    populations.leaves_linked,
                    populations.leaves_closed
                ),
            ),
            (
                "policy",
                format!(
                    "{}, all {} revisions",
                    report.policy.id, populations.revisions
                ),
            ),
            (
                "documents",
                format!(
                    "{} with {} commits by {} authors; {counting} count",
                    report.documents.len(),
                    populations.commits,
                    authors.len()
                ),
            ),
            (
                "attestations",
                format!("{} by others than the author", populations.attestations),
            ),
            (
                "decisions",
                format!(
                    "{} replayed with the same answer, {} without preimage, {} on a state too old; {} commits refused",
                    populations.decisions_replayed,
                    populations.decisions_without_preimage,
                    populations.decisions_too_old,
                    report.refusals.len()
                ),
            ),
        ]),
        who_wrote_what(report),
    );
    let mut json = as_json(report);
    json["verified"] = json!(true);
    Reply::yes(text, json)
}

/// Commits that a verification names one by one; the report has them all.
const COMMITS_SHOWN: usize = 40;

/// Who wrote what, under which permission, at which revision, and whether it counts.
fn who_wrote_what(report: &Report) -> String {
    let mut rows = vec![["AUTHOR", "DOCUMENT", "PERMISSIONS", "REVISION", "VERDICT"]
        .map(str::to_owned)
        .to_vec()];
    let commits = report.documents.iter().flat_map(|document| {
        document
            .commits
            .iter()
            .map(move |commit| (document, commit))
    });
    for (document, commit) in commits.clone().take(COMMITS_SHOWN) {
        rows.push(vec![
            commit.author.clone(),
            format!("{}:{}", document.resource, shortened(&document.id)),
            commit.permissions.join(", "),
            commit.revision.to_string(),
            match commit.counts {
                true => commit.verdict.to_owned(),
                false => format!("{}, does not count", commit.verdict),
            },
        ]);
    }
    let count = commits.count();
    if count == 0 {
        return String::new();
    }
    let more = match count.saturating_sub(COMMITS_SHOWN) {
        0 => String::new(),
        more => format!("\n… and {more} more"),
    };
    format!("\n\n{}{more}", table(&rows))
}

/// A CID that fits a column; the beginning is the same for all.
fn shortened(cid: &str) -> String {
    let count = cid.chars().count();
    let tail: String = cid.chars().skip(count.saturating_sub(8)).collect();
    match count > 12 {
        true => format!("…{tail}"),
        false => cid.to_owned(),
    }
}

fn as_json(report: &Report) -> Value {
    serde_json::to_value(report).unwrap_or(Value::Null)
}

fn refused(file: &Path, error: &VerifyError) -> Reply {
    Reply {
        text: format!("NOT verified: {} does not hold\n\n{error}", file.display()),
        json: json!({
            "verified": false,
            "section": error.section.name(),
            "item": error.item,
            "error": error.to_string(),
        }),
        verdict: Verdict::No,
    }
}

struct Asked<'a> {
    after: Option<u64>,
    until: Option<u64>,
    out: &'a Path,
}

async fn fetch(
    context: &Context,
    url: Option<&str>,
    from: Option<&str>,
    asked: &Asked<'_>,
) -> anyhow::Result<Reply> {
    let sidecar = Sidecar::open(context, url, from).await?;
    let mut query = Vec::new();
    if let Some(after) = asked.after {
        query.push(format!("from_anchor={after}"));
    }
    if let Some(until) = asked.until {
        query.push(format!("to_anchor={until}"));
    }
    let path = match query.is_empty() {
        true => "/v1/trail".to_owned(),
        false => format!("/v1/trail?{}", query.join("&")),
    };
    let answer = sidecar.get_bytes(&path, BUNDLE_BYTES_MAX).await?;
    let bytes = match answer {
        Ok(bytes) => bytes,
        Err(refusal) => return Ok(refusal),
    };
    if !bytes.starts_with(audit::bundle::MAGIC) {
        bail!(
            "the sidecar at {} sent something that is no trail",
            sidecar.url()
        );
    }
    let trust =
        stated_header(&bytes).context("the trail does not say under which block it was made")?;
    // Verified before it is kept: a trail that does not hold is better known now.
    if let Err(error) = verify(&bytes, trust) {
        return Ok(refused(asked.out, &error));
    }
    write_over(asked.out, &bytes, 0o644)
        .with_context(|| format!("cannot write {}", asked.out.display()))?;
    Ok(Reply::yes(
        format!(
            "Wrote {} ({} bytes), made under block {trust}.\n\nThat hash is the sidecar's word. \
             Take it from a source of your own, then, with no network:\n\n  hold audit verify {} \
             --trust {trust}",
            asked.out.display(),
            bytes.len(),
            asked.out.display()
        ),
        json!({
            "file": asked.out.display().to_string(),
            "bytes": bytes.len(),
            "trust": trust.to_string(),
        }),
    ))
}
