//! Parts of the world that are broken on purpose.

macro_rules! mistakes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A part of the world that is broken on purpose, to see that the judge notices.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mistake {
            $($(#[$doc])* $name,)*
        }

        impl Mistake {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name on the command line.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

mistakes! {
    /// The register says that it wrote, and now and then it did not.
    RegisterForgets = "register-forgets",
    /// The register takes a write whatever version it expects.
    RegisterIgnoresVersions = "register-ignores-versions",
    /// The driver takes a write that was not answered for done.
    TimeoutIsDone = "timeout-is-done",
    /// The register does not keep the lock.
    LockForgotten = "lock-forgotten",
    /// The disk says that it kept a floor, and did not.
    DiskLies = "disk-lies",
    /// The driver says that the floor is kept before it is.
    FloorTooLate = "floor-too-late",
    /// The signer has no fence: it signs what its node asks for.
    NoFence = "no-fence",
    /// The driver loses answers.
    AnswersLost = "answers-lost",
    /// Plain validators forget their locks: more than a third of all are faulty then, and the chain may fork.
    LocksIgnored = "locks-ignored",
}

impl Mistake {
    /// Finds one by its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|mistake| mistake.name() == name)
    }
}
