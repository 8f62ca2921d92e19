//! Credentials that are there when they are needed.
//!
//! A role's credentials live for hours and then have to be asked for again, of the machine's metadata service or over the network. The
//! SDK does that in the middle of the call that finds them expired, and that call may be a vote. So they are asked for ahead of
//! time, beside the calls, and calls go on with what is there for as long as it is valid.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use tokio::time::timeout;

use crate::timeouts::{CREDENTIALS_AGAIN_AFTER, CREDENTIALS_AHEAD, CREDENTIALS_WITHIN};

/// The credentials held, and where new ones come from.
#[derive(Debug)]
pub(crate) struct Held {
    source: SharedCredentialsProvider,
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    held: Credentials,
    /// When new ones were last asked for.
    asked: Option<SystemTime>,
}

impl Held {
    /// Asks for the first ones.
    pub(super) async fn first(source: SharedCredentialsProvider) -> Result<Arc<Self>, CredentialsError> {
        let held = ask(&source).await?;
        Ok(Arc::new(Self { source, state: RwLock::new(State { held, asked: None }) }))
    }

    /// Whether new ones are due. The first who asks is told so, and others not before a while.
    fn due(&self, now: SystemTime) -> bool {
        let due = |state: &State| {
            let ends = state.held.expiry().is_some_and(|end| end <= now + CREDENTIALS_AHEAD);
            let asked = |asked: SystemTime| {
                now.duration_since(asked).is_ok_and(|since| since < CREDENTIALS_AGAIN_AFTER)
            };
            ends && !state.asked.is_some_and(asked)
        };
        if !due(&self.state.read().unwrap_or_else(PoisonError::into_inner)) {
            return false;
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let first = due(&state);
        if first {
            state.asked = Some(now);
        }
        first
    }

    fn held(&self) -> Credentials {
        self.state.read().unwrap_or_else(PoisonError::into_inner).held.clone()
    }

    /// New ones, in place of those held; if there are none, those stay.
    async fn renew(self: Arc<Self>) {
        if let Ok(new) = ask(&self.source).await {
            self.state.write().unwrap_or_else(PoisonError::into_inner).held = new;
        }
    }
}

async fn ask(source: &SharedCredentialsProvider) -> Result<Credentials, CredentialsError> {
    match timeout(CREDENTIALS_WITHIN, source.provide_credentials()).await {
        Ok(answer) => answer,
        Err(_) => Err(CredentialsError::provider_timed_out(CREDENTIALS_WITHIN)),
    }
}

/// As the SDK asks for them. Needs a tokio runtime.
#[derive(Clone, Debug)]
pub(crate) struct Renewed(pub(super) Arc<Held>);

impl ProvideCredentials for Renewed {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        if self.0.due(SystemTime::now()) {
            tokio::spawn(self.0.clone().renew());
        }
        future::ProvideCredentials::ready(Ok(self.0.held()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    /// Gives one answer after the other, and then none.
    #[derive(Debug)]
    struct Source(Mutex<Vec<Credentials>>);

    impl ProvideCredentials for Source {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let next = self.0.lock().unwrap().pop();
            future::ProvideCredentials::ready(
                next.ok_or_else(|| CredentialsError::not_loaded("the service is ill")),
            )
        }
    }

    fn ending(id: &str, left: Duration) -> Credentials {
        Credentials::new(id, "secret", None, Some(SystemTime::now() + left), "test")
    }

    async fn held(mut answers: Vec<Credentials>) -> Renewed {
        answers.reverse();
        let source = SharedCredentialsProvider::new(Source(Mutex::new(answers)));
        Renewed(Held::first(source).await.unwrap())
    }

    async fn id(of: &Renewed) -> String {
        let given = of.provide_credentials().await.unwrap().access_key_id().to_owned();
        // What was spawned has run before this goes on.
        tokio::task::yield_now().await;
        given
    }

    #[tokio::test]
    async fn they_are_renewed_ahead_of_time_and_beside_the_calls() {
        let soon = CREDENTIALS_AHEAD / 2;
        let of = held(vec![ending("first", soon), ending("second", HOUR)]).await;
        assert_eq!(id(&of).await, "first", "the call that finds it due does not wait");
        assert_eq!(id(&of).await, "second");
        assert_eq!(id(&of).await, "second");
    }

    #[tokio::test]
    async fn what_is_held_serves_while_there_are_no_new_ones() {
        let of = held(vec![ending("first", CREDENTIALS_AHEAD / 2)]).await;
        for _ in 0..3 {
            assert_eq!(id(&of).await, "first");
        }
    }

    #[tokio::test]
    async fn those_that_last_are_not_asked_for_again() {
        let of = held(vec![ending("first", CREDENTIALS_AHEAD + HOUR), ending("never", HOUR)]).await;
        id(&of).await;
        assert_eq!(id(&of).await, "first");
        let forever = held(vec![Credentials::new("key", "secret", None, None, "test")]).await;
        assert!(!forever.0.due(SystemTime::now() + HOUR * 1000));
    }

    #[tokio::test]
    async fn a_source_that_is_ill_is_asked_now_and_then() {
        let of = held(vec![ending("first", Duration::ZERO)]).await;
        let now = SystemTime::now();
        assert!(of.0.due(now));
        assert!(!of.0.due(now), "it was asked just now");
        assert!(of.0.due(now + CREDENTIALS_AGAIN_AFTER));
    }
}
