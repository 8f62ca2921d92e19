//! Fixed public addresses.

use std::net::IpAddr;

use super::name::{AddressId, InstanceId, Token};

/// A fixed public address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The cloud's name for it.
    pub id: AddressId,
    /// The intention it was allocated for, if a program did it.
    pub token: Option<Token>,
    /// The address itself.
    pub address: IpAddr,
    /// The machine it is attached to.
    pub attached: Option<InstanceId>,
}
