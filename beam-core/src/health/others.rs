//! What the others' heights say: whether the chain goes on, and how far it is.
//!
//! * A source is only ever compared with itself. That one appears, or comes back, is no rise.
//! * Peers are strangers, and there are many: together they are one source, whose height is the middle one of theirs. References, the
//!   register and twins are our own.
//! * That the chain *goes on* anybody may show. That it *stands* only references and peers can: the register and twins are our own
//!   validator, which stands when we are all ill.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::health::Source;
use crate::health::config::AHEAD_BLOCKS_MIN;
use crate::signing::Height;
use crate::time::Instant;

/// A source, with all peers as one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Voice {
    Source(Source),
    Peers,
}

impl Voice {
    /// Whether it would rise if the chain did, whatever our own validator does.
    fn is_independent(&self) -> bool {
        match self {
            Self::Peers | Self::Source(Source::Reference(_) | Source::Peer(_)) => true,
            Self::Source(Source::Register | Source::Twin(_)) => false,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Heard {
    height: Height,
    first: Instant,
    rose: Option<Instant>,
}

/// What is remembered of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Others {
    heard: BTreeMap<Voice, Heard>,
}

impl Others {
    /// Takes in a look's heights. Who is not in it is forgotten.
    pub(super) fn hear(&mut self, now: Instant, heights: &BTreeMap<Source, Height>) {
        let before = std::mem::take(&mut self.heard);
        for (voice, height) in voices(heights) {
            let heard = match before.get(&voice) {
                Some(known) if height > known.height => Heard { height, rose: Some(now), first: known.first },
                // A height never falls; a node that was reset is somebody new.
                Some(known) if height == known.height => known.clone(),
                _ => Heard { height, first: now, rose: None },
            };
            self.heard.insert(voice, heard);
        }
    }

    /// The highest height known.
    pub(super) fn highest(&self) -> Option<Height> {
        self.heard.values().map(|heard| heard.height).max()
    }

    /// Whether somebody was seen to rise after `since`, and is clearly above `own`.
    pub(super) fn go_on(&self, own: Height, since: Instant) -> bool {
        self.heard.values().any(|heard| {
            heard.height.0 >= own.0.saturating_add(AHEAD_BLOCKS_MIN)
                && heard.rose.is_some_and(|rose| rose > since)
        })
    }

    /// Whether somebody was seen to rise within the last `still_after`, wherever they are.
    fn anybody_rose(&self, now: Instant, still_after: Duration) -> bool {
        self.heard.values().any(|heard| heard.rose.is_some_and(|rose| now.since(rose) <= still_after))
    }

    /// Whether the chain stands: somebody independent was watched for longer than `still_after`, and nobody rose in that time.
    pub(super) fn stand(&self, now: Instant, still_after: Duration) -> bool {
        let watched =
            |(voice, heard): (&Voice, &Heard)| voice.is_independent() && now.since(heard.first) > still_after;
        self.heard.iter().any(watched) && !self.anybody_rose(now, still_after)
    }

    /// Whether there is anybody who could show that the chain stands.
    pub(super) fn independent(&self) -> bool {
        self.heard.keys().any(Voice::is_independent)
    }
}

/// The heights with those of all peers made one: the middle one, the lower of two.
fn voices(heights: &BTreeMap<Source, Height>) -> BTreeMap<Voice, Height> {
    let mut peers = Vec::new();
    let mut voices = BTreeMap::new();
    for (source, height) in heights {
        match source {
            Source::Peer(_) => peers.push(*height),
            Source::Reference(_) | Source::Register | Source::Twin(_) => {
                voices.insert(Voice::Source(source.clone()), *height);
            }
        }
    }
    peers.sort_unstable();
    let middle = peers.len().saturating_sub(1) / 2;
    if let Some(height) = peers.get(middle) {
        voices.insert(Voice::Peers, *height);
    }
    voices
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::at(Duration::from_secs(seconds))
    }

    fn others(looks: &[(u64, &[(Source, u64)])]) -> Others {
        let mut others = Others::default();
        for (second, heights) in looks {
            let heights = heights.iter().map(|(source, height)| (source.clone(), Height(*height))).collect();
            others.hear(at(*second), &heights);
        }
        others
    }

    fn peer(name: &str) -> Source {
        Source::Peer(name.to_owned())
    }

    fn reference() -> Source {
        Source::Reference("sentry".to_owned())
    }

    #[test]
    fn one_who_appears_ahead_has_not_risen() {
        let appeared = others(&[(1, &[]), (2, &[(reference(), 900)])]);
        assert!(!appeared.go_on(Height(10), at(0)));
        let rose = others(&[(1, &[(reference(), 900)]), (2, &[(reference(), 901)])]);
        assert!(rose.go_on(Height(10), at(0)) && rose.go_on(Height(899), at(1)));
        assert!(!rose.go_on(Height(10), at(2)), "not since then");
        assert!(!rose.go_on(Height(900), at(0)), "one block is no evidence");
    }

    #[test]
    fn of_peers_the_middle_one_is_believed() {
        let liar = |height| [(peer("a"), 10), (peer("b"), 10), (peer("liar"), height)];
        let lied = others(&[(1, &liar(1_000_000)), (2, &liar(2_000_000))]);
        assert_eq!(lied.highest(), Some(Height(10)));
        assert!(!lied.go_on(Height(5), at(0)));
        assert_eq!(others(&[(1, &[(peer("a"), 10), (peer("liar"), 99)])]).highest(), Some(Height(10)));
    }

    #[test]
    fn only_others_can_show_that_the_chain_stands() {
        let still = Duration::from_secs(30);
        let ours: &[(Source, u64)] = &[(Source::Register, 10), (Source::Twin("b".to_owned()), 10)];
        assert!(!others(&[(0, ours), (31, ours)]).stand(at(31), still));
        let theirs: &[(Source, u64)] = &[(peer("a"), 10), (Source::Register, 10)];
        assert!(!others(&[(0, theirs), (30, theirs)]).stand(at(30), still), "not watched for long enough");
        assert!(others(&[(0, theirs), (31, theirs)]).stand(at(31), still));
        let moved: &[(Source, u64)] = &[(peer("a"), 10), (Source::Register, 11)];
        assert!(!others(&[(0, theirs), (31, moved)]).stand(at(31), still));
    }
}
