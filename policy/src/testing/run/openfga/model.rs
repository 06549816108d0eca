//! The model of a store file: in it, in a file of its own, or in the modules of a list.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{broken, Place, Run};
use crate::{
    embedded::EmbeddedText,
    openfga::{
        combine, parse_dsl, parse_json, parse_model, parse_module_list, Error, Model, ModelWorld,
        ModuleFile, StoreModel,
    },
    testing::run::START,
};

/// A world of the model without tuples; what goes wrong is a failure.
pub(super) fn read(run: &mut Run<'_>, file: &str, model: &StoreModel) -> Option<ModelWorld> {
    match model {
        StoreModel::Inline { text, position } => {
            let embedded = EmbeddedText::new(file, (text.clone(), *position));
            let world = parse_model(text).and_then(|model| ModelWorld::new(&model));
            world
                .map_err(|wrong| {
                    broken(run, wrong, "the model", "a model", |run, at| {
                        run.place(embedded.place(at))
                    });
                })
                .ok()
        }
        StoreModel::File(path) => {
            let text = run.read(path, START)?;
            let model = match path.rsplit_once('.') {
                Some((_, "json")) => parse_json(&text),
                Some((_, "mod")) => return modules(run, path, &text),
                _ => parse_dsl(&text),
            };
            let world = model.and_then(|model| ModelWorld::new(&model));
            world.map_err(|wrong| refuse(run, path, wrong)).ok()
        }
    }
}

fn refuse(run: &mut Run<'_>, path: &str, errors: Vec<Error>) {
    broken(run, errors, "the model", "a model", |_, position| Place {
        file: path.to_string(),
        position,
    });
}

/// The modules of `fga.mod`, whose paths count from its own folder.
fn modules(run: &mut Run<'_>, path: &str, text: &str) -> Option<ModelWorld> {
    let list = match parse_module_list(text) {
        Ok(list) => list,
        Err(wrong) => {
            refuse(run, path, wrong);
            return None;
        }
    };
    let folder = path.rsplit_once('/').map(|(folder, _)| folder);
    let mut files: Vec<(String, String)> = Vec::new();
    for file in &list.files {
        let path = match folder {
            Some(folder) => format!("{folder}/{}", file.text),
            None => file.text.clone(),
        };
        let text = run.read(&path, START)?;
        files.push((path, text));
    }
    let files: Vec<ModuleFile<'_>> = files
        .iter()
        .map(|(name, text)| ModuleFile { name, text })
        .collect();
    let model = combine(&files, &list.schema.text);
    let world = model.and_then(|model: Model| ModelWorld::new(&model));
    world.map_err(|wrong| refuse(run, path, wrong)).ok()
}
