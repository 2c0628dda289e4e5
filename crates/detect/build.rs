//! The lists are embedded from their folder; a new file in it must reach the binary.

fn main() {
    println!("cargo:rerun-if-changed=../../wordlists");
}
