//! `order-file`: see [`support::order_file`].

fn main() -> std::process::ExitCode {
    support::order_file::main()
}
