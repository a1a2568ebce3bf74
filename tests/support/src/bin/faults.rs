//! `faults`: see [`support::faults`].

fn main() -> std::process::ExitCode {
    support::faults::main()
}
