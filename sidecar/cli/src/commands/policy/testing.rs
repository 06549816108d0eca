//! `hold policy test`.

use std::path::{Path, PathBuf};

use anyhow::{bail, Context as _};
use policy::testing::{run, Report, Setting, Verdict as Came};
use policy::{Circumstances, Limits, Theorems, Time};
use serde_json::json;

use super::files::{now, read_definition, read_policy, said, world};
use crate::reply::{Reply, Verdict};

/// Runs test files, each recognised by what stands in it.
pub(super) fn test(files: &[PathBuf], time: Option<Time>) -> anyhow::Result<Reply> {
    if files.is_empty() {
        bail!("name a test file, or --policy, --relationships and --theorems");
    }
    let now = time.map_or_else(now, Ok)?;
    let mut report = Report::default();
    for file in files {
        let text = read_definition(file)?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let read = |path: &str| {
            let beside = folder.join(path);
            std::fs::read_to_string(&beside)
                .map_err(|error| format!("cannot read {}: {error}", beside.display()))
        };
        let setting = Setting { now, read: &read };
        report.append(run(&file.display().to_string(), &text, &setting));
    }
    let failures: Vec<_> = report
        .outcomes
        .iter()
        .filter(|outcome| outcome.verdict != Came::Passed)
        .map(|outcome| {
            json!({
                "place": outcome.place.to_string(),
                "name": outcome.name,
                "skipped": outcome.verdict == Came::Skipped,
                "expected": outcome.expected,
                "got": outcome.got,
                "why": outcome.why,
            })
        })
        .collect();
    let json = json!({
        "passed": report.count(Came::Passed),
        "failed": report.count(Came::Failed),
        "skipped": report.count(Came::Skipped),
        "failures": failures,
    });
    Ok(Reply::yes(report.to_string(), json).with(verdict(report.count(Came::Failed))))
}

/// Asks theorems in the notation of acp of a policy and relationships.
pub(super) fn theorems(policy: &Path, relationships: &Path, file: &Path) -> anyhow::Result<Reply> {
    let policy = read_policy(policy)?;
    let world = world(&policy, relationships)?;
    let text = read_definition(file)?;
    let theorems = Theorems::parse(&text).map_err(|errors| said(file, &errors))?;
    let view = world.history.at(0).context("the list makes a world")?;
    let results = theorems.evaluate(&view, &Circumstances::at(now()?), Limits::CONSENSUS);
    let mut lines = Vec::new();
    let mut failures = Vec::new();
    for result in results.iter().filter(|result| !result.verdict.holds()) {
        let place = result.source.position;
        let said = format!(
            "{}:{}:{}: {}: {}",
            file.display(),
            place.line,
            place.column,
            result.source.text,
            result.verdict
        );
        failures.push(json!({"place": format!("{}:{}", place.line, place.column), "theorem": result.source.text, "verdict": result.verdict.to_string()}));
        lines.push(said);
    }
    let (failed, passed) = (failures.len(), results.len() - failures.len());
    lines.push(format!("{passed} passed, {failed} failed, 0 skipped"));
    let json = json!({"passed": passed, "failed": failed, "skipped": 0, "failures": failures});
    Ok(Reply::yes(lines.join("\n"), json).with(verdict(failed)))
}

fn verdict(failed: usize) -> Verdict {
    match failed {
        0 => Verdict::Yes,
        _ => Verdict::No,
    }
}
