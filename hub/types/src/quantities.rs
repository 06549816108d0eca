//! Numbers with a meaning: amounts, gas, heights and times.

use alloc::string::{String, ToString};
use core::fmt;

use wire::cosmos::base::v1beta1::Coin;

use crate::FEE_DENOM;

/// Why a number was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// A coin of another denomination.
    #[error("the denomination is {FEE_DENOM}, not {found:?}")]
    Denomination {
        /// What was given, cut to a printable length.
        found: String,
    },
    /// An amount that is no decimal number of 64 bits.
    #[error(
        "an amount is a decimal number below 2^64 without sign or leading zeros, not {found:?}"
    )]
    Amount {
        /// What was given, cut to a printable length.
        found: String,
    },
    /// A time whose parts are out of range.
    #[error("a time has a second between the years 1 and 9999 and less than 10^9 nanoseconds")]
    Time,
    /// A height below 0 or above 2^63 - 1, which CometBFT cannot count.
    #[error("{found} is no block height")]
    Height {
        /// What was given.
        found: i64,
    },
}

/// Coins, in [`FEE_DENOM`].
///
/// 64 bits: genesis refuses a supply above them, and nothing mints, so no sum of balances
/// overflows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub u64);

impl Amount {
    /// Reads the one coin of a message.
    ///
    /// # Errors
    /// [`QuantityError::Denomination`], [`QuantityError::Amount`].
    pub fn from_coin(coin: &Coin) -> Result<Self, QuantityError> {
        if coin.denom != FEE_DENOM {
            return Err(QuantityError::Denomination {
                found: excerpt(&coin.denom),
            });
        }
        Self::parse(&coin.amount)
    }

    /// Reads a decimal number without sign or leading zeros.
    ///
    /// # Errors
    /// [`QuantityError::Amount`].
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        let refuse = || QuantityError::Amount {
            found: excerpt(text),
        };
        let canonical = text == "0" || !text.starts_with(['0', '+']);
        match canonical {
            true => text.parse().map(Self).map_err(|_| refuse()),
            false => Err(refuse()),
        }
    }

    /// The coin, for a message.
    #[must_use]
    pub fn to_coin(self) -> Coin {
        Coin {
            denom: FEE_DENOM.into(),
            amount: self.0.to_string(),
        }
    }

    /// The sum, unless it overflows.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The difference, unless `other` is more.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(rest) => Some(Self(rest)),
            None => None,
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{FEE_DENOM}", self.0)
    }
}

/// Units of work, see [`crate::GasSchedule`].
pub type Gas = u64;

/// A block's height. 0 is the state of genesis, before the first block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Height(pub u64);

impl Height {
    /// The height that CometBFT gives.
    ///
    /// # Errors
    /// [`QuantityError::Height`].
    pub fn from_i64(height: i64) -> Result<Self, QuantityError> {
        u64::try_from(height)
            .map(Self)
            .map_err(|_| QuantityError::Height { found: height })
    }

    /// The height whose header holds the root of the state after this one (DESIGN §4).
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The height after which the state was as this height's header says; genesis for 0.
    #[must_use]
    pub const fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A block's time: seconds since 1970-01-01T00:00:00Z and nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    seconds: i64,
    nanos: u32,
}

impl Timestamp {
    /// The bounds of protobuf's Timestamp: 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z.
    const SECONDS: core::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

    /// Puts a time together.
    ///
    /// # Errors
    /// [`QuantityError::Time`].
    pub fn new(seconds: i64, nanos: u32) -> Result<Self, QuantityError> {
        match Self::SECONDS.contains(&seconds) && nanos < 1_000_000_000 {
            true => Ok(Self { seconds, nanos }),
            false => Err(QuantityError::Time),
        }
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// The rest, in nanoseconds.
    #[must_use]
    pub const fn nanos(self) -> u32 {
        self.nanos
    }

    /// The same moment, as the policy engine takes it.
    #[must_use]
    pub fn to_policy(self) -> policy::Time {
        policy::Time::new(self.seconds, self.nanos)
            .expect("both kinds of time have the same bounds")
    }

    /// How much later this is than `earlier`, in nanoseconds; negative if it is earlier.
    #[must_use]
    pub fn nanos_since(self, earlier: Self) -> i128 {
        let seconds = i128::from(self.seconds) - i128::from(earlier.seconds);
        seconds * 1_000_000_000 + i128::from(self.nanos) - i128::from(earlier.nanos)
    }
}

/// `2026-11-20T10:50:00.123456789Z`: RFC 3339, the fraction only where there is one.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.seconds.div_euclid(86_400));
        let second = self.seconds.rem_euclid(86_400);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        if self.nanos != 0 {
            let fraction = alloc::format!("{:09}", self.nanos);
            write!(f, ".{}", fraction.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

/// The proleptic Gregorian date of a day counted from 1970-01-01.
///
/// Counts in eras of 400 years (146,097 days) that begin on 1 March, so that the leap day is the
/// last of its year and months have the lengths 31, 30, 31, 30, 31 twice and a rest.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468; // 0000-03-01 is 719,468 days before 1970-01-01
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let leap_corrected =
        day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096;
    let year_of_era = leap_corrected / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// Cuts what a stranger sent before it stands in an error (Invariant 7).
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_has_one_spelling() {
        assert_eq!(Amount::parse("0"), Ok(Amount(0)));
        assert_eq!(Amount::parse("18446744073709551615"), Ok(Amount(u64::MAX)));
        for bad in [
            "",
            "00",
            "01",
            "+1",
            "-1",
            "1 ",
            "1.0",
            "18446744073709551616",
            "0x1",
        ] {
            assert!(Amount::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn another_denomination_is_refused_by_name() {
        let coin = Coin {
            denom: "uatom".into(),
            amount: "1".into(),
        };
        let error = Amount::from_coin(&coin).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the denomination is uhold, not \"uatom\""
        );
    }

    #[test]
    fn times_are_written_as_rfc_3339_says() {
        for (seconds, nanos, text) in [
            (0, 0, "1970-01-01T00:00:00Z"),
            (951_782_400, 0, "2000-02-29T00:00:00Z"),
            (1_709_164_800, 120_000_000, "2024-02-29T00:00:00.12Z"),
            (-1, 1, "1969-12-31T23:59:59.000000001Z"),
            (
                253_402_300_799,
                999_999_999,
                "9999-12-31T23:59:59.999999999Z",
            ),
            (-62_135_596_800, 0, "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(Timestamp::new(seconds, nanos).unwrap().to_string(), text);
        }
        assert!(Timestamp::new(0, 1_000_000_000).is_err());
        assert!(Timestamp::new(253_402_300_800, 0).is_err());
    }
}
