//! How property tests run: with drawn cases, of which a failing set can be had again.

use std::hash::{BuildHasher, RandomState};

use proptest::test_runner::{Config, RngSeed};

/// Proptest's own settings (256 cases; `PROPTEST_CASES` changes that), without files of past failures. The seed is
/// printed, which a test's output shows where it fails.
pub(crate) fn drawn() -> Config {
    let config = Config::default();
    let seed = match config.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => RandomState::new().hash_one(()),
    };
    println!("the same cases again: PROPTEST_RNG_SEED={seed} cargo test");
    Config {
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..config
    }
}
