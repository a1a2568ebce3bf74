//! Counters, gauges and histograms as plain atomics, so counting never waits.
//!
//! All operations are relaxed: a page may miss increments that happen while it is written, but never earlier ones.

use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn add(&self) {
        self.add_many(1);
    }

    /// Adds `count`.
    pub fn add_many(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// The number since the start.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// Sets the value.
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// The value that was set last.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One counter, or one histogram, for each value of a label. The values are fixed when it is created.
#[derive(Debug)]
pub struct Family<L, C = Counter> {
    members: Box<[(L, C)]>,
}

impl<L: Copy + PartialEq + Display, C: Default> Family<L, C> {
    /// One member for each of `values`.
    pub fn new(values: impl IntoIterator<Item = L>) -> Self {
        Self::with(values, C::default)
    }
}

impl<L: Copy + PartialEq + Display, C> Family<L, C> {
    /// One member for each of `values`, created by `make`.
    pub fn with(values: impl IntoIterator<Item = L>, make: impl Fn() -> C) -> Self {
        Self {
            members: values.into_iter().map(|value| (value, make())).collect(),
        }
    }

    /// The member for `value`, if there is one.
    pub fn get(&self, value: L) -> Option<&C> {
        let found = self.members.iter().find(|(known, _)| *known == value);
        found.map(|(_, member)| member)
    }

    /// All members, in the order of the values given to the constructor.
    pub fn iter(&self) -> impl Iterator<Item = (L, &C)> {
        self.members.iter().map(|(value, member)| (*value, member))
    }
}

impl<L: Copy + PartialEq + Display> Family<L> {
    /// Adds one to the member for `value`.
    pub fn add(&self, value: L) {
        if let Some(counter) = self.get(value) {
            counter.add();
        }
    }
}

/// A histogram of durations.
#[derive(Debug)]
pub struct Histogram {
    /// Upper bounds, inclusive, in ascending order.
    bounds: &'static [Duration],
    /// The number within each bound and above the previous one; the last is the number above all bounds.
    buckets: Box<[Counter]>,
    /// The sum of all, in nanoseconds: 64 bits last for centuries.
    sum: Counter,
}

/// A histogram at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Upper bounds in seconds, and the number of durations within each.
    pub buckets: Vec<(f64, u64)>,
    /// The sum of all, in seconds.
    pub sum: f64,
    /// The number of all.
    pub count: u64,
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Bounds for calls over a network.
const CALLS: &[Duration] = &[
    ms(50),
    ms(100),
    ms(250),
    ms(500),
    ms(1_000),
    ms(2_500),
    ms(5_000),
    ms(10_000),
    ms(15_000),
    ms(30_000),
];

/// Bounds for a disk.
const WRITES: &[Duration] = &[
    ms(1),
    ms(5),
    ms(10),
    ms(25),
    ms(50),
    ms(100),
    ms(250),
    ms(500),
    ms(1_000),
    ms(5_000),
];

impl Histogram {
    /// For calls over a network: 50 ms to 30 s.
    pub fn of_calls() -> Self {
        Self::within(CALLS)
    }

    /// For waits for a disk: 1 ms to 5 s.
    pub fn of_writes() -> Self {
        Self::within(WRITES)
    }

    fn within(bounds: &'static [Duration]) -> Self {
        Self {
            bounds,
            buckets: (0..=bounds.len()).map(|_| Counter::default()).collect(),
            sum: Counter::default(),
        }
    }

    /// Adds one duration.
    pub fn observe(&self, took: Duration) {
        let place = self.bounds.partition_point(|bound| *bound < took);
        self.buckets[place].add();
        self.sum
            .add_many(u64::try_from(took.as_nanos()).unwrap_or(0));
    }

    /// The present state.
    pub fn snapshot(&self) -> Snapshot {
        let mut count = 0;
        let mut buckets = Vec::with_capacity(self.bounds.len());
        for (bound, bucket) in self.bounds.iter().zip(&self.buckets) {
            count += bucket.get();
            buckets.push((bound.as_secs_f64(), count));
        }
        Snapshot {
            buckets,
            sum: Duration::from_nanos(self.sum.get()).as_secs_f64(),
            // From the same readings, so that no bucket is larger than the total.
            count: count + self.buckets[self.bounds.len()].get(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::properties::drawn;

    #[test]
    fn bounds_rise_and_are_included() {
        for bounds in [CALLS, WRITES] {
            assert!(bounds.windows(2).all(|pair| pair[0] < pair[1]));
            for (place, bound) in bounds.iter().enumerate() {
                let histogram = Histogram::within(bounds);
                histogram.observe(*bound);
                let within = histogram.snapshot().buckets;
                let first = within.iter().position(|(_, count)| *count == 1);
                assert_eq!(first, Some(place), "{bound:?}");
                let histogram = Histogram::within(bounds);
                histogram.observe(*bound + Duration::from_nanos(1));
                assert_eq!(histogram.snapshot().buckets[place].1, 0, "{bound:?}");
            }
        }
    }

    #[test]
    fn a_value_that_is_not_known_makes_no_series() {
        let family: Family<u32> = Family::new([1, 2]);
        family.add(2);
        family.add(3);
        let counts: Vec<_> = family
            .iter()
            .map(|(value, one)| (value, one.get()))
            .collect();
        assert_eq!(counts, [(1, 0), (2, 1)]);
    }

    proptest! {
        #![proptest_config(drawn())]

        #[test]
        fn buckets_are_cumulative_and_end_at_the_count(
            spans in prop::collection::vec(0..60_000_000_000_u64, 0..50)
        ) {
            let histogram = Histogram::of_calls();
            for span in &spans {
                histogram.observe(Duration::from_nanos(*span));
            }
            let Snapshot { buckets, sum, count } = histogram.snapshot();
            prop_assert_eq!(count, spans.len() as u64);
            for (bound, within) in &buckets {
                let expected = spans.iter().filter(|span| **span as f64 / 1e9 <= *bound).count();
                prop_assert_eq!(*within, expected as u64, "{}", bound);
            }
            let expected = spans.iter().sum::<u64>() as f64 / 1e9;
            prop_assert!((sum - expected).abs() < 1e-6);
        }
    }
}
