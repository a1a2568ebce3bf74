//! `bench`: see [`support::bench`].

fn main() -> std::process::ExitCode {
    support::bench::main()
}
