//! The report for people.

use alloc::string::String;
use core::fmt::{self, Write};

use super::{CommitReport, DocumentReport, Report};

impl Report {
    /// The report as text: populations first, then documents, decisions and refusals.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        let header = &self.header;
        writeln!(out, "Everything below is proven under one header:")?;
        writeln!(
            out,
            "  chain {}, height {}, hash {}",
            self.chain, header.height, header.hash
        )?;
        writeln!(
            out,
            "  {}, signed with {} of {} voting power ({} validators)",
            header.time, header.signed_power, header.total_power, header.validators
        )?;
        writeln!(out, "  policy {}", self.policy.id)?;
        writeln!(out, "  log {} of {}", self.log.id, self.log.operator)?;
        match &self.log.issuer {
            Some(issuer) if *issuer == self.log.operator => {
                writeln!(
                    out,
                    "  sealed by the log's operator: nothing was left out since"
                )?;
            }
            Some(issuer) => writeln!(out, "  sealed by {issuer}: nothing was left out since")?,
            None => writeln!(
                out,
                "  not sealed: whoever handed it on may have left out bodies or attestations"
            )?,
        }
        self.write_populations(out)?;
        for document in &self.documents {
            write_document(out, document)?;
        }
        self.write_decisions(out)
    }

    fn write_populations(&self, out: &mut String) -> fmt::Result {
        let counted = &self.populations;
        writeln!(out, "\nHow complete it is")?;
        writeln!(
            out,
            "  hub       {} revisions with {} changes: every one that the policy ever had",
            counted.revisions, self.policy.changes
        )?;
        let to = &self.log.to;
        match &self.log.from {
            Some(from) => writeln!(
                out,
                "  anchors   {}: every one from #{} (block {}, {}) to #{} (block {}, {})",
                counted.anchors, from.index, from.height, from.time, to.index, to.height, to.time
            )?,
            None => writeln!(
                out,
                "  anchors   {}: every one up to #{} (block {}, {})",
                counted.anchors, to.index, to.height, to.time
            )?,
        }
        let begin = self.log.from.as_ref().map_or(0, |from| from.size);
        match counted.leaves {
            0 => writeln!(out, "  leaves    none between the anchors")?,
            leaves => writeln!(
                out,
                "  leaves    {leaves}: none is missing from {begin} to {} ({} opened, {} linked, {} closed)",
                to.size.saturating_sub(1),
                counted.leaves_opened,
                counted.leaves_linked,
                counted.leaves_closed
            )?,
        }
        writeln!(
            out,
            "  commits   {} ({} with body): every one under the anchored heads; {} attestations by others",
            counted.commits, counted.bodies, counted.attestations
        )?;
        writeln!(
            out,
            "  decisions {} asked again with the same answer, {} undecided, {} without preimage, {} denials beyond the quota",
            counted.decisions_replayed,
            counted.decisions_undecided,
            counted.decisions_without_preimage,
            counted.denials_overflowed
        )?;
        match counted.decisions_too_old {
            0 => Ok(()),
            too_old => writeln!(
                out,
                "  TOO OLD   {too_old} decisions rest on an older state than the policy allows"
            ),
        }
    }

    fn write_decisions(&self, out: &mut String) -> fmt::Result {
        if !self.decisions.is_empty() {
            writeln!(out, "\nDecisions")?;
        }
        for decision in &self.decisions {
            write!(
                out,
                "  leaf {:>4}  {:<14} {} {} on {} by {} at revision {} ({})",
                decision.leaf,
                decision.outcome,
                decision.action,
                decision.permission,
                decision.object,
                decision.actor,
                decision.revision,
                decision.replay
            )?;
            if let Some(time) = &decision.asked_at {
                write!(out, ", as of {time}")?;
            }
            match decision.stale_seconds {
                0..=9 => writeln!(out)?,
                seconds => writeln!(out, ", {seconds} s after the last verified block")?,
            }
            if let Some(context) = &decision.context {
                writeln!(out, "             given {context}")?;
            }
            if let Some(why) = &decision.too_old {
                writeln!(out, "             TOO OLD: {why}")?;
            }
        }
        if !self.refusals.is_empty() {
            writeln!(out, "\nRefused commits")?;
        }
        for refusal in &self.refusals {
            writeln!(
                out,
                "  leaf {:>4}  {} by {}: {} ({})",
                refusal.leaf, refusal.commit, refusal.author, refusal.detail, refusal.reason
            )?;
        }
        Ok(())
    }
}

fn write_document(out: &mut String, document: &DocumentReport) -> fmt::Result {
    writeln!(
        out,
        "\n{}:{} in {} ({}), created by {}",
        document.resource, document.id, document.scope, document.collection, document.creator
    )?;
    writeln!(
        out,
        "  {} leaves about it in the log, {} of them here ({} opened, {} withheld); heads {}",
        document.leaves,
        document.leaves_here,
        document.leaves_opened,
        document.leaves_linked,
        document.heads.join(", ")
    )?;
    for commit in &document.commits {
        write_commit(out, commit)?;
    }
    match (&document.state, &document.state_missing) {
        (Some(state), _) if document.deleted => writeln!(out, "  state: deleted (was {state})"),
        (Some(state), _) => writeln!(out, "  state: {state}"),
        (None, Some(why)) => writeln!(out, "  state: not shown, {why}"),
        (None, None) => Ok(()),
    }
}

fn write_commit(out: &mut String, commit: &CommitReport) -> fmt::Result {
    writeln!(
        out,
        "  leaf {:>4}  {:<11} {} by {}",
        commit.leaf, commit.verdict, commit.commit, commit.author
    )?;
    write!(
        out,
        "             took {} at revision {} (height {})",
        commit.permissions.join(", "),
        commit.revision,
        commit.height
    )?;
    match &commit.operations {
        Some(operations) => writeln!(out, ": {}", operations.join("; "))?,
        None => writeln!(out, "; body withheld")?,
    }
    writeln!(out, "             {}", commit.reason)
}
