//! The defaults are embedded from these folders; a new file in one of them must reach the binary.

fn main() {
    println!("cargo:rerun-if-changed=config");
    println!("cargo:rerun-if-changed=wordlists");
}
