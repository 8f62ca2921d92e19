//! The list of differences cannot rot: what it excuses must show.

use async_trait::async_trait;
use beam_core::testing::cloud_contract::Difference;
use beam_core::testing::{Breach, CloudHarness, cloud_contract};

use crate::broken::{Broken, broken};
use crate::stage::Simulated;

const KNOWN: Difference = Difference {
    clause: "an_attached_address_is_not_released",
    shows: "gave Ok(())",
    reason: "the emulator releases what is attached; that we refuse it is not checked",
};

#[tokio::test(start_paused = true)]
async fn a_known_difference_is_put_up_with_and_reported() -> Result<(), Breach> {
    let report = cloud_contract::run_but(&broken(Broken::ReleasesWhatIsAttached), &[KNOWN]).await?;
    assert_eq!(report.different, [KNOWN]);
    assert!(report.to_string().contains("the emulator releases what is attached"), "{report}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_difference_that_is_none_any_more_is_a_breach() {
    let breach = cloud_contract::run_but(&Simulated::calm(), &[KNOWN]).await.unwrap_err();
    assert_eq!(breach.statement, KNOWN.clause);
    assert!(breach.what.contains("strike it off"), "{breach}");
}

#[tokio::test(start_paused = true)]
async fn a_difference_that_shows_in_another_way_is_a_breach() {
    let listed = Difference { shows: "not done after", ..KNOWN };
    let seen = cloud_contract::run_but(&broken(Broken::ReleasesWhatIsAttached), &[listed]).await;
    let breach = seen.unwrap_err();
    assert!(breach.what.contains("but not like this"), "{breach}");
}

#[tokio::test(start_paused = true)]
async fn a_difference_that_nothing_shows_is_a_breach() {
    struct CannotStop(Simulated);
    #[async_trait]
    impl CloudHarness for CannotStop {
        fn cloud(&self) -> std::sync::Arc<dyn beam_core::cloud_provider::CloudProvider> {
            self.0.cloud()
        }
        fn template(&self) -> beam_core::cloud_provider::TemplateId {
            self.0.template()
        }
        async fn wait(&self, at_least: std::time::Duration) {
            self.0.wait(at_least).await;
        }
    }
    let listed = Difference { clause: "a_stopped_machine_takes_an_address", ..KNOWN };
    let breach = cloud_contract::run_but(&CannotStop(Simulated::calm()), &[listed]).await.unwrap_err();
    assert!(breach.what.contains("cannot stop a machine"), "{breach}");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_wrong_in_itself_is_a_breach() {
    for (listed, what) in [
        (vec![Difference { clause: "no_such_clause", ..KNOWN }], "no such clause"),
        (vec![KNOWN, KNOWN], "listed twice"),
        (vec![Difference { shows: "", ..KNOWN }], "without what shows"),
    ] {
        let breach = cloud_contract::run_but(&broken(Broken::ReleasesWhatIsAttached), &listed).await;
        let breach = breach.unwrap_err();
        assert!(breach.what.contains(what), "{breach}");
    }
}

#[test]
fn names_of_clauses_are_distinct_and_sentences_end() {
    let mut names: Vec<_> = cloud_contract::clauses().map(|clause| clause.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(cloud_contract::clauses().all(|clause| clause.says.ends_with('.')));
}
