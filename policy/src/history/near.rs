//! What most questions about an object ask first, in sixteen bytes beside each other: of a million
//! objects each reading from memory costs more than all that is computed about it.
//!
//! Nothing here is relied upon. Bits may stand for lists that are gone, and a row that is remembered is
//! the head of a list only if the row itself says so; whoever finds nothing here searches the indexes.

use alloc::vec::Vec;

use super::{
    edges::{list_of, NONE},
    names::OWNER,
    subjects::grow,
};

/// One object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Near {
    /// A bit for every list that it has or had. Bits of several lists may be one.
    lists: u32,
    /// The subject that owns it.
    owner: u32,
    /// First rows of two lists of subjects that are no actors.
    heads: [u32; 2],
}

const NOTHING: Near = Near {
    lists: 0,
    owner: NONE,
    heads: [NONE; 2],
};

/// By object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Nearby(Vec<Near>);

/// The bit of a list: the first sixteen labels have their own, for actors and for sets.
#[inline]
fn bit(list: u32) -> u32 {
    1 << ((list ^ (list >> 12)) & 31)
}

fn is_of_sets(list: u32) -> bool {
    list >> 16 != 0
}

impl Nearby {
    #[inline]
    fn get(&self, object: u32) -> &Near {
        self.0.get(object as usize).unwrap_or(&NOTHING)
    }

    fn room(&mut self, object: u32) -> &mut Near {
        let at = object as usize;
        if self.0.len() <= at {
            let more = at + 1 - self.0.len();
            grow(&mut self.0, more);
            self.0.resize(at + 1, NOTHING);
        }
        &mut self.0[at]
    }

    /// Whether a list may hold anybody: most relations of most objects do not.
    #[inline]
    pub(super) fn may_have(&self, object: u32, list: u32) -> bool {
        self.get(object).lists & bit(list) != 0
    }

    /// The subject that owns an object.
    #[inline]
    pub(super) fn owner(&self, object: u32) -> Option<u32> {
        Some(self.get(object).owner).filter(|owner| *owner != NONE)
    }

    /// Rows that may be the first ones of lists of sets.
    #[inline]
    pub(super) fn heads(&self, object: u32) -> [u32; 2] {
        self.get(object).heads
    }

    /// A row became the first of its list, before `after`, the first one so far. `is_head` tells whether
    /// a row is the first of any list of the object.
    pub(super) fn begins(
        &mut self,
        (object, list, subject): (u32, u32, u32),
        row: u32,
        after: u32,
        is_head: impl Fn(u32) -> bool,
    ) {
        let near = self.room(object);
        near.lists |= bit(list);
        if list == list_of(OWNER, false) {
            near.owner = subject;
        }
        if is_of_sets(list) {
            let heads = &mut near.heads;
            let place = match heads
                .iter()
                .position(|head| *head == after && after != NONE)
            {
                None => heads.iter().position(|head| !is_head(*head)),
                known => known,
            };
            if let Some(place) = place {
                heads[place] = row;
            }
        }
    }

    /// A row was the first of its list, and now `next` is, if there is one.
    pub(super) fn ends(&mut self, (object, list, subject): (u32, u32, u32), row: u32, next: u32) {
        let near = self.room(object);
        if list == list_of(OWNER, false) && near.owner == subject {
            near.owner = NONE;
        }
        if is_of_sets(list) {
            for head in near.heads.iter_mut().filter(|head| **head == row) {
                *head = next;
            }
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<Near>()
    }
}
