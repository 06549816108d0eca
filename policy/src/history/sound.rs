//! Whether a history that was read from bytes holds together: every number names a row that is there,
//! every chain leads through all of its rows and no others, every index finds what it should.
//!
//! All other code relies on that. One pass over each table; what is looked up is looked up by hash.

use core::cmp::Ordering;

use super::{
    edges::{list_of, Edge, NONE},
    names::{Label, OWNER},
    past::CLOSED_WORDS,
    subjects::SubjectKey,
    History, Stamp,
};

type Sound = Result<(), &'static str>;

fn sound(holds: bool, or_else: &'static str) -> Sound {
    holds.then_some(()).ok_or(or_else)
}

impl History {
    /// # Errors
    /// A few words about the first thing that does not hold.
    pub(super) fn check_tables(&self) -> Sound {
        self.check_small_parts()?;
        let names = self.objects.is_sound(&self.key) && self.actors.is_sound(&self.key);
        sound(names, "its names are not found")?;
        let objects = 0..self.objects.len() as u32;
        let labels = self.labels.names().len();
        let resources = objects.map(|at| self.objects.before(at));
        sound(
            { resources }.all(|label| label.is_some_and(|label| usize::from(label) < labels)),
            "an object's resource has no name",
        )?;
        self.check_edges()?;
        self.check_past()
    }

    fn is_stamp(&self, stamp: Stamp) -> bool {
        (stamp as usize) < self.revisions.len()
    }

    fn check_small_parts(&self) -> Sound {
        let revisions = &self.revisions;
        let rise = revisions.is_sorted_by(|a, b| a.height < b.height);
        let oldest = usize::try_from(self.oldest).is_ok_and(|at| at < revisions.len().max(1));
        sound(rise && oldest, "its revisions do not follow each other")?;
        let eras = self.eras.is_sorted_by(|a, b| a.from < b.from)
            && self.eras.iter().all(|era| self.is_stamp(era.from))
            && self.eras.first().map(|era| era.from) == revisions.first().map(|_| 0);
        sound(eras, "its definitions do not follow each other")?;
        let archived = self.archived.iter().all(|(object, states)| {
            (*object as usize) < self.objects.len()
                && states.is_sorted_by_key(|(at, _)| *at)
                && states.iter().all(|(at, _)| self.is_stamp(*at))
        });
        sound(archived, "an object was archived that it does not hold")?;
        let collections = self.collections.values().all(|versions| {
            versions.is_sorted_by_key(|(at, _)| *at)
                && versions.iter().all(|(at, _)| self.is_stamp(*at))
        });
        sound(collections, "a collection's versions do not follow")
    }

    /// Whether a subject that is there may stand in a list of this kind.
    fn is_place(&self, object: u32, list: u32, subject: u32) -> bool {
        let label = Label(list as u16);
        let sets = list == list_of(label, true);
        let is_list = (usize::from(label.0) < self.labels.names().len() && list >> 17 == 0)
            || list == list_of(OWNER, false);
        let is_actor = |key| matches!(key, SubjectKey::Actor(_));
        let fits = self.subjects.key(subject).map(is_actor) == Some(!sets);
        is_list && fits && (object as usize) < self.objects.len()
    }

    fn check_edges(&self) -> Sound {
        let (rows, free, by_key, heads) = self.edges.parts();
        let is_free = |row: &Edge| row.object == NONE;
        let mut live = 0;
        // Rows that begin a list, that begin a subject's chain, and that follow others in either.
        let (mut lists, mut subjects) = (0, 0);
        for (at, row) in rows.iter().enumerate().filter(|(_, row)| !is_free(row)) {
            live += 1;
            let at = at as u32;
            let within = self.is_place(row.object, row.list, row.subject)
                && row.terms as usize <= self.terms.len()
                && self.is_stamp(row.from)
                && (row.next == NONE || row.list != list_of(OWNER, false));
            sound(within, "a relationship names what is not there")?;
            let found = self.edges.find(row.object, row.list, row.subject);
            sound(found == Some(at), "a relationship is not found")?;
            if row.last == NONE {
                lists += 1;
                let found = self.edges.first(row.object, row.list);
                sound(found == Some(at), "a list is not found")?;
            }
            if row.last_of_subject == NONE {
                subjects += 1;
                let found = self.subjects.head(row.subject);
                sound(found == at, "a subject's relationships are not found")?;
            }
            let chained = self.follows(row, at) && self.follows_of_subject(row, at);
            sound(chained, "a list leads astray")?;
        }
        let heads_of_subjects = (0..self.subjects.len() as u32)
            .filter(|subject| self.subjects.head(*subject) != NONE)
            .count();
        let counted = by_key.len() == live && heads.len() == lists && heads_of_subjects == subjects;
        sound(counted, "more is found than there is")?;
        // What no head leads to would be a circle.
        let (mut by_list, mut by_subject) = (0, 0);
        for (at, row) in rows.iter().enumerate().filter(|(_, row)| !is_free(row)) {
            if row.last == NONE {
                by_list += self.edges.list(row.object, row.list).count();
            }
            if row.last_of_subject == NONE {
                by_subject += self.edges.of_subject(at as u32).count();
            }
        }
        sound(
            by_list == live && by_subject == live,
            "a list leads in a circle",
        )?;
        let mut next = free;
        let mut freed = 0;
        while let Some(at) = next.checked_sub(1) {
            let row = rows.get(at as usize).filter(|row| is_free(row));
            freed += 1;
            match row {
                Some(row) if freed <= rows.len() => next = row.next,
                _ => return Err("a free row is none"),
            }
        }
        sound(live + freed == rows.len(), "a free row is lost")
    }

    /// Whether the next row of the list names this one, and comes behind it.
    fn follows(&self, row: &Edge, at: u32) -> bool {
        row.next == NONE
            || self.edges.get(row.next).is_some_and(|next| {
                let sets = row.list == list_of(Label(row.list as u16), true);
                let in_order = !sets || self.compare(row.subject, next.subject) == Ordering::Less;
                next.last == at && (next.object, next.list) == (row.object, row.list) && in_order
            })
    }

    fn follows_of_subject(&self, row: &Edge, at: u32) -> bool {
        let next = self.edges.get(row.next_of_subject);
        row.next_of_subject == NONE
            || next.is_some_and(|next| next.last_of_subject == at && next.subject == row.subject)
    }

    fn check_past(&self) -> Sound {
        let within = self.past.rows().all(|row| {
            let [object, list, subject, until, from]: [u32; CLOSED_WORDS] = row;
            self.is_place(object, list, subject) && self.is_stamp(until) && from < until
        });
        sound(within, "what no longer stands names what is not there")?;
        let terms = self.past.terms_are_of_rows(self.terms.len());
        sound(terms, "terms of what no longer stands are of nothing")
    }
}
