//! The account that is carried on, against x/slashing itself.

use proptest::prelude::*;

use super::slashing::Chain;
use super::*;

/// What happens in one block: what the commit of the height before shows, if we are in the set; whether the validator's stake changes;
/// and whether the chain is asked for its account afterwards.
#[derive(Clone, Debug)]
struct Block {
    absent: bool,
    nil: bool,
    moves: bool,
    asked: bool,
}

fn blocks(absent: f64) -> impl Strategy<Value = Vec<Block>> {
    let weighted = proptest::bool::weighted;
    let block = (weighted(absent), any::<bool>(), weighted(0.04), weighted(0.05))
        .prop_map(|(absent, nil, moves, asked)| Block { absent, nil, moves, asked });
    proptest::collection::vec(block, 1..150)
}

fn params() -> impl Strategy<Value = SlashingParams> {
    (1_u64..14, 0_u64..=20).prop_map(|(window, twentieths)| SlashingParams {
        window,
        min_signed: twentieths * (SlashingParams::ONE / 20),
    })
}

/// Lives through the blocks; calls `look` after each with the chain, what it last told, and all flags since `from`.
fn live(
    params: SlashingParams,
    blocks: &[Block],
    from: u64,
    mut look: impl FnMut(&Chain, SigningInfo, &[(Height, Flag)]),
) {
    let mut chain = Chain::new(params);
    let (mut told, mut history) = (None, Vec::new());
    for block in blocks {
        let height = chain.block;
        let flag = match (chain.seated(height), block.absent, block.nil) {
            (false, _, _) => Flag::NotSeated,
            (true, true, _) => Flag::Absent,
            (true, false, true) => Flag::Nil,
            (true, false, false) => Flag::Block,
        };
        chain.execute(flag);
        if block.moves && chain.bonded {
            chain.leave();
        } else if block.moves && chain.may_join() {
            chain.join();
        }
        if height >= from.max(1) {
            history.push((Height(height), flag));
        }
        if chain.block >= from && (block.asked || told.is_none()) {
            told = Some(chain.signing_info());
        }
        if let Some(told) = told {
            look(&chain, told, &history);
        }
    }
}

/// The same count; and the same about jail, but that being let out shows only when the validator sits in the set again.
fn agree(window: &Window, chain: &Chain) {
    assert_eq!(window.missed, chain.missed_blocks_counter, "{window:?} {chain:?}");
    let not_back_yet = chain.block - 1 < chain.start_height + 2;
    assert!(window.jailed == chain.jailed || (window.jailed && not_back_yet), "{window:?} {chain:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// From the first block on: the chain's count, whatever happens in between, with one answer of the chain or many.
    #[test]
    fn the_window_is_the_chains(params in params(), blocks in (0.0..1.0).prop_flat_map(blocks)) {
        live(params, &blocks, 0, |chain, told, history| {
            let window = Window::carry_on(params, told, history);
            assert!(window.exact);
            agree(&window, chain);
        });
    }

    /// From anywhere: the chain's count where it says that it is exact, and never less than it.
    #[test]
    fn nobody_feels_safer_than_he_is(
        params in params(),
        blocks in (0.0..1.0).prop_flat_map(blocks),
        from in 0_u64..60,
    ) {
        live(params, &blocks, from, |chain, told, history| {
            let window = Window::carry_on(params, told, history);
            if window.exact {
                agree(&window, chain);
            }
            assert!(chain.jailed || window.missed >= chain.missed_blocks_counter, "{window:?} {chain:?}");
        });
    }

    /// Whatever comes, so many misses do not jail; and from the second window on, one more does.
    #[test]
    fn what_is_left_to_jail_is_what_it_takes(
        params in params(),
        blocks in (0.0..0.7).prop_flat_map(blocks),
    ) {
        live(params, &blocks, 0, |chain, told, history| {
            if !chain.stays() || chain.jailed {
                return;
            }
            let window = Window::carry_on(params, told, history);
            let mut worst = chain.clone();
            for _ in 0..window.left_to_jail {
                worst.execute(Flag::Absent);
                assert!(!worst.jailed, "{window:?} {chain:?}");
            }
            // With nothing in the ring every miss counts, and the next one is too many.
            let clean = chain.missed_blocks_counter == 0 && chain.block > chain.start_height + params.window;
            if clean && params.missed_max() < params.window {
                worst.execute(Flag::Absent);
                assert!(worst.jailed, "{window:?} {chain:?}");
            }
        });
    }
}
