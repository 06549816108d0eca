//! `hubd`.

fn main() {}
