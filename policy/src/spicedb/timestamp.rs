//! Times as expirations are written: `2030-01-01T00:00:00Z` (RFC 3339 §5.6, in UTC).

/// Whether `text` is a time that exists; seconds may have a fraction of up to nine digits.
pub(crate) fn is_timestamp(text: &str) -> bool {
    read(text).is_some()
}

fn read(text: &str) -> Option<()> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !(1..=9).contains(&fraction.len()) || !digits(fraction) {
        return None;
    }
    let number = |text: Option<&str>, length: usize| {
        let text = text.filter(|text| text.len() == length && digits(text))?;
        text.parse::<u32>().ok()
    };
    let mut date = date.split('-');
    let year = number(date.next(), 4)?;
    let month = number(date.next(), 2)?;
    let day = number(date.next(), 2)?;
    let mut time = time.split(':');
    let hour = number(time.next(), 2)?;
    let minute = number(time.next(), 2)?;
    let second = number(time.next(), 2)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let whole = date.next().is_none() && time.next().is_none();
    (whole && (1..=days).contains(&day) && hour < 24 && minute < 60 && second < 60).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_exist_are_times() {
        for good in ["2023-12-01T00:00:00Z", "2024-02-29T23:59:59.123456789Z"] {
            assert!(is_timestamp(good), "{good}");
        }
        for bad in [
            "",
            "2023-12-01",
            "2023-12-01T00:00:00",
            "2023-02-29T00:00:00Z",
            "2023-12-01T24:00:00Z",
            "2023-12-01T00:00:60Z",
            "2023-12-01T00:00Z",
            "2023-12-01T00:00:00.Z",
            "2023-12-01T00:00:00+01:00",
            "+023-12-01T00:00:00Z",
            "2023-12-01-01T00:00:00Z",
        ] {
            assert!(!is_timestamp(bad), "{bad}");
        }
    }
}
