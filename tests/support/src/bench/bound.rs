//! The best that can be: the same texts at the same moments, with workers that lose no time.

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

#[cfg(test)]
mod tests {
    use super::ends;

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
