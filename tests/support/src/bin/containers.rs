//! `containers`: see [`support::containers`].

fn main() -> std::process::ExitCode {
    support::containers::main()
}
