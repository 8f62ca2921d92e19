//! Tells the runner which platform it is on.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=BEAM_FUZZ_TRIPLE={}", std::env::var("TARGET").unwrap_or_default());
}
