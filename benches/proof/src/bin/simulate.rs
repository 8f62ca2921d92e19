//! quick
use beam_core::sim::{Settings, Summary, simulate};
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let first: u64 = args[1].parse().unwrap();
    let n: u64 = args[2].parse().unwrap();
    let began = std::time::Instant::now();
    if n == 1 {
        let run = simulate(first, &Settings { story: true, ..Settings::default() });
        print!("{}", run.story);
        println!("{:?}", run.violation);
        return;
    }
    let mut sum = Summary::default();
    for seed in first..first + n {
        let run = simulate(seed, &Settings::default());
        if let Some(v) = &run.violation {
            println!("{seed} {:?} {:?}", v, run.struck);
        }
        sum.add(&run);
    }
    println!(
        "{:#?}",
        (
            sum.runs,
            sum.failed.len(),
            sum.virtual_micros / 1_000_000,
            sum.events,
            sum.heights,
            sum.signatures,
            sum.takeovers,
            sum.switchovers,
            sum.halts,
            sum.nil_while_locked,
            sum.longest_wait
        )
    );
    for (f, c) in &sum.alone_on_owner {
        println!("{:30} {:?}", f.name(), c);
    }
    println!("{:?}", began.elapsed());
}
