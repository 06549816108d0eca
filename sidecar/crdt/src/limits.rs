//! Every bound of the commit format and of the DAG, in one place, each with its reason
//! (Invariant 7).
//!
//! The bounds of the format (header, body, parents, operations, names, values) are part of it:
//! a commit that one replica takes and another refuses would split a document, so a change to
//! one of them is a new format version. The bounds of what is *pending* are a replica's own.

/// The format version that this crate writes and reads.
pub const FORMAT_VERSION: u64 = 1;

/// Longest header block in bytes. All parts at their maximum come to 4,545 bytes (a test adds
/// them up); the rest is room, and a thousand headers still fit into one 8 MiB frame.
pub const HEADER_BYTES_MAX: usize = 8 * 1024;

/// Longest body block in bytes. A body is parsed as a whole, and travels in one frame; what is
/// larger belongs into a file store, with its hash in a field.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Most parents of one commit. Sixty-four writers that never heard of one another are merged by
/// the next write; more tips than that take two.
pub const PARENTS_MAX: usize = 64;

/// Most permissions that a header lists. Each is one check on every replica and for the auditor.
pub const PERMISSIONS_MAX: usize = 16;

/// Most operations in one body: a form has tens of fields, an import batches a thousand.
pub const OPERATIONS_MAX: usize = 1024;

/// Most adds that one remove names: as many as one body can add.
pub const REMOVED_ADDS_MAX: usize = 1024;

/// Most commits that a rollback names as its target: the tips of a document, as for parents.
pub const TARGET_HEADS_MAX: usize = PARENTS_MAX;

/// Longest name of a resource, collection or permission in bytes; the policy language has the
/// same bound.
pub const NAME_BYTES_MAX: usize = 128;

/// Longest id of a scope object in bytes; the policy language has the same bound.
pub const OBJECT_ID_BYTES_MAX: usize = 1024;

/// Longest field name in bytes. Names repeat in every operation.
pub const FIELD_NAME_BYTES_MAX: usize = 64;

/// Longest string or byte value in bytes. A quarter of a body, so that a value never makes a
/// commit impossible by itself, and far beyond what a form holds.
pub const VALUE_BYTES_MAX: usize = 256 * 1024;

/// Most fields of a schema. With names of full length it fits into [`SCHEMA_BYTES_MAX`].
pub const SCHEMA_FIELDS_MAX: usize = 256;

/// Longest schema in its canonical bytes: it stands in the hub's state, which has this bound.
pub const SCHEMA_BYTES_MAX: usize = 64 * 1024;

/// Longest nonce of a sealed body in bytes: XChaCha20 takes 24, others less.
pub const SEALED_NONCE_BYTES_MAX: usize = 32;

/// The smallest size to which the content of a body is padded, in bytes. Four short fields fit,
/// so that most bodies of forms cannot be told apart by their size.
pub const CONTENT_BYTES_MIN: usize = 256;

/// How deep lists and maps may nest in a block that is read as free data. Our own formats need
/// five levels; the reader recurses, so the number also bounds its stack.
pub const DEPTH_MAX: usize = 64;

/// Most commits that wait for a parent, for one document. A batch of a sync is this long at
/// most, so commits that arrive in any order within one batch all find room.
pub const PENDING_COMMITS_MAX: usize = 1024;

/// Most bytes of headers that wait for a parent, for one document.
pub const PENDING_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Most heads in a list of heads that is read: beyond it a document has been flooded, and
/// 65,536 links are already 2.7 MB.
pub const HEADS_MAX: usize = 65_536;
