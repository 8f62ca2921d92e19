//! Where a key in KMS is.

use std::fmt;

use super::{PlaceError, check_endpoint, check_region};

/// A key, its region, and the endpoint if it is not the region's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPlace {
    /// The key's id, its ARN, or an alias with `alias/` before it.
    pub key: String,
    /// Its region, such as `eu-central-1`.
    pub region: String,
    /// A VPC endpoint, or an emulator.
    pub endpoint: Option<String>,
}

/// What is wrong with a [`KeyPlace`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyPlaceError {
    /// KMS has no such names.
    #[error("key {0:?}: a key's id, \"alias/NAME\", or an ARN of either (arn:aws:kms:REGION:ACCOUNT:key/ID)")]
    Key(String),
    /// The ARN is of another region.
    #[error("the key is in region {of_key}, and the region is said to be {region}: say the key's")]
    OtherRegion {
        /// The region that the ARN names.
        of_key: String,
        /// The one that was said.
        region: String,
    },
    /// The region or the endpoint.
    #[error(transparent)]
    Place(#[from] PlaceError),
}

impl KeyPlace {
    /// The region that a key's ARN names; `None` for an id or an alias alone.
    #[must_use]
    pub fn region_of(key: &str) -> Option<&str> {
        key.strip_prefix("arn:")?.split(':').nth(2).filter(|region| !region.is_empty())
    }

    /// Looks at the names; nothing is asked.
    ///
    /// # Errors
    /// The first that cannot be one.
    pub fn check(&self) -> Result<(), KeyPlaceError> {
        check_region(&self.region)?;
        check_endpoint(self.endpoint.as_deref())?;
        if !is_key(&self.key) {
            return Err(KeyPlaceError::Key(self.key.clone()));
        }
        match Self::region_of(&self.key) {
            Some(region) if region != self.region => {
                Err(KeyPlaceError::OtherRegion { of_key: region.to_owned(), region: self.region.clone() })
            }
            _ => Ok(()),
        }
    }
}

fn is_key(key: &str) -> bool {
    let Some(arn) = key.strip_prefix("arn:") else { return is_name(key) };
    match arn.splitn(5, ':').collect::<Vec<_>>().as_slice() {
        [partition, "kms", region, account, resource] => {
            let account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
            let name = resource.strip_prefix("key/").filter(|id| is_id(id));
            let named = name.is_some() || resource.starts_with("alias/") && is_name(resource);
            !partition.is_empty() && !region.is_empty() && account && named
        }
        _ => false,
    }
}

/// An id or an alias. Aliases under `alias/aws/` are of keys that AWS keeps for its own services; none of them signs.
fn is_name(name: &str) -> bool {
    match name.strip_prefix("alias/") {
        Some(alias) => {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-".contains(&byte);
            (1..=250).contains(&alias.len()) && alias.bytes().all(allowed) && !alias.starts_with("aws/")
        }
        None => is_id(name),
    }
}

/// A UUID, or `mrk-` and 32 digits for a key that is in several regions.
fn is_id(id: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match id.strip_prefix("mrk-") {
        Some(rest) => rest.len() == 32 && digits(rest),
        None => {
            let parts: Vec<&str> = id.split('-').collect();
            parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(|part| digits(part))
        }
    }
}

impl fmt::Display for KeyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {} in {}", self.key, self.region)?;
        match &self.endpoint {
            Some(endpoint) => write!(f, " at {endpoint}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

    fn place(key: &str, region: &str, endpoint: Option<&str>) -> Result<(), KeyPlaceError> {
        KeyPlace { key: key.to_owned(), region: region.to_owned(), endpoint: endpoint.map(str::to_owned) }
            .check()
    }

    #[test]
    fn names_that_kms_has_are_taken() {
        let arn = format!("arn:aws:kms:eu-central-1:111122223333:key/{ID}");
        let (china, mrk) = (arn.replace("aws:", "aws-cn:"), "mrk-1234abcd12ab34cd56ef1234567890ab");
        let alias = "arn:aws:kms:eu-central-1:111122223333:alias/beam/hub";
        for key in [ID, "alias/beam", "alias/beam/hub-4_a", mrk, &arn, &china, alias] {
            assert_eq!(place(key, "eu-central-1", None), Ok(()), "{key}");
        }
        assert_eq!(place(ID, "local-1", Some("http://127.0.0.1:4566")), Ok(()));
    }

    #[test]
    fn others_are_not() {
        let of = |arn: &str| arn.replace("ID", ID);
        for key in [
            "",
            "beam",
            "alias/",
            "alias/aws/ebs",
            "alias/be am",
            "1234",
            &ID[1..],
            "mrk-12",
            "arn:",
            &of("arn:aws:kms:eu-central-1:111122223333:ID"),
            &of("arn:aws:kms:eu-central-1:1111:key/ID"),
            &of("arn:aws:sns:eu-central-1:111122223333:key/ID"),
            "arn:aws:kms:eu-central-1:111122223333:key/alias/beam",
            "arn:aws:kms:eu-central-1:111122223333:alias/aws/s3",
        ] {
            let refused = place(key, "eu-central-1", None).unwrap_err();
            assert_eq!(refused, KeyPlaceError::Key(key.to_owned()));
        }
        assert!(matches!(place(ID, "Frankfurt", None), Err(KeyPlaceError::Place(PlaceError::Region(_)))));
        let open = place(ID, "eu-central-1", Some("http://10.0.0.1:4566"));
        assert!(matches!(open, Err(KeyPlaceError::Place(PlaceError::Endpoint(_)))));
        let other = place(&of("arn:aws:kms:us-east-1:111122223333:key/ID"), "eu-central-1", None);
        assert!(other.unwrap_err().to_string().contains("the key is in region us-east-1"));
    }
}
