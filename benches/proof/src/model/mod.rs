//! The model check: the real signing machine, and everything that can go wrong around it, in every order.
//!
//! # What is modelled
//!
//! One to three machines with the same key. On each, the very [`Signer`](beam_core::signing::Signer) that signs in earnest, driven through
//! its public `step`; a node that asks for votes at a few positions, for no block or one of two, each node with a clock of its own; a disk with
//! a floor; and what the signer has under way: reads, writes, floors, signatures, done in any order and at any time. Beside them one register.
//! The state is all of that, the transitions are [`Happening`]s, and every state within the [`Bounds`] is seen. What goes wrong is a transition
//! like any other:
//!
//! * the register fails, loses an answer before or after the write took effect, lets a write that was given up take effect later or never,
//!   answers a write with what it wrote itself (a retry that a client library makes), or answers later than what happens next;
//! * kill -9 at any moment and a new start, with the disk as it is (a floor that was being written is there or not), empty, as it was a write
//!   earlier, or copied from another machine; a node that is started again by itself;
//! * a floor that is not written, or is and nobody hears of it; a key that fails; a request that runs out of time;
//! * ownership handed on by a third party; takeovers paused; a takeover too early (clocks have nothing to do with one another);
//! * the register put back to any earlier content, or its record deleted and made anew; the chain showing our signatures, or a stranger's.
//!
//! # What must hold
//!
//! Each [`Rule`], judged from outside with a memory of its own (`judge.rs`): a signature counts from the moment that the bytes go to
//! the key, whether or not it ever leaves. And from **every** state **each** machine that is left alone signs the next height within one
//! request (`alone.rs` says how that is tried). The only excuse is that the machine has stopped, and it may stop only after the register was
//! put back or made anew, or a stranger has signed.
//!
//! With a register that was put back or made anew, less is promised, and exactly this is judged: no machine signs what the floor on
//! its own disk contradicts. What no floor remembers may be signed again; nobody could know. And since versions count again, a write that was
//! decided upon before may find the version that it expects in another record. Then nothing is promised about what the *register* holds, and
//! only about what is *signed*. (They are counted, in [`tally`].)
//!
//! # What is left out, and why that is sound
//!
//! * **Time** goes by only where a signer waits for it: to its next wake, or to a deadline. In between it could notice nothing. `takeover_after` is
//!   set below one look at the register, as a longer wait is more of the same looks; a signer is woken a few times at most before its next wake is
//!   the deadline. Each machine has its own clock, so any one may be as fast or slow as it likes.
//! * **Numbers.** A clock and attempts count from what is still remembered of them
//!   ([`Signer::rebase`](beam_core::signing::Signer::rebase), which has a property test of its own).
//! * **Names.** Machines to which nothing has happened yet are interchangeable, and so are the two blocks until somebody votes for one: only
//!   the first is tried. Nothing compares ids or blocks but for equality.
//! * **A read or write and its answer** are one step, unless a fault parts them. Between the two, only what happens on the same machine could
//!   tell, and the fault lets it.
//! * **Writes that expect an earlier version** are dropped while the register cannot be put back: they have lost for good.
//! * States are told apart by a fingerprint of 64 bits, as stateright does it: at 10 million states, two would fall together once in some
//!   hundred thousand runs.
//!
//! # What is not covered
//!
//! Whatever is beyond the bounds that are printed. Vote extensions (guarded by nothing, on purpose). A register that is not linearizable. A
//! damaged or missing record (both only refuse; tested step by step). Adoption by a person (`beam_core::signing::adopt`, which has properties of its
//! own). The driver, the disk and the stores: the simulator and the contract suites are for these.

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
        let stuck =
            world.hosts.iter().map(|host| host.process.slot).find(|slot| !world.goes_on_alone(with, *slot));
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
        let happened = next.happen(self.with(), &happening);
        debug_assert!(happened.is_some(), "{happening:?} was offered and cannot happen");
        happened?;
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
            OneValue,
            WrittenFirst,
            Forward,
            SameLineage,
            NewOwnerNewEpoch,
            LockBinds,
            FloorFirst,
            FloorHolds,
            AnswerFits,
            AnsweredOnce,
            AnsweredInTime,
            PauseHolds,
            StopsWithCause,
            StrangerStops
        );
        properties.push(Property::always(Rule::GoesOn.name(), |model: &Self, world: &World| {
            world.judge.broken.is_some() || model.all_go_on(world)
        }));
        properties
    }
}
