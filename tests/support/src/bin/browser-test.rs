//! `browser-test`: see [`support::browser_test`].

fn main() -> std::process::ExitCode {
    support::browser_test::main()
}
