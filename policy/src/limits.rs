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

/// Relations and permissions of a whole policy. One takes some hundred bytes once it is compiled,
/// thirty times the shortest text that defines it, and whoever compiles policies of others keeps
/// hundreds of them. In a policy that people write one takes 25 bytes of text or more, so that
/// [`DEFINITION_BYTES_MAX`] is met first.
pub const NAMES_MAX: usize = 4_096;

/// Relations and permissions that all arrows of a policy together lead to: an arrow leads to one for
/// each resource that its relation allows. Compiling looks at each and a compiled policy lists it, so
/// a text of 64 kB must not ask for a million. Policies that people write have some hundred.
pub const ARROW_TARGETS_MAX: usize = 8_192;

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

/// Longest object id in bytes. Document ids are CIDs (59 characters); SpiceDB's ids may be as long as
/// this, and are taken over as they are.
pub const OBJECT_ID_BYTES_MAX: usize = 1024;

/// Longest actor in bytes. A `did:key` of a P-256 key has 57 characters; a `did:pkh` about 90.
pub const ACTOR_BYTES_MAX: usize = 256;

/// Longest name and description of a policy or of a part of it in bytes.
pub const TEXT_BYTES_MAX: usize = 4 * 1024;

/// Longest schema of a collection in bytes: it stands in the tree, so everybody carries it.
pub const SCHEMA_BYTES_MAX: usize = 64 * 1024;

/// Longest CID of a schema in bytes (binary form; a sha2-256 CIDv1 has 36).
pub const SCHEMA_CID_BYTES_MAX: usize = 64;

/// Longest SpiceDB schema that is read, in bytes. What comes out must fit [`DEFINITION_BYTES_MAX`];
/// comments and partials may take several times that.
pub const SPICEDB_SCHEMA_BYTES_MAX: usize = 1024 * 1024;

/// How deeply the types of a caveat's parameters may nest (`map<list<int>>` has three levels).
pub const PARAMETER_TYPE_DEPTH_MAX: usize = 8;

/// Spreads of partials that one SpiceDB schema may come to, those inside of partials counted each
/// time: partials that spread partials double with every level.
pub const SPREADS_MAX: usize = 1024;

/// Longest name of a SpiceDB definition or caveat with its prefixes, in bytes (`pkg/tuple` of
/// SpiceDB 1.56).
pub const SPICEDB_NAME_BYTES_MAX: usize = 128;

/// Longest object id of a SpiceDB relationship in bytes (`pkg/tuple` of SpiceDB 1.56).
pub const SPICEDB_ID_BYTES_MAX: usize = 1024;

/// Longest test file (ours, or a SpiceDB validation file) in bytes. The largest of the published
/// benchmarks has 413 kB.
pub const TEST_FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How deeply relationships may nest where a SpiceDB validation file lists all subjects: as far as
/// SpiceDB follows them by default (`--dispatch-max-depth`).
pub const FOUND_DEPTH_MAX: usize = 50;

/// Members that are visited for one such list. A file that fits [`TEST_FILE_BYTES_MAX`] has not a
/// tenth of it, but relations may be visited for many permissions.
pub const FOUND_STEPS_MAX: usize = 1_000_000;

/// Subjects of one kind that stand in the object's own record; one more moves them to pages.
pub const INLINE_SUBJECTS_MAX: usize = 64;

/// Subjects that one page holds. Together with [`INLINE_SUBJECTS_MAX`] it sets the size of one
/// proof: 64 subjects of 60 bytes are under 4 kB.
pub const PAGE_SUBJECTS_MAX: usize = 64;

/// Canonical bytes of the longest subject: a userset's, with its tag and what parts its names.
const SUBJECT_BYTES_MAX: usize = 3 + 2 * NAME_BYTES_MAX + OBJECT_ID_BYTES_MAX;

/// Longest key of a page: the names of its list, each behind a length of at most two bytes, and the
/// subject that it begins with. The longest key of a policy's tree.
pub const PAGE_KEY_BYTES_MAX: usize =
    2 + (2 + NAME_BYTES_MAX) + (2 + OBJECT_ID_BYTES_MAX) + (2 + NAME_BYTES_MAX) + SUBJECT_BYTES_MAX;

/// Largest page in bytes: [`PAGE_SUBJECTS_MAX`] of the longest subjects on the longest terms, each
/// behind a length of two bytes. A page is bounded by what it holds; nobody is refused for its size.
/// Larger than [`RECORD_BYTES_MAX`], so whoever bounds values of a tree by bytes needs this one.
pub const PAGE_BYTES_MAX: usize = 5
    + SUBJECT_BYTES_MAX
    + PAGE_SUBJECTS_MAX
        * (2 + SUBJECT_BYTES_MAX + 2 + (2 + NAME_BYTES_MAX) + (2 + CONTEXT_BYTES_MAX) + 13);

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

/// Longest text of theorems or of a relationship list in bytes: twenty thousand lines.
pub const THEOREM_BYTES_MAX: usize = 1024 * 1024;

/// Errors that are told of one text of theorems; whoever made more begins with these.
pub const THEOREM_ERRORS_MAX: usize = 100;

/// Names that one statement speaks of. Each doubles the ways in which it may be false, and a
/// statement of more than three or four says too much at once.
pub const STATEMENT_NAMES_MAX: usize = 12;

/// Steps that deciding one statement may take: about a quarter of a second. Statements about policies that people
/// write take tens to thousands; what takes more has outgrown the person who reads it too.
pub const STATEMENT_STEPS_MAX: u64 = 2_000_000;

/// Steps that looking for permissions which can never be true may take, for all of a policy: a
/// tenth of a second. What is not settled then is not warned about.
pub const WARNING_STEPS_MAX: u64 = 500_000;

/// Signs and words of one statement, so that neither `!` nor parentheses pile up without end.
pub const STATEMENT_TOKENS_MAX: usize = 512;
/// Edges that a drawing of a schema has at most; what is beyond is said in the drawing. A policy of
/// fifteen resources has about a hundred, and nobody can follow a thousand; the bound keeps a text
/// of 64 kB, which can ask for a million, from taking long.
pub const DRAWN_EDGES_MAX: usize = 1_000;

/// Relationships that one drawing shows at most: more cannot be told apart on a screen. Beyond it
/// one asks for what is near an object or an actor.
pub const DRAWN_RELATIONSHIPS_MAX: usize = 300;

/// Longest condition in bytes. The longest we have seen in the suites has 230; what needs more is
/// better said in several conditions.
pub const CONDITION_BYTES_MAX: usize = 1024;

/// How deeply the operations of a condition may nest. CEL asks implementations for 24 operators in
/// a row and 12 nested calls (cel-spec langdef, "Syntax"); parser, checker and evaluator recurse no
/// deeper than this.
pub const CONDITION_DEPTH_MAX: usize = 32;

/// Parameters of one condition: a set of missing ones is one 32-bit word.
pub const CONDITION_PARAMETERS_MAX: usize = 32;

/// Longest name of a parameter, or of a variable in a macro, in bytes.
pub const CONDITION_NAME_BYTES_MAX: usize = 64;

/// How deeply `list<…>` and `map<…>` may nest in the type of a parameter.
pub const CONDITION_TYPE_DEPTH_MAX: usize = 4;

/// Cost at which the evaluation of one condition ends as failed. OpenFGA stops at 100 of its units,
/// one an operation; 10,000 leave room for a list of a thousand entries and are under 0.2 ms.
/// It bounds memory too: a string grows by at most [`CONDITION_BYTES_PER_COST`] bytes a unit, a list
/// or a map by one entry.
pub const CONDITION_COST_MAX: u64 = 10_000;

/// Bytes of text that one unit of a condition's cost copies, compares or searches.
pub const CONDITION_BYTES_PER_COST: usize = 16;

/// Largest context in canonical bytes: SpiceDB's default for the context of a request. It bounds
/// every list, map and string in it, and together with ids and names the size of a page
/// ([`PAGE_BYTES_MAX`]).
pub const CONTEXT_BYTES_MAX: usize = 4 * 1024;

/// Canonical bytes of a relationship's context that one step of a walk pays for, each time that its
/// member is met: as many as a unit of a condition's cost copies. The context is compared with the
/// parameters before the condition is evaluated; a full one takes some tens of microseconds, and 256
/// steps.
pub const CONTEXT_BYTES_PER_STEP: usize = CONDITION_BYTES_PER_COST;

/// Longest context as JSON: four times its canonical bytes, for spaces and escapes.
pub const CONTEXT_JSON_BYTES_MAX: usize = 4 * CONTEXT_BYTES_MAX;

/// How deeply lists and maps may nest in a context.
pub const CONTEXT_DEPTH_MAX: usize = 8;
/// Longest name of a native policy in bytes, for what is translated to one.
pub const NATIVE_NAME_BYTES_MAX: usize = 128;

/// Longest OpenFGA model or module in bytes, in either notation: what OpenFGA's server takes by
/// default (`OPENFGA_MAX_AUTHORIZATION_MODEL_SIZE_IN_BYTES`).
pub const OPENFGA_MODEL_BYTES_MAX: usize = 256 * 1024;

/// Errors of one OpenFGA model that are reported: nobody reads more, and a hostile text could make
/// millions.
pub const OPENFGA_ERRORS_MAX: usize = 1_000;

/// Types that one relation of an OpenFGA model may admit. Each `from` looks at all of them, so the
/// product must stay small; more than [`ENTRIES_PER_RELATION_MAX`], so that what is too much for us
/// alone is said by the native language.
pub const OPENFGA_RESTRICTIONS_MAX: usize = 256;

/// Modules of one OpenFGA model. More would hardly fit [`DEFINITION_BYTES_MAX`] together.
pub const OPENFGA_MODULES_MAX: usize = 256;

/// Longest OpenFGA store file or tuple file in bytes. OpenFGA's own test suites have 270 kB.
pub const OPENFGA_STORE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Steps of one lookup: entries visited, and steps of the walks that decide candidates. Ten million
/// are about a second of work, and list a million objects, each with a handful of steps.
pub const LOOKUP_STEPS_MAX: u64 = 10_000_000;

/// Relationships that one request may lay over those that are recorded. OpenFGA takes as many.
pub const CONTEXTUAL_MAX: usize = 100;

/// Steps that finding the names of what a conditional answer lacks may take, whatever the answer itself
/// may: as many as one question of consensus. What is not found then is not named.
pub const NAMING_STEPS_MAX: u64 = 100_000;

/// Nodes of one expansion: what a person can still look at, and a page of a few megabytes at most.
pub const EXPANSION_NODES_MAX: usize = 10_000;

/// Look-ups of subjects that comparing two policies may cost: some seconds' work. A person who edits a
/// policy waits that long; who has more objects is told how many were left out.
pub const DIFFERENCE_LOOKUPS_MAX: usize = 200_000;

/// Nodes that an explanation looks through for the shortest reason: more than any reason that a person
/// would read hangs on, and some ten milliseconds of work.
pub const EXPLANATION_NODES_MAX: usize = 10_000;

/// Members of relations that an explanation reads: twenty for each of its nodes, and some megabytes of
/// memory. A single relation may hold [`SETS_PER_RELATION_MAX`] sets.
pub const EXPLANATION_PIECES_MAX: usize = 200_000;

/// Pieces that an explanation weighs in all to find shortest reasons, each as often as it is weighed:
/// ten times each of [`EXPLANATION_PIECES_MAX`], and some hundred milliseconds at worst. Graphs that
/// people build have each weighed once or twice.
pub const EXPLANATION_WEIGHED_MAX: usize = 2_000_000;

/// Lines of what was tried before a deny, and of conditions that lack context: what a person still
/// reads.
pub const EXPLANATION_LINES_MAX: usize = 100;

/// Lines of a reason. Longer than what was tried, since a reason that is cut is none; what goes beyond
/// comes from intersections over hundreds of objects, which nobody reads.
pub const EXPLANATION_REASON_LINES_MAX: usize = 1_000;

/// Bytes of an expression that an explanation shows: two or three lines of a screen.
pub const EXPLANATION_EXPRESSION_BYTES_MAX: usize = 200;

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

impl Limits {
    /// What a lookup may take as a whole, outside of consensus: see [`LOOKUP_STEPS_MAX`].
    pub const LOOKUP: Self = Self {
        steps_max: LOOKUP_STEPS_MAX,
        depth_max: Self::CONSENSUS.depth_max,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::CONSENSUS
    }
}
