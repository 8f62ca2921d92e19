//! The contract suite on a real account: `BEAM_AWS_LIVE=1`, credentials and a region in the environment, and a default VPC there. It makes a
//! launch template and, clause by clause, machines of the smallest kind, addresses, disks and snapshots, all tagged with a fleet of its own,
//! and ends them again; it names what it could not. Nobody has run it for this repository, which has no account.

use std::sync::Arc;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::Filter;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use beam_aws::ec2::{Access, Ec2Cloud, Region, region_of_environment, tags};
use beam_core::cloud_provider::Zone;
use beam_core::testing::cloud_contract;

use crate::common::template_of;
use crate::harness::Account;

/// The newest image of Amazon Linux, whose root disk is at `/dev/xvda`.
async fn image(client: &Client) -> String {
    let name = Filter::builder().name("name").values("al2023-ami-2023.*-x86_64").build();
    let images =
        client.describe_images().owners("amazon").filters(name).send().await.expect("DescribeImages");
    let newest = images.images().iter().max_by_key(|image| image.creation_date().map(str::to_owned));
    newest.and_then(|image| image.image_id()).expect("an image of Amazon Linux").to_owned()
}

/// A zone in which machines without a subnet of their own are not.
async fn other_zone(client: &Client) -> Option<Zone> {
    let default = Filter::builder().name("default-for-az").values("true").build();
    let subnets = client.describe_subnets().filters(default).send().await.expect("DescribeSubnets");
    let zones: Vec<_> = subnets.subnets().iter().filter_map(|subnet| subnet.availability_zone()).collect();
    let all = client.describe_availability_zones().send().await.expect("DescribeAvailabilityZones");
    let mut all = all.availability_zones().iter().filter_map(|zone| zone.zone_name());
    // EC2 chooses among the zones with a default subnet.
    all.find(|zone| !zones.contains(zone)).map(Zone::new)
}

/// What still carries the tags of this run.
async fn left(client: &Client, run: u64) -> Vec<String> {
    let filter = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
    let fleet = filter(&format!("tag:{}", tags::FLEET), &format!("contract-{run:x}-*"));
    let states = ["pending", "running", "stopping", "stopped"];
    let alive =
        Filter::builder().name("instance-state-name").set_values(Some(states.map(str::to_owned).to_vec()));
    let mut left = Vec::new();
    let instances = client.describe_instances().filters(fleet.clone()).filters(alive.build()).send().await;
    for found in instances.expect("DescribeInstances").reservations() {
        left.extend(found.instances().iter().filter_map(|one| one.instance_id().map(str::to_owned)));
    }
    let addresses =
        client.describe_addresses().filters(fleet.clone()).send().await.expect("DescribeAddresses");
    left.extend(addresses.addresses().iter().filter_map(|one| one.allocation_id().map(str::to_owned)));
    let volumes = client.describe_volumes().filters(fleet.clone()).send().await.expect("DescribeVolumes");
    left.extend(volumes.volumes().iter().filter_map(|one| one.volume_id().map(str::to_owned)));
    let snapshots = client.describe_snapshots().owner_ids("self").filters(fleet).send().await;
    let snapshots = snapshots.expect("DescribeSnapshots");
    left.extend(snapshots.snapshots().iter().filter_map(|one| one.snapshot_id().map(str::to_owned)));
    left
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_is_kept_by_aws() {
    if std::env::var_os("BEAM_AWS_LIVE").is_none() {
        return println!("skipped: BEAM_AWS_LIVE is not set");
    }
    let name = region_of_environment().await.expect("a region: set AWS_REGION");
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http);
    let raw = Client::new(&config.region(aws_config::Region::new(name.clone())).load().await);
    let mut random = [0; 8];
    getrandom::fill(&mut random).unwrap();
    // The suite writes it with as few digits as it has.
    let run = u64::from_be_bytes(random) | 1 << 63;
    let cloud = Ec2Cloud::open(Region { name, endpoint: None }, &Access::default()).await.unwrap();
    let template = template_of(&raw, &format!("beam-contract-{run:x}"), &image(&raw).await).await;
    let account = Account {
        cloud: Arc::new(cloud),
        other_zone: other_zone(&raw).await,
        raw: raw.clone(),
        template: template.clone(),
        run,
        list_lag: Duration::from_secs(5),
        patience: Duration::from_secs(10 * 60),
        line: None,
    };
    let report = cloud_contract::survey(&account, &[]).await;
    let made = template.as_str().split_once(':').map_or("", |(id, _)| id).to_owned();
    let deleted = raw.delete_launch_template().launch_template_id(&made).send().await;
    println!("{report}");
    let left = left(&raw, run).await;
    assert!(left.is_empty(), "not deleted, do it by hand: {left:?}");
    deleted.unwrap_or_else(|_| panic!("not deleted, do it by hand: {made}"));
    assert!(report.breaches.is_empty(), "{report}");
}
