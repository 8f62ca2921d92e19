//! Colours, where they are wanted.

use std::env;

/// A colour of the terminal, by its meaning here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Machine a.
    A,
    /// Machine b.
    B,
    /// Something that should not be.
    Bad,
    /// Something to look at.
    Odd,
    /// Something good.
    Good,
    /// Something important.
    Strong,
    /// Something less important.
    Faint,
}

impl Ink {
    fn code(self) -> &'static str {
        match self {
            Self::A => "30;46",
            Self::B => "30;42",
            Self::Bad => "97;41",
            Self::Odd => "30;43",
            Self::Good => "32",
            Self::Strong => "1",
            Self::Faint => "2",
        }
    }
}

/// Paints, or leaves text as it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    colours: bool,
}

impl Paint {
    /// Colours on a terminal, unless NO_COLOR is set to anything.
    pub(crate) fn new(terminal: bool) -> Self {
        let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { colours: terminal && !unwanted }
    }

    /// The text in that ink.
    pub(crate) fn ink(self, ink: Ink, text: &str) -> String {
        if self.colours { format!("\x1b[{}m{text}\x1b[0m", ink.code()) } else { text.to_owned() }
    }
}
