//! Medians, percentiles, and how figures are written.

/// What several measurements of one thing gave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The middle one.
    pub median: f64,
    /// The smallest.
    pub least: f64,
    /// The largest.
    pub most: f64,
}

/// The latest of these moments; zero if there is none.
pub fn last(times: &[f64]) -> f64 {
    times.iter().copied().fold(0.0, f64::max)
}

impl Spread {
    /// Of these values; zeros if there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self {
            median: percentile(&values, 0.5),
            least: values.first().copied().unwrap_or(0.0),
            most: values.last().copied().unwrap_or(0.0),
        }
    }

    /// `median (least-most)`, each with `digits` digits after the point.
    pub fn show(&self, digits: usize) -> String {
        let [median, least, most] =
            [self.median, self.least, self.most].map(|value| number(value, digits));
        if least == most {
            return median;
        }
        format!("{median} ({least}-{most})")
    }

    /// The same in per cent of one.
    pub fn per_cent(&self) -> String {
        let times = |value: f64| value * 100.0;
        let whole = Self {
            median: times(self.median),
            least: times(self.least),
            most: times(self.most),
        };
        format!("{} %", whole.show(0))
    }
}

/// The value at `part` (0 to 1) of sorted values, by the nearest rank; 0 if there are none.
pub fn percentile(sorted: &[f64], part: f64) -> f64 {
    if sorted.is_empty() {
        return 0.0;
    }
    let rank = (part * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

/// A figure with `digits` digits after the point, and commas between thousands.
pub fn number(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let (sign, whole) = match whole.strip_prefix('-') {
        Some(whole) => ("-", whole),
        None => ("", whole),
    };
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_ends_of_some_values() {
        let spread = Spread::of([3.0, 1.0, 2.0]);
        assert_eq!(spread.show(1), "2.0 (1.0-3.0)");
        assert_eq!(Spread::of([0.5]).per_cent(), "50 %");
        assert_eq!(Spread::of([]).show(0), "0");
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile(&values, 0.5), 50.0);
        assert_eq!(percentile(&values, 0.99), 99.0);
        assert_eq!(percentile(&values, 1.0), 100.0);
        assert_eq!(percentile(&[7.0], 0.5), 7.0);
    }

    #[test]
    fn thousands_are_parted() {
        assert_eq!(number(1_234_567.89, 1), "1,234,567.9");
        assert_eq!(number(-1234.0, 0), "-1,234");
        assert_eq!(number(999.0, 0), "999");
    }
}
