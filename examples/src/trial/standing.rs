//! Who owns and how everybody stands, by `beam status`.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::lab::Lab;

/// What `beam status` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The epoch in the register.
    pub epoch: u64,
    /// The machine that owns.
    pub owner: Option<String>,
    /// `fine`, `degraded` or `down`.
    pub state: String,
}

impl Standing {
    /// Reads the output of `beam status --output json`.
    ///
    /// # Errors
    /// When something is missing.
    pub fn parse(status: &Value) -> Result<Self> {
        let machines = status.get("machines").and_then(Value::as_array);
        let owner = machines
            .context("beam status names no machines")?
            .iter()
            .find(|machine| machine.get("role").and_then(Value::as_str) == Some("owner"))
            .and_then(|machine| machine.get("name")?.as_str());
        let state = status.get("state").and_then(Value::as_str);
        Ok(Self {
            epoch: status.get("epoch").and_then(Value::as_u64).context("beam status names no epoch")?,
            owner: owner.map(str::to_owned),
            state: state.context("beam status names no state")?.to_owned(),
        })
    }

    /// Whether an owner signs and a standby is in step, as far as Beam itself can tell.
    pub fn is_fine(&self) -> bool {
        self.state == "fine"
    }
}

impl Lab {
    /// How everybody stands, by the word of the first machine's `beam status`.
    ///
    /// # Errors
    /// When the command fails or says something else.
    pub async fn standing(&self) -> Result<Standing> {
        let machine = self.machines.first().context("a lab without machines")?;
        Standing::parse(&machine.status().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_owner_is_the_machine_whose_role_it_is() {
        let status = json!({ "epoch": 3, "state": "fine", "machines": [
            { "name": "a", "role": "standby" }, { "name": "b", "role": "owner" },
        ]});
        let standing = Standing::parse(&status).unwrap();
        assert_eq!((standing.epoch, standing.owner.as_deref()), (3, Some("b")));
        assert!(standing.is_fine());
        assert!(Standing::parse(&json!({})).is_err());
    }
}
