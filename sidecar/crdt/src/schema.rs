//! What a collection's documents look like, and which permission each change takes.
//!
//! This crate knows permissions as names only: the schema says which name an operation takes, the
//! header lists the names, and what listing one requires is decided elsewhere.

use alloc::{
    borrow::ToOwned,
    collections::BTreeMap,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use crate::{
    codec::{excerpt, CodecError, Reader, Writer},
    header::CREATE,
    limits::{SCHEMA_BYTES_MAX, SCHEMA_FIELDS_MAX},
    name::{check_field, check_max, check_name, join},
    Cid, Error, Operation,
};

const BLOCK: &str = "schema";
const VERSION: u64 = 1;

/// How a field merges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldKind {
    /// Holds one value; the last writer wins.
    Register,
    /// Holds a sum of increments.
    Counter,
    /// Holds values; adds win over removes.
    Set,
}

impl FieldKind {
    /// The kind, as it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Counter => "counter",
            Self::Set => "set",
        }
    }
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// How it merges.
    pub kind: FieldKind,
    /// The permission that a change of it takes. Without one: `create` in a document's first
    /// commit, the schema's `update` later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
}

/// The names of the permissions that operations take unless their field has one of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Permissions {
    /// For a change of a field.
    pub update: String,
    /// For deleting the document.
    pub delete: String,
    /// For rolling it back.
    pub rollback: String,
}

impl Default for Permissions {
    fn default() -> Self {
        Self {
            update: "update".into(),
            delete: "delete".into(),
            rollback: "rollback".into(),
        }
    }
}

/// The type of a collection's documents: one version of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    fields: BTreeMap<String, Field>,
    permissions: Permissions,
}

/// A schema as a person writes it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    fields: BTreeMap<String, Field>,
    #[serde(default)]
    permissions: Permissions,
}

impl Schema {
    /// Takes fields and permission names.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::TooLarge`], [`Error::FieldName`], [`Error::Name`];
    /// [`Error::CreatePermission`] if a field or a kind of change takes `create`, which only a
    /// first commit can list.
    pub fn new(fields: BTreeMap<String, Field>, permissions: Permissions) -> Result<Self, Error> {
        if fields.is_empty() {
            return Err(Error::Empty {
                what: "the schema's list of fields",
            });
        }
        check_max("fields of a schema", fields.len(), SCHEMA_FIELDS_MAX)?;
        fields.keys().try_for_each(|name| check_field(name))?;
        let Permissions {
            update,
            delete,
            rollback,
        } = &permissions;
        let of_fields = fields
            .values()
            .filter_map(|field| field.permission.as_ref());
        for permission in of_fields.chain([update, delete, rollback]) {
            check_name("permission", permission)?;
            if permission == CREATE {
                return Err(Error::CreatePermission);
            }
        }
        let schema = Self {
            fields,
            permissions,
        };
        check_max("bytes of a schema", schema.encode().len(), SCHEMA_BYTES_MAX)?;
        Ok(schema)
    }

    /// Reads the JSON form: `{"fields": {"name": {"kind": "register"}, …}}`, with optional
    /// `permission` in a field, and optional `permissions` beside `fields`.
    ///
    /// # Errors
    /// [`Error::SchemaText`], or what [`Schema::new`] refuses.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        check_max("bytes of a schema", text.len(), SCHEMA_BYTES_MAX)?;
        let text: Text = serde_json::from_str(text).map_err(|error| Error::SchemaText {
            reason: error.to_string(),
        })?;
        Self::new(text.fields, text.permissions)
    }

    /// The JSON form, with keys in order.
    pub fn to_json(&self) -> String {
        let text = Text {
            fields: self.fields.clone(),
            permissions: self.permissions.clone(),
        };
        serde_json::to_string(&text).expect("strings and maps of strings always serialise")
    }

    /// The schema's name: the CID of its canonical block.
    pub fn cid(&self) -> Cid {
        Cid::of(&self.encode())
    }

    /// The fields by name.
    pub fn fields(&self) -> &BTreeMap<String, Field> {
        &self.fields
    }

    /// The names of the permissions.
    pub fn permissions(&self) -> &Permissions {
        &self.permissions
    }

    /// The permission that an operation takes; `first` says whether it stands in a document's
    /// first commit.
    ///
    /// # Errors
    /// [`Error::UnknownField`], [`Error::WrongKind`]: such an operation is void wherever it is
    /// read.
    pub fn permission(&self, operation: &Operation, first: bool) -> Result<&str, Error> {
        self.permission_if_fit(operation, first)
            .ok_or_else(|| self.misfit(operation))
    }

    /// As [`Schema::permission`], without making an error: readers skip what does not fit.
    pub(crate) fn permission_if_fit(&self, operation: &Operation, first: bool) -> Option<&str> {
        let (name, kind) = match operation {
            Operation::Delete => return Some(&self.permissions.delete),
            Operation::Rollback { .. } => return Some(&self.permissions.rollback),
            Operation::Set { field, .. } => (field, FieldKind::Register),
            Operation::Increment { field, .. } => (field, FieldKind::Counter),
            Operation::Add { field, .. } | Operation::Remove { field, .. } => {
                (field, FieldKind::Set)
            }
        };
        let field = self.fields.get(name).filter(|field| field.kind == kind)?;
        let usual = if first {
            CREATE
        } else {
            self.permissions.update.as_str()
        };
        Some(field.permission.as_deref().unwrap_or(usual))
    }

    fn misfit(&self, operation: &Operation) -> Error {
        let name = operation.field().unwrap_or_default();
        match self.fields.get(name) {
            Some(field) => Error::WrongKind {
                field: excerpt(name),
                kind: field.kind.name(),
                operation: operation.kind(),
            },
            None => Error::UnknownField {
                field: excerpt(name),
                known: join(self.fields.keys().map(String::as_str)),
            },
        }
    }

    /// Checks that `self` may follow `earlier`: a field keeps its kind, or the operations written
    /// before would change their meaning. Fields may come and go.
    ///
    /// # Errors
    /// [`Error::SchemaKindChanged`].
    pub fn check_follows(&self, earlier: &Self) -> Result<(), Error> {
        for (name, field) in &self.fields {
            match earlier.fields.get(name) {
                Some(before) if before.kind != field.kind => {
                    return Err(Error::SchemaKindChanged {
                        field: name.clone(),
                        before: before.kind.name(),
                        after: field.kind.name(),
                    })
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The canonical block.
    pub fn encode(&self) -> Vec<u8> {
        let mut names: Vec<&String> = self.fields.keys().collect();
        names.sort_unstable_by_key(|name| (name.len(), name.as_bytes()));
        let mut writer = Writer::new();
        writer.map(3);
        writer.text("fields");
        writer.map(names.len());
        for name in names {
            let field = &self.fields[name];
            writer.text(name);
            writer.map(1 + usize::from(field.permission.is_some()));
            writer.text("kind");
            writer.text(field.kind.name());
            if let Some(permission) = &field.permission {
                writer.text("permission");
                writer.text(permission);
            }
        }
        writer.text("version");
        writer.unsigned(VERSION);
        writer.text("permissions");
        writer.map(3);
        writer.text("delete");
        writer.text(&self.permissions.delete);
        writer.text("update");
        writer.text(&self.permissions.update);
        writer.text("rollback");
        writer.text(&self.permissions.rollback);
        writer.into_bytes()
    }

    /// Decodes the canonical block.
    ///
    /// # Errors
    /// [`Error::Block`], [`Error::UnknownVersion`], or what [`Schema::new`] refuses.
    pub fn decode(block: &[u8]) -> Result<Self, Error> {
        check_max("bytes of a schema", block.len(), SCHEMA_BYTES_MAX)?;
        let (version, fields, permissions) = Self::read(block).map_err(Error::block(BLOCK))?;
        if version != VERSION {
            return Err(Error::UnknownVersion {
                block: BLOCK,
                version,
            });
        }
        Self::new(fields, permissions)
    }

    #[allow(
        clippy::type_complexity,
        reason = "three parts, used once, beside this"
    )]
    fn read(block: &[u8]) -> Result<(u64, BTreeMap<String, Field>, Permissions), CodecError> {
        let mut reader = Reader::new(block);
        reader.map_of(3)?;
        reader.key("fields")?;
        let count = reader.map()?;
        let mut fields = BTreeMap::new();
        let mut previous = None;
        for _ in 0..count {
            let name = reader.key_after(previous)?;
            previous = Some(name);
            fields.insert(name.to_owned(), Self::read_field(&mut reader)?);
        }
        reader.key("version")?;
        let version = reader.unsigned(u64::MAX)?;
        reader.key("permissions")?;
        reader.map_of(3)?;
        reader.key("delete")?;
        let delete = reader.text()?.into();
        reader.key("update")?;
        let update = reader.text()?.into();
        reader.key("rollback")?;
        let rollback = reader.text()?.into();
        reader.end()?;
        Ok((
            version,
            fields,
            Permissions {
                update,
                delete,
                rollback,
            },
        ))
    }

    fn read_field(reader: &mut Reader<'_>) -> Result<Field, CodecError> {
        let at = reader.position();
        let entries = reader.map()?;
        reader.key("kind")?;
        let kind = match reader.text()? {
            "register" => FieldKind::Register,
            "counter" => FieldKind::Counter,
            "set" => FieldKind::Set,
            found => {
                return Err(CodecError::Key {
                    at,
                    expected: "register, counter or set",
                    found: excerpt(found),
                })
            }
        };
        let permission = match entries {
            1 => None,
            2 => {
                reader.key("permission")?;
                Some(reader.text()?.to_owned())
            }
            found => {
                return Err(CodecError::Length {
                    at,
                    expected: 2,
                    found: found as u64,
                })
            }
        };
        Ok(Field { kind, permission })
    }
}

/// The versions of a collection's schema, by number.
#[derive(Clone, Debug, Default)]
pub struct Schemas(BTreeMap<u64, Arc<Schema>>);

impl Schemas {
    /// No versions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a version.
    pub fn insert(&mut self, version: u64, schema: impl Into<Arc<Schema>>) {
        self.0.insert(version, schema.into());
    }

    /// The version `version`.
    ///
    /// # Errors
    /// [`Error::MissingSchema`].
    pub fn get(&self, version: u64) -> Result<&Arc<Schema>, Error> {
        self.0.get(&version).ok_or(Error::MissingSchema { version })
    }

    /// The latest version.
    pub fn latest(&self) -> Option<(u64, &Arc<Schema>)> {
        self.0
            .last_key_value()
            .map(|(version, schema)| (*version, schema))
    }
}

impl FromIterator<(u64, Schema)> for Schemas {
    fn from_iter<I: IntoIterator<Item = (u64, Schema)>>(versions: I) -> Self {
        Self(
            versions
                .into_iter()
                .map(|(version, schema)| (version, Arc::new(schema)))
                .collect(),
        )
    }
}
