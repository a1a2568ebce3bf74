//! The best that can be: the same texts at the same moments, with workers that lose no time.

use super::stats::last;
use crate::fakes::coder::CallCounter;

/// When each of the texts that came at `arrivals` (sorted) is answered at best, if each takes `work`
/// of one of `workers`. All in seconds.
///
/// All texts take the same time, so first come, first served is as good as any order.
pub fn ends(arrivals: &[f64], work: f64, workers: usize) -> Vec<f64> {
    let mut free = vec![0.0_f64; workers.max(1)];
    let end = |&arrival: &f64| {
        let next = free
            .iter_mut()
            .min_by(|a, b| a.total_cmp(b))
            .expect("at least one worker");
        *next = next.max(arrival) + work;
        *next
    };
    arrivals.iter().map(end).collect()
}

/// When the last of these texts is answered at best, where Coder limits the calls that make a user. `began` is the Unix
/// time of the first text; the other times are seconds after it. Workers know at any moment whether Coder will accept a
/// call.
pub fn last_under_limit(
    arrivals: &[f64],
    work: f64,
    workers: usize,
    began: f64,
    limit: u64,
) -> f64 {
    const STEP: f64 = 0.01;
    let mut counter = CallCounter::default();
    let mut free = vec![0.0_f64; workers.max(1)];
    let (mut served, mut now) = (0, 0.0);
    while let Some(arrival) = arrivals.get(served) {
        let idle = free.iter_mut().find(|free| **free <= now);
        match idle.filter(|_| *arrival <= now) {
            Some(worker) if counter.take(limit, (began + now) as u64).is_some() => {
                *worker = now + work;
                served += 1;
            }
            _ => now += STEP,
        }
    }
    last(&free)
}

#[cfg(test)]
mod tests {
    use super::{ends, last_under_limit};

    #[test]
    fn texts_above_the_limit_wait_for_the_next_minute() {
        let last = |began| last_under_limit(&[0.0; 4], 1.0, 8, began, 3);
        // The three calls of the first minute count for less than three from its first second on.
        assert!((last(640.0) - 22.0).abs() < 0.1, "{}", last(640.0));
        assert!((last(600.0) - 62.0).abs() < 0.1, "{}", last(600.0));
    }

    #[test]
    fn one_worker_serves_texts_one_after_the_other() {
        assert_eq!(ends(&[0.0, 0.0, 0.0], 2.0, 1), [2.0, 4.0, 6.0]);
    }

    #[test]
    fn free_workers_wait_for_the_next_text() {
        assert_eq!(ends(&[0.0, 1.0, 5.0], 2.0, 2), [2.0, 3.0, 7.0]);
    }

    #[test]
    fn more_workers_than_texts_are_no_faster() {
        assert_eq!(ends(&[0.0, 0.0], 2.0, 9), ends(&[0.0, 0.0], 2.0, 2));
    }
}
