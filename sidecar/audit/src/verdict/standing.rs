//! P through heights and times.
//!
//! P(h) is asked under the revision in force after block h, at the time of block h. It changes with
//! revisions, and between them with time alone: an expiry comes, a condition on the clock ends or
//! begins. The engine says until when an answer stands, so that P need only be asked where a revision
//! begins and where an answer ends, at the first block whose time has reached that moment. Which
//! block that is must be proven; where it is not, [`Standing`] says how far P is known and what is
//! wanted.

use policy::Time;

use super::{Authority, Claim, Permission, Permitted, CREATE};
use crate::times::{FirstBlock, MadeAt, Wanted};

/// How far P has been followed for one commit that passed [`super::admit`].
///
/// P at a height is fixed for ever once the height is proven, so this can be kept and advanced as
/// the replica grows; keeping it changes no verdict, only the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// P was followed into this revision.
    revision: u64,
    /// In that revision P holds before this time; none for as long as it is in force.
    until: Option<Time>,
    /// Height of the first block at which P failed. Final.
    lost_at: Option<u64>,
    /// Where P cannot be told yet, though the height is proven.
    open: Option<Open>,
}

/// What is not known of P.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// P holds up to this height.
    pub through: u64,
    /// P has failed at this height, if not before; none where it may hold on.
    pub lost_by: Option<u64>,
    /// What has to be proven to know more.
    pub wanted: Wanted,
}

/// Whether P holds at one height, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held<'a> {
    /// It does, in this revision before this time.
    Yes(Option<Time>),
    /// It does not: the first permission that is missing.
    No(&'a str),
    /// It cannot be told before this is proven.
    Unknown(Wanted),
}

impl Standing {
    pub(super) fn new(revision: u64, until: Option<Time>) -> Standing {
        Standing {
            revision,
            until,
            lost_at: None,
            open: None,
        }
    }

    /// The first height after whose block P fails, as far as this was advanced.
    pub fn lost_at(&self) -> Option<u64> {
        self.lost_at
    }

    /// What is not known of P, as far as this was advanced.
    pub fn open(&self) -> Option<&Open> {
        self.open.as_ref()
    }

    /// Whether P is known to have been lost at some height.
    pub fn is_lost(&self) -> bool {
        self.lost_at.is_some() || self.open.is_some_and(|open| open.lost_by.is_some())
    }

    /// The time from which on P may be lost without a new revision; none where it cannot be, or where
    /// it was lost already.
    pub fn until(&self) -> Option<Time> {
        self.until.filter(|_| self.lost_at.is_none())
    }

    /// Follows P through every revision up to the replica's, and through time within each.
    ///
    /// Cost: one evaluation for each new revision and for each moment that has passed at which an
    /// answer ended, none after P was lost.
    pub fn advance(&mut self, claim: &Claim, authority: &impl Authority) {
        self.open = None;
        let proven = authority.proven_height();
        let Some(last) = authority.revision_after(proven) else {
            return;
        };
        while self.lost_at.is_none() {
            let next = self.revision.saturating_add(1);
            let begins = match self.revision < last {
                true => authority.height_of(next),
                false => None,
            };
            let end = begins.map_or(proven, |height| height.saturating_sub(1));
            self.pass_time(claim, end, authority);
            let Some(begins) = begins.filter(|_| self.lost_at.is_none() && self.open.is_none())
            else {
                return;
            };
            match held(claim, next, begins, authority) {
                Held::Yes(until) => (self.revision, self.until) = (next, until),
                Held::No(_) => self.lost_at = Some(begins),
                Held::Unknown(wanted) => {
                    self.open = Some(Open {
                        through: end,
                        lost_by: None,
                        wanted,
                    });
                    return;
                }
            }
        }
    }

    /// Follows P through time within the revision, up to block `end`.
    fn pass_time(&mut self, claim: &Claim, end: u64, authority: &impl Authority) {
        while let Some(moment) = self.until {
            let (time, block) = match authority.first_block(moment) {
                FirstBlock::NotYet => return,
                FirstBlock::Is(block) if block.height > end => return,
                FirstBlock::Is(block) => (block.time, Some(block.height)),
                FirstBlock::Between {
                    after: Some(after), ..
                } if after >= end => return,
                FirstBlock::Between { .. } => (moment, None),
            };
            let asked = ask(claim, self.revision, time, authority);
            // An answer stands beyond the moment that it was asked at, or this would not end.
            let goes_on = asked.stands_until.is_none_or(|until| until > time);
            if asked.allowed && goes_on {
                self.until = asked.stands_until;
                continue;
            }
            match block {
                Some(height) => self.lost_at = Some(height),
                None => self.open = Some(self.unknown(claim, moment, end, authority)),
            }
            return;
        }
    }

    /// What is known where P fails at `moment`, and which block is the first from then on is not.
    fn unknown(&self, claim: &Claim, moment: Time, end: u64, authority: &impl Authority) -> Open {
        let wanted = Wanted::From(moment);
        authority.want(wanted);
        let (after, by) = match authority.first_block(moment) {
            FirstBlock::Between { after, by } => (after, Some(by)),
            FirstBlock::Is(_) | FirstBlock::NotYet => (None, None),
        };
        // A block of this revision at which P fails: whatever was before, P was lost by then.
        let fails = |time| !ask(claim, self.revision, time, authority).allowed;
        let lost_by = by.filter(|by| by.height <= end && fails(by.time));
        Open {
            through: after.unwrap_or(0).max(claim.height),
            lost_by: lost_by.map(|by| by.height),
            wanted,
        }
    }
}

/// Whether P holds at `height`, where `revision` is in force.
pub(super) fn held<'a>(
    claim: &'a Claim,
    revision: u64,
    height: u64,
    authority: &impl Authority,
) -> Held<'a> {
    let ask = |time| ask(claim, revision, time, authority);
    match at_height(height, authority, ask) {
        Err(wanted) => Held::Unknown(wanted),
        Ok((asked, _)) if asked.allowed => Held::Yes(asked.stands_until),
        Ok((_, time)) => Held::No(missing(claim, revision, time, authority)),
    }
}

/// The answer at the time of block `height` to a question that `ask` answers at any time, and a time
/// at which it was asked.
///
/// Where the block's time is not proven, the answer is found if it is the same at all times that the
/// block may have, or if it is proven on which side of each change the block lies. What is wanted
/// else is told to the authority as well.
pub(super) fn at_height(
    height: u64,
    authority: &impl Authority,
    ask: impl Fn(Time) -> Permitted,
) -> Result<(Permitted, Time), Wanted> {
    let made = authority.made_at(height);
    let mut moment = made.earliest();
    let before = match made {
        MadeAt::Exactly(time) => return Ok((ask(time), time)),
        MadeAt::Within(_, before) => before,
    };
    let want = |wanted| {
        authority.want(wanted);
        Err(wanted)
    };
    // Of answers that agree the first is kept: the block may be as early as that.
    let mut kept: Option<(Permitted, Time)> = None;
    loop {
        let asked = ask(moment);
        let first = match kept {
            None => (asked, moment),
            Some((first, _)) if first.allowed != asked.allowed => {
                return want(Wanted::From(moment))
            }
            Some(first) => first,
        };
        let Some(ends) = asked.stands_until else {
            return Ok(first);
        };
        if before.is_some_and(|before| ends >= before) {
            return Ok(first);
        }
        if ends <= moment {
            // Nothing is said of any later time, so only the very time of the block will do.
            return want(Wanted::At(height));
        }
        kept = match authority.first_block(ends) {
            FirstBlock::NotYet => return Ok(first),
            FirstBlock::Is(block) if height < block.height => return Ok(first),
            FirstBlock::Between {
                after: Some(after), ..
            } if height <= after => return Ok(first),
            // The block comes after that moment: what was before does not matter.
            FirstBlock::Is(_) => None,
            FirstBlock::Between { by, .. } if height >= by.height => None,
            FirstBlock::Between { .. } => Some(first),
        };
        moment = ends;
    }
}

/// Whether the author has every listed permission at `revision` and `time`. A deny stands as long as
/// that of the first permission that is missing.
fn ask(claim: &Claim, revision: u64, time: Time, authority: &impl Authority) -> Permitted {
    let mut all = Permitted {
        allowed: true,
        stands_until: None,
    };
    for permission in &claim.permissions {
        let one = authority.permits(revision, time, &question(claim, permission));
        if !one.allowed {
            return one;
        }
        all.stands_until = match (all.stands_until, one.stands_until) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    all
}

/// `create` is asked with the owner left out, always; the rest of a first commit's permissions are
/// asked of the document as it is once created.
fn question<'a>(claim: &'a Claim, permission: &'a str) -> Permission<'a> {
    Permission {
        document: &claim.document,
        actor: &claim.author,
        permission,
        creating: permission == CREATE,
    }
}

/// The first listed permission that the author lacks at a time at which one is missing.
fn missing<'a>(claim: &'a Claim, revision: u64, time: Time, authority: &impl Authority) -> &'a str {
    let lacks = |permission: &&alloc::string::String| {
        let question = question(claim, permission);
        !authority.permits(revision, time, &question).allowed
    };
    let first = claim.permissions.iter().find(lacks);
    first.or(claim.permissions.first()).map_or("", |name| name)
}
