//! What never happens, whatever does. The judge is in [`super::world`].

use proptest::collection::vec;
use proptest::prelude::*;

use super::world::{Choice, World};

fn history() -> impl Strategy<Value = Vec<Choice>> {
    vec(any::<Choice>(), 1..400)
}

fn live(machines: u8, history: &[Choice]) -> World {
    let mut world = World::new(machines);
    for choice in history {
        world.live(*choice);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Also: marks in the register only grow, what is signed was in the register, the floor is there before a signature
    /// leaves, a lock binds other sessions, every request is answered once and in time: the world asserts each at every step.
    #[test]
    fn never_two_values_at_a_mark(history in history()) {
        live(2, &history);
    }

    #[test]
    fn never_two_values_at_a_mark_with_three_machines(history in history()) {
        live(3, &history);
    }

    #[test]
    fn always_somebody_signs_when_the_faults_end(history in history()) {
        live(2, &history).heal();
    }
}

#[test]
fn histories_do_sign() {
    // A judge that never sees a signature proves nothing.
    let mut random = 1_u64;
    let mut draw = move || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        random >> 33
    };
    let signatures: usize = (0..200)
        .map(|_| {
            let history: Vec<Choice> = (0..200)
                .map(|_| {
                    (
                        draw().to_le_bytes()[0],
                        draw().to_le_bytes()[0],
                        u16::try_from(draw() & 0xffff).unwrap(),
                    )
                })
                .collect();
            live(2, &history).signatures
        })
        .sum();
    assert!(signatures > 400, "{signatures}");
}
