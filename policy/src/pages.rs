//! Lists of subjects on pages: each page covers a range, all pages together cover everything.
//!
//! A write touches the page that covers its subject, and a neighbour when it splits or merges.

use alloc::{vec, vec::Vec};

use crate::{
    apply::Write,
    codec::subject_bytes,
    keys::{page_key_of, SubjectKind},
    limits::{PAGE_SUBJECTS_LOW, PAGE_SUBJECTS_MAX, PAGE_SUBJECTS_MERGED_MAX},
    reader::{before, ReadError, RecordReader},
    records::Page,
    relationship::{ObjectRef, Subject},
    subjects::Holder,
    terms::Terms,
};

/// What setting a subject changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inserted {
    Subject,
    OtherTerms,
    Nothing,
}

/// The pages of one list.
pub(crate) struct List<'a, R: ?Sized> {
    pub object: &'a ObjectRef,
    pub relation: &'a str,
    pub kind: SubjectKind,
    pub reader: &'a R,
}

impl<R: RecordReader + ?Sized> List<'_, R> {
    fn key(&self, first: &[u8]) -> Vec<u8> {
        page_key_of(self.object, self.relation, self.kind, first)
    }

    /// The page that covers `subject`, and where its range starts.
    ///
    /// [`ReadError::Unavailable`] where the reader has no page that covers it.
    pub(crate) fn find(&self, subject: &[u8]) -> Result<(Vec<u8>, Page), ReadError> {
        let (from, to) = (self.key(&[]), self.key(subject));
        let Some((key, value)) = self.reader.floor(&from, &to)? else {
            return Err(ReadError::Unavailable { key: to });
        };
        let first = key.get(from.len()..).unwrap_or_default().to_vec();
        let page = self.decode(&key, &value, &first)?;
        if !page.covers(&first, subject) {
            return Err(ReadError::Unavailable { key: to });
        }
        Ok((first, page))
    }

    /// The page whose range starts at `first`.
    pub(crate) fn page(&self, first: &[u8]) -> Result<Page, ReadError> {
        let key = self.key(first);
        match self.reader.get(&key)? {
            Some(value) => self.decode(&key, &value, first),
            None => Err(ReadError::Corrupt {
                key,
                reason: "a page is missing",
            }),
        }
    }

    fn decode(&self, key: &[u8], value: &[u8], first: &[u8]) -> Result<Page, ReadError> {
        Page::from_bytes(value, self.kind, first).map_err(|reason| ReadError::Corrupt {
            key: key.to_vec(),
            reason,
        })
    }

    fn write(&self, writes: &mut Vec<Write>, first: &[u8], page: &Page) {
        debug_assert!(
            page.holders.len() <= PAGE_SUBJECTS_MAX,
            "a page outgrew its bound"
        );
        writes.push((self.key(first), Some(page.to_bytes(self.kind))));
    }

    /// Writes `subjects`, one too many for a page, as two halves.
    pub(crate) fn write_split(
        &self,
        writes: &mut Vec<Write>,
        first: &[u8],
        mut holders: Vec<Holder>,
        until: Option<Vec<u8>>,
    ) {
        let right = holders.split_off(holders.len() / 2);
        let middle = right
            .first()
            .map(|(subject, _)| subject_bytes(subject))
            .unwrap_or_default();
        self.write(
            writes,
            first,
            &Page {
                until: Some(middle.clone()),
                holders,
            },
        );
        self.write(
            writes,
            &middle,
            &Page {
                until,
                holders: right,
            },
        );
    }

    /// Sets a subject with its terms: what that changed.
    pub(crate) fn insert(
        &self,
        subject: &Subject,
        terms: &Terms,
        writes: &mut Vec<Write>,
    ) -> Result<Inserted, ReadError> {
        let (first, mut page) = self.find(&subject_bytes(subject))?;
        let at = match page.place(subject) {
            Err(at) => at,
            Ok(at) => {
                return Ok(match page.holders.get_mut(at) {
                    Some((_, before)) if before != terms => {
                        *before = terms.clone();
                        self.write(writes, &first, &page);
                        Inserted::OtherTerms
                    }
                    _ => Inserted::Nothing,
                })
            }
        };
        page.holders.insert(at, (subject.clone(), terms.clone()));
        if page.holders.len() > PAGE_SUBJECTS_MAX {
            self.write_split(writes, &first, page.holders, page.until);
        } else {
            self.write(writes, &first, &page);
        }
        Ok(Inserted::Subject)
    }

    /// Removes; false if it was not there. A page that got small merges with the one to its right,
    /// else with the one to its left, where both fit.
    pub(crate) fn remove(
        &self,
        subject: &Subject,
        writes: &mut Vec<Write>,
    ) -> Result<bool, ReadError> {
        let (first, mut page) = self.find(&subject_bytes(subject))?;
        let Ok(at) = page.place(subject) else {
            return Ok(false);
        };
        page.holders.remove(at);
        if page.holders.len() >= PAGE_SUBJECTS_LOW {
            self.write(writes, &first, &page);
            return Ok(true);
        }
        let fits = |other: &Page| {
            page.holders.is_empty()
                || page.holders.len() + other.holders.len() <= PAGE_SUBJECTS_MERGED_MAX
        };
        if let Some(next) = page.until.clone() {
            let right = self.page(&next)?;
            if fits(&right) {
                writes.push((self.key(&next), None));
                page.holders.extend(right.holders);
                page.until = right.until;
                self.write(writes, &first, &page);
                return Ok(true);
            }
        }
        if !first.is_empty() {
            let (left_first, mut left) = self.left_of(&first)?;
            if fits(&left) {
                writes.push((self.key(&first), None));
                left.holders.append(&mut page.holders);
                left.until = page.until;
                self.write(writes, &left_first, &left);
                return Ok(true);
            }
        }
        self.write(writes, &first, &page);
        Ok(true)
    }

    /// The page whose range ends where the one at `first` starts.
    fn left_of(&self, first: &[u8]) -> Result<(Vec<u8>, Page), ReadError> {
        let from = self.key(&[]);
        let to = self.key(first);
        let bound = before(&to);
        let found = match &bound {
            Some(bound) => self.reader.floor(&from, bound)?,
            None => None,
        };
        let Some((key, value)) = found else {
            return Err(ReadError::Corrupt {
                key: from,
                reason: "a page is missing",
            });
        };
        let left_first = key.get(from.len()..).unwrap_or_default().to_vec();
        let page = self.decode(&key, &value, &left_first)?;
        if page.until.as_deref() != Some(first) {
            return Err(ReadError::Corrupt {
                key,
                reason: "its range does not end where the next page starts",
            });
        }
        Ok((left_first, page))
    }

    /// All subjects in order; calls `visit` with each page's start.
    pub(crate) fn for_each_page(&self, visit: impl FnMut(&[u8], Page)) -> Result<(), ReadError> {
        self.for_each_page_from(&[], visit)
    }

    /// All pages from the one that covers `subject` on, in order.
    pub(crate) fn for_each_page_from(
        &self,
        subject: &[u8],
        mut visit: impl FnMut(&[u8], Page),
    ) -> Result<(), ReadError> {
        let (mut first, mut page) = match subject {
            [] => (Vec::new(), self.page(&[])?),
            subject => self.find(subject)?,
        };
        loop {
            let until = page.until.clone();
            visit(&first, page);
            match until {
                Some(until) => {
                    page = self.page(&until)?;
                    first = until;
                }
                None => return Ok(()),
            }
        }
    }

    pub(crate) fn take_all(&self, writes: &mut Vec<Write>) -> Result<Vec<Holder>, ReadError> {
        let mut all = vec![];
        self.for_each_page(|first, page| {
            writes.push((self.key(first), None));
            all.extend(page.holders);
        })?;
        Ok(all)
    }
}
