mod ledger;
mod slashing;
mod window;

use super::*;
use crate::signing::{Height, Round};

fn commit(height: u64, ours: Flag) -> Commit {
    let others = Share { absent: 2, of: 179 };
    Commit { height: Height(height), round: Round(0), ours, others, power: None }
}
