//! Every bound of the engine, in one place, each with its reason (Invariant 7).
//!
//! Consensus sees these numbers: a policy or a question that one node takes and another refuses
//! would split the chain, so a change here is a new engine version.

/// Version of the engine's meaning, cost and bytes. Stands in state, decisions and bundles; a
/// reader that does not know the number refuses by name instead of guessing. Version 2 decides what
/// version 1 decided alike, at the same cost and from the same bytes.
pub const ENGINE_VERSION: u32 = 2;

/// Longest policy text in bytes. The largest policy we have seen in production is 1.7 kB; 64 kB
/// leaves room for a hundred resources and still compiles in about a millisecond.
pub const DEFINITION_BYTES_MAX: usize = 64 * 1024;

/// How deeply YAML collections may nest. The notation itself needs six levels.
pub const YAML_DEPTH_MAX: usize = 16;

/// Resources a policy may define.
pub const RESOURCES_MAX: usize = 128;

/// Relations, and as many permissions, that one resource may define.
pub const NAMES_PER_RESOURCE_MAX: usize = 128;

/// Types a relation may allow, and relations it may manage.
pub const ENTRIES_PER_RELATION_MAX: usize = 128;

/// Operands of one expression.
pub const EXPRESSION_OPERANDS_MAX: usize = 128;

/// How deeply parentheses may nest in an expression.
pub const EXPRESSION_DEPTH_MAX: usize = 32;

/// Longest name of a resource, relation, permission or condition in bytes: SpiceDB's prefixed names
/// have up to 128, and no name in use that we know is longer than half of it.
pub const NAME_BYTES_MAX: usize = 128;

/// Conditions a policy may define, and parameters one of them may have.
pub const CONDITIONS_MAX: usize = 128;

/// Longest object id in bytes. Document ids are CIDs (59 characters); 256 leaves room for paths.
pub const OBJECT_ID_BYTES_MAX: usize = 256;

/// Longest actor in bytes. A `did:key` of a P-256 key has 57 characters; a `did:pkh` about 90.
pub const ACTOR_BYTES_MAX: usize = 256;

/// Longest name and description of a policy or of a part of it in bytes.
pub const TEXT_BYTES_MAX: usize = 4 * 1024;

/// Longest schema of a collection in bytes: it stands in the tree, so everybody carries it.
pub const SCHEMA_BYTES_MAX: usize = 64 * 1024;

/// Longest CID of a schema in bytes (binary form; a sha2-256 CIDv1 has 36).
pub const SCHEMA_CID_BYTES_MAX: usize = 64;

/// Subjects of one kind that stand in the object's own record; one more moves them to pages.
pub const INLINE_SUBJECTS_MAX: usize = 64;

/// Subjects that one page holds. Together with [`INLINE_SUBJECTS_MAX`] it sets the size of one
/// proof: 64 subjects of 60 bytes are under 4 kB.
pub const PAGE_SUBJECTS_MAX: usize = 64;

/// A page that falls below this many subjects looks for a neighbour to merge with.
pub const PAGE_SUBJECTS_LOW: usize = 16;

/// Two neighbours merge only up to this many subjects, so that the next insertion does not split
/// them again.
pub const PAGE_SUBJECTS_MERGED_MAX: usize = 48;

/// Paged subjects come back into the record when no more than this many are left and it has room
/// for them: half of what sent them out, so that a set at the border does not go back and forth.
pub const INLINE_AGAIN_SUBJECTS_MAX: usize = 32;

/// Sets (usersets, objects, everyone) that one relation of one object may hold. Bounded where it
/// is written, so that a read can always walk all of them.
pub const SETS_PER_RELATION_MAX: usize = 1024;

/// Largest record of one object in bytes: four thousand subjects of 60 bytes, beside all those on
/// pages. Whoever reads the record carries it whole, and a proof of absence two of them; the light
/// client's bound of a proof (`hub_light::proof::PROOF_BYTES_MAX`) is made for this one.
pub const RECORD_BYTES_MAX: usize = 256 * 1024;

/// Relations of one object that may hold subjects; what an object's record can list at most.
pub const RELATIONS_PER_OBJECT_MAX: usize = NAMES_PER_RESOURCE_MAX;

/// Bounds of one question. Exceeding one is a defined error, the same on every node, and never an
/// allow or a deny in disguise (Invariant 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps of the canonical walk (docs/spec/policy.md says what counts as one).
    pub steps_max: u64,
    /// Nodes that may be open at once, from the question down.
    pub depth_max: usize,
}

impl Limits {
    /// What consensus uses: 100,000 steps are about 10 ms of work, and 256 open nodes are far
    /// beyond what people nest (Zanzibar's deepest groups were about 20 deep).
    pub const CONSENSUS: Self = Self {
        steps_max: 100_000,
        depth_max: 256,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::CONSENSUS
    }
}
