//! The `qunguan` command.

fn main() {}
