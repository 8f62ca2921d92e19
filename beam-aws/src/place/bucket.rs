//! Where a bucket is, and whose.

use std::fmt;

use super::{PlaceError, check_endpoint, check_region};

/// A bucket, and the part of it that is Beam's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The bucket's name.
    pub name: String,
    /// What the names of all of Beam's objects in it begin with, such as `beam/`; it may be empty.
    pub prefix: String,
    /// Its region, such as `eu-central-1`.
    pub region: String,
    /// The account that it is of. Names of buckets are the whole world's: one that was deleted may be somebody else's tomorrow.
    pub owner: String,
    /// A VPC endpoint, or an emulator.
    pub endpoint: Option<String>,
}

/// Names that S3 gives to other things. What stands behind them need not keep S3's promises, or is in one zone only.
const OTHERS: [(&str, &str); 5] = [
    ("--x-s3", "a directory bucket, which is in one zone only"),
    ("--table-s3", "a table bucket"),
    ("-s3alias", "an access point's alias"),
    ("--ol-s3", "an Object Lambda access point"),
    (".mrap", "a Multi-Region access point, which leads to several buckets"),
];

impl Bucket {
    /// What [`prefix`](Self::prefix) is if nobody says.
    pub const PREFIX: &str = "beam/";

    const PREFIX_LEN_MAX: usize = 200;

    /// Looks at the names; nothing is asked.
    ///
    /// # Errors
    /// The first that cannot be one.
    pub fn check(&self) -> Result<(), PlaceError> {
        let name = self.name.as_bytes();
        let end = |byte: Option<&u8>| byte.is_some_and(|byte| is_alphanumeric(*byte));
        let within = |byte: &u8| is_alphanumeric(*byte) || b"-.".contains(byte);
        if !(3..=63).contains(&name.len())
            || !end(name.first())
            || !end(name.last())
            || !name.iter().all(within)
        {
            return Err(PlaceError::Bucket(self.name.clone()));
        }
        if let Some((_, what)) = OTHERS.iter().find(|(suffix, _)| self.name.ends_with(suffix)) {
            return Err(PlaceError::NoBucket(self.name.clone(), what));
        }
        let within = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
        let folders = self.prefix.is_empty() || self.prefix.ends_with('/');
        let empty = self.prefix.starts_with('/') || self.prefix.contains("//");
        if !folders || empty || self.prefix.len() > Self::PREFIX_LEN_MAX || !self.prefix.bytes().all(within) {
            return Err(PlaceError::Prefix(self.prefix.clone()));
        }
        if self.owner.len() != 12 || !self.owner.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PlaceError::Owner(self.owner.clone()));
        }
        check_region(&self.region)?;
        check_endpoint(self.endpoint.as_deref())
    }
}

fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, prefix, region, owner, endpoint } = self;
        write!(f, "bucket {name}/{prefix} in {region} of account {owner}")?;
        match endpoint {
            Some(endpoint) => write!(f, " at {endpoint}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket() -> Bucket {
        Bucket {
            name: "beam-prod.eu".to_owned(),
            prefix: Bucket::PREFIX.to_owned(),
            region: "eu-central-1".to_owned(),
            owner: "123456789012".to_owned(),
            endpoint: None,
        }
    }

    #[test]
    fn names_that_s3_has_are_taken_and_others_are_not() {
        assert_eq!(bucket().check(), Ok(()));
        for prefix in ["", "a/", "prod/beam_2.b/"] {
            assert_eq!(Bucket { prefix: prefix.to_owned(), ..bucket() }.check(), Ok(()), "{prefix:?}");
        }
        for name in ["", "ab", "Beam", "be_am", "-beam", "beam-", "arn:aws:s3:::beam", &"a".repeat(64)] {
            let wrong = Bucket { name: name.to_owned(), ..bucket() }.check();
            assert_eq!(wrong, Err(PlaceError::Bucket(name.to_owned())));
        }
        for name in ["beam--euc1-az1--x-s3", "beam-abc-s3alias", "beam--ol-s3", "m123.mrap"] {
            let wrong = Bucket { name: name.to_owned(), ..bucket() }.check();
            assert!(matches!(wrong, Err(PlaceError::NoBucket(..))), "{name}: {wrong:?}");
        }
        for prefix in ["beam", "/", "/beam/", "a//b/", "a b/", "ä/", &format!("{}/", "a".repeat(200))] {
            let wrong = Bucket { prefix: prefix.to_owned(), ..bucket() }.check();
            assert_eq!(wrong, Err(PlaceError::Prefix(prefix.to_owned())));
        }
        for owner in ["", "12345678901", "1234567890123", "12345678901x"] {
            let wrong = Bucket { owner: owner.to_owned(), ..bucket() }.check();
            assert_eq!(wrong, Err(PlaceError::Owner(owner.to_owned())));
        }
        let endpoint = Some("http://10.0.0.1:1".to_owned());
        assert!(matches!(Bucket { endpoint, ..bucket() }.check(), Err(PlaceError::Endpoint(_))));
        let region = "Frankfurt".to_owned();
        assert!(matches!(Bucket { region, ..bucket() }.check(), Err(PlaceError::Region(_))));
    }
}
