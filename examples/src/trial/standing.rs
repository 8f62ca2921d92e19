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
    /// Whether an owner signs and a standby is in step, as far as Beam itself can tell: see [`is_well`].
    pub is_well: bool,
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
            is_well: is_well(status) == Some(true),
        })
    }
}

/// How the pilot begins to say that a disk is nearly full.
const DISK_IS_SHORT: &str = "the disk of the node's home has ";

/// Whether a `beam status` or a machine's report finds nothing wrong but how full the disk is: that is the disk of whoever
/// runs the lab, and says nothing about the lab. `None` if it says nothing of a state.
#[must_use]
pub fn is_well(said: &Value) -> Option<bool> {
    let state = said.get("state")?.as_str()?;
    let reasons = said.get("reasons").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    // A status names the machine before the reason.
    let is_the_disk = |reason: &Value| reason.as_str().is_some_and(|reason| reason.contains(DISK_IS_SHORT));
    Some(state == "fine" || (state == "degraded" && !reasons.is_empty() && reasons.iter().all(is_the_disk)))
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
        assert!(standing.is_well);
        assert!(Standing::parse(&json!({})).is_err());
    }

    #[test]
    fn a_full_disk_is_no_trouble_of_the_lab_and_everything_else_is() {
        let of = |state: &str, reasons: &[&str]| is_well(&json!({ "state": state, "reasons": reasons }));
        let disk = "a: the disk of the node's home has 9% left";
        assert_eq!(of("fine", &[]), Some(true));
        assert_eq!(of("degraded", &[disk, "the disk of the node's home has 3% left"]), Some(true));
        assert_eq!(of("degraded", &[disk, "b: the register does not answer"]), Some(false));
        assert_eq!(of("degraded", &[]), Some(false));
        assert_eq!(of("down", &[disk]), Some(false));
        assert_eq!(is_well(&json!({})), None);
    }
}
