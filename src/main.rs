//! The `qunguan` command.

fn main() -> std::process::ExitCode {
    qunguan::cli::main()
}
