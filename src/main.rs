//! The executable. All of its code is in the library.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    coder_sms_register::cli::main(std::env::args_os().skip(1))
}
