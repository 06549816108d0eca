//! Moments, as arguments: this crate reads no clock. A [`Time`] is what block times, expiries and
//! the timestamps of conditions are made of.
//!
//! Invariant: every `Time` lies between the years 1 and 9999, as protobuf's `Timestamp` and RFC 3339
//! demand, so each has a text and each text has one `Time`.

use alloc::string::String;
use core::{fmt, str::FromStr};

use crate::name::excerpt;

const NANOS_PER_SECOND: i128 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Longest text of a time: nine digits of fraction and an offset.
const TEXT_BYTES_MAX: usize = "0001-01-01T00:00:00.000000000+00:00".len();

/// A moment: seconds since 1970-01-01T00:00:00Z without leap seconds, and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    seconds: i64,
    nanos: u32,
}

impl Default for Time {
    /// 1970-01-01T00:00:00Z.
    fn default() -> Self {
        Self {
            seconds: 0,
            nanos: 0,
        }
    }
}

/// Why something is no [`Time`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Outside of the years 1 to 9999, or a full second of nanoseconds.
    #[error("the time lies outside of 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z")]
    Range,
    /// Not an RFC 3339 text.
    #[error("{text:?} is no time; write it as in RFC 3339, such as 2027-01-31T12:00:00Z")]
    Form {
        /// What was given, cut to a printable length.
        text: String,
    },
}

impl Time {
    /// 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self {
        seconds: -62_135_596_800,
        nanos: 0,
    };

    /// 9999-12-31T23:59:59.999999999Z.
    pub const MAX: Self = Self {
        seconds: 253_402_300_799,
        nanos: 999_999_999,
    };

    /// The moment `nanos` nanoseconds after `seconds` seconds since 1970.
    ///
    /// # Errors
    /// [`TimeError::Range`] outside of [`Self::MIN`] to [`Self::MAX`], and for a second or more of
    /// nanoseconds.
    pub const fn new(seconds: i64, nanos: u32) -> Result<Self, TimeError> {
        if seconds < Self::MIN.seconds || seconds > Self::MAX.seconds || nanos > 999_999_999 {
            return Err(TimeError::Range);
        }
        Ok(Self { seconds, nanos })
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds after [`Self::seconds`].
    #[must_use]
    pub const fn nanos(self) -> u32 {
        self.nanos
    }

    /// The moment one nanosecond later; none after [`Self::MAX`].
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::from_nanos_since_1970(self.nanos_since_1970() + 1)
    }

    pub(crate) fn nanos_since_1970(self) -> i128 {
        i128::from(self.seconds) * NANOS_PER_SECOND + i128::from(self.nanos)
    }

    pub(crate) fn from_nanos_since_1970(nanos: i128) -> Option<Self> {
        let seconds = i64::try_from(nanos.div_euclid(NANOS_PER_SECOND)).ok()?;
        Self::new(seconds, nanos.rem_euclid(NANOS_PER_SECOND) as u32).ok()
    }

    /// The parts of its date and time of day, `offset` seconds east of Greenwich.
    pub(crate) fn parts(self, offset: i64) -> Parts {
        let local = self.seconds + offset;
        let days = local.div_euclid(SECONDS_PER_DAY);
        let second_of_day = local.rem_euclid(SECONDS_PER_DAY);
        let (year, month, day) = date_from_days(days);
        Parts {
            year,
            month,
            day,
            day_of_year: days - days_from_date(year, 1, 1),
            // 1970-01-01 was a Thursday.
            day_of_week: (days + 4).rem_euclid(7),
            hour: second_of_day / 3600,
            minute: second_of_day / 60 % 60,
            second: second_of_day % 60,
        }
    }
}

/// A date of the proleptic Gregorian calendar and a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    pub year: i64,
    /// From 1.
    pub month: i64,
    /// Of the month, from 1.
    pub day: i64,
    /// From 0.
    pub day_of_year: i64,
    /// From Sunday, 0.
    pub day_of_week: i64,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
}

/// Days since 1970-01-01. After Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years
/// are counted from March, so that the leap day is a year's last, in eras of 400 years.
fn days_from_date(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day; the inverse of [`days_from_date`], from the same source.
fn date_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// RFC 3339 §5.6, with `T` and `Z` in either case, up to nine digits of fraction, no leap second.
impl FromStr for Time {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let form = || TimeError::Form {
            text: excerpt(text),
        };
        if text.len() > TEXT_BYTES_MAX {
            return Err(form());
        }
        let mut rest = text.as_bytes();
        let parsed = read(&mut rest).filter(|_| rest.is_empty());
        let (seconds, nanos) = parsed.ok_or_else(form)?;
        Self::new(seconds, nanos)
    }
}

/// Seconds since 1970 and nanoseconds, read from the front of `rest`.
fn read(rest: &mut &[u8]) -> Option<(i64, u32)> {
    let year = digits(rest, 4)?;
    byte(rest, b"-")?;
    let month = digits(rest, 2)?;
    byte(rest, b"-")?;
    let day = digits(rest, 2)?;
    byte(rest, b"Tt")?;
    let hour = digits(rest, 2)?;
    byte(rest, b":")?;
    let minute = digits(rest, 2)?;
    byte(rest, b":")?;
    let second = digits(rest, 2)?;
    let mut nanos = 0;
    if byte(rest, b".").is_some() {
        let count = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if !(1..=9).contains(&count) {
            return None;
        }
        nanos = digits(rest, count)? * 10_i64.pow(9 - count as u32);
    }
    let offset = match byte(rest, b"Zz+-")? {
        b'Z' | b'z' => 0,
        sign => {
            let hours = digits(rest, 2)?;
            byte(rest, b":")?;
            let minutes = digits(rest, 2)?;
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = hours * 3600 + minutes * 60;
            if sign == b'-' {
                -offset
            } else {
                offset
            }
        }
    };
    let date = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
    if !date || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days_from_date(year, month, day);
    let seconds = days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second - offset;
    Some((seconds, nanos as u32))
}

fn digits(rest: &mut &[u8], count: usize) -> Option<i64> {
    let (digits, after) = rest.split_at_checked(count)?;
    let value = digits.iter().try_fold(0, |value, digit| {
        digit
            .is_ascii_digit()
            .then(|| value * 10 + i64::from(digit - b'0'))
    })?;
    *rest = after;
    Some(value)
}

fn byte(rest: &mut &[u8], any: &[u8]) -> Option<u8> {
    let (first, after) = rest.split_first()?;
    any.contains(first).then(|| {
        *rest = after;
        *first
    })
}

/// RFC 3339 in UTC, with no more digits of fraction than needed.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.parts(0);
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            parts.year, parts.month, parts.day, parts.hour, parts.minute, parts.second
        )?;
        write_fraction(f, self.nanos)?;
        f.write_str("Z")
    }
}

/// Writes `.` and nanoseconds without the zeros at their end; nothing for none.
pub(crate) fn write_fraction(f: &mut fmt::Formatter<'_>, nanos: u32) -> fmt::Result {
    if nanos == 0 {
        return Ok(());
    }
    let (mut value, mut width) = (nanos, 9);
    while value % 10 == 0 {
        value /= 10;
        width -= 1;
    }
    write!(f, ".{value:0width$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn texts_and_moments_agree() {
        for (text, seconds, nanos, shown) in [
            ("1970-01-01T00:00:00Z", 0, 0, "1970-01-01T00:00:00Z"),
            (
                "2023-10-11T10:00:00.000Z",
                1_697_018_400,
                0,
                "2023-10-11T10:00:00Z",
            ),
            (
                "2024-02-29t23:59:59.5z",
                1_709_251_199,
                500_000_000,
                "2024-02-29T23:59:59.5Z",
            ),
            (
                "1969-12-31T23:59:59.000000001Z",
                -1,
                1,
                "1969-12-31T23:59:59.000000001Z",
            ),
            (
                "2000-01-01T00:00:00+01:30",
                946_679_400,
                0,
                "1999-12-31T22:30:00Z",
            ),
            (
                "2000-01-01T00:00:00-23:59",
                946_771_140,
                0,
                "2000-01-01T23:59:00Z",
            ),
            (
                "0001-01-01T00:00:00Z",
                Time::MIN.seconds,
                0,
                "0001-01-01T00:00:00Z",
            ),
            (
                "9999-12-31T23:59:59.999999999Z",
                Time::MAX.seconds,
                999_999_999,
                "9999-12-31T23:59:59.999999999Z",
            ),
        ] {
            let time: Time = text.parse().unwrap();
            assert_eq!((time.seconds, time.nanos), (seconds, nanos), "{text}");
            assert_eq!(time.to_string(), shown);
            assert_eq!(shown.parse(), Ok(time));
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2023",
            "2023-10-11",
            "2023-10-11 10:00:00Z",
            "2023-10-11T10:00:00",
            "2023-10-11T10:00Z",
            "2023-13-01T00:00:00Z",
            "2023-00-01T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2023-10-11T24:00:00Z",
            "2023-10-11T10:60:00Z",
            "2016-12-31T23:59:60Z",
            "2023-10-11T10:00:00.Z",
            "2023-10-11T10:00:00.1234567890Z",
            "2023-10-11T10:00:00+24:00",
            "2023-10-11T10:00:00+1:00",
            "2023-10-11T10:00:00ZZ",
            "+023-10-11T10:00:00Z",
            "0000-12-31T23:59:59Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "２023-10-11T10:00:00Z",
        ] {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
        assert!(Time::new(0, 1_000_000_000).is_err());
        assert!(Time::new(Time::MAX.seconds + 1, 0).is_err());
        assert!(Time::new(Time::MIN.seconds - 1, 0).is_err());
    }

    #[test]
    fn every_day_of_the_calendar_has_its_date() {
        let first = Time::MIN.seconds / SECONDS_PER_DAY;
        let last = Time::MAX.seconds / SECONDS_PER_DAY;
        let (mut year, mut month, mut day) = (1, 1, 1);
        for days in first..=last {
            assert_eq!(date_from_days(days), (year, month, day));
            assert_eq!(days_from_date(year, month, day), days);
            day += 1;
            if day > days_in_month(year, month) {
                (day, month) = (1, month + 1);
            }
            if month > 12 {
                (month, year) = (1, year + 1);
            }
        }
        assert_eq!((year, month, day), (10_000, 1, 1));
    }

    #[test]
    fn the_next_moment_is_a_nanosecond_later() {
        let time = Time::new(-1, 999_999_999).unwrap();
        assert_eq!(time.next(), Time::new(0, 0).ok());
        assert_eq!(Time::MAX.next(), None);
        let parts = time.parts(0);
        assert_eq!(
            (parts.day_of_week, parts.day_of_year, parts.hour),
            (3, 364, 23)
        );
    }
}
