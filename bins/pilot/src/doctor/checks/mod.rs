//! The checks: facts in, findings out. Each has a fixed name.

mod host;
mod keys;
mod node;
mod register;
mod running;
#[cfg(test)]
mod tests;

use super::facts::{Fact, Facts};
use super::{Finding, Severity};

/// Judges everything.
pub(crate) fn checks(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(key) = &facts.key {
        findings.extend(keys::checks(key));
    }
    findings.extend(node::checks(facts.role, &facts.files));
    findings.extend(running::checks(facts.role, &facts.running, &facts.chain));
    findings.extend(host::checks(&facts.host, &facts.chain));
    if let Some(register) = &facts.register {
        findings.extend(register::checks(register));
    }
    findings
}

/// A finding about something that is not known, or what it comes to.
fn known<T>(
    id: &'static str,
    limit: &'static str,
    fact: &Fact<T>,
    judge: impl FnOnce(&T) -> Finding,
) -> Finding {
    match fact {
        Ok(fact) => judge(fact),
        Err(why) => Finding::new(id, Severity::Unknown, why.clone(), limit),
    }
}

/// Fine if it is as it should be.
fn if_fine(fine: bool, otherwise: Severity) -> Severity {
    if fine { Severity::Fine } else { otherwise }
}
