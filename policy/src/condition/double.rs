//! Doubles that are only compared. Held and compared as bits, so that no floating-point operation
//! stands between a context and an answer (Invariant 1); the standard library's correctly rounded
//! text conversions are the one place where they are floats.

use core::{cmp::Ordering, fmt, hash::Hash};

const SIGN: u64 = 1 << 63;
const FRACTION_BITS: u32 = 52;
const FRACTION: u64 = (1 << FRACTION_BITS) - 1;
const BIAS: i32 = 1023;

/// A finite IEEE 754 double; the one zero is positive. So equal numbers have equal bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Double(u64);

impl Double {
    /// `value`, if it is finite.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        // pure: read and compared as bits, never computed with
        let bits = value.to_bits();
        let bits = if bits == SIGN { 0 } else { bits };
        Self::from_bits(bits)
    }

    /// The double with these bits; none for a NaN, an infinity and the negative zero.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Option<Self> {
        if bits == SIGN || (bits & !SIGN) >> FRACTION_BITS == 0x7ff {
            return None;
        }
        Some(Self(bits))
    }

    /// Its bits.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Its value.
    #[must_use]
    pub const fn get(self) -> f64 {
        // pure: read and compared as bits, never computed with
        f64::from_bits(self.0) // pure: read and compared as bits, never computed with
    }

    /// The same with the other sign.
    pub(super) const fn negated(self) -> Self {
        Self(if self.0 == 0 { 0 } else { self.0 ^ SIGN })
    }

    /// The double nearest to a decimal text such as `-12.5e-3`, which the caller has checked to be a
    /// JSON number or a CEL literal; none if it is out of range.
    pub(super) fn from_decimal(text: &str) -> Option<Self> {
        text.parse().ok().and_then(Self::new)
    }

    /// The double nearest to `value`, ties to even. `value` fits 64 bits, signed or not.
    pub(super) fn from_integer(value: i128) -> Self {
        let magnitude = value.unsigned_abs();
        let sign = if value < 0 { SIGN } else { 0 };
        let Some(top) = magnitude.checked_ilog2() else {
            return Self(0);
        };
        let mut fraction = if top <= FRACTION_BITS {
            (magnitude as u64) << (FRACTION_BITS - top)
        } else {
            let lost = top - FRACTION_BITS;
            let kept = (magnitude >> lost) as u64;
            let rest = magnitude & ((1 << lost) - 1);
            let half = 1 << (lost - 1);
            kept + u64::from(rest > half || (rest == half && kept & 1 == 1))
        };
        let mut exponent = top as u64 + BIAS as u64;
        if fraction > (FRACTION << 1 | 1) {
            fraction >>= 1;
            exponent += 1;
        }
        Self(sign | exponent << FRACTION_BITS | (fraction & FRACTION))
    }

    /// Its value without the fraction, and whether there was a fraction; none from 2^64 on.
    pub(super) fn truncated(self) -> Option<(i128, bool)> {
        let exponent = ((self.0 & !SIGN) >> FRACTION_BITS) as i32;
        if exponent == 0 {
            return Some((0, self.0 != 0));
        }
        let mantissa = u128::from(self.0 & FRACTION | 1 << FRACTION_BITS);
        let shift = exponent - BIAS - FRACTION_BITS as i32;
        let (magnitude, fraction) = match shift {
            12.. => return None,
            0..12 => (mantissa << shift, false),
            -127..0 => {
                let whole = mantissa >> -shift;
                (whole, whole << -shift != mantissa)
            }
            _ => (0, true),
        };
        let whole = magnitude as i128;
        Some((if self.0 & SIGN == 0 { whole } else { -whole }, fraction))
    }

    /// Where it lies from `other` on the number line, exactly.
    pub(super) fn compare_integer(self, other: i128) -> Ordering {
        let negative = self.0 & SIGN != 0;
        let away = if negative {
            Ordering::Less
        } else {
            Ordering::Greater
        };
        match self.truncated() {
            None => away,
            Some((whole, fraction)) => {
                whole
                    .cmp(&other)
                    .then(if fraction { away } else { Ordering::Equal })
            }
        }
    }
}

impl Ord for Double {
    fn cmp(&self, other: &Self) -> Ordering {
        // Magnitudes sort as their bits do; those of negative numbers the other way round.
        let key = |bits: u64| {
            if bits & SIGN == 0 {
                bits | SIGN
            } else {
                !bits
            }
        };
        key(self.0).cmp(&key(other.0))
    }
}

impl PartialOrd for Double {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The shortest decimal that reads back as the same double, always with a point or an exponent: a
/// JSON number that is no integer in form.
impl fmt::Display for Double {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.get())
    }
}

impl fmt::Debug for Double {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{string::ToString, vec::Vec};

    const EDGES: [f64; 20] = [
        // pure: read and compared as bits, never computed with
        -f64::MAX, // pure: read and compared as bits, never computed with
        -1.8446744073709552e19,
        -9.223372036854776e18,
        -9007199254740993.0,
        -2.5,
        -1.0,
        -0.5,
        -f64::MIN_POSITIVE, // pure: read and compared as bits, never computed with
        -5e-324,
        0.0,
        5e-324,
        0.1,
        1.0,
        1.5,
        4503599627370497.5,
        9007199254740992.0,
        9.223372036854775e18,
        9.223372036854776e18,
        1.8446744073709552e19,
        f64::MAX, // pure: read and compared as bits, never computed with
    ];

    fn double(value: f64) -> Double {
        // pure: read and compared as bits, never computed with
        Double::new(value).unwrap()
    }

    #[test]
    fn order_and_text_are_those_of_floats() {
        for a in EDGES {
            for b in EDGES {
                assert_eq!(
                    double(a).cmp(&double(b)),
                    a.partial_cmp(&b).unwrap(),
                    "{a} {b}"
                );
            }
            let text = double(a).to_string();
            assert_eq!(Double::from_decimal(&text), Some(double(a)), "{text}");
            assert!(text.contains(['.', 'e']), "{text}");
        }
        assert_eq!(double(-0.0), double(0.0));
        for bad in [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            // pure: read and compared as bits, never computed with
            assert_eq!(Double::new(bad), None);
            assert_eq!(Double::from_bits(bad.to_bits()), None);
        }
        assert_eq!(Double::from_bits(SIGN), None);
        assert_eq!(Double::from_decimal("1e999"), None);
    }

    #[test]
    fn integers_become_the_nearest_double() {
        let mut values: Vec<i128> = Vec::new();
        for shift in 0..64 {
            for near in -3..=3 {
                values.push((1i128 << shift) + near);
                values.push((1i128 << shift) * 3 / 2 + near);
            }
        }
        for value in values {
            if let Ok(value) = i64::try_from(value) {
                assert_eq!(
                    Double::from_integer(value.into()),
                    double(value as f64), // pure: read and compared as bits, never computed with
                    "{value}"
                );
                let negative = -value;
                assert_eq!(
                    Double::from_integer(negative.into()),
                    double(negative as f64) // pure: read and compared as bits, never computed with
                );
            }
            if let Ok(value) = u64::try_from(value) {
                assert_eq!(
                    Double::from_integer(value.into()),
                    double(value as f64), // pure: read and compared as bits, never computed with
                    "{value}"
                );
            }
        }
    }

    #[test]
    fn integers_and_doubles_lie_on_one_line() {
        for (value, integer, expected) in [
            (1.5, 1, Ordering::Greater),
            (1.5, 2, Ordering::Less),
            (-1.5, -1, Ordering::Less),
            (-1.5, -2, Ordering::Greater),
            (-0.5, 0, Ordering::Less),
            (5e-324, 0, Ordering::Greater),
            (-5e-324, 0, Ordering::Less),
            (0.0, 0, Ordering::Equal),
            (9007199254740992.0, 9007199254740993, Ordering::Less),
            (
                9.223372036854776e18,
                i128::from(i64::MAX),
                Ordering::Greater,
            ),
            (
                1.8446744073709552e19,
                i128::from(u64::MAX),
                Ordering::Greater,
            ),
            (-9.223372036854776e18, i128::from(i64::MIN), Ordering::Equal),
            (-f64::MAX, i128::from(i64::MIN), Ordering::Less), // pure: read and compared as bits, never computed with
        ] {
            assert_eq!(
                double(value).compare_integer(integer),
                expected,
                "{value} {integer}"
            );
        }
        for value in EDGES {
            if value.abs() < 1e19 {
                let (whole, fraction) = double(value).truncated().unwrap();
                assert_eq!(whole, value.trunc() as i128, "{value}");
                assert_eq!(fraction, value.fract() != 0.0, "{value}");
            }
        }
    }
}
