//! Configurations that are run together. Each is a list of arguments, so that one of them can be repeated, or changed, by itself.

use clap::Parser as _;

use super::bounds::Bounds;

/// Which configurations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Preset {
    /// Seconds, also without optimisation: for tests.
    Tiny,
    /// About two minutes on two busy cores: for every change.
    Quick,
    /// Ten million states and more: before a release.
    Full,
}

/// One configuration with a name.
#[derive(Clone, Debug)]
pub struct Named {
    /// What it is about.
    pub name: &'static str,
    /// The arguments that it is made of.
    pub arguments: &'static str,
    /// The same.
    pub bounds: Bounds,
}

const TINY: &[(&str, &str)] = &[
    (
        "register and crashes",
        "--positions 1/0/precommit,1/1/prevote --asks 1 --faults 1 --register 1 --local 1 --stalls 1 --crashes 1 --disks 1",
    ),
    ("put back", "--positions 1/0/prevote --asks 2 --faults 1 --put-backs 1 --lineages 1"),
];

const QUICK: &[(&str, &str)] = &[
    (
        "register, disk, key",
        "--positions 1/0/precommit,1/1/prevote --asks 2 --faults 1 --register 1 --local 1 --stalls 1 --crashes 1 --disks 1",
    ),
    (
        "two faults",
        "--positions 1/0/precommit,1/1/prevote --asks 1 --faults 2 --register 2 --local 1 --stalls 1 --crashes 2 --disks 1 --switches 1 --pauses 1",
    ),
    ("locks", "--positions 1/0/precommit,1/1/prevote,1/1/precommit --asks 2 --faults 1 --sessions 1"),
    (
        "put back, made anew",
        "--positions 1/0/precommit,1/1/prevote --asks 2 --faults 1 --put-backs 1 --lineages 1 --sightings 1 --strangers 1",
    ),
    (
        "put back, and a stall",
        "--positions 1/0/prevote,1/0/precommit --asks 1 --faults 2 --put-backs 1 --lineages 1 --stalls 1 --crashes 1 --disks 1 --register 1",
    ),
    (
        "three signers",
        "--signers 3 --positions 1/0/prevote --asks 1 --faults 1 --register 1 --stalls 1 --crashes 1",
    ),
];

const FULL: &[(&str, &str)] = &[
    (
        "every fault, two of them",
        "--positions 1/0/precommit,1/1/prevote --asks 1 --faults 2 --register 2 --local 2 --stalls 2 --crashes 2 --disks 2 --sessions 2 --switches 2 --pauses 1 --sightings 1 --strangers 1 --put-backs 1 --lineages 1",
    ),
    (
        "every fault, longer",
        "--positions 1/0/proposal,1/0/precommit,1/1/prevote --asks 2 --faults 1 --register 1 --local 1 --stalls 1 --crashes 1 --disks 1 --sessions 1 --switches 1 --pauses 1 --sightings 1 --strangers 1 --put-backs 1 --lineages 1",
    ),
    (
        "three faults at the register, the disk, the process",
        "--positions 1/0/precommit,1/1/prevote --asks 1 --faults 3 --register 3 --local 1 --stalls 1 --crashes 2 --disks 1",
    ),
    (
        "locks",
        "--positions 1/0/precommit,1/1/prevote,1/1/precommit,1/2/prevote --asks 2 --faults 1 --sessions 1 --crashes 1",
    ),
    (
        "two requests at once",
        "--positions 1/0/precommit,1/1/prevote --asks 2 --at-once 2 --faults 1 --register 1 --local 1 --stalls 1 --crashes 1 --sessions 1",
    ),
    (
        "put back, longer",
        "--positions 1/0/prevote,1/0/precommit --asks 2 --faults 2 --put-backs 1 --stalls 1 --disks 1",
    ),
    (
        "three signers",
        "--signers 3 --positions 1/0/precommit,1/1/prevote --asks 1 --faults 1 --register 1 --local 1 --stalls 1 --crashes 1 --disks 1 --switches 1",
    ),
];

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    bounds: Bounds,
}

impl Preset {
    /// Its configurations.
    ///
    /// # Errors
    /// If one of them cannot be read, which a test rules out.
    pub fn configurations(self) -> Result<Vec<Named>, clap::Error> {
        let all = match self {
            Self::Tiny => TINY,
            Self::Quick => QUICK,
            Self::Full => FULL,
        };
        all.iter()
            .map(|(name, arguments)| {
                let line = Line::try_parse_from(std::iter::once("").chain(arguments.split(' ')))?;
                Ok(Named { name, arguments, bounds: line.bounds })
            })
            .collect()
    }
}
