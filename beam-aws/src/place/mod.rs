//! Where a table, a bucket or a key is: names that a configuration can check without any SDK.

mod bucket;
mod key;
mod region;

use std::fmt;

pub use bucket::Bucket;
pub use key::{KeyPlace, KeyPlaceError};
pub use region::Region;

/// A table, its region, and the endpoint if it is not the region's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The table's name.
    pub table: String,
    /// Its region, such as `eu-central-1`.
    pub region: String,
    /// A VPC endpoint, or an emulator.
    pub endpoint: Option<String>,
}

/// What is wrong with a [`Place`] or a [`Bucket`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// DynamoDB has no such names.
    #[error("table {0:?}: 3 to 255 letters, digits, '-', '_' or '.'")]
    Table(String),
    /// S3 has no such names.
    #[error("bucket {0:?}: 3 to 63 lower-case letters, digits, '-' or '.', a letter or digit at both ends")]
    Bucket(String),
    /// S3 keeps such names for other things than buckets.
    #[error("bucket {0:?}: it must be a general purpose bucket itself, not {1}")]
    NoBucket(String, &'static str),
    /// Not the beginning of an object's name.
    #[error(
        "prefix {0:?}: at most 200 letters, digits, '-', '_', '.' or '/', with '/' at its end only, such as \"beam/\""
    )]
    Prefix(String),
    /// No account looks like that.
    #[error("owner {0:?}: the 12 digits of the account that the bucket is of")]
    Owner(String),
    /// No region looks like that.
    #[error("region {0:?}: like \"eu-central-1\"")]
    Region(String),
    /// Neither `https://` nor this machine.
    #[error("endpoint {0:?}: https://..., or http:// to this machine (127.0.0.1, [::1], localhost)")]
    Endpoint(String),
}

impl Place {
    /// Looks at the names; nothing is asked.
    ///
    /// # Errors
    /// The first that cannot be one.
    pub fn check(&self) -> Result<(), PlaceError> {
        let is = |text: &str, allowed: fn(&u8) -> bool| text.bytes().all(|byte| allowed(&byte));
        let named = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        if !(3..=255).contains(&self.table.len()) || !is(&self.table, named) {
            return Err(PlaceError::Table(self.table.clone()));
        }
        check_region(&self.region)?;
        check_endpoint(self.endpoint.as_deref())
    }
}

/// Whether a region could have that name.
pub(crate) fn check_region(region: &str) -> Result<(), PlaceError> {
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !(5..=40).contains(&region.len()) || !region.bytes().all(lower) || !region.contains('-') {
        return Err(PlaceError::Region(region.to_owned()));
    }
    Ok(())
}

/// Whether that may be asked instead of the region's own.
pub(crate) fn check_endpoint(endpoint: Option<&str>) -> Result<(), PlaceError> {
    match endpoint {
        Some(endpoint) if !is_endpoint(endpoint) => Err(PlaceError::Endpoint(endpoint.to_owned())),
        _ => Ok(()),
    }
}

/// Without TLS anybody on the way could answer in AWS's place.
fn is_endpoint(endpoint: &str) -> bool {
    let host = |rest: &str| rest.split('/').next().unwrap_or_default().to_owned();
    if let Some(rest) = endpoint.strip_prefix("https://") {
        return !host(rest).is_empty();
    }
    let Some(authority) = endpoint.strip_prefix("http://").map(host) else { return false };
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        _ => &authority,
    };
    ["127.0.0.1", "[::1]", "localhost"].contains(&name)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "table {} in {}", self.table, self.region)?;
        match &self.endpoint {
            Some(endpoint) => write!(f, " at {endpoint}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(table: &str, region: &str, endpoint: Option<&str>) -> Result<(), PlaceError> {
        Place { table: table.to_owned(), region: region.to_owned(), endpoint: endpoint.map(str::to_owned) }
            .check()
    }

    #[test]
    fn names_that_aws_has_are_taken_and_others_are_not() {
        for (table, region, endpoint) in [
            ("beam", "eu-central-1", None),
            (
                "beam.prod_2-b",
                "us-gov-west-1",
                Some("https://vpce-1.dynamodb.us-gov-west-1.vpce.amazonaws.com"),
            ),
            ("beam", "local-1", Some("http://127.0.0.1:8000")),
            ("beam", "local-1", Some("http://[::1]:8000/")),
            ("beam", "local-1", Some("http://localhost")),
        ] {
            assert_eq!(place(table, region, endpoint), Ok(()));
        }
        for (table, region, endpoint) in [
            ("be", "eu-central-1", None),
            ("be am", "eu-central-1", None),
            ("beam", "Frankfurt", None),
            ("beam", "", None),
            ("beam", "eu-central-1", Some("http://10.0.0.1:8000")),
            ("beam", "eu-central-1", Some("http://127.0.0.1.example.com")),
            ("beam", "eu-central-1", Some("http://localhost@example.com")),
            ("beam", "eu-central-1", Some("https://")),
            ("beam", "eu-central-1", Some("127.0.0.1:8000")),
        ] {
            place(table, region, endpoint).unwrap_err();
        }
    }
}
