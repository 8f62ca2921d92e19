//! What other signers remember of what they signed: the state files of gaiad, TMKMS and Horcrux.
//!
//! A validator that moves in brings such a file along, and its record begins above it. What must always hold:
//! * A file is never read lower than its own signer would read it. **The same numbers mean different steps**: `"step": 2` is a
//!   prevote to gaiad and Horcrux (1 proposal, 2 prevote, 3 precommit) and a precommit to TMKMS (0, 1, 2).
//! * A file that cannot be understood is an error, never "nothing signed".
//!
//! Facts, not code, from: `FilePVLastSignState` of `CometBFT` 0.38 (`privval/file.go`; `cosmos/kms` writes the same),
//! `consensus::State` as TMKMS 0.15 keeps it (`src/chain/state.rs`, steps in `src/privval.rs`), `SignState` of Horcrux 3.3
//! (`signer/sign_state.go`).

mod form;
mod read;

pub use form::StateFormat;
pub use read::{STATE_FILE_LEN_MAX, StateFile, StateFileError, parse, read};
