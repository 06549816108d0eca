//! Times, made robust against whoever shares the machine: medians of many batches.

use std::{hint::black_box, time::Instant};

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// What the figures of the notes are taken from.
    Full,
    /// Smaller graphs and fewer repetitions: `--quick`, or `HOLDFAST_QUICK` set.
    Quick,
    /// Every question once, for its answer only: a test.
    Once,
}

impl Extent {
    /// As this process was called. Cargo passes `--bench` to benches that it runs as such.
    pub fn of_this_run() -> Self {
        let given = |flag: &str| std::env::args().any(|argument| argument == flag);
        let quick = given("--quick") || std::env::var_os("HOLDFAST_QUICK").is_some();
        match given("--bench") {
            false => Self::Once,
            true if quick => Self::Quick,
            true => Self::Full,
        }
    }

    /// Whether a name was asked for: any, unless the process was given one.
    pub fn wants(self, name: &str) -> bool {
        let mut filters = std::env::args()
            .skip(1)
            .filter(|argument| !argument.starts_with('-'));
        self == Self::Once || filters.next().is_none_or(|filter| name.contains(&filter))
    }

    fn batches(self) -> usize {
        match self {
            Self::Full => 101,
            Self::Quick => 21,
            Self::Once => 1,
        }
    }
}

/// Shortest time of one batch: a thousand times what reading the clock takes.
const BATCH_NANOS: u128 = 50_000;

/// Longest time that is spent on what is slow, beyond the first call.
const SLOW_NANOS: u128 = 300_000_000;

/// Microseconds that one call takes, asked again and again: the median of batches.
pub fn median(extent: Extent, mut call: impl FnMut()) -> f64 {
    let mut time = |calls: usize| {
        let began = Instant::now();
        (0..calls).for_each(|_| call());
        began.elapsed().as_nanos()
    };
    let mut calls = 1;
    while extent != Extent::Once && time(calls) < BATCH_NANOS {
        calls *= 2;
    }
    let mut all: Vec<f64> = (0..extent.batches())
        .map(|_| time(calls) as f64 / calls as f64 / 1_000.0)
        .collect();
    middle(&mut all)
}

/// Microseconds of what takes long: the best of three calls, or of as many as there is time for.
pub fn slow(extent: Extent, mut call: impl FnMut()) -> f64 {
    let (mut best, mut spent) = (u128::MAX, 0);
    for _ in 0..if extent == Extent::Once { 1 } else { 3 } {
        let began = Instant::now();
        call();
        let took = began.elapsed().as_nanos();
        best = best.min(took);
        spent += took;
        if spent > SLOW_NANOS {
            break;
        }
    }
    best as f64 / 1_000.0
}

/// Median and 99th percentile of microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub median: f64,
    pub p99: f64,
}

/// Batches that a list of questions is parted into. What a neighbour on the machine spoils is then a
/// batch, and not the figure.
const PARTS: usize = 5;

/// How single questions spread, each asked once: the median of what the parts of the list say.
pub fn spread<Q>(questions: &[Q], mut ask: impl FnMut(&Q)) -> Spread {
    let size = questions.len().div_ceil(PARTS).max(1);
    let (mut medians, mut p99s) = (vec![], vec![]);
    for part in questions.chunks(size) {
        let mut times: Vec<f64> = part
            .iter()
            .map(|question| {
                let began = Instant::now();
                ask(black_box(question));
                began.elapsed().as_nanos() as f64 / 1_000.0
            })
            .collect();
        times.sort_by(f64::total_cmp);
        medians.push(times[times.len() / 2]);
        p99s.push(times[times.len() * 99 / 100]);
    }
    Spread {
        median: middle(&mut medians),
        p99: middle(&mut p99s),
    }
}

fn middle(all: &mut [f64]) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}
