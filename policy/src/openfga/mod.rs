//! OpenFGA: its models, modules, tuples and store files, read and written, and translated to and
//! from the native language (docs/spec/openfga.md).
//!
//! What a model says in the DSL or in JSON becomes one [`Model`]; what is wrong with it is said
//! with OpenFGA's own classes of errors, at the places where OpenFGA says it, all at once.
//! Translating never approximates: what the other language cannot express is refused by name.
//! Texts are hostile here as everywhere: bounded, read without recursion that they could drive
//! deep, and without a panic (Invariant 7).

mod ask;
mod csv;
mod data;
mod duplicates;
mod entry;
mod error;
mod export;
mod import;
mod json_condition;
mod json_read;
mod json_reader;
mod json_rewrite;
mod json_write;
mod model;
mod module_list;
mod modules;
mod native;
mod native_expression;
mod operands;
mod parse;
mod parse_condition;
mod parse_rewrite;
mod parser;
mod reader;
mod scan;
mod store;
mod store_read;
mod token;
mod tuple;
mod tuples;
mod validate;
mod writable;
mod write;

pub use ask::{Asking, ModelWorld, Refusal, RefusalKind};
pub use data::yaml_to_json;
pub use error::{Class, Error, Span};
pub use export::{export, ExportOptions};
pub use import::import;
pub use json_read::{model_from_json, parse_json, parse_model};
pub use model::{
    Comments, Condition, Model, Parameter, Relation, Restriction, Rewrite, Source, Subjects,
    TypeDefinition, Word,
};
pub use module_list::{parse_module_list, ModuleList};
pub use modules::{combine, ModuleFile};
pub use parse::parse_dsl;
pub use store::{
    Store, StoreCheck, StoreListObjects, StoreListUsers, StoreModel, StoreTest, UserFilter,
};
pub use store_read::parse_store;
pub use tuple::{
    is_openfga_object_id, subject_from_native, subject_to_native, Tuple, TupleCondition,
};
pub use tuples::{parse_tuples, TupleFormat};
pub use validate::validate;
pub use write::DslOptions;
