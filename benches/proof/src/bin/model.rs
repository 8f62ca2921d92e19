//! `cargo model`
use std::sync::Arc;
use beam_proof::model::{Signing, bounds::Bounds, tally::{Tally, What}};
use clap::Parser;
use stateright::{Checker as _, Model as _, HasDiscoveries};

#[derive(Debug, Parser)]
struct Args {
    #[command(flatten)]
    bounds: Bounds,
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

fn main() {
    let args = Args::parse();
    println!("{}", args.bounds);
    let tally = Arc::new(Tally::default());
    let begun = std::time::Instant::now();
    let checker = Signing::new(args.bounds, tally.clone()).checker().threads(args.threads).finish_when(HasDiscoveries::AnyFailures).spawn_bfs();
    while !checker.is_done() { std::thread::sleep(std::time::Duration::from_millis(500)); eprintln!("{} unique {} total, depth {} {:?}", checker.unique_state_count(), checker.state_count(), checker.max_depth(), begun.elapsed()); }
    let checker = checker.join();
    println!("{} states, depth {}, {:?}", checker.unique_state_count(), checker.max_depth(), begun.elapsed());
    for (what, name) in What::ALL { println!("  {:>10} {name}", tally.count(what)); }
    for (name, path) in checker.discoveries() {
        println!("BROKEN: {name}");
        let last = path.last_state().clone();
        for (world, happening) in path.into_vec() {
            if let Some(h) = happening { println!("  {}", h.tell(&world, checker.model().votes())); }
        }
        for line in checker.model().tell_alone(&last) { println!("    alone: {line}"); }
    }
}
