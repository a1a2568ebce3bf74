//! `demo`: see [`support::demo`].

fn main() -> std::process::ExitCode {
    support::demo::main()
}
