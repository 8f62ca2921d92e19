//! What leaves for EC2, call by call, and how often.

use std::time::Duration;

use beam_aws::ec2::timeouts::{ATTEMPTS_MAX, PAGES_MAX};
use beam_aws::ec2::{Access, tags};
use beam_core::cloud_provider::{
    AddressId, CloudError, CloudProvider as _, FleetTag, InstanceId, Launch, Role, TemplateId, Token,
};

use crate::common::access;
use crate::endpoint::{Asked, Endpoint, Reply, addresses, bare_template, launched, machines, one_machine};

fn hub() -> FleetTag {
    FleetTag::new("hub")
}

fn launch(role: Role) -> Launch {
    Launch {
        token: Token::new("t-1"),
        fleet: hub(),
        role,
        name: "one".to_owned(),
        template: TemplateId::new("lt-1:1"),
        snapshot: None,
    }
}

fn address() -> AddressId {
    AddressId::new("eipalloc-1")
}

fn machine(id: &str) -> InstanceId {
    InstanceId::new(id)
}

/// EC2 shows what was made only after a while.
fn patient() -> Access {
    Access { visible_within: Duration::from_secs(3), ..access() }
}

fn field<'a>(asked: &'a Asked, name: &str) -> Option<&'a str> {
    asked.get(name).map(String::as_str)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_read_to_its_last_page() {
    let endpoint = Endpoint::start().await;
    let pages =
        [machines(&["i-1", "i-2"], Some("a")), machines(&["i-3"], Some("b")), machines(&["i-4"], None)];
    endpoint.on("DescribeInstances", pages);
    let listed = endpoint.cloud().await.instances(&hub()).await.unwrap();
    let ids: Vec<_> = listed.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["i-1", "i-2", "i-3", "i-4"]);
    let asked = endpoint.take();
    let tokens: Vec<_> = asked.iter().map(|asked| field(asked, "NextToken")).collect();
    assert_eq!(tokens, [None, Some("a"), Some("b")]);
    assert_eq!(field(&asked[0], "Filter.1.Name"), Some("tag:beam:fleet"));
    assert_eq!(field(&asked[0], "Filter.1.Value.1"), Some("hub"));
    assert_eq!(field(&asked[0], "MaxResults"), Some("500"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_breaks_off_or_never_ends_is_an_error_and_never_a_part() {
    let endpoint = Endpoint::start().await;
    let cloud = endpoint.cloud().await;
    endpoint
        .on("DescribeInstances", [machines(&["i-1"], Some("a")), Reply::Refuses(400, "InvalidNextToken")]);
    assert!(matches!(cloud.instances(&hub()).await, Err(CloudError::Invalid(_))));
    endpoint.take();
    // The SDK takes a token that it was given twice for the end.
    endpoint.on("DescribeInstances", [machines(&["i-1"], Some("a"))]);
    assert!(matches!(cloud.instances(&hub()).await, Err(CloudError::Unavailable(_))));
    assert_eq!(endpoint.take().len(), PAGES_MAX + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_a_wildcard_matched_is_not_the_fleets() {
    let endpoint = Endpoint::start().await;
    endpoint.on("DescribeInstances", [machines(&["i-1"], None)]);
    endpoint.on("DescribeAddresses", [addresses(&[("eipalloc-1", None)])]);
    let (cloud, other) = (endpoint.cloud().await, FleetTag::new("h*"));
    assert!(cloud.instances(&other).await.unwrap().is_empty());
    assert!(cloud.addresses(&other).await.unwrap().is_empty());
    assert_eq!(field(&endpoint.take()[0], "Filter.1.Value.1"), Some("h\\*"));
}

/// EC2 does not list the first machine yet: its client token is what makes it one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_launch_repeated_is_told_to_ec2_as_the_same() {
    let endpoint = Endpoint::start().await;
    endpoint.on("DescribeInstances", [machines(&[], None)]);
    endpoint.on("DescribeLaunchTemplateVersions", [bare_template()]);
    endpoint.on("RunInstances", [launched("i-1")]);
    let cloud = endpoint.cloud().await;
    for _ in 0..2 {
        assert_eq!(cloud.launch(&launch(Role::Validator)).await.unwrap(), machine("i-1"));
    }
    let runs: Vec<Asked> =
        endpoint.take().into_iter().filter(|asked| field(asked, "Action") == Some("RunInstances")).collect();
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[0], runs[1], "EC2 refuses a token that comes with something else");
    let run = &runs[0];
    assert_eq!(field(run, "ClientToken"), Some("t-1"));
    assert_eq!((field(run, "MinCount"), field(run, "MaxCount")), (Some("1"), Some("1")));
    assert_eq!(field(run, "LaunchTemplate.LaunchTemplateId"), Some("lt-1"));
    assert_eq!(field(run, "LaunchTemplate.Version"), Some("1"));
    assert_eq!(field(run, "MetadataOptions.HttpTokens"), Some("required"));
    assert_eq!(field(run, "DisableApiTermination"), Some("true"));
    assert_eq!(field(run, "TagSpecification.1.ResourceType"), Some("instance"));
    assert_eq!(field(run, "TagSpecification.2.ResourceType"), Some("volume"));
    assert!(run.values().any(|value| value == tags::FLEET));
}

/// Template and snapshot may have gone since; the machine is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_launch_repeated_when_its_machine_is_listed_launches_nothing() {
    let endpoint = Endpoint::start().await;
    endpoint.on("DescribeInstances", [machines(&["i-1", "i-2"], None)]);
    let again = Launch { token: Token::new("t-i-2"), ..launch(Role::Sentry) };
    assert_eq!(endpoint.cloud().await.launch(&again).await.unwrap(), machine("i-2"));
    assert_eq!(endpoint.actions(), ["DescribeInstances"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_not_listed_yet_is_not_allocated_again() {
    let endpoint = Endpoint::start().await;
    let there = addresses(&[("eipalloc-1", None)]);
    endpoint.on("DescribeAddresses", [addresses(&[]), addresses(&[]), addresses(&[]), there]);
    // The answer is lost, and so is the address's name.
    endpoint.on("AllocateAddress", [Reply::Cuts]);
    let (cloud, token) = (endpoint.open(&patient()).await.unwrap(), Token::new("t-eipalloc-1"));
    let error = cloud.allocate_address(&hub(), &token).await.unwrap_err();
    assert!(matches!(error, CloudError::OutcomeUnknown(_)), "{error:?}");
    assert_eq!(cloud.allocate_address(&hub(), &token).await.unwrap(), address());
    let actions = endpoint.actions();
    assert_eq!(actions.iter().filter(|action| *action == "AllocateAddress").count(), 1, "{actions:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_just_made_and_is_not_found_is_looked_for() {
    let endpoint = Endpoint::start().await;
    let hidden = Reply::Refuses(400, "InvalidInstanceID.NotFound");
    endpoint
        .on("DescribeInstances", [hidden.clone(), hidden.clone(), one_machine("i-1", "running", "sentry")]);
    let cloud = endpoint.open(&patient()).await.unwrap();
    cloud.terminate(&machine("i-1")).await.unwrap();
    let asked = ["DescribeInstances", "DescribeInstances", "DescribeInstances", "TerminateInstances"];
    assert_eq!(endpoint.actions(), asked);
    endpoint.on("DescribeInstances", [hidden]);
    let since = std::time::Instant::now();
    let error = cloud.terminate(&machine("i-1")).await.unwrap_err();
    assert!(matches!(error, CloudError::NotFound(_)), "{error:?}");
    assert!(since.elapsed() >= Duration::from_secs(3), "{:?}", since.elapsed());
    assert!(!endpoint.actions().contains(&"TerminateInstances".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_is_read_before_it_is_written_and_takes_from_nobody() {
    let endpoint = Endpoint::start().await;
    let cloud = endpoint.cloud().await;
    endpoint.on("DescribeInstances", [one_machine("i-1", "running", "sentry")]);

    // Where it is: nothing is written, since EC2 may charge for it.
    endpoint.on("DescribeAddresses", [addresses(&[("eipalloc-1", Some("i-1"))])]);
    cloud.move_address(&address(), &machine("i-1")).await.unwrap();
    assert_eq!(endpoint.actions(), ["DescribeAddresses", "DescribeAddresses"]);

    // Elsewhere: neither.
    endpoint.on("DescribeAddresses", [addresses(&[("eipalloc-1", Some("i-2"))]), addresses(&[])]);
    let error = cloud.move_address(&address(), &machine("i-1")).await.unwrap_err();
    assert!(matches!(error, CloudError::InUse(_)), "{error:?}");
    assert_eq!(endpoint.actions(), ["DescribeAddresses", "DescribeAddresses"]);

    // Free: the machine's former one is detached first, and EC2 is told to take it from nobody.
    endpoint.on(
        "DescribeAddresses",
        [addresses(&[("eipalloc-1", None)]), addresses(&[("eipalloc-2", Some("i-1"))])],
    );
    cloud.move_address(&address(), &machine("i-1")).await.unwrap();
    let asked = endpoint.take();
    let writes = &asked[3..];
    assert_eq!(field(&writes[0], "Action"), Some("DisassociateAddress"));
    assert_eq!(field(&writes[0], "AssociationId"), Some("assoc-eipalloc-2"));
    assert_eq!(field(&writes[1], "Action"), Some("AssociateAddress"));
    assert_eq!(field(&writes[1], "AllowReassociation"), Some("false"));
    assert_eq!(field(&writes[1], "AllocationId"), Some("eipalloc-1"));
    assert_eq!(field(&writes[1], "InstanceId"), Some("i-1"));
    assert_eq!(writes.len(), 2);
}

/// The machine has lost its former address then: nothing is as it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_stops_half_way_is_a_doubt() {
    let endpoint = Endpoint::start().await;
    let cloud = endpoint.cloud().await;
    endpoint.on("DescribeInstances", [one_machine("i-1", "running", "sentry")]);
    for refused in ["RequestLimitExceeded", "Resource.AlreadyAssociated", "UnauthorizedOperation"] {
        endpoint.on("AssociateAddress", [Reply::Refuses(400, refused)]);
        let held = addresses(&[("eipalloc-2", Some("i-1"))]);
        endpoint.on("DescribeAddresses", [addresses(&[("eipalloc-1", None)]), held]);
        let error = cloud.move_address(&address(), &machine("i-1")).await.unwrap_err();
        assert!(matches!(error, CloudError::OutcomeUnknown(_)), "{error:?}");
        // With no former address nothing has changed.
        endpoint.on("DescribeAddresses", [addresses(&[("eipalloc-1", None)]), addresses(&[])]);
        let error = cloud.move_address(&address(), &machine("i-1")).await.unwrap_err();
        assert!(!matches!(error, CloudError::OutcomeUnknown(_)), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_validator_is_not_asked_to_be_terminated() {
    let endpoint = Endpoint::start().await;
    let cloud = endpoint.cloud().await;
    for role in ["validator", "archive", ""] {
        endpoint.on("DescribeInstances", [one_machine("i-1", "running", role)]);
        let error = cloud.terminate(&machine("i-1")).await.unwrap_err();
        assert!(matches!(error, CloudError::Protected(_)), "{role}: {error:?}");
        assert_eq!(endpoint.actions(), ["DescribeInstances"], "{role}");
    }
    // Whose tags were edited is still protected on EC2's side.
    endpoint.on("DescribeInstances", [one_machine("i-1", "running", "sentry")]);
    endpoint.on("TerminateInstances", [Reply::Refuses(400, "OperationNotPermitted")]);
    let error = cloud.terminate(&machine("i-1")).await.unwrap_err();
    assert!(matches!(error, CloudError::Protected(_)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_repeated_and_a_change_is_sent_once() {
    let endpoint = Endpoint::start().await;
    let cloud = endpoint.cloud().await;
    let ill = [Reply::Refuses(500, "InternalError")];
    endpoint.on("DescribeInstances", ill.clone());
    assert!(matches!(cloud.instances(&hub()).await, Err(CloudError::Unavailable(_))));
    assert_eq!(endpoint.take().len(), usize::try_from(ATTEMPTS_MAX).unwrap());
    // One ill moment is nothing.
    endpoint.on("DescribeInstances", [Reply::Refuses(503, "RequestLimitExceeded"), machines(&["i-1"], None)]);
    assert_eq!(cloud.instances(&hub()).await.unwrap().len(), 1);
    endpoint.take();

    endpoint.on("DescribeAddresses", [addresses(&[])]);
    for reply in [Reply::Refuses(500, "InternalError"), Reply::Refuses(503, "Unavailable"), Reply::Cuts] {
        endpoint.on("AllocateAddress", [reply]);
        let error = cloud.allocate_address(&hub(), &Token::new("t-9")).await.unwrap_err();
        assert!(matches!(error, CloudError::OutcomeUnknown(_)), "{error:?}");
        assert_eq!(endpoint.actions(), ["DescribeAddresses", "AllocateAddress"]);
    }
}
