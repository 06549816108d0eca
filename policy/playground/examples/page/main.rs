//! Builds the page and prints where it is: what `policy/playground/build` runs.

mod assemble;

fn main() -> Result<(), std::io::Error> {
    println!("{}", assemble::build()?.display());
    Ok(())
}
