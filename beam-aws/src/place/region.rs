//! A region, for services whose things have no name of their own to begin with.

use std::fmt;

use super::{PlaceError, check_endpoint, check_region};

/// A region of AWS, and the endpoint if it is not the region's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its name, such as `eu-central-1`.
    pub name: String,
    /// A VPC endpoint, or an emulator.
    pub endpoint: Option<String>,
}

impl Region {
    /// Looks at the names; nothing is asked.
    ///
    /// # Errors
    /// The first that cannot be one.
    pub fn check(&self) -> Result<(), PlaceError> {
        check_region(&self.name)?;
        check_endpoint(self.endpoint.as_deref())
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.endpoint {
            Some(endpoint) => write!(f, " at {endpoint}"),
            None => Ok(()),
        }
    }
}
