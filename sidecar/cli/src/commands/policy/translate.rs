//! `hold policy fmt`, `import`, `export`.

use std::path::{Path, PathBuf};

use anyhow::{bail, Context as _};
use policy::openfga::{self, DslOptions, ModuleFile, TupleFormat};
use policy::outline::Outline;
use policy::{spicedb, Policy};
use serde_json::{json, Value};

use super::files::{read_definition, said};
use super::Notation;
use crate::keyring::write_over;
use crate::reply::{Reply, Verdict};

/// Policies are no secrets.
const MODE: u32 = 0o644;

/// Rewrites a policy file, or says whether it need be.
pub(super) fn format(file: &Path, check: bool) -> anyhow::Result<Reply> {
    let before = read_definition(file)?;
    let after = policy::format_policy(&before)
        .with_context(|| format!("{} is not a valid policy", file.display()))?;
    let same = before == after;
    let name = file.display();
    let (said, verdict) = match (check, same) {
        (_, true) => (format!("{name} is written as it should be"), Verdict::Yes),
        (true, false) => (format!("{name} would be rewritten"), Verdict::No),
        (false, false) => {
            write_over(file, after.as_bytes(), MODE)?;
            (format!("{name} was rewritten"), Verdict::Yes)
        }
    };
    Ok(Reply::yes(said, json!({"changed": !same})).with(verdict))
}

/// Translates a model or schema to a policy.
pub(super) fn import(
    from: Notation,
    files: &[PathBuf],
    actor: Option<&str>,
    out: Option<&Path>,
) -> anyhow::Result<Reply> {
    let [first, ..] = files else {
        bail!("name a file");
    };
    let outline = match from {
        Notation::Spicedb => {
            let [file] = files else {
                bail!("a SpiceDB schema is one file");
            };
            let name = file.file_stem().map(|name| name.to_string_lossy());
            let options = spicedb::ImportOptions {
                name: name.as_deref().unwrap_or_default(),
                actor,
            };
            spicedb::import(&read_definition(file)?, &options)
                .map_err(|error| said(file, &[error]))?
        }
        Notation::Openfga => {
            let model = model(files)?;
            openfga::import(&model, actor).map_err(|errors| said(first, &errors))?
        }
    };
    let text = outline.to_yaml();
    // What is written must be taken.
    let policy = Policy::parse(&text)
        .with_context(|| format!("{} cannot be a policy here", first.display()))?;
    let warnings: Vec<String> = policy.warnings().iter().map(ToString::to_string).collect();
    written(text, out, json!({"warnings": warnings}))
}

fn model(files: &[PathBuf]) -> anyhow::Result<openfga::Model> {
    if let [file] = files {
        let text = read_definition(file)?;
        let model = match text.trim_start().starts_with('{') {
            true => openfga::parse_json(&text),
            false => openfga::parse_dsl(&text),
        };
        return model.map_err(|errors| said(file, &errors));
    }
    let texts: Vec<(String, String)> = files
        .iter()
        .map(|file| Ok((file.display().to_string(), read_definition(file)?)))
        .collect::<anyhow::Result<_>>()?;
    let modules: Vec<ModuleFile<'_>> = texts
        .iter()
        .map(|(name, text)| ModuleFile { name, text })
        .collect();
    let all = files.first().map_or(Path::new(""), PathBuf::as_path);
    openfga::combine(&modules, "1.2").map_err(|errors| said(all, &errors))
}

/// Translates relationships.
pub(super) fn import_relationships(
    from: Notation,
    files: &[PathBuf],
    actor: Option<&str>,
    out: Option<&Path>,
) -> anyhow::Result<Reply> {
    let mut lines = Vec::new();
    for file in files {
        let text = read_definition(file)?;
        match from {
            Notation::Openfga => {
                let name = file.display().to_string();
                let format = TupleFormat::of_file(&name).with_context(|| {
                    format!("{name} ends in none of .yaml, .json and .csv; rename it")
                })?;
                let tuples =
                    openfga::parse_tuples(&text, format).map_err(|errors| said(file, &errors))?;
                for tuple in tuples {
                    lines.push(
                        tuple
                            .to_native(actor)
                            .map_err(|error| said(file, &[error]))?,
                    );
                }
            }
            Notation::Spicedb => {
                for (number, line) in text.lines().enumerate() {
                    let line = line.trim();
                    if line.is_empty() || line.starts_with("//") {
                        continue;
                    }
                    let start = policy::Position {
                        line: number + 1,
                        column: 1,
                    };
                    let read = spicedb::Relationship::parse_at(line, start)
                        .and_then(|relationship| relationship.to_native(actor));
                    lines.push(read.map_err(|error| said(file, &[error]))?);
                }
            }
        }
    }
    let count = lines.len();
    lines.push(String::new());
    written(lines.join("\n"), out, json!({"relationships": count}))
}

/// Translates a policy to another notation.
pub(super) fn export(
    to: Notation,
    file: &Path,
    drop_management: bool,
    out: Option<&Path>,
) -> anyhow::Result<Reply> {
    let outline = Outline::read(&read_definition(file)?)
        .with_context(|| format!("{} is not a valid policy", file.display()))?;
    let text = match to {
        Notation::Spicedb => spicedb::export(&outline, &spicedb::ExportOptions { drop_management })
            .map_err(|error| said(file, &[error]))?,
        Notation::Openfga => {
            let options = openfga::ExportOptions {
                drop_management,
                ..openfga::ExportOptions::default()
            };
            openfga::export(&outline, options)
                .and_then(|model| model.to_dsl(DslOptions::default()))
                .map_err(|errors| said(file, &errors))?
        }
    };
    written(text, out, json!({}))
}

/// Writes a text to a file, or gives it to be printed.
pub(super) fn written(text: String, out: Option<&Path>, mut about: Value) -> anyhow::Result<Reply> {
    match out {
        None => {
            if let Some(about) = about.as_object_mut() {
                about.insert("text".into(), text.clone().into());
            }
            Ok(Reply::yes(text, about))
        }
        Some(file) => {
            write_over(file, text.as_bytes(), MODE)
                .with_context(|| format!("cannot write {}", file.display()))?;
            if let Some(about) = about.as_object_mut() {
                about.insert("file".into(), file.display().to_string().into());
            }
            Ok(Reply::yes(format!("wrote {}", file.display()), about))
        }
    }
}
