//! `cargo demo`: a real network of four validators on this machine, one of them run by two Beam machines. Machines are
//! killed, frozen and switched, and the blocks show what that costs. No account, no cloud, no configuration.

mod acts;
mod args;
mod feed;
mod keep;
mod paint;
mod report;
mod screen;
mod stage;
mod strip;

use std::process::ExitCode;

use anyhow::{Context, Result};
use beam_examples::judge::Outcome;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use args::Args;
use screen::Screen;

/// What shells expect of a program that was told to stop.
const STOPPED: u8 = 130;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let screen = Screen::new(args.output);
    // Whichever comes first, the other is dropped, and with it every process that was started.
    let ended = tokio::select! {
        ended = play(&args, &screen) => Some(ended),
        () = told_to_stop() => None,
    };
    screen.close();
    match ended {
        Some(Ok(true)) => ExitCode::SUCCESS,
        Some(Ok(false)) => ExitCode::FAILURE,
        Some(Err(error)) => {
            eprintln!("demo: {error:#}");
            ExitCode::from(2)
        }
        None => {
            eprintln!("demo: stopped; everything it had started is gone");
            ExitCode::from(STOPPED)
        }
    }
}

/// The whole evening. True if Beam kept what it promises.
async fn play(args: &Args, screen: &Screen) -> Result<bool> {
    let mut stage = stage::Stage::set(args, screen).await?;
    let played = async {
        let outcomes = acts::play(args, screen, &mut stage).await?;
        let report = report::Report::new(outcomes, &mut stage).await?;
        report.show(args.output, screen)?;
        if args.keep {
            keep::wait(screen, &mut stage).await;
        }
        Ok(report.is_good())
    };
    let played = played.await;
    if played.is_ok() {
        return played;
    }
    // An act that fails must not hide what is worse.
    let judged = stage.lab.verdict().await;
    stage.leave_files(screen);
    match judged {
        Ok(verdict) if verdict.outcome() == Outcome::Guilty => played.context(verdict),
        _ => played,
    }
}

async fn told_to_stop() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        // Without handlers the kernel ends the program, and the watchdogs end what it started.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
