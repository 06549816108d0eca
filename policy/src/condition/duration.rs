//! Spans of time, as text and as nanoseconds.
//!
//! Invariant: within ±315,576,000,000 seconds, as protobuf's `Duration`; so any difference of two
//! times has its duration.

use core::{fmt, str::FromStr};

use crate::time::{write_fraction, Time};

const SECOND: i128 = 1_000_000_000;
const NANOS_MAX: i128 = 315_576_000_000 * SECOND;

/// Longest text of a duration. The longest that [`Duration`] writes has 23 bytes.
const TEXT_BYTES_MAX: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Duration(i128);

impl Duration {
    pub(super) fn from_nanos(nanos: i128) -> Option<Self> {
        (-NANOS_MAX..=NANOS_MAX)
            .contains(&nanos)
            .then_some(Self(nanos))
    }

    pub(super) fn nanos(self) -> i128 {
        self.0
    }

    pub(super) fn plus(self, other: Self) -> Option<Self> {
        Self::from_nanos(self.0 + other.0)
    }

    pub(super) fn minus(self, other: Self) -> Option<Self> {
        Self::from_nanos(self.0 - other.0)
    }

    pub(super) fn after(self, time: Time) -> Option<Time> {
        Time::from_nanos_since_1970(time.nanos_since_1970() + self.0)
    }

    pub(super) fn before(self, time: Time) -> Option<Time> {
        Time::from_nanos_since_1970(time.nanos_since_1970() - self.0)
    }

    pub(super) fn between(from: Time, to: Time) -> Option<Self> {
        Self::from_nanos(to.nanos_since_1970() - from.nanos_since_1970())
    }
}

/// A sign, then decimal numbers each with a unit of `h`, `m`, `s`, `ms`, `us` (`µs`), `ns`, as Go's
/// `time.ParseDuration` and the definition of `duration` in CEL; `0` needs no unit. What a fraction
/// holds below the nanosecond is cut off.
impl FromStr for Duration {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(());
        }
        let negative = text.starts_with('-');
        let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
        if rest == "0" {
            return Ok(Self(0));
        }
        let mut nanos: i128 = 0;
        loop {
            let (number, after) = split(rest, |b| b.is_ascii_digit() || b == b'.');
            let (unit, after) = split(after, |b| !b.is_ascii_digit() && b != b'.');
            nanos += part(number, unit).ok_or(())?;
            rest = after;
            if nanos > NANOS_MAX {
                return Err(());
            }
            if rest.is_empty() {
                return Ok(Self(if negative { -nanos } else { nanos }));
            }
        }
    }
}

/// Parts `text` behind the longest start whose bytes all `fit`; the bytes that part are ASCII.
fn split(text: &str, fit: impl Fn(u8) -> bool) -> (&str, &str) {
    let length = text.bytes().take_while(|byte| fit(*byte)).count();
    text.split_at_checked(length).unwrap_or((text, ""))
}

fn part(number: &str, unit: &str) -> Option<i128> {
    let unit = match unit {
        "h" => 3600 * SECOND,
        "m" => 60 * SECOND,
        "s" => SECOND,
        "ms" => 1_000_000,
        "us" | "µs" | "μs" => 1000,
        "ns" => 1,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let digits = |text: &str| {
        // 18 digits hold every duration in nanoseconds' reach; more could not be multiplied.
        (text.len() <= 18).then(|| {
            text.bytes()
                .fold(0i128, |value, digit| value * 10 + i128::from(digit - b'0'))
        })
    };
    let scale = 10i128.pow(u32::try_from(fraction.len().min(18)).ok()?);
    Some(digits(whole)? * unit + digits(fraction)? * unit / scale)
}

/// Seconds with no more digits of fraction than needed, such as `-3.5s`: a protobuf JSON duration.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let second = SECOND.unsigned_abs();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        write!(f, "{}", magnitude / second)?;
        write_fraction(f, (magnitude % second) as u32)?;
        f.write_str("s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn texts_and_spans_agree() {
        for (text, nanos, shown) in [
            ("0", 0, "0s"),
            ("-0", 0, "0s"),
            ("0s", 0, "0s"),
            ("1h30m", 5400 * SECOND, "5400s"),
            ("3.5s", 3_500_000_000, "3.5s"),
            ("-1.5h", -5400 * SECOND, "-5400s"),
            ("+1m1s1ms1us1ns", 61_001_001_001, "61.001001001s"),
            ("1µs", 1000, "0.000001s"),
            (".5m", 30 * SECOND, "30s"),
            ("1.s", SECOND, "1s"),
            ("1.9999999999s", 1_999_999_999, "1.999999999s"),
            ("315576000000s", NANOS_MAX, "315576000000s"),
            ("-315576000000s", -NANOS_MAX, "-315576000000s"),
        ] {
            assert_eq!(text.parse(), Ok(Duration(nanos)), "{text}");
            assert_eq!(Duration(nanos).to_string(), shown);
            assert_eq!(shown.parse(), Ok(Duration(nanos)));
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "-",
            "1",
            "s",
            ".s",
            "1.1.1s",
            "1 s",
            "1d",
            "1s-1s",
            "--1s",
            "315576000001s",
            "999999999999999999h",
            "1000000000000000000000s",
            "1é",
            "é",
        ] {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
    }
}
