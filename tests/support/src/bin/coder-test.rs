//! `coder-test`: see [`support::coder_test`].

fn main() -> std::process::ExitCode {
    support::coder_test::main()
}
