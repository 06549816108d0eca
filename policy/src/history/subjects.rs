//! Subjects as numbers: 16 bytes each, beside their names.

use alloc::{collections::BTreeMap, vec::Vec};

use super::{edges::NONE, names::Label};

/// What a subject is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SubjectKey {
    Actor(u32),
    Everyone,
    Every(Label),
    Object(u32),
    Userset(u32, Label),
}

impl SubjectKey {
    /// Its place in the canonical order of kinds.
    pub(super) fn rank(self) -> u8 {
        match self {
            Self::Actor(_) => 0,
            Self::Everyone => 1,
            Self::Every(_) => 2,
            Self::Object(_) => 3,
            Self::Userset(..) => 4,
        }
    }
}

/// A subject: its kind, above it a label; an actor or object; the first relationship that it stands
/// in; the next subject of the same object.
pub(super) type SubjectRow = [u32; 4];

/// All subjects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Subjects {
    rows: Vec<SubjectRow>,
    /// By actor.
    of_actors: Vec<u32>,
    /// By object: the first of its subjects, itself or one of its usersets.
    of_objects: Vec<u32>,
    /// Everyone, and every object of a resource by the resource's label.
    of_many: BTreeMap<Option<u16>, u32>,
}

impl Subjects {
    #[inline]
    pub(super) fn key(&self, subject: u32) -> Option<SubjectKey> {
        let [kind, of, ..] = *self.rows.get(subject as usize)?;
        let label = Label((kind >> 16) as u16);
        Some(match kind & 0xff {
            0 => SubjectKey::Actor(of),
            1 => SubjectKey::Everyone,
            2 => SubjectKey::Every(label),
            3 => SubjectKey::Object(of),
            _ => SubjectKey::Userset(of, label),
        })
    }

    #[inline]
    pub(super) fn find(&self, key: SubjectKey) -> Option<u32> {
        match key {
            SubjectKey::Actor(actor) => known(self.of_actors.get(actor as usize)),
            SubjectKey::Everyone => self.of_many.get(&None).copied(),
            SubjectKey::Every(label) => self.of_many.get(&Some(label.0)).copied(),
            SubjectKey::Object(object) | SubjectKey::Userset(object, _) => {
                self.of_object(object).find(|at| self.key(*at) == Some(key))
            }
        }
    }

    /// The subjects that are an object or one of its usersets.
    #[inline]
    pub(super) fn of_object(&self, object: u32) -> impl Iterator<Item = u32> + '_ {
        let mut at = known(self.of_objects.get(object as usize));
        let next = move || {
            let here = at?;
            at = known(self.rows.get(here as usize).map(|row| &row[3]));
            Some(here)
        };
        core::iter::from_fn(next).take(self.rows.len())
    }

    pub(super) fn intern(&mut self, key: SubjectKey) -> Option<u32> {
        if let Some(at) = self.find(key) {
            return Some(at);
        }
        let at = u32::try_from(self.rows.len())
            .ok()
            .filter(|at| *at < NONE)?;
        let rank = u32::from(key.rank());
        let label = |label: Label| rank | (u32::from(label.0) << 16);
        let (kind, of) = match key {
            SubjectKey::Actor(of) | SubjectKey::Object(of) => (rank, of),
            SubjectKey::Everyone => (rank, NONE),
            SubjectKey::Every(resource) => (label(resource), NONE),
            SubjectKey::Userset(of, relation) => (label(relation), of),
        };
        let mut next = NONE;
        match key {
            SubjectKey::Actor(actor) => *room(&mut self.of_actors, actor) = at,
            SubjectKey::Everyone => drop(self.of_many.insert(None, at)),
            SubjectKey::Every(label) => drop(self.of_many.insert(Some(label.0), at)),
            SubjectKey::Object(object) | SubjectKey::Userset(object, _) => {
                next = core::mem::replace(room(&mut self.of_objects, object), at);
            }
        }
        push(&mut self.rows, [kind, of, NONE, next]);
        Some(at)
    }

    /// The first relationship that a subject stands in.
    pub(super) fn head(&self, subject: u32) -> u32 {
        self.rows.get(subject as usize).map_or(NONE, |row| row[2])
    }

    pub(super) fn set_head(&mut self, subject: u32, head: u32) {
        if let Some(row) = self.rows.get_mut(subject as usize) {
            row[2] = head;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn bytes(&self) -> usize {
        let lists = self.of_actors.capacity() + self.of_objects.capacity();
        self.rows.capacity() * size_of::<SubjectRow>() + lists * 4
    }

    pub(super) fn rows(&self) -> &[SubjectRow] {
        &self.rows
    }

    /// Puts written rows together again; `None` if one names what is not there, or two name the same.
    /// Tables grow with what rows name, so that is looked at first.
    pub(super) fn from_rows(
        rows: Vec<SubjectRow>,
        actors: usize,
        objects: usize,
        labels: usize,
    ) -> Option<Self> {
        let within = |[kind, of, ..]: &SubjectRow| {
            let (label, of) = ((*kind >> 16) as usize, *of);
            match kind & 0xffff {
                0 => label == 0 && (of as usize) < actors,
                1 => label == 0 && of == NONE,
                2 => label < labels && of == NONE,
                3 => label == 0 && (of as usize) < objects,
                4 => label < labels && (of as usize) < objects,
                _ => false,
            }
        };
        let mut keys: Vec<(u32, u32)> = rows.iter().map(|[kind, of, ..]| (*kind, *of)).collect();
        keys.sort_unstable();
        if !rows.iter().all(within) || !keys.is_sorted_by(|a, b| a < b) {
            return None;
        }
        let mut subjects = Self::default();
        for at in 0..rows.len() as u32 {
            subjects.rows.push(rows[at as usize]);
            let before = match subjects.key(at) {
                Some(SubjectKey::Actor(actor)) => {
                    *room(&mut subjects.of_actors, actor) = at;
                    NONE
                }
                Some(SubjectKey::Everyone) => {
                    subjects.of_many.insert(None, at);
                    NONE
                }
                Some(SubjectKey::Every(label)) => {
                    subjects.of_many.insert(Some(label.0), at);
                    NONE
                }
                Some(SubjectKey::Object(object) | SubjectKey::Userset(object, _)) => {
                    core::mem::replace(room(&mut subjects.of_objects, object), at)
                }
                None => NONE,
            };
            subjects.rows[at as usize][3] = before;
        }
        Some(subjects)
    }
}

#[inline]
fn known(at: Option<&u32>) -> Option<u32> {
    at.copied().filter(|at| *at != NONE)
}

fn room(list: &mut Vec<u32>, at: u32) -> &mut u32 {
    let at = at as usize;
    if list.len() <= at {
        grow(list, at + 1 - list.len());
        list.resize(at + 1, NONE);
    }
    &mut list[at]
}

/// Pushes, growing by an eighth: a table that doubles wastes half of itself right after.
pub(super) fn push<T>(list: &mut Vec<T>, entry: T) {
    grow(list, 1);
    list.push(entry);
}

/// Makes room, by an eighth at least.
pub(super) fn grow<T>(list: &mut Vec<T>, more: usize) {
    list.reserve_exact(lacking(list.capacity(), list.len(), more));
}

/// For how many room is to be made where `more` are to come behind `length`: none while there is room.
pub(super) fn lacking(capacity: usize, length: usize, more: usize) -> usize {
    match capacity - length < more {
        true => more + length / 8 + 16,
        false => 0,
    }
}
