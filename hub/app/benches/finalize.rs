//! What a block costs.

fn main() {
    divan::main();
}
