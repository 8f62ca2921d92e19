//! Names of things, as the cloud (or, for tags and tokens, its caller) gave them.

use std::fmt;

/// A text that names one kind of thing.
macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is.
            #[must_use]
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

text_id! {
    /// One machine.
    InstanceId;
    /// One fixed public address. The id stays when the address moves.
    AddressId;
    /// One disk.
    VolumeId;
    /// One snapshot of a disk.
    SnapshotId;
    /// A recipe for machines, kept in the cloud, with its version.
    TemplateId;
    /// A part of the region that fails on its own. A disk and its machine are in the same one.
    Zone;
    /// The tag value that all things of one fleet carry.
    FleetTag;
    /// Names one intention to make something. At most 64 printable ASCII characters; a new intention has a new one.
    Token;
}
