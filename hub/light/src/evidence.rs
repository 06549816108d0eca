//! All that one permission check reads, proven under a header and replayed.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use hub_types::{
    document::{looks_derived, Document, CREATE},
    policy::knows_engine,
    PolicyId,
};
use ics23::CommitmentProof;
use identity::ChainId;
use policy::{
    keys, Answer, Circumstances, CollectionRecord, Context, DocumentFacts, Limits, Policy,
    Question, Time, ENGINE_VERSION,
};
use wire::{canonical, light};

use crate::{
    proof::{self, jmt_spec, BATCH_BYTES_MAX, PROOF_BYTES_MAX},
    record_proof::required,
    LightError, PolicyRoot, PolicyRootProof, Trusted,
};

/// The most documents whose preimages one check carries: each adds an object to the walk, and a
/// walk that meets more than this asks too much of one answer.
pub const DOCUMENTS_MAX: usize = 256;

/// The evidence for one check. The question is not part of it: whoever asks knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckEvidence {
    root: PolicyRootProof,
    batch: Vec<u8>,
    documents: Vec<Document>,
}

/// A check whose evidence verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The answer, replayed.
    pub answer: Answer,
    /// The time and the context that it was asked with.
    pub circumstances: Circumstances,
    /// The policy's root at the revision that decided.
    pub root: PolicyRoot,
}

impl CheckEvidence {
    const WHAT: &'static str = "an entry of the evidence";

    /// Puts evidence together from single proofs of every key that the replay needs
    /// (`policy::gather` names them, and [`CheckEvidence::document_keys`] those of documents).
    ///
    /// # Errors
    /// As [`proof::compress`].
    pub fn new(
        root: PolicyRootProof,
        proofs: impl IntoIterator<Item = CommitmentProof>,
        documents: Vec<Document>,
    ) -> Result<Self, LightError> {
        Ok(Self {
            root,
            batch: proof::compress(proofs)?,
            documents,
        })
    }

    /// The keys of the policy's tree that documents add to the evidence: their collections'
    /// records, which name the scope relation.
    pub fn document_keys(documents: &[Document]) -> impl Iterator<Item = Vec<u8>> + '_ {
        documents.iter().map(Document::collection_key)
    }

    /// The proof of the policy's root: which header it needs.
    #[must_use]
    pub const fn root(&self) -> &PolicyRootProof {
        &self.root
    }

    /// The documents whose preimages it carries. Whoever asked about some should find those here.
    #[must_use]
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// Verifies every part under `trusted` and replays the check, with what the asker gives to
    /// conditions.
    ///
    /// The newest revision is asked at the time of the trusted header: the first moment at which its
    /// state can be known. An earlier revision is asked at the time of the block that made it, which
    /// its leaf states. So whoever gives the evidence has no say in the time.
    ///
    /// An object whose id is a document's and whose preimage is not here is *unknown*, whatever the
    /// tree says of it: its author and its scope stand in the preimage alone, and evidence that leaves
    /// it out must not prove that they are not there.
    ///
    /// # Errors
    /// Names what does not verify; [`LightError::Replay`] where the evidence does not decide. An
    /// error is never an allow and never a deny (Invariant 3).
    pub fn verify(
        &self,
        trusted: &Trusted,
        policy: &PolicyId,
        question: &Question,
        context: &Context,
    ) -> Result<Checked, LightError> {
        let root = self.root.verify(trusted, policy)?;
        if !knows_engine(root.record.engine_version) {
            let found = root.record.engine_version;
            return Err(LightError::EngineVersion {
                found,
                known: ENGINE_VERSION,
            });
        }
        let mut known =
            proof::verify_compressed(&jmt_spec(), &root.tree_root, &self.batch, Self::WHAT)?;
        let compiled = definition(&known)?;
        let facts = self
            .documents
            .iter()
            .map(|document| facts(document, &trusted.chain_id, policy, question, &known))
            .collect::<Result<Vec<_>, LightError>>()?;
        hide_undocumented(&mut known, &facts);
        let circumstances = Circumstances {
            time: asked_at(&root, trusted),
            context: context.clone(),
        };
        let limits = Limits::CONSENSUS;
        let answer = policy::replay(&compiled, &known, question, &circumstances, &facts, limits)
            .map_err(LightError::Replay)?;
        Ok(Checked {
            answer,
            circumstances,
            root,
        })
    }

    /// The protobuf form.
    #[must_use]
    pub fn to_wire(&self) -> light::CheckEvidence {
        light::CheckEvidence {
            root: Some(self.root.to_wire()),
            ics23: self.batch.clone(),
            documents: self.documents.iter().map(Document::to_wire).collect(),
        }
    }

    /// Reads the protobuf form.
    ///
    /// # Errors
    /// As those of the parts.
    pub fn from_wire(wire: &light::CheckEvidence) -> Result<Self, LightError> {
        if wire.documents.len() > DOCUMENTS_MAX {
            let found = wire.documents.len();
            return Err(LightError::TooMany {
                what: "documents",
                found,
                max: DOCUMENTS_MAX,
            });
        }
        let documents = wire
            .documents
            .iter()
            .map(Document::from_wire)
            .collect::<Result<_, _>>()
            .map_err(LightError::Document)?;
        Ok(Self {
            root: PolicyRootProof::from_wire(required(wire.root.as_ref(), "policy's root")?)?,
            batch: wire.ics23.clone(),
            documents,
        })
    }

    /// The bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical::encode(&self.to_wire())
    }

    /// Reads [`CheckEvidence::to_bytes`].
    ///
    /// # Errors
    /// As [`CheckEvidence::from_wire`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LightError> {
        Self::from_wire(&proof::decode_message(
            bytes,
            BATCH_BYTES_MAX + 2 * PROOF_BYTES_MAX,
            "evidence",
        )?)
    }
}

/// The time of a question about this root. The newest revision may be proven by its leaf as well,
/// and is the newest all the same.
fn asked_at(root: &PolicyRoot, trusted: &Trusted) -> Time {
    let newest = root.record.latest_revision() == Some(root.revision);
    let made = root.leaf.as_ref().filter(|_| !newest);
    made.map_or(trusted.time, |leaf| leaf.time).to_policy()
}

type Known = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Takes out the records of documents that came without their preimages, so that they are not at
/// hand for the replay. A relation's pages are found only through the record.
fn hide_undocumented(known: &mut Known, documents: &[DocumentFacts]) {
    let documented: BTreeSet<Vec<u8>> = documents
        .iter()
        .map(|facts| keys::object_key(facts.object.resource(), facts.object.id()))
        .collect();
    known.retain(|key, _| {
        documented.contains(key)
            || !keys::object_of_key(key).is_some_and(|object| looks_derived(object.id()))
    });
}

/// The proven definition, compiled.
fn definition(known: &Known) -> Result<Policy, LightError> {
    let bytes = known
        .get(&keys::definition_key())
        .and_then(Option::as_deref)
        .ok_or(LightError::NoDefinition)?;
    let text = core::str::from_utf8(bytes).map_err(|_| LightError::NoDefinition)?;
    Policy::parse(text).map_err(LightError::Definition)
}

/// What follows from a document's preimage. Its scope relation is what the proven record of its
/// collection names; a document of no collection is no document.
fn facts(
    document: &Document,
    chain: &ChainId,
    policy: &PolicyId,
    question: &Question,
    known: &Known,
) -> Result<DocumentFacts, LightError> {
    let record = known
        .get(&document.collection_key())
        .and_then(Option::as_deref)
        .ok_or(LightError::NoCollection)?;
    let record = CollectionRecord::from_bytes(record).map_err(|reason| LightError::Malformed {
        what: "collection's record",
        reason: reason.into(),
    })?;
    let mut facts = document
        .facts(chain, policy, &record.scope_relation)
        .map_err(LightError::Document)?;
    if question.permission == CREATE && question.object == facts.object {
        facts.owner = None;
    }
    Ok(facts)
}
