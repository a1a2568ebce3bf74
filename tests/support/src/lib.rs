//! What all tests of the service share: a class to play in, strict fakes of Coder and Twilio, and the commands of
//! `make demo`, `make faults`, `make bench`, `make coder-test` and `make docker-test`.
//!
//! Start with [`classroom::Classroom`]: it runs the real program with a real Redis and both [`fakes`].

#![forbid(unsafe_code)]
#![warn(
    clippy::manual_let_else,
    clippy::or_fun_call,
    clippy::semicolon_if_nothing_returned,
    clippy::use_self
)]

#[cfg(feature = "all")]
pub mod bench;
#[cfg(feature = "all")]
pub mod browser;
#[cfg(feature = "all")]
pub mod browser_test;
pub mod classroom;
#[cfg(feature = "all")]
pub mod coder_test;
#[cfg(feature = "all")]
pub mod containers;
pub mod demo;
pub mod fakes;
#[cfg(feature = "all")]
pub mod faults;
#[cfg(feature = "all")]
pub mod order_file;
pub mod picture;

use std::path::{Path, PathBuf};

/// The root of the checkout.
pub fn project() -> &'static Path {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests = folder.parent().expect("the folder of all tests");
    tests.parent().expect("the root of the checkout")
}

/// The program under test. It lies in `target/<profile>`, beside the running command or above the running test.
///
/// # Errors
/// It is not there; how it gets there.
pub fn program() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let folders = own.ancestors().skip(1).take(2);
    let mut places = folders.map(|folder| folder.join("coder-sms-register"));
    places.find(|place| place.is_file()).ok_or_else(|| {
        format!(
            "coder-sms-register is not built beside {}: its make target builds it",
            own.display()
        )
    })
}
