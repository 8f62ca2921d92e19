//! What the simulated cloud shows beyond the contract.
