//! The model check: the real signing machine, and everything that can go wrong around it, in every order.

mod alone;
pub mod bounds;
pub mod happening;
pub mod host;
mod judge;
pub mod preset;
mod register;
pub mod rule;
pub mod run;
pub mod step;
pub mod tally;
pub mod vote;
pub mod world;

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use stateright::{Model, Property};

use bounds::Bounds;
use happening::Happening;
use rule::Rule;
use step::With;
use tally::Tally;
use vote::Votes;
use world::World;

/// A model within its bounds.
#[derive(Debug)]
pub struct Signing {
    bounds: Bounds,
    votes: Votes,
    tally: Arc<Tally>,
    /// What the continuations count, for themselves.
    aside: Tally,
    /// Machines, disks and registers from which one machine alone is known to go on.
    go_on: Vec<Mutex<HashSet<u64>>>,
    hasher: RandomState,
}

const SHARDS: usize = 64;

impl Signing {
    /// The model of these bounds.
    #[must_use]
    pub fn new(bounds: Bounds, tally: Arc<Tally>) -> Self {
        let votes = Votes::new(&bounds.positions);
        let go_on = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { bounds, votes, tally, aside: Tally::default(), go_on, hasher: RandomState::new() }
    }

    /// Its votes.
    #[must_use]
    pub fn votes(&self) -> &Votes {
        &self.votes
    }

    fn with(&self) -> With<'_> {
        With { votes: &self.votes, tally: &self.tally }
    }

    /// Why not every machine goes on alone, in words.
    #[must_use]
    pub fn tell_alone(&self, world: &World) -> Vec<String> {
        let with = With { votes: &self.votes, tally: &self.aside };
        let stuck = world.hosts.iter().map(|host| host.process.slot).find(|slot| !world.goes_on_alone(with, *slot));
        stuck.map(|slot| world.tell_alone(with, slot)).unwrap_or_default()
    }

    /// Whether every machine goes on alone. What it comes to depends on the machine, the register and whether somebody
    /// has touched the register from outside, so each such case is tried once.
    fn all_go_on(&self, world: &World) -> bool {
        world.hosts.iter().filter(|host| host.touched || host.process.slot == 0).all(|host| {
            let judge = &world.judge;
            let outside = (judge.put_back, judge.made_anew, judge.stranger);
            let key = self.hasher.hash_one((
                (&host.signer, &host.disk, &host.pending, &host.waiting),
                (host.now, host.stranger, &world.cell, outside),
            ));
            let shard = usize::try_from(key % 64).unwrap_or_default();
            let Some(shard) = self.go_on.get(shard) else { return false };
            if shard.lock().unwrap_or_else(PoisonError::into_inner).contains(&key) {
                return true;
            }
            let with = With { votes: &self.votes, tally: &self.aside };
            let goes_on = world.goes_on_alone(with, host.process.slot);
            if goes_on {
                shard.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
            }
            goes_on
        })
    }
}

impl Model for Signing {
    type State = World;
    type Action = Happening;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(&self.bounds)]
    }

    fn actions(&self, world: &World, out: &mut Vec<Happening>) {
        happening::all(world, &self.bounds, &self.votes, out);
    }

    fn next_state(&self, world: &World, happening: Happening) -> Option<World> {
        let mut next = world.clone();
        next.happen(self.with(), &happening)?;
        next.settle(happening.whom());
        Some(next)
    }

    fn format_action(&self, action: &Happening) -> String {
        format!("{action:?}")
    }

    fn properties(&self) -> Vec<Property<Self>> {
        macro_rules! kept {
            ($($rule:ident),+) => {
                vec![$(Property::always(Rule::$rule.name(), |_: &Self, world: &World| {
                    world.judge.broken != Some(Rule::$rule)
                })),+]
            };
        }
        let mut properties = kept!(
            OneValue, WrittenFirst, Forward, SameLineage, NewOwnerNewEpoch, LockBinds, FloorFirst, FloorHolds,
            AnswerFits, AnsweredOnce, AnsweredInTime, PauseHolds, StopsWithCause, StrangerStops
        );
        properties.push(Property::always(Rule::GoesOn.name(), |model: &Self, world: &World| {
            world.judge.broken.is_some() || model.all_go_on(world)
        }));
        properties
    }
}
