//! Tags: how a thing in the account says whose it is, what it is for, and for which intention it was made.
//!
//! They are given with the call that makes the thing, never by a second call that could be lost. What does not carry [`FLEET`] was
//! not made by Beam, and Beam does not end it, release it or delete it.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Filter, ResourceType, Tag, TagSpecification};
use beam_core::cloud_provider::{CloudError, FleetTag, Role, Token};

/// The fleet that a thing belongs to. On everything that is made here.
pub const FLEET: &str = "beam:fleet";
/// The intention that it was made for. On everything that is made here, but the disks that come with a machine.
pub const TOKEN: &str = "beam:token";
/// `validator` or `sentry`. On machines and their disks.
pub const ROLE: &str = "beam:role";
/// The device that holds the chain's data. On machines that have one.
pub const DATA_DEVICE: &str = "beam:data-device";
/// The chain whose data it holds. On snapshots.
pub const CHAIN: &str = "beam:chain";
/// The height at which the node had stopped, a decimal number. On snapshots.
pub const HEIGHT: &str = "beam:height";
/// What AWS's own console shows as a thing's name.
pub const NAME: &str = "Name";

/// The longest value that a tag may have, in characters (EC2's own limit).
pub const VALUE_CHARS_MAX: usize = 256;
/// The longest client token that EC2 takes, in ASCII characters.
pub const TOKEN_CHARS_MAX: usize = 64;

/// The tags of one thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tags(BTreeMap<String, String>);

impl Tags {
    /// As EC2 lists them.
    pub(super) fn of(listed: &[Tag]) -> Self {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Self(listed.iter().map(|tag| (text(tag.key()), text(tag.value()))).collect())
    }

    /// Of a thing that is to be made.
    pub(super) fn new(fleet: &FleetTag, token: &Token) -> Result<Self, CloudError> {
        fit("token", token.as_str(), TOKEN_CHARS_MAX)?;
        Ok(Self::of_fleet(fleet)?.with(TOKEN, token.as_str()))
    }

    /// Of a thing that comes along with another.
    pub(super) fn of_fleet(fleet: &FleetTag) -> Result<Self, CloudError> {
        fit("fleet tag", fleet.as_str(), VALUE_CHARS_MAX)?;
        Ok(Self::default().with(FLEET, fleet.as_str()))
    }

    /// One more.
    pub(super) fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Whether it is exactly this. A filter of EC2's also finds what its wildcards match.
    pub(super) fn is(&self, key: &str, value: &str) -> bool {
        self.get(key) == Some(value)
    }

    /// Whether Beam made it, or a person gave it to Beam.
    pub(super) fn ours(&self) -> bool {
        self.get(FLEET).is_some()
    }

    pub(super) fn token(&self) -> Option<Token> {
        self.get(TOKEN).map(Token::new)
    }

    pub(super) fn role(&self) -> Option<Role> {
        match self.get(ROLE)? {
            "validator" => Some(Role::Validator),
            "sentry" => Some(Role::Sentry),
            _ => None,
        }
    }

    /// As the call that makes a thing wants them.
    pub(super) fn for_new(&self, thing: ResourceType) -> TagSpecification {
        let tags = self.0.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        TagSpecification::builder().resource_type(thing).set_tags(Some(tags)).build()
    }
}

/// A role, as its tag says it.
pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Validator => "validator",
        Role::Sentry => "sentry",
    }
}

/// Finds the things of a fleet.
pub(super) fn of_fleet(fleet: &FleetTag) -> Result<Filter, CloudError> {
    fit("fleet tag", fleet.as_str(), VALUE_CHARS_MAX)?;
    Ok(filter(FLEET, fleet.as_str()))
}

/// Finds what was made for an intention.
pub(super) fn of_token(token: &Token) -> Result<Filter, CloudError> {
    fit("token", token.as_str(), TOKEN_CHARS_MAX)?;
    Ok(filter(TOKEN, token.as_str()))
}

/// `*` and `?` in a filter stand for anything; meant as they are, they are marked.
fn filter(key: &str, value: &str) -> Filter {
    let mut marked = String::with_capacity(value.len());
    for char in value.chars() {
        if matches!(char, '*' | '?' | '\\') {
            marked.push('\\');
        }
        marked.push(char);
    }
    Filter::builder().name(format!("tag:{key}")).values(marked).build()
}

/// Printable ASCII, and not too long.
fn fit(what: &str, value: &str, chars_max: usize) -> Result<(), CloudError> {
    let printable = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    if (1..=chars_max).contains(&value.len()) && value.bytes().all(printable) {
        return Ok(());
    }
    let shown: String = value.chars().take(80).collect();
    Err(CloudError::Invalid(format!("{what} {shown:?}: 1 to {chars_max} printable ASCII characters")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let tags = Tags::new(&FleetTag::new("hub"), &Token::new("t-1")).unwrap();
        let tags = tags.with(ROLE, role(Role::Validator));
        let made = tags.for_new(ResourceType::Instance);
        assert_eq!(made.resource_type(), Some(&ResourceType::Instance));
        let read = Tags::of(made.tags());
        assert_eq!(read, tags);
        assert_eq!((read.token(), read.role()), (Some(Token::new("t-1")), Some(Role::Validator)));
        assert!(read.ours() && read.is(FLEET, "hub") && !read.is(FLEET, "hu"));
    }

    #[test]
    fn a_role_that_we_do_not_know_is_none() {
        for (value, wanted) in [
            ("validator", Some(Role::Validator)),
            ("sentry", Some(Role::Sentry)),
            ("Validator", None),
            ("", None),
            ("archive", None),
        ] {
            assert_eq!(Tags::default().with(ROLE, value).role(), wanted, "{value}");
        }
        assert_eq!(Tags::default().role(), None);
        assert!(!Tags::default().with(NAME, "by hand").ours());
    }

    #[test]
    fn a_filter_finds_what_is_meant_and_not_what_it_could_stand_for() {
        for (value, wanted) in
            [("hub", "hub"), ("hub, 1", "hub, 1"), ("a*b?", "a\\*b\\?"), ("a\\*", "a\\\\\\*")]
        {
            let sent = of_fleet(&FleetTag::new(value)).unwrap();
            assert_eq!((sent.name(), sent.values()), (Some("tag:beam:fleet"), &[wanted.to_owned()][..]));
        }
    }

    #[test]
    fn what_cannot_be_a_tag_is_refused_before_anything_is_sent() {
        for value in ["", "größe", "a\nb", "a\0", &"x".repeat(257)] {
            let error = of_fleet(&FleetTag::new(value)).unwrap_err();
            assert!(matches!(&error, CloudError::Invalid(said) if said.contains("printable")), "{error:?}");
        }
        of_fleet(&FleetTag::new("x".repeat(256))).unwrap();
        of_token(&Token::new("x".repeat(64))).unwrap();
        of_token(&Token::new("x".repeat(65))).unwrap_err();
    }
}
